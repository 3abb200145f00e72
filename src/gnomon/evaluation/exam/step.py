"""The step ``evaluation/exam``: every arm sits every paper, and what its answers are worth.

Models are opened one at a time, and only when an answer of theirs is missing. Answers are kept a block of items at a
time, so a killed run goes on where it stopped; ``results.parquet`` holds every one of them, ``exam.json`` the figures.
How long it took is in the record's metrics (``speed``), because no two runs take the same time and an artifact has
to be the same for all of them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from gnomon.core.files import write_json
from gnomon.core.memory import kept_memory
from gnomon.core.records import Drop
from gnomon.core.tables import TableWriter, read_table, write_table
from gnomon.evaluation.bootstrap import Draws
from gnomon.evaluation.exam.arms import Arm
from gnomon.evaluation.exam.config import ExamConfig
from gnomon.evaluation.exam.facts import paper_facts
from gnomon.evaluation.exam.papers import Questions, read_questions
from gnomon.evaluation.exam.scoring import Answered
from gnomon.evaluation.exam.sitting import Hall, block_keys, facts_of_arm, rows_file, sit
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

ROWS, FACTS, DROPS = "results.parquet", "exam.json", "drops.parquet"

HOW = tuple(
    "orders shots normalise max_tokens thinking passages passage_characters seed draws dtype".split()
)  # fmt: skip


def run(config: ExamConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Let every arm sit every paper, and score what they say.

    Args:
        config: Who answers what, and how.
        inputs: ``items:PAPER`` for every paper, ``dev:PAPER`` for examples, ``model:ROLE`` for every model without a
            ``ref``; ``index`` and ``vectors``, or whatever else book and solver want.
        out: Receives ``results.parquet``, ``exam.json`` and ``drops.parquet``.

    Raises:
        DataError: A paper has nothing to ask, or too few examples.
        RunError: A solver breaks its contract, or a model does not answer.
    """
    with TableWriter(out.path / DROPS, Drop) as drops:
        papers = [read_questions(paper, inputs, config.shots, config.seed, drops) for paper in config.exams]
    work = [(a, e) for a, arm in enumerate(config.arms) for e, paper in enumerate(config.exams) if paper.sat_by(arm)]
    asked = [(a, e) for a, e in work if config.arms[a].kind != "chance"]
    out.meter.total(sum(len(papers[e].items) for _, e in asked), "questions")
    with closing(Hall(config, inputs, out)) as hall, kept_memory():
        for arms in _by_model(config.arms):
            for a, e in ((a, e) for a in arms for e in range(len(papers)) if (a, e) in asked):
                sit(hall, a, e, papers[e])
            hall.leave()
    keys = {(a, e): block_keys(a, e, papers[e], config.block) for a, e in asked}
    made = write_table(out.path / ROWS, Answered, _read(out, [key for found in keys.values() for key in found]))
    _write_facts(config, papers, keys, out)
    kept, dropped = sum(len(questions.items) for questions in papers), dict[str, int]()
    for questions in papers:
        for reason, count in questions.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    return Counts(taken=kept + sum(dropped.values()), kept=kept, dropped=dropped, made={"answers": made})


def _by_model(arms: Sequence[Arm]) -> list[list[int]]:
    """Places of the arms that answer, those of one model together, so that it is opened once."""
    groups: dict[str, list[int]] = {}
    for place, arm in enumerate(arms):
        if arm.kind != "chance":
            groups.setdefault(arm.model, []).append(place)
    return list(groups.values())


def _read(out: Output, keys: Sequence[str]) -> Iterator[Answered]:
    for key in keys:
        yield from read_table(rows_file(out, key), Answered)


Keys = Mapping[tuple[int, int], list[str]]
"""Of blocks, by the places of arm and paper."""


def _write_facts(config: ExamConfig, papers: Sequence[Questions], keys: Keys, out: Output) -> None:
    arms, exams, draws = {}, {}, Draws(number=config.draws, seed=config.seed)
    for a, arm in enumerate(config.arms):
        notes = out.notes([key for place, found in keys.items() if place[0] == a for key in found])
        arms[arm.name] = facts_of_arm(arm, config, notes)
    for e, questions in enumerate(papers):
        sat = [arm for arm in config.arms if questions.paper.sat_by(arm)]
        rows = {config.arms[a].name: _read(out, found) for (a, other), found in keys.items() if other == e}
        exams[questions.paper.name] = paper_facts(questions, sat, rows, config.normalise, draws)
    order = {"arms": list(arms), "exams": list(exams)}  # keys of a JSON file are sorted
    how = {name: getattr(config, name) for name in HOW}
    write_json(out.path / FACTS, {"how": how, "order": order, "arms": arms, "exams": exams})
    out.metrics["accuracy"] = {
        exam: {arm: row["accuracy"]["value"] if row["accuracy"] else None for arm, row in facts["arms"].items()}
        for exam, facts in exams.items()
    }
    out.metrics["speed"] = _speed(config, papers, keys, out)
    every = (row.result.output.cost_usd for found in keys.values() for row in _read(out, found))
    out.cost_usd += math.fsum(cost for cost in every if cost is not None)


def _speed(config: ExamConfig, papers: Sequence[Questions], keys: Keys, out: Output) -> dict[str, Any]:
    """Questions asked and tokens read and written a second, by paper and arm."""
    found: dict[str, Any] = {questions.paper.name: {} for questions in papers}
    for (a, e), blocks in keys.items():
        notes = out.notes(blocks)
        asked, tokens, seconds = (sum(note[name] for note in notes) for name in ("asked", "tokens", "seconds"))
        found[papers[e].paper.name][config.arms[a].name] = {
            "items_per_second": asked / seconds if seconds else None,
            "tokens_per_second": tokens / seconds if seconds else None, "asked": asked, "seconds": seconds,
        }  # fmt: skip
    return found
