"""Facets: what documents have in common, each value with how many have it and as it is printed.

Counting compares values as filters do, without case and accents; one of the documents that have a value tells how it
is printed.
"""

from collections.abc import Iterable
from functools import lru_cache

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from gnomon.knowledge.analysis import plain_name
from gnomon.knowledge.counting import AUTHORS, CATEGORIES, Counts, count_facets, holders
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.asking import Query
from gnomon.serving.facts.briefs import briefs

MOST_AUTHORS, MOST_SUBJECTS = 12, 24
"""How many are told."""
_plain = lru_cache(maxsize=100_000)(plain_name)


class Value(BaseModel):
    """One value of a facet."""

    model_config = ConfigDict(frozen=True)

    value: str = Field(description="What to limit a search to, as it is printed.", examples=["astro-ph.CO"])
    count: int = Field(description="Documents that have it.", examples=[59])
    chosen: bool = Field(description="Whether the search is limited to it already.", examples=[False])


class Year(BaseModel):
    """One year."""

    model_config = ConfigDict(frozen=True)

    year: int = Field(description="The year.", examples=[1929])
    count: int = Field(description="Documents of it.")


class Facets(BaseModel):
    """What documents have in common."""

    model_config = ConfigDict(frozen=True)

    documents: int = Field(description="Documents that were counted.", examples=[55])
    years: tuple[Year, ...] = Field(description="By year, those that have any, in order.")
    subjects: tuple[Value, ...] = Field(description=f"By subject, most first, at most {MOST_SUBJECTS}.")
    languages: tuple[Value, ...] = Field(description="By language.")
    authors: tuple[Value, ...] = Field(description=f"By author, most first, at most {MOST_AUTHORS}.")
    sources: tuple[Value, ...] = Field(description="By kind of source.")


def facets_of(opened: OpenExpert, query: Query, rows: pa.Table, beside: Iterable[str] = ()) -> Facets:
    """Count what documents have in common.

    Args:
        opened: The expert.
        query: What they were found by.
        rows: Their facts, one row a document.
        beside: Documents that are shown next: one look-up reads them along, which costs less than two.
    """
    counts = count_facets(rows, authors=MOST_AUTHORS, categories=MOST_SUBJECTS)
    having = holders(rows, AUTHORS, counts.authors) | holders(rows, CATEGORIES, counts.categories)
    known = briefs(opened, [*having.values(), *beside])
    printed = {_plain(name): name for brief in known.values() for name in (*brief.authors, *brief.subjects)}
    return Facets(
        documents=counts.documents,
        years=tuple(Year(year=year, count=number) for year, number in counts.years),
        subjects=_values(counts.categories, printed, query.category),
        languages=_values(counts.languages, {}, query.language),
        authors=_values(counts.authors, printed, query.author),
        sources=_values(counts.sources, {}, query.source),
    )


def _values(counts: Counts, printed: dict[str, str], chosen: str) -> tuple[Value, ...]:
    wanted = plain_name(chosen)
    return tuple(
        Value(value=printed.get(value, value), count=number, chosen=bool(wanted) and plain_name(value) == wanted)
        for value, number in counts
    )
