"""Sitting an exam: one arm, one paper, a block of questions at a time.

The *hall* opens what arms need when they first need it: a model, the log of calls, the library. A model stays open
until its arms are done. Solvers are given blinded items (``orders.presented``); right options never leave this module.
"""

import gc
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gnomon.core.exams import Result, Solver
from gnomon.core.hashing import plain
from gnomon.core.protocols import resolve
from gnomon.core.records import Item
from gnomon.core.tables import write_table
from gnomon.evaluation.exam.arms import Arm
from gnomon.evaluation.exam.asking import Asking, timed
from gnomon.evaluation.exam.config import ExamConfig
from gnomon.evaluation.exam.generate import Continued, Writing, Written
from gnomon.evaluation.exam.likeliest import Likeliest
from gnomon.evaluation.exam.orders import Order, orders, presented
from gnomon.evaluation.exam.papers import Questions
from gnomon.evaluation.exam.prompting import Sheet
from gnomon.evaluation.exam.scoring import Answered, answered, check_outputs, not_asked, score
from gnomon.evaluation.exam.shelf import Shelf
from gnomon.evaluation.roles import open_model
from gnomon.llm.call_log import FILE, CallLog
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output


class Hall:
    """What the arms of one exam share.

    Args:
        config: Settings of the step.
        inputs: Its inputs.
        out: Its output.
    """

    def __init__(self, config: ExamConfig, inputs: Mapping[str, Path], out: Output) -> None:
        self.config, self.out = config, out
        self._inputs = inputs
        self._model: Any = None
        self._log: CallLog | None = None
        self._shelf: Shelf | None = None

    def solver(self, arm: Arm, questions: Questions) -> Solver:
        """Who answers the questions of a paper for an arm."""
        config = self.config
        if arm.kind == "solver":
            found: Solver = resolve(config.solver)(self._inputs, self.out)
            return found
        model = self._opened(arm)
        asking = Asking(self._sheet(arm, questions), model, self.shelf if arm.open_book else None)
        if arm.mode != "generate":
            return Likeliest(model, asking, config.normalise)
        if not arm.chat:
            return Continued(model, asking)
        return Written(model, asking, Writing(max_tokens=config.max_tokens, thinking=config.thinking, seed=config.seed))

    @property
    def shelf(self) -> Shelf:
        """The library, opened once."""
        if self._shelf is None:
            book = resolve(self.config.book)(self._inputs, self.out)
            self._shelf = Shelf(book, self.config.passages, self.config.passage_characters)
        return self._shelf

    @property
    def passages(self) -> tuple[int, int]:
        """Passages put before questions so far, and passages that did not fit."""
        return (self._shelf.given, self._shelf.left_out) if self._shelf else (0, 0)

    @property
    def ref(self) -> dict[str, Any] | None:
        """The open model's reference, None when there is none."""
        found: dict[str, Any] | None = None if self._model is None else plain(self._model.ref)
        return found

    def leave(self) -> None:
        """Close the model."""
        if self._model is None:
            return
        close = getattr(self._model, "close", None)  # local weights and fakes have nothing to close
        if close is not None:
            close()
        self._model = close = None
        gc.collect()

    def close(self) -> None:
        """Close everything."""
        self.leave()
        if self._log is not None:
            self._log.close()

    def _opened(self, arm: Arm) -> Any:
        if self._model is None:
            role = next(role for role in self.config.models if role.name == arm.model)
            # The workspace's own log, beside the caches: `ask` and other steps replay from it too.
            self._log = self._log or CallLog(self.out.locks.parent / "cache" / FILE)
            self._model = open_model(
                role, self._inputs, self.config.loader, self.out.settings, log=self._log, dtype=self.config.dtype
            )
        return self._model

    def _sheet(self, arm: Arm, questions: Questions) -> Sheet:
        form = {"letter": arm.style, "option": "option", "generate": "json"}[arm.mode]
        return Sheet(
            form=form, several=questions.several and arm.names_several, dev=questions.dev, shots=self.config.shots,
            opened=not (arm.mode == "generate" and arm.chat),
        )  # fmt: skip


def block_keys(arm: int, paper: int, questions: Questions, size: int) -> list[str]:
    """The keys of the blocks that one arm answers of one paper."""
    return [f"{arm:02d}-{paper:02d}-{block:06d}" for block in range(len(questions.blocks(size)))]


def rows_file(out: Output, key: str) -> Path:
    """Where the answers of a block are kept."""
    return out.shards / "rows" / f"{key}.parquet"


def sit(hall: Hall, number: int, paper: int, questions: Questions) -> None:
    """Let one arm answer what is still missing of one paper.

    Args:
        hall: What arms share.
        number: The arm's place in the config.
        paper: The paper's.
        questions: The paper.
    """
    arm, out = hall.config.arms[number], hall.out
    blocks = questions.blocks(hall.config.block)
    keys = block_keys(number, paper, questions, hall.config.block)
    missing = set(out.pending(keys))
    out.meter.advance(sum(len(block) for key, block in zip(keys, blocks, strict=True) if key not in missing))
    if not missing:
        return
    solver = hall.solver(arm, questions)
    for key, block in zip(keys, blocks, strict=True):
        if key in missing:
            given, left_out = hall.passages
            rows, seconds, asked = answer(solver, arm, block, questions.paper.name, hall.config)
            write_table(rows_file(out, key), Answered, rows)
            now = hall.passages
            note = {"ref": hall.ref, "seconds": seconds, "asked": asked, "tokens": sum(map(_tokens, rows)),
                    "given": now[0] - given, "left_out": now[1] - left_out}  # fmt: skip
            out.done(key, Counts(taken=0, kept=0), note=note)
            out.meter.advance(len(block))


def answer(
    solver: Solver, arm: Arm, block: Sequence[Item], exam: str, config: ExamConfig
) -> tuple[list[Answered], float, int]:
    """The answers of one arm to some items, each in all its orders.

    Args:
        solver: Who answers.
        arm: For whom.
        block: The items, with the right options.
        exam: The paper's name.
        config: Orders and seed.

    Returns:
        (rows, seconds of all answers, questions asked).

    Raises:
        RunError: The solver breaks its contract.
    """
    asked: list[tuple[Item, Order]] = []
    for item in block:
        if len(item.targets) == 1 or arm.names_several:
            asked += [(item, order) for order in orders(item, config.orders if arm.hangs_on_order else 1, config.seed)]
    began = time.perf_counter()
    said = solver.solve([presented(*one) for one in asked]) if asked else []
    check_outputs(said, len(asked), arm.name)
    said = timed(said, began)
    results: dict[str, list[Result]] = {item.id: [] for item in block}
    for (item, order), output in zip(asked, said, strict=True):
        results[item.id].append(score(item, order, output, arm.name))
    rows = [
        answered(exam, item, result) for item in block for result in results[item.id] or [not_asked(item, arm.name)]
    ]
    return rows, sum(output.seconds for output in said), len(asked)


def _tokens(row: Answered) -> int:
    return row.result.output.tokens_in + row.result.output.tokens_out


def facts_of_arm(arm: Arm, config: ExamConfig, notes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is known of an arm, whatever it answered.

    Args:
        arm: The arm.
        config: Settings of the step.
        notes: What was noted of its blocks.
    """
    role = next((role for role in config.models if role.name == arm.model), None)
    facts: dict[str, Any] = {
        "label": arm.label or arm.name, "kind": arm.kind, "mode": arm.way, "open_book": arm.open_book,
        "role_kind": role.kind if role else "", "model": arm.model,
    }  # fmt: skip
    if arm.way == "letter":
        facts["style"] = arm.style
    if arm.way == "generate":
        facts["chat"] = arm.chat
    ref = next((note["ref"] for note in notes if note["ref"]), None)
    if ref:
        facts["ref"] = ref
    if arm.open_book:
        facts["passages"] = {name: sum(note[name] for note in notes) for name in ("given", "left_out")}
    return facts
