"""Records that were left out, one by one: nothing is dropped that a reader could not look at."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pydantic import Field

from gnomon.core.errors import NotFound
from gnomon.core.records import Drop
from gnomon.core.tables import read_table
from gnomon.core.wording import say
from gnomon.evaluation.report.facts import FLOW
from gnomon.evaluation.report.words import REASONS, STEPS
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.corpus import Frozen, worded
from gnomon.serving.facts.gathered import finished
from gnomon.serving.facts.kept import kept
from gnomon.serving.facts.paging import PAGE_SIZE, Paged, pages_of, rows_of

DROPS = "drops.parquet"


class Dropped(Frozen):
    """A record that a step left out."""

    doc_id: str = Field(description="The document, or `file:NAME` of a file that could not be read.")
    step: str = Field(description="The step's role.", examples=["clean"])
    reason: str = Field(description="The reason's code.", examples=["too_short"])
    words: str = Field(description="The reason in the reader's language.")
    detail: str = Field(description="The measured value and its limit, or the error's words.")
    excerpt: str = Field(description="Its first characters.")
    readable: bool = Field(description="Whether readers find it in the library all the same.")


class DroppedPage(Paged):
    """Records that were left out."""

    step: str = Field(description="The step asked about; empty for all.")
    step_words: str = Field(description="The same in the reader's language.")
    reason: str = Field(description="The reason asked about; empty for all.")
    reason_words: str = Field(description="The same in the reader's language.")
    rows: tuple[Dropped, ...] = Field(description="The records, in the order in which they were read.")


def dropped(opened: OpenExpert, step: str = "", reason: str = "", page: int = 1, size: int = PAGE_SIZE) -> DroppedPage:
    """A page of what was left out.

    Args:
        opened: The expert.
        step: Role of a step; empty for every step on the way to the library and to models.
        reason: Why; empty for every reason.
        page: Which page, from 1.
        size: Rows of a page.

    Raises:
        NotFound: There is no such step, or no such page.
    """
    tables = _tables(opened)
    if step and step not in tables:
        raise NotFound(
            say(f"The expert has no step {step!r} that left anything out.",
                f"除外のあったステップに {step!r} はない。"),
            say(f"It has: {', '.join(tables) or '–'}.", f"あるもの: {', '.join(tables) or '–'}。"),
        )  # fmt: skip
    chosen = {name: path for name, path in tables.items() if step in {"", name}}
    total = sum(_counts(opened, name, path).get(reason, 0) for name, path in chosen.items())
    places = rows_of(total, page, size)
    found = list(islice(_rows(chosen, reason), places.start, places.stop))
    known = _readable(opened, [drop.doc_id for _, drop in found])
    return DroppedPage(
        total=total, page=page, pages=pages_of(total, size), step=step, step_words=worded(step, STEPS), reason=reason,
        reason_words=worded(reason, REASONS),
        rows=tuple(
            Dropped(doc_id=drop.doc_id, step=name, reason=drop.reason, words=worded(drop.reason, REASONS),
                    detail=drop.detail, excerpt=drop.excerpt, readable=drop.doc_id in known)
            for name, drop in found
        ),
    )  # fmt: skip


def _tables(opened: OpenExpert) -> dict[str, Path]:
    """What each step on the way left out, in order."""
    made = finished(opened)
    paths = {name: made[name][0] / DROPS for name in FLOW if name in made}
    return {name: path for name, path in paths.items() if path.exists()}


def _counts(opened: OpenExpert, name: str, path: Path) -> dict[str, int]:
    """Records by reason, and under no reason all of them."""

    def count() -> dict[str, int]:
        found: dict[str, int] = {"": 0}
        for drop in read_table(path, Drop):
            found[""] += 1
            found[drop.reason] = found.get(drop.reason, 0) + 1
        return found

    return kept(opened, f"drops of {name} {path}", count)


def _rows(tables: dict[str, Path], reason: str) -> Iterator[tuple[str, Drop]]:
    for name, path in tables.items():
        for drop in read_table(path, Drop):
            if reason in {"", drop.reason}:
                yield name, drop


def _readable(opened: OpenExpert, doc_ids: list[str]) -> set[str]:
    """Which of some documents readers can open; none of an expert without a library."""
    try:
        return set(opened.library.documents(doc_ids))
    except NotFound:
        return set()
