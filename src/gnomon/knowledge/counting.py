"""Counting: how many documents of some passages have which year, author, subject, language and source.

A document counts once, however many of its passages are there. The values are those that filters compare
(``filters.plain_name``), not as printed; any document that has one tells how it is printed.
"""

from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Facet = tuple[str, str]
AUTHORS, CATEGORIES = ("authors", "; "), ("categories", "|")
"""Facts that a document has several of: the column, and what stands between its values."""
Counts = tuple[tuple[str, int], ...]
"""(value, documents), most first, equal ones in order of value."""
OTHERS = frozenset({"al., et", "al, et", "et al.", "et al", "others"})
"""What some sources print as the last author: it stands for authors, and is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FacetCounts:
    """Documents by each fact."""

    documents: int
    """How many there are."""
    years: tuple[tuple[int, int], ...]
    """(year, documents) in order of year; those without a year are left out."""
    authors: Counts
    """By author."""
    categories: Counts
    """By subject."""
    languages: Counts
    """By language."""
    sources: Counts
    """By kind of source."""


def each_once(rows: pa.Table) -> pa.Table:
    """The first passage of every document, in the order of the passages."""
    numbered = rows.select(["doc_id"]).append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    first = numbered.group_by("doc_id", use_threads=False).aggregate([("row", "min")])["row_min"]
    return rows.take(first.take(pc.sort_indices(first)))


def count_facets(documents: pa.Table, *, authors: int, categories: int) -> FacetCounts:
    """Count documents by their facts.

    Args:
        documents: ``FACT_COLUMNS`` of a library, one row a document.
        authors: How many of them are told, at most.
        categories: How many of them are told, at most.
    """
    years = _counted(documents["year"])
    return FacetCounts(
        documents=documents.num_rows,
        years=tuple(sorted((int(year), number) for year, number in years.items() if year is not None)),
        authors=_most(_counted(_parts(documents, AUTHORS)), authors),
        categories=_most(_counted(_parts(documents, CATEGORIES)), categories),
        languages=_most(_counted(documents["lang"])),
        sources=_most(_counted(documents["source_kind"])),
    )


def holders(documents: pa.Table, facet: Facet, counts: Counts) -> dict[str, str]:
    """A document, the first, for each of some values.

    Args:
        documents: As counted.
        facet: The fact.
        counts: Its values.
    """
    found: dict[str, str] = {}
    missing = {value for value, _ in counts}
    for doc_id, text in zip(documents["doc_id"].to_pylist(), documents[facet[0]].to_pylist(), strict=True):
        if not missing:
            break
        for value in missing.intersection((text or "").split(facet[1])):
            found[value] = doc_id
            missing.discard(value)
    return found


def _parts(documents: pa.Table, facet: Facet) -> pa.ChunkedArray:
    return pc.list_flatten(pc.split_pattern(documents[facet[0]], facet[1]))


def _counted(values: pa.ChunkedArray) -> dict[Any, int]:
    found = values.combine_chunks().value_counts()
    return dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))


def _most(counted: dict[Any, int], most: int | None = None) -> Counts:
    named = [(-number, str(value)) for value, number in counted.items() if value and value not in OTHERS]
    return tuple((value, -number) for number, value in nsmallest(len(named) if most is None else most, named))
