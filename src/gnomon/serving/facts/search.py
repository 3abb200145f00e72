"""Search: documents for a query, each once, with the passages that speak for it and the facts they have in common.

The best passages are ranked first, at most so many by words and so many by vectors; documents and facets are read off
that ranking, so that what a search costs does not grow with the library. Without a query the library itself is the
list, counted once and kept.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.protocols import Filters, Hit
from gnomon.knowledge.alike import alike
from gnomon.knowledge.counting import each_once
from gnomon.knowledge.library import CANDIDATES, Ranked, Ranking
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.asking import Query
from gnomon.serving.facts.briefs import Brief, briefs
from gnomon.serving.facts.excerpts import Range, marks, window
from gnomon.serving.facts.facets import Facets, facets_of
from gnomon.serving.facts.kept import kept

PASSAGES_SHOWN = 2
"""Passages of a document that are shown."""
WORTH_LISTING = 0.2
"""A passage is listed when its score is this share of the best one's, where words and vectors both found some."""
WORTH_SHOWING = 0.5
"""A further passage is shown when its score is this share of the best one's."""


class Passage(BaseModel):
    """A passage of a document that speaks for it."""

    model_config = ConfigDict(frozen=True)

    chunk_id: str = Field(description="Its id in the index.", examples=["local:hubble-1929#0-1005@3afa765d"])
    start: int = Field(description="Its first character in the document's text.", examples=[0])
    end: int = Field(description="One past its last.", examples=[1005])
    text_hash: str = Field(description="The version of the text that these point into.",
                           examples=["b2:3afa765d8c39c73e2addd63a6bde834f"])  # fmt: skip
    score: float = Field(description="Higher is better; comparable within one search only.", examples=[0.78])
    text: str = Field(description="Its words.",
                      examples=["Hubble found the velocity rising roughly in proportion to distance."])  # fmt: skip
    excerpt: Range = Field(description="The part that says most about the query, as characters of `text`.",
                           examples=[(0, 67)])  # fmt: skip
    marks: tuple[Range, ...] = Field(description="Where the query's words stand, as characters of `text`.",
                                     examples=[((17, 25),)])  # fmt: skip


class Found(Brief):
    """A document that was found."""

    score: float = Field(description="That of its best passage.")
    title_marks: tuple[Range, ...] = Field(description="Where the query's words stand in the title.",
                                           examples=[((2, 10),)])  # fmt: skip
    passages: tuple[Passage, ...] = Field(description=f"Its best passages, at most {PASSAGES_SHOWN}.")


class Results(BaseModel):
    """What a search found."""

    model_config = ConfigDict(frozen=True)

    query: Query = Field(description="What was asked for.")
    documents: tuple[Found, ...] = Field(description="The documents of this page.")
    found: int = Field(description="Documents found, each once.", examples=[55])
    passages: int = Field(description="Passages they were found by.", examples=[65])
    complete: bool = Field(description="Whether this is everything that fits, not the best passages of more.",
                           examples=[False])  # fmt: skip
    by_words: int = Field(description="Passages that hold words of the query, as far as was looked.", examples=[65])
    by: str = Field(description="`query`; `vectors` or `text` for what a document resembles; `library` without either.",
                    examples=["query"])  # fmt: skip
    like: Brief | None = Field(description="The document whose like was looked for.")
    pages: int = Field(description="How many pages there are.", examples=[6])
    facets: Facets | None = Field(description="What the documents found have in common.")
    seconds: float = Field(description="How long it took here.", examples=[0.021])


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Documents in order, before they are read."""

    rows: pa.Table
    """Their facts, one row a document, in order."""
    ranked: Ranked
    """The passages they were found by, best first; none for the library itself."""
    passages: int
    """How many there are."""
    complete: bool
    """Whether there is no more."""
    by_words: int = 0
    """Passages with words of the query."""
    by: str = "query"
    """What they were found by."""


def search(opened: OpenExpert, query: Query, *, facets: bool = True) -> Results:
    """Find documents.

    Args:
        opened: The expert.
        query: What is asked for, within the bounds of the server.
        facets: Whether to count what they have in common.

    Raises:
        ConfigError: A filter is none.
        NotFound: There is no document ``like``.
    """
    started = time.perf_counter()
    found = listing(opened, query)
    rows = found.rows.slice((query.page - 1) * query.k, query.k)
    doc_ids = rows["doc_id"].to_pylist()
    counted = _facets(opened, query, found, doc_ids) if facets else None
    documents = _read(opened, query, doc_ids, found.ranked)
    return Results(
        query=query, documents=documents, found=found.rows.num_rows, passages=found.passages, complete=found.complete,
        by_words=found.by_words, by=found.by, like=briefs(opened, [query.like]).get(query.like) if query.like else None,
        pages=-(-found.rows.num_rows // query.k), facets=counted, seconds=round(time.perf_counter() - started, 4),
    )  # fmt: skip


def listing(opened: OpenExpert, query: Query) -> Listing:
    """The documents for a query, in its order, with nothing of them read but their facts.

    Raises:
        ConfigError: A filter is none.
        NotFound: There is no document ``like``.
    """
    found = _found(opened, query)
    if query.sort == "best":
        return found
    sign = "descending" if query.sort == "newest" else "ascending"
    rows = found.rows.sort_by([("year", sign), ("doc_id", sign)])
    return Listing(rows=rows, ranked=found.ranked, passages=found.passages, complete=found.complete,
                   by_words=found.by_words, by=found.by)  # fmt: skip


def _found(opened: OpenExpert, query: Query) -> Listing:
    library = opened.library
    if query.like:
        resembling = alike(library, library.document(query.like))
        rows = library.facts.of([key for key, _ in resembling.ranked])
        return Listing(rows=each_once(rows), ranked=resembling.ranked, passages=rows.num_rows, complete=False,
                       by=resembling.by)  # fmt: skip
    if not query.q.strip():
        return _whole(opened, query.filters)
    ranking = library.rank(query.q, mode=query.mode, filters=query.filters)
    ranked = _worth_listing(ranking)
    rows = library.facts.of([key for key, _ in ranked])
    complete = len(ranked) == len(ranking.ranked) and max(ranking.text, ranking.vectors) < CANDIDATES
    return Listing(rows=each_once(rows), ranked=ranked, passages=rows.num_rows, complete=complete,
                   by_words=ranking.text)  # fmt: skip


def _worth_listing(ranking: Ranking) -> Ranked:
    """What was found, without the tail that only one of two rankings just so reached.

    Vectors always find as many passages as are asked for; without this a search would never end.
    """
    if not (ranking.text and ranking.vectors):
        return ranking.ranked
    least = WORTH_LISTING * ranking.ranked[0][1]
    return [pair for pair in ranking.ranked if pair[1] >= least]


def _whole(opened: OpenExpert, filters: Filters) -> Listing:
    """Every document within some limits, the newest first."""

    def make() -> pa.Table:
        rows = each_once(opened.library.facts.where(filters))
        return rows.sort_by([("year", "descending"), ("doc_id", "descending")])

    rows = kept(opened, "whole library", make) if filters == Filters() else make()
    return Listing(rows=rows, ranked=[], passages=rows.num_rows, complete=True, by="library")


def _facets(opened: OpenExpert, query: Query, found: Listing, beside: Sequence[str]) -> Facets:
    if found.by == "library" and not query.limited:
        return kept(opened, "whole library facets", lambda: facets_of(opened, query, found.rows))
    return facets_of(opened, query, found.rows, beside)


# Reading a page -------------------------------------------------------------------------------


def _read(opened: OpenExpert, query: Query, doc_ids: Sequence[str], ranked: Ranked) -> tuple[Found, ...]:
    """The documents of a page, with their passages."""
    known = briefs(opened, doc_ids)
    hits = opened.library.hits(_best_of(doc_ids, ranked)) if ranked else []
    asked = known.get(query.like)
    words = query.q if not query.like else asked.title if asked else ""
    return tuple(
        _found_document(brief, [hit for hit in hits if hit.doc_id == brief.id], words) for brief in known.values()
    )


def _best_of(doc_ids: Iterable[str], ranked: Ranked) -> Ranked:
    """The passages to show of each document."""
    wanted: dict[str, Ranked] = {doc_id: [] for doc_id in doc_ids}
    for key, score in ranked:
        own = wanted.get(key.rpartition("#")[0])
        if own is not None and len(own) < PASSAGES_SHOWN and (not own or score >= WORTH_SHOWING * own[0][1]):
            own.append((key, score))
    return [pair for own in wanted.values() for pair in own]


def _found_document(brief: Brief, hits: Sequence[Hit], words: str) -> Found:
    passages = tuple(_passage(hit, words) for hit in hits)
    return Found(**brief.model_dump(), score=passages[0].score if passages else 0.0,
                 title_marks=tuple(marks(brief.title, words)), passages=passages)  # fmt: skip


def _passage(hit: Hit, words: str) -> Passage:
    found = marks(hit.text, words)
    return Passage(
        chunk_id=hit.chunk_id, start=hit.span.start, end=hit.span.end, text_hash=hit.span.text_hash,
        score=round(float(hit.score), 6), text=hit.text, excerpt=window(hit.text, found), marks=tuple(found),
    )  # fmt: skip
