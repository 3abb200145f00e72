"""Where in the library an exam question's evidence stands, and which passages a search gives for the question."""

from pydantic import Field

from gnomon.core.errors import NotFound
from gnomon.core.records import Document, Item
from gnomon.core.text import fold
from gnomon.research.opened import OpenExpert
from gnomon.research.solve import OpenBook
from gnomon.serving.facts.answered import Question
from gnomon.serving.facts.corpus import Frozen
from gnomon.serving.facts.exam import sitting
from gnomon.serving.facts.items import questions

NEAR = 5
"""Documents among which a sentence without a named document is looked for."""
KINDS = ("local", "arxiv")


class Placed(Frozen):
    """The sentence an answer rests on, in the library."""

    doc_id: str = Field(description="The document.")
    title: str = Field(description="Its title.")
    year: int | None = Field(description="Its year.")
    start: int | None = Field(description="First character of the sentence; null when it stands there no more.")
    end: int | None = Field(description="One past its last character.")


class Given(Frozen):
    """A passage that the search gives for a question."""

    doc_id: str = Field(description="Its document.")
    title: str = Field(description="The document's title.")
    start: int = Field(description="First character of the passage in the document's text.")
    end: int = Field(description="One past its last.")
    text: str = Field(description="Its words.")
    evidence: tuple[int, int] | None = Field(description="Where in it the evidence stands; null when it does not.")


class Evidence(Frozen):
    """What the answer to a question rests on, and what arms with an open book were given."""

    sentence: Placed | None = Field(description="Where the evidence stands; null when the library does not hold it.")
    open_book: bool = Field(description="Whether any arm had passages at hand.")
    most_passages: int = Field(description="How many it got at most; fewer where they did not fit.")
    most_characters: int = Field(description="How many characters of them; 0 for no bound but the model's.")
    passages: tuple[Given, ...] = Field(description="The passages that the search gives, best first.")


def evidence(opened: OpenExpert, asked: Question) -> Evidence:
    """The evidence of a question.

    Args:
        opened: The expert.
        asked: The question.
    """
    held = sitting(opened, asked.sitting)
    item = questions(opened, asked.sitting, asked.paper)[asked.id]
    open_book = any(answer.open_book and answer.kind == "model" for answer in asked.answers)
    most = int(held.how.get("passages", 0))
    try:
        return Evidence(
            sentence=_sentence(opened, item), open_book=open_book, most_passages=most,
            most_characters=int(held.how.get("passage_characters", 0)),
            passages=_passages(opened, item, most) if open_book and most else (),
        )  # fmt: skip
    except NotFound:  # an expert of models alone has no library
        return Evidence(sentence=None, open_book=open_book, most_passages=most, most_characters=0, passages=())


def _sentence(opened: OpenExpert, item: Item) -> Placed | None:
    """The document the item names, else the one of the nearest in which the sentence stands."""
    names = [item.origin, *(f"{kind}:{item.origin}" for kind in KINDS)] if item.origin else []
    known = opened.library.documents(names) if names else {}
    found = next((known[name] for name in names if name in known), None)
    if found is None and item.evidence:
        hits = opened.library.search(item.evidence, k=NEAR, mode="text")
        near = opened.library.documents(dict.fromkeys(hit.doc_id for hit in hits))
        found = next((one for one in near.values() if fold(item.evidence) in fold(one.text)), None)
    return None if found is None else _placed(found, item.evidence)


def _placed(document: Document, sentence: str) -> Placed:
    start = document.text.find(sentence) if sentence else -1
    place = (start, start + len(sentence)) if start >= 0 else (None, None)
    return Placed(doc_id=document.id, title=document.title, year=document.biblio.year, start=place[0], end=place[1])


def _passages(opened: OpenExpert, item: Item, most: int) -> tuple[Given, ...]:
    """What the open book gives for an item: the same search of the same library as in the exam."""
    return tuple(
        Given(doc_id=hit.doc_id, title=hit.title, start=hit.span.start, end=hit.span.end, text=hit.text,
              evidence=_within(hit.text, item.evidence))
        for hit in OpenBook(opened.library, most).hits(item)
    )  # fmt: skip


def _within(text: str, sentence: str) -> tuple[int, int] | None:
    start = text.find(sentence) if sentence else -1
    return None if start < 0 else (start, start + len(sentence))
