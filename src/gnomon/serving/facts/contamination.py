"""Exam questions that stand in documents, and which of these documents models were not shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from gnomon.core.records import Drop
from gnomon.core.tables import read_table
from gnomon.evaluation.report.facts import contamination as gathered
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.corpus import Frozen
from gnomon.serving.facts.exam import sittings
from gnomon.serving.facts.gathered import finished
from gnomon.serving.facts.items import questions
from gnomon.serving.facts.kept import kept
from gnomon.serving.facts.paging import PAGE_SIZE, Paged, pages_of, rows_of

STEP = "decontaminate"
MOST_QUESTIONS = 100_000


class LeakedPassage(Frozen):
    """A passage that gives a question away."""

    doc_id: str = Field(description="The document.")
    start: int = Field(description="First character of the passage in the document's text.")
    end: int = Field(description="One past its last character.")
    method: str = Field(description="The rule that found it: `ngram`, `overlap` or `short`.")
    score: float = Field(description="Share of the question's weighted n-grams that the passage repeats, 0 to 1.")
    passage: str = Field(description="Its words.")
    withheld: bool = Field(description="Whether models were not shown the document.")


class LeakedQuestion(Frozen):
    """An exam question that documents give away."""

    item_id: str = Field(description="The question.")
    prompt: str = Field(description="Its first words.")
    asked: bool = Field(description="Whether a finished exam of the expert put it.")
    passages: tuple[LeakedPassage, ...] = Field(description="Passages that give it away, the clearest first.")


class ContaminationPage(Paged):
    """Exam questions found in documents."""

    looked_for: bool = Field(description="Whether questions were looked for at all.")
    items: int = Field(description="Questions that were looked for.")
    documents: int = Field(description="Documents that models were not shown because of them.")
    too_short: int = Field(description="Questions too short to be looked for.")
    rows: tuple[LeakedQuestion, ...] = Field(description="The questions, those with most passages first.")


def contamination(opened: OpenExpert, page: int = 1, size: int = PAGE_SIZE) -> ContaminationPage:
    """A page of questions that were found.

    Args:
        opened: The expert.
        page: Which page, from 1.
        size: Questions of a page.

    Raises:
        NotFound: There is no such page.
    """
    made = STEP in finished(opened)  # until it is, nothing is kept that would hide what is found later
    found = kept(opened, "contamination", lambda: _found(opened)) if made else _found(opened)
    rows: Sequence[Mapping[str, Any]] = found["shown"]
    hidden = kept(opened, "withheld", lambda: _withheld(opened)) if made else frozenset()
    shown = (rows[place] for place in rows_of(len(rows), page, size))
    return ContaminationPage(
        total=len(rows), page=page, pages=pages_of(len(rows), size), looked_for=found["looked_for"],
        items=found["items"], documents=found["documents"], too_short=found["too_short"],
        rows=tuple(_question(row, hidden, asked=_asked(opened, row["item_id"])) for row in shown),
    )  # fmt: skip


def _found(opened: OpenExpert) -> dict[str, Any]:
    made = finished(opened)
    inputs = {name: folder for name, (folder, _) in made.items()}
    records = {name: record for name, (_, record) in made.items()}
    found = gathered(inputs, records, MOST_QUESTIONS)
    nothing = {"items": 0, "documents": 0, "too_short": 0, "shown": [], "looked_for": False}
    return nothing if found is None else {**found, "looked_for": True}


def _withheld(opened: OpenExpert) -> frozenset[str]:
    made = finished(opened)
    path = made[STEP][0] / "drops.parquet" if STEP in made else None
    if path is None or not path.exists():
        return frozenset()
    return frozenset(drop.doc_id for drop in read_table(path, Drop))


def _asked(opened: OpenExpert, item_id: str) -> bool:
    """Whether some exam put a question."""
    return any(
        item_id in questions(opened, held.role, paper.name) for held in sittings(opened) for paper in held.papers
    )


def _question(row: Mapping[str, Any], hidden: frozenset[str], *, asked: bool) -> LeakedQuestion:
    passages = (LeakedPassage(**passage, withheld=passage["doc_id"] in hidden) for passage in row["passages"])
    return LeakedQuestion(item_id=row["item_id"], prompt=row["prompt"], asked=asked, passages=tuple(passages))
