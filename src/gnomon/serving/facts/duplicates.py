"""Pairs of documents found alike: how alike, which stayed, and where their words differ."""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from gnomon.core.errors import NotFound
from gnomon.core.records import Document, Drop, Pair
from gnomon.core.tables import from_row, read_batches, read_table
from gnomon.core.wording import say
from gnomon.evaluation.report.words import REASONS
from gnomon.research.opened import OpenExpert
from gnomon.runs.rows import rows_where
from gnomon.serving.facts.corpus import Frozen, worded
from gnomon.serving.facts.gathered import finished
from gnomon.serving.facts.kept import kept
from gnomon.serving.facts.paging import PAGE_SIZE, Paged, pages_of, rows_of

STEP, PAIRS, DOCUMENTS = "dedup", "pairs.parquet", "documents"
READ = ("clean", "ingest")
"""Where the texts of copies still are, the nearest step first."""
MOST_WORDS = 4_000
"""Words of a text that are compared with another: the time grows with their product."""
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
Kind = Literal["", "copies", "apart"]


class Alike(Frozen):
    """Two documents found alike."""

    a: str = Field(description="One document.")
    b: str = Field(description="The other.")
    title_a: str = Field(description="The one's title.")
    title_b: str = Field(description="The other's title.")
    similarity: float = Field(description="Jaccard similarity of their shingles, 0 to 1.")
    exact: bool = Field(description="Whether their comparison texts are equal.")
    kept: str = Field(description="The one that stays because of this pair; empty when both do.")
    apart: str = Field(description="Why they are different works all the same, in the reader's language; else empty.")
    left_out: tuple[str, ...] = Field(description="Which of the two are not in the library.")


class DuplicatesPage(Paged):
    """Pairs of documents, the most alike first."""

    kind: Kind = Field(description="`copies`, `apart` (alike but different works), or empty for both.")
    rows: tuple[Alike, ...] = Field(description="The pairs.")


class Stretch(Frozen):
    """Some words of a text."""

    text: str = Field(description="The words.")
    same: bool = Field(description="Whether the other text has them at the same place.")


class Compared(Frozen):
    """Two texts beside each other."""

    pair: Alike = Field(description="The pair.")
    a: tuple[Stretch, ...] = Field(description="The one's text.")
    b: tuple[Stretch, ...] = Field(description="The other's text.")
    cut: bool = Field(description="Whether only the beginnings are compared, because the texts are long.")


def duplicates(opened: OpenExpert, kind: Kind = "", page: int = 1, size: int = PAGE_SIZE) -> DuplicatesPage:
    """A page of pairs.

    Args:
        opened: The expert.
        kind: Which pairs.
        page: Which page, from 1.
        size: Pairs of a page.

    Raises:
        NotFound: There is no such page.
    """
    table = _pairs(opened, kind)
    places = rows_of(table.num_rows, page, size)
    rows = [from_row(Pair, row) for row in table.slice(places.start, len(places)).to_pylist()]
    return DuplicatesPage(
        total=table.num_rows, page=page, pages=pages_of(table.num_rows, size), kind=kind, rows=_alike(opened, rows)
    )


def compared(opened: OpenExpert, a: str, b: str) -> Compared:
    """Two documents of a pair, word by word.

    Args:
        opened: The expert.
        a: One document.
        b: The other.

    Raises:
        NotFound: They are no pair, or a text is gone.
    """
    first, second = sorted((a, b))
    table = _pairs(opened, "")
    found = (
        table.filter(pc.and_(pc.equal(table["a"], first), pc.equal(table["b"], second))) if table.num_rows else table
    )
    if not found.num_rows:
        raise NotFound(
            say(f"{a[:200]!r} and {b[:200]!r} were not found alike.", f"{a[:200]!r} と {b[:200]!r} は似た組ではない。"),
            say("See /corpus/duplicates.", "/corpus/duplicates を見る。"),
        )
    pair = _alike(opened, [from_row(Pair, found.slice(0, 1).to_pylist()[0])])[0]
    one, other = (_WORD.findall(_text(opened, doc_id)) for doc_id in (pair.a, pair.b))
    cut = max(len(one), len(other)) > MOST_WORDS
    sides = _beside(one[:MOST_WORDS], other[:MOST_WORDS])
    return Compared(pair=pair, a=sides[0], b=sides[1], cut=cut)


def _pairs(opened: OpenExpert, kind: Kind) -> pa.Table:
    """The pairs of a kind; none while nothing was compared, which may still come."""
    made = finished(opened)
    return kept(opened, f"pairs {kind}", lambda: _sorted(made[STEP][0], kind)) if STEP in made else _sorted(None, kind)


def _sorted(folder: Path | None, kind: Kind) -> pa.Table:
    """The pairs of a kind, the most alike first, then by id."""
    path = folder / PAIRS if folder is not None else None
    batches = list(read_batches(path)) if path is not None and path.exists() else []
    if not batches:
        return pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.string())})
    table = pa.Table.from_batches(batches)
    if kind:
        apart = pc.not_equal(table["apart"], "")
        table = table.filter(apart if kind == "apart" else pc.invert(apart))
    return table.sort_by([("jaccard", "descending"), ("a", "ascending"), ("b", "ascending")])


def _alike(opened: OpenExpert, pairs: list[Pair]) -> tuple[Alike, ...]:
    if not pairs:
        return ()
    names = _titles(opened, {name for pair in pairs for name in (pair.a, pair.b)})
    gone = kept(opened, "copies left out", lambda: _left_out(opened))
    return tuple(
        Alike(
            a=pair.a, b=pair.b, title_a=names.get(pair.a, ""), title_b=names.get(pair.b, ""), similarity=pair.jaccard,
            exact=pair.kind == "exact", kept=pair.kept, apart=worded(pair.apart, REASONS) if pair.apart else "",
            left_out=tuple(name for name in (pair.a, pair.b) if name in gone),
        )
        for pair in pairs
    )  # fmt: skip


def _left_out(opened: OpenExpert) -> frozenset[str]:
    path = finished(opened)[STEP][0] / "drops.parquet"
    return frozenset(drop.doc_id for drop in read_table(path, Drop)) if path.exists() else frozenset()


def _folders(opened: OpenExpert) -> list[Path]:
    made = finished(opened)
    return [made[name][0] / DOCUMENTS for name in READ if name in made]


def _titles(opened: OpenExpert, wanted: set[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for batch in _title_batches(opened) if wanted else ():
        rows = batch.filter(pc.is_in(batch.column("id"), pa.array(sorted(wanted), pa.string())))
        found.update(zip(rows.column("id").to_pylist(), rows.column("title").to_pylist(), strict=True))
    return found


def _title_batches(opened: OpenExpert) -> Iterator[pa.RecordBatch]:
    for folder in _folders(opened)[:1]:
        yield from read_batches(folder, ["id", "title"])


def _text(opened: OpenExpert, doc_id: str) -> str:
    for folder in _folders(opened):
        for document in rows_where(folder, Document, "id", doc_id):
            return document.text
    raise NotFound(say(f"The text of {doc_id!r} is gone.", f"{doc_id!r} の本文は残っていない。"))


def _beside(one: list[str], other: list[str]) -> tuple[tuple[Stretch, ...], tuple[Stretch, ...]]:
    """Two lists of words as stretches that both have and that one has."""
    first: list[Stretch] = []
    second: list[Stretch] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        for side, words in ((first, one[a:b]), (second, other[c:d])):
            if words:
                side.append(Stretch(text="".join(words), same=kind == "equal"))
    return tuple(first), tuple(second)
