"""The questions of an exam as lists: by who was right, by subject and language, by what they say.

Question texts are told to whoever asks and written nowhere: not in a log, not in an error.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from gnomon.core.errors import NotFound
from gnomon.core.records import Item
from gnomon.core.tables import read_batches, read_table
from gnomon.core.text import fold
from gnomon.core.wording import say
from gnomon.evaluation.exam.statistics import MAJORITY
from gnomon.evaluation.exam.step import ROWS
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.corpus import Frozen
from gnomon.serving.facts.exam import Paper, Sitting, exam_record, sitting
from gnomon.serving.facts.gathered import finished
from gnomon.serving.facts.kept import kept
from gnomon.serving.facts.paging import PAGE_SIZE, Paged, pages_of, rows_of

FILE = "items.parquet"
COLUMNS = ("exam", "result")
Right = Literal["", "right", "wrong", "unscored"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which questions of an exam a reader wants to see."""

    sitting: str = ""
    """Role of the exam; empty for the first."""
    paper: str = ""
    """One of its papers; empty for the first."""
    arm: str = ""
    """Whose answers are looked at; empty for nobody's."""
    right: Right = ""
    """How that arm did; empty for anyhow."""
    subject: str = ""
    """Subject code; empty for all."""
    lang: str = ""
    """Language code; empty for all."""
    text: str = ""
    """Words that question or options hold; empty for all."""


class ItemRow(Frozen):
    """A question in a list."""

    id: str = Field(description="The question.")
    prompt: str = Field(description="What is asked.")
    subject: str = Field(description="Its subject; empty when it has none.")
    lang: str = Field(description="Its language.")
    right: int = Field(description="Arms that answered rightly, in most of the orders.")
    scored: int = Field(description="Arms that were scored on it.")
    score: float | None = Field(description="Of the arm asked about: share of orders answered rightly; null unscored.")
    reason: str = Field(description="Why that arm was not scored.")


class ItemsPage(Paged):
    """Questions of a paper."""

    sitting: str = Field(description="Role of the exam.")
    paper: str = Field(description="Its paper.")
    arm: str = Field(description="The arm asked about; empty for none.")
    arms: tuple[str, ...] = Field(description="All arms, in the order of the tables.")
    subjects: tuple[str, ...] = Field(description="Subjects of the paper's questions.")
    languages: tuple[str, ...] = Field(description="Their languages.")
    rows: tuple[ItemRow, ...] = Field(description="The questions, in the order of the paper.")


def items(opened: OpenExpert, wanted: Wanted, page: int = 1, size: int = PAGE_SIZE) -> ItemsPage:
    """A page of questions.

    Args:
        opened: The expert.
        wanted: Which ones.
        page: Which page, from 1.
        size: Questions of a page.

    Raises:
        NotFound: There is no such exam, paper, arm or page.
    """
    held, paper = place_of(opened, wanted.sitting, wanted.paper)
    arms = [arm.name for arm in paper.arms if arm.kind != "chance"]
    if wanted.arm and wanted.arm not in arms:
        raise NotFound(
            say(f"Nobody called {wanted.arm[:200]!r} sat {paper.name!r}.",
                f"{paper.name!r} に {wanted.arm[:200]!r} という回答者はいない。"),
            say(f"Those who did: {', '.join(arms)}.", f"回答者: {', '.join(arms)}。"),
        )  # fmt: skip
    every, marks = questions(opened, held.role, paper.name), _marks(opened, held.role, paper.name)
    chosen = [item for item in every.values() if _fits(item, wanted, marks)]
    rows = (_row(chosen[place], marks, wanted.arm) for place in rows_of(len(chosen), page, size))
    return ItemsPage(
        total=len(chosen), page=page, pages=pages_of(len(chosen), size), sitting=held.role, paper=paper.name,
        arm=wanted.arm, arms=tuple(arms), subjects=tuple(sorted({i.subject for i in every.values() if i.subject})),
        languages=tuple(sorted({i.lang for i in every.values()})), rows=tuple(rows),
    )  # fmt: skip


def place_of(opened: OpenExpert, role: str, name: str) -> tuple[Sitting, Paper]:
    """An exam and one of its papers; the first where none is named.

    Args:
        opened: The expert.
        role: Role of the exam.
        name: The paper.

    Raises:
        NotFound: There is no such exam or paper.
    """
    held = sitting(opened, role)
    for paper in held.papers:
        if name in {"", paper.name}:
            return held, paper
    raise NotFound(
        say(f"The exam {held.role!r} has no paper {name[:200]!r}.", f"試験 {held.role!r} に {name[:200]!r} はない。"),
        say(f"It has: {', '.join(paper.name for paper in held.papers)}.",
            f"あるもの: {', '.join(paper.name for paper in held.papers)}。"),
    )  # fmt: skip


def questions(opened: OpenExpert, role: str, paper: str) -> Mapping[str, Item]:
    """The questions of a paper that were put to anybody, by id, in the order of its file."""

    def read() -> dict[str, Item]:
        address = exam_record(opened, role).inputs.get(f"items:{paper}", "")
        if not address or opened.workspace.record(address) is None:
            return {}
        asked = _marks(opened, role, paper)
        every = read_table(opened.workspace.artifact(address) / FILE, Item)
        return {item.id: item for item in every if item.id in asked}

    return kept(opened, f"questions {role} {paper}", read)


Mark = tuple[float | None, str]
"""Score of an arm on an item, and why there is none."""


def _marks(opened: OpenExpert, role: str, paper: str) -> Mapping[str, Mapping[str, Mark]]:
    """Scores by item and arm, the mean of the orders that were scored."""
    return kept(opened, f"marks {role} {paper}", lambda: _read_marks(opened, role, paper))


def _read_marks(opened: OpenExpert, role: str, paper: str) -> dict[str, dict[str, Mark]]:
    scores: dict[tuple[str, str], list[float]] = {}
    reasons: dict[tuple[str, str], str] = {}
    for batch in read_batches(finished(opened)[role][0] / ROWS, list(COLUMNS)):
        result = batch.column("result")
        columns = (batch.column("exam"), *(result.field(name) for name in ("item_id", "arm", "score", "reason")))
        for exam, item, arm, score, reason in zip(*(column.to_pylist() for column in columns), strict=True):
            if exam == paper:
                of_arm = scores.setdefault((item, arm), [])
                if score is None:
                    reasons.setdefault((item, arm), reason)
                else:
                    of_arm.append(score)
    found: dict[str, dict[str, Mark]] = {}
    for (item, arm), told in scores.items():
        mean = math.fsum(told) / len(told) if told else None
        found.setdefault(item, {})[arm] = (mean, "" if told else reasons.get((item, arm), ""))
    return found


def _fits(item: Item, wanted: Wanted, marks: Mapping[str, Mapping[str, Mark]]) -> bool:
    if wanted.subject not in {"", item.subject} or wanted.lang not in {"", item.lang}:
        return False
    if wanted.text and fold(wanted.text) not in fold(" ".join((item.id, item.prompt, *item.choices))):
        return False
    return not (wanted.arm and wanted.right) or _verdict(marks[item.id].get(wanted.arm)) == wanted.right


def _verdict(mark: Mark | None) -> str:
    if mark is None or mark[0] is None:
        return "unscored"
    return "right" if mark[0] > MAJORITY else "wrong"


def _row(item: Item, marks: Mapping[str, Mapping[str, Mark]], arm: str) -> ItemRow:
    told = marks[item.id]
    score, reason = told.get(arm, (None, ""))
    return ItemRow(
        id=item.id, prompt=item.prompt, subject=item.subject, lang=item.lang,
        right=sum(_verdict(mark) == "right" for mark in told.values()),
        scored=sum(mark[0] is not None for mark in told.values()), score=score, reason=reason,
    )  # fmt: skip
