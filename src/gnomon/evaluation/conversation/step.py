"""The step ``evaluation/chat_exam``: conversations held with models, and a judge's points for every turn.

The questions are the user's own copy (MT-Bench is not part of Gnomon). First every model talks, one open at a time,
then the judge reads; both are kept a block at a time. ``turns.parquet`` holds every answer with its points,
``chat.json`` the figures.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.exams import Output as Said
from gnomon.core.files import read_json, write_json
from gnomon.core.hashing import plain, text_hash
from gnomon.core.memory import kept_memory
from gnomon.core.records import Drop
from gnomon.core.tables import TableWriter, read_table, write_table
from gnomon.evaluation.bootstrap import Draws
from gnomon.evaluation.conversation.config import POINTS, ChatConfig
from gnomon.evaluation.conversation.facts import JudgedTurn, chat_facts
from gnomon.evaluation.conversation.questions import Question, read_questions
from gnomon.evaluation.conversation.talking import case, talk
from gnomon.evaluation.open.hall import Hall
from gnomon.evaluation.open.judging import Judgement, judged, prompt
from gnomon.llm.chat import ChatOptions
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.sources import FileSet

FILES, ROWS, FACTS, DROPS = "files", "turns.parquet", "chat.json", "drops.parquet"
NOT_ANSWERED = "not_answered"
HOW = tuple("temperatures max_items max_tokens judge_tokens thinking seed draws dtype".split())


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """One block of conversations with one model."""

    key: str
    """Key of its answers; its judgements have it with ``judged-`` in front."""
    arm: str
    """Who is talked to."""
    questions: tuple[Question, ...]
    """The conversations."""

    @property
    def turns(self) -> list[tuple[Question, int]]:
        """(question, turn from 0) of every answer, in order."""
        return [(question, turn) for question in self.questions for turn in range(len(question.turns))]


def run(config: ChatConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Hold the conversations, and have them judged.

    Args:
        config: Who talks and who judges.
        inputs: ``files`` and ``model:ROLE`` for every model without a ``ref``.
        out: Receives ``turns.parquet``, ``chat.json`` and ``drops.parquet``.

    Raises:
        ConfigError: The judge is one of the models, or a model cannot chat.
        DataError: There is no question.
        RunError: A model does not answer.
    """
    files = FileSet.from_row(read_json(inputs[FILES]))
    with TableWriter(out.path / DROPS, Drop) as drops:
        questions, taken, references = read_questions(files, config.max_items, config.seed, drops)
    blocks = [
        Held(key=f"{place:02d}-{start // config.block:06d}", arm=role.name,
             questions=tuple(questions[start : start + config.block]))
        for place, role in enumerate(config.models) for start in range(0, len(questions), config.block)
    ]  # fmt: skip
    out.meter.total(2 * sum(len(block.turns) for block in blocks), "turns")
    with closing(Hall(config, inputs, out)) as hall, kept_memory():
        for block in blocks:
            _talk(hall, config, block)
        for block in blocks:
            _judge(hall, config, block)
    rows = {role.name: [row for block in blocks if block.arm == role.name for row in _rows(out, block)]
            for role in config.models}  # fmt: skip
    made = write_table(out.path / ROWS, JudgedTurn, (row for found in rows.values() for row in found))
    _write_facts(config, questions, blocks, rows, out)
    return Counts(
        taken=taken, kept=len(questions), dropped=_reasons(out.path / DROPS),
        made={"answers": made, "references": references},
    )  # fmt: skip


def _reasons(drops: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for drop in read_table(drops, Drop):
        found[drop.reason] = found.get(drop.reason, 0) + 1
    return dict(sorted(found.items()))


def _talk(hall: Hall, config: ChatConfig, block: Held) -> None:
    out = hall.out
    if any(out.pending([block.key])):
        said = talk(hall.model(block.arm), block.questions, config)
        write_table(_file(out, block.key), Said, (one for outputs in said for one in outputs))
        out.done(block.key, Counts(taken=0, kept=0), note={"ref": hall.ref})
    out.meter.advance(len(block.turns))


def _judge(hall: Hall, config: ChatConfig, block: Held) -> None:
    out, key, how = hall.out, f"judged-{block.key}", ChatOptions(max_tokens=config.judge_tokens, seed=config.seed)
    if any(out.pending([key])):
        said = list(read_table(_file(out, block.key), Said))
        cases = []
        for place, ((question, turn), one) in enumerate(zip(block.turns, said, strict=True)):
            if not one.reason:
                answers = [earlier.text for earlier in said[place - turn : place + 1]]
                cases.append((place, case(question, turn, answers)))
        made = judged(hall.judge(), f"chat-{config.prompt}", [c for _, c in cases], POINTS, how) if cases else []
        found = {place: one for (place, _), one in zip(cases, made, strict=True)}
        none = Judgement(fault=NOT_ANSWERED)
        write_table(_file(out, key), Judgement, [found.get(place, none) for place in range(len(said))])
        out.done(key, Counts(taken=0, kept=0))
    out.meter.advance(len(block.turns))


def _file(out: Output, key: str) -> Path:
    return out.shards / "rows" / f"{key}.parquet"


def _rows(out: Output, block: Held) -> Iterator[JudgedTurn]:
    said = read_table(_file(out, block.key), Said)
    made = read_table(_file(out, f"judged-{block.key}"), Judgement)
    for (question, turn), one, judgement in zip(block.turns, said, made, strict=True):
        yield JudgedTurn(
            question_id=question.id, arm=block.arm, category=question.category, lang=question.lang, turn=turn + 1,
            output=one, points=judgement.score, why=judgement.why or judgement.fault,
            reference=bool(question.reference(turn)),
        )  # fmt: skip


def _write_facts(
    config: ChatConfig, questions: Sequence[Question], blocks: Sequence[Held],
    rows: dict[str, list[JudgedTurn]], out: Output,
) -> None:  # fmt: skip
    found = chat_facts(rows, Draws(number=config.draws, seed=config.seed))
    refs = {block.arm: out.notes([block.key])[0]["ref"] for block in blocks}
    labels = {role.name: {"label": role.label or role.name, "role_kind": role.kind, "ref": refs[role.name]}
              for role in config.models}  # fmt: skip
    name = f"chat-{config.prompt}"
    made = [one for block in blocks for one in read_table(_file(out, f"judged-{block.key}"), Judgement)]
    spent = math.fsum(one.cost_usd for one in made if one.cost_usd is not None)
    judge: dict[str, Any] = {
        "ref": plain(config.judge), "prompt": name, "points": POINTS, "tokens": sum(one.tokens for one in made),
        "prompt_hash": {lang: text_hash(prompt(name, lang)) for lang in sorted({q.lang for q in questions})},
        "cost_usd": spent,
    }  # fmt: skip
    how = {key: plain(getattr(config, key)) for key in HOW}
    write_json(out.path / FACTS, {"how": how, "order": list(rows), "models": labels, "judge": judge, "chat": found})
    out.cost_usd += spent + math.fsum(row.output.cost_usd or 0.0 for turns in rows.values() for row in turns)
    out.metrics["chat"] = {arm: facts["points"] for arm, facts in found["arms"].items()}
