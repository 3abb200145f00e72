"""How fresh an expert is: when it was made, its newest documents, and whether its index is complete."""

from heapq import nlargest
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pydantic import Field

from gnomon.core.errors import NotFound
from gnomon.core.tables import read_batches
from gnomon.evaluation.report.facts import LIBRARY
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.corpus import Frozen
from gnomon.serving.facts.gathered import finished
from gnomon.serving.facts.kept import kept

SHOWN = 3
COLUMNS = ("id", "title", "lang", "biblio")


class Line(NamedTuple):
    """A document, in a line; there are as many as the library has documents, so they are light."""

    id: str
    title: str
    lang: str
    date: str


class Newest(Frozen):
    """A document, in a line."""

    id: str = Field(description="The document.")
    title: str = Field(description="Its title.")
    lang: str = Field(description="Its language.")
    date: str = Field(description="Its date, as precise as known; its year where it has none; empty when unknown.")


class Filling(Frozen):
    """How far one embedder's vectors are."""

    model: str = Field(description="The embedder; empty while nobody knows.")
    rows: int = Field(description="Vectors that are made.")
    of: int = Field(description="How many there will be; 0 while nobody knows.")
    finished: bool = Field(description="Whether all are made.")


class Freshness(Frozen):
    """How fresh an expert is."""

    made: str = Field(description="When it was made, ISO 8601.")
    newest: tuple[Newest, ...] = Field(description="Its newest documents.")
    searchable: bool = Field(description="Whether there is a library to search.")
    documents: int = Field(description="Documents that are indexed.")
    passages: int = Field(description="Passages that are indexed.")
    vectors: tuple[Filling, ...] = Field(description="Vectors of each embedder; none when there are none at all.")
    missing: tuple[str, ...] = Field(description="Parts of the expert that are not made yet.")


def freshness(opened: OpenExpert) -> Freshness:
    """How fresh an expert is; asked anew every time, since vectors may be filling up."""
    made = finished(opened)
    try:
        stats: dict[str, Any] = opened.library.stats()
        searchable = True
    except NotFound:
        stats, searchable = {"documents": 0, "passages": 0, "vectors": []}, False
    vectors = (Filling(**{key: side[key] for key in Filling.model_fields}) for side in stats["vectors"])
    return Freshness(
        made=opened.expert.made, newest=newest(opened), searchable=searchable, documents=stats["documents"],
        passages=stats["passages"], vectors=tuple(vectors),
        missing=tuple(role for role, _ in opened.expert.parts if role not in made),
    )  # fmt: skip


def newest(opened: OpenExpert) -> tuple[Newest, ...]:
    """The newest documents of the library."""
    rows = documents_in_brief(opened)

    def chosen() -> tuple[Newest, ...]:
        return tuple(Newest(**one._asdict()) for one in nlargest(SHOWN, rows, key=lambda one: (one.date, one.id)))

    return kept(opened, f"newest of {len(rows)}", chosen)


def documents_in_brief(opened: OpenExpert) -> tuple[Line, ...]:
    """Every document of the library, in a line; empty for an expert of models alone."""
    made = finished(opened)
    folder = next((made[name][0] / "documents" for name in LIBRARY if name in made), None)
    return () if folder is None else kept(opened, f"documents in brief {folder}", lambda: _read(folder))


def _read(folder: Path) -> tuple[Line, ...]:
    return tuple(one for batch in read_batches(folder, list(COLUMNS)) for one in _briefly(batch))


def _briefly(batch: pa.RecordBatch) -> list[Line]:
    biblio = batch.column("biblio")
    columns = (*(batch.column(name) for name in COLUMNS[:3]), biblio.field("date"), biblio.field("year"))
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return [Line(doc_id, title, lang, date or str(year or "")) for doc_id, title, lang, date, year in rows]
