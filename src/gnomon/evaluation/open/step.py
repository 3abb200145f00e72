"""The step ``evaluation/open_questions``: open questions answered, and what the answers are worth.

First every arm answers, one model open at a time; then the judge, if there is one, reads what was answered. Both are
kept a block at a time. ``results.parquet`` holds every answer with its points, ``open.json`` the figures; what the
judge cost is apart from what the answers cost.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gnomon.core.exams import Output as Said
from gnomon.core.exams import Result
from gnomon.core.files import write_json
from gnomon.core.hashing import plain, text_hash
from gnomon.core.memory import kept_memory
from gnomon.core.records import Drop, Item
from gnomon.core.tables import TableWriter, read_table, write_table
from gnomon.evaluation.bootstrap import Draws
from gnomon.evaluation.exam.scoring import check_outputs
from gnomon.evaluation.exam.shelf import Shelf
from gnomon.evaluation.open.answering import Answering
from gnomon.evaluation.open.config import GRADES, ITEMS, OpenConfig
from gnomon.evaluation.open.facts import OpenAnswer, open_facts
from gnomon.evaluation.open.hall import Hall, shelf_of
from gnomon.evaluation.open.judging import Case, Judgement, judged, prompt
from gnomon.evaluation.open.overlap import overlap
from gnomon.evaluation.open.questions import read_open
from gnomon.llm.chat import ChatOptions
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

ROWS, FACTS, DROPS = "results.parquet", "open.json", "drops.parquet"
NOT_ANSWERED = "not_answered"
HOW = tuple("passing max_items max_tokens judge_tokens thinking passages passage_characters seed draws dtype".split())


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One block of items for one arm."""

    key: str
    """Key of its answers; its judgements have it with ``judged-`` in front."""
    arm: int
    """The arm's place in the config."""
    items: tuple[Item, ...]
    """The items, with references."""


def run(config: OpenConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Let every arm answer, and judge what it says.

    Args:
        config: Who answers and who judges.
        inputs: ``items``, ``model:ROLE`` for every model without a ``ref``; ``index`` and ``vectors`` for open book.
        out: Receives ``results.parquet``, ``open.json`` and ``drops.parquet``.

    Raises:
        ConfigError: The judge is one of the models, or a model cannot be used.
        DataError: There is nothing to ask.
        RunError: A model does not answer.
    """
    with TableWriter(out.path / DROPS, Drop) as drops:
        items, dropped = read_open(inputs[ITEMS], config.max_items, config.seed, drops)
    blocks = [
        Asked(key=f"{arm:02d}-{start // config.block:06d}", arm=arm, items=tuple(items[start : start + config.block]))
        for arm in range(len(config.arms)) for start in range(0, len(items), config.block)
    ]  # fmt: skip
    out.meter.total(len(items) * len(config.arms) * (2 if config.judge else 1), "answers")
    with closing(Hall(config, inputs, out)) as hall, kept_memory():
        _answer(hall, config, inputs, blocks)
        if config.judge is not None:
            _judge(hall, config, blocks)
    rows = {
        arm.name: [row for block in blocks if block.arm == place for row in _rows(out, config, block)]
        for place, arm in enumerate(config.arms)
    }
    made = write_table(out.path / ROWS, OpenAnswer, (row for found in rows.values() for row in found))
    _write_facts(config, items, blocks, rows, out)
    return Counts(taken=len(items) + sum(dropped.values()), kept=len(items), dropped=dropped, made={"answers": made})


# Answers and judgements ----------------------------------------------------------------------


def _answer(hall: Hall, config: OpenConfig, inputs: Mapping[str, Path], blocks: Sequence[Asked]) -> None:
    out, shelf = hall.out, None
    missing = set(out.pending([block.key for block in blocks]))
    # Arms of one model together, so that it is opened once.
    for block in sorted(blocks, key=lambda block: config.arms[block.arm].model):
        arm = config.arms[block.arm]
        if block.key in missing:
            if arm.open_book and shelf is None:
                shelf = shelf_of(config.book, inputs, out, config.passages, config.passage_characters)
            solver = Answering(hall.model(arm.model), arm, config, shelf if arm.open_book else None)
            before = _given(shelf)
            said = solver.solve([replace(item, reference="", evidence="", origin="") for item in block.items])
            check_outputs(said, len(block.items), arm.name)
            after = _given(shelf)
            write_table(_file(out, block.key), Said, [replace(one, seconds=0.0) for one in said])
            note = {"ref": hall.ref, "seconds": math.fsum(one.seconds for one in said),
                    "given": after[0] - before[0], "left_out": after[1] - before[1]}  # fmt: skip
            out.done(block.key, Counts(taken=0, kept=0), note=note)
        out.meter.advance(len(block.items))
    hall.leave()


def _given(shelf: Shelf | None) -> tuple[int, int]:
    return (shelf.given, shelf.left_out) if shelf else (0, 0)


def _judge(hall: Hall, config: OpenConfig, blocks: Sequence[Asked]) -> None:
    out, how = hall.out, ChatOptions(max_tokens=config.judge_tokens, seed=config.seed)
    missing = set(out.pending([f"judged-{block.key}" for block in blocks]))
    for block in blocks:
        key = f"judged-{block.key}"
        if key in missing:
            said = list(read_table(_file(out, block.key), Said))
            pairs = [(item, one) for item, one in zip(block.items, said, strict=True) if not one.reason]
            cases = [_case(item, one.text) for item, one in pairs]
            made = judged(hall.judge(), f"answer-{config.prompt}", cases, GRADES, how) if cases else []
            found = {item.id: one for (item, _), one in zip(pairs, made, strict=True)}
            none = Judgement(fault=NOT_ANSWERED)
            write_table(_file(out, key), Judgement, [found.get(item.id, none) for item in block.items])
            out.done(key, Counts(taken=0, kept=0), note={"ref": hall.ref})
        out.meter.advance(len(block.items))


def _case(item: Item, answer: str) -> Case:
    parts = (("question", item.prompt), ("reference", item.reference), ("answer", answer))
    return Case(lang=item.lang, parts=parts)


def _file(out: Output, key: str) -> Path:
    return out.shards / "rows" / f"{key}.parquet"


def _rows(out: Output, config: OpenConfig, block: Asked) -> Iterator[OpenAnswer]:
    said = list(read_table(_file(out, block.key), Said))
    made = list(read_table(_file(out, f"judged-{block.key}"), Judgement)) if config.judge else [None] * len(block.items)
    for item, one, judgement in zip(block.items, said, made, strict=True):
        yield row_of(item, config.arms[block.arm].name, one, judgement)


def row_of(item: Item, arm: str, said: Said, judgement: Judgement | None) -> OpenAnswer:
    """One answer with its overlap and its judgement.

    Args:
        item: The question, with its reference.
        arm: Who answered.
        said: What.
        judgement: What the judge said of it; None without a judge.
    """
    shared = overlap(said.text, item.reference)
    points = judgement.score if judgement else None
    score = None
    if not said.reason:
        score = shared.rouge_l if judgement is None else None if points is None else (points - 1) / (GRADES - 1)
    reason = said.reason or (judgement.fault if judgement else "")
    return OpenAnswer(
        subject=item.subject, lang=item.lang, rouge_l=None if said.reason else shared.rouge_l, figures=shared.figures,
        figures_found=shared.figures_found, points=points, why=(judgement.why or judgement.fault) if judgement else "",
        result=Result(item_id=item.id, arm=arm, order=(), output=said, score=score, reason=reason),
    )  # fmt: skip


# Figures --------------------------------------------------------------------------------------


def _write_facts(
    config: OpenConfig, items: Sequence[Item], blocks: Sequence[Asked], rows: Mapping[str, Sequence[OpenAnswer]],
    out: Output,
) -> None:  # fmt: skip
    found = open_facts(items, rows, config.passing, Draws(number=config.draws, seed=config.seed))
    about = {}
    for place, arm in enumerate(config.arms):
        notes = out.notes([block.key for block in blocks if block.arm == place])
        passages = {name: sum(note[name] for note in notes) for name in ("given", "left_out")}
        about[arm.name] = {
            "label": arm.label or arm.name, "model": arm.model, "chat": arm.chat, "open_book": arm.open_book,
            "ref": notes[0]["ref"], **({"passages": passages} if arm.open_book else {}),
        }  # fmt: skip
    how = {name: getattr(config, name) for name in HOW}
    facts: dict[str, Any] = {"how": how, "order": list(rows), "arms": about, "judge": None, "open": found}
    if config.judge is not None:
        facts["judge"] = _judge_facts(config, items, blocks, out)
        out.cost_usd += facts["judge"]["cost_usd"]
    write_json(out.path / FACTS, facts)
    every = [row.result.output.cost_usd for answers in rows.values() for row in answers]
    out.cost_usd += math.fsum(cost for cost in every if cost is not None)
    out.metrics["open"] = {
        name: {"points": (arm["judged"] or {"points": None})["points"], "rouge_l": arm["rouge_l"]}
        for name, arm in found["arms"].items()
    }
    out.metrics["seconds"] = {
        arm.name: math.fsum(note["seconds"] for note in out.notes([b.key for b in blocks if b.arm == place]))
        for place, arm in enumerate(config.arms)
    }


def _judge_facts(config: OpenConfig, items: Sequence[Item], blocks: Sequence[Asked], out: Output) -> dict[str, Any]:
    """Who judged by which prompt, and what that came to."""
    name = f"answer-{config.prompt}"
    made = [one for block in blocks for one in read_table(_file(out, f"judged-{block.key}"), Judgement)]
    return {
        "ref": plain(config.judge), "prompt": name, "points": GRADES, "passing": config.passing,
        "prompt_hash": {lang: text_hash(prompt(name, lang)) for lang in sorted({item.lang for item in items})},
        "tokens": sum(one.tokens for one in made),
        "cost_usd": math.fsum(one.cost_usd for one in made if one.cost_usd is not None),
    }  # fmt: skip
