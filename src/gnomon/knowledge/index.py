"""The full-text index: one Lance table of passages, one of documents.

A *passage* is a chunk with its text, its document's facts, and one analysed column per kind of
language: ``en`` (stemmed, without stop words), ``ja`` (ICU's dictionary words) and ``ja_pairs``
(pairs of characters). The second table holds whole documents, so that one can be read by its id
without a look at any artifact.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.hashing import canonical_json, plain, text_hash
from gnomon.core.records import Chunk, Document
from gnomon.core.tables import arrow_schema, count_rows, parquet_files, read_batches
from gnomon.knowledge.analysis import indexed_text
from gnomon.knowledge.filters import FACET_NAMES, FACETS, facets
from gnomon.knowledge.store import ROW_HASH, Layout, sync, with_hashes
from gnomon.runs import Counts, Output
from gnomon.runs.output import Meter

T = TypeVar("T")
Row = dict[str, Any]
READ = ("id", "title", "text", "lang", "source", "biblio", "text_hash")
"""What an index reads of a document."""
ROWS_PER_BLOCK = 2_000
FORMAT = 1
"""Raised when the shape of the tables changes; a new shape is a new store."""
TEXT_COLUMNS = ("en", "ja", "ja_pairs")


@dataclass(frozen=True, kw_only=True)
class IndexConfig:
    """What a library's full-text index is."""

    library: str = "main"
    """The library's name: several stand side by side in a workspace."""
    title_weight: int = 2
    """How often the title's words count in a passage."""
    authors: int = 3
    """How many authors' names, the first ones, count in a passage, with the year; 0 for none of this."""

    def __post_init__(self) -> None:
        if not self.library or not 0 <= self.title_weight <= 10 or self.authors < 0:
            raise ConfigError(
                f"IndexConfig: library = {self.library!r}, title_weight = {self.title_weight},"
                f" authors = {self.authors}.",
                "Wanted a name, a weight from 0 to 10, and a number of authors.",
            )


WANTED = pa.schema([
    pa.field(ROW_HASH, pa.string()), pa.field("chunk_id", pa.string()), pa.field("doc_id", pa.string()),
    pa.field("text_hash", pa.string()), pa.field("start", pa.int64()), pa.field("end", pa.int64()),
    pa.field("heading", pa.list_(pa.string())), pa.field("title", pa.string()), *FACETS, pa.field("text", pa.string()),
])  # fmt: skip
PASSAGES = pa.schema([*WANTED, *(pa.field(name, pa.string()) for name in TEXT_COLUMNS)])
PASSAGE_FACTS = ("chunk_id", "text_hash", "heading", "title", *FACET_NAMES)
"""What a passage is known by; its words follow from the text hash and the span in its id."""
DOCUMENTS = pa.schema([
    pa.field(ROW_HASH, pa.string()), pa.field("doc_id", pa.string()), pa.field("record", pa.string()),
])  # fmt: skip


def store_key(kind: str, library: str, settings: Any) -> str:
    """The key of a library's store for some settings: ``index/<library>-<hash>``.

    The name is only there to be recognised: letters that a path could misread are left out of it, and
    the hash covers the whole name.
    """
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", library)[:40]
    described = canonical_json([FORMAT, library, plain(settings)])
    return f"{kind}/{readable}-{text_hash(described)[3:15]}"


def index_key(config: IndexConfig) -> str:
    """The key below which the two tables of an index stand: ``<key>/passages`` and ``<key>/documents``."""
    return store_key("index", config.library, {"title_weight": config.title_weight, "authors": config.authors})


def run(config: IndexConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Make the library's tables hold exactly these documents and chunks, and tag the version.

    Args:
        config: What the index is.
        inputs: ``documents`` and ``chunks``.
        out: Receives the two versions in ``out.stores``.

    Returns:
        Documents taken and kept, and the chunks indexed.
    """
    documents, chunks = inputs["documents"] / "documents", inputs["chunks"] / "chunks"
    total = count_rows(documents)
    out.meter.total(total, "documents")
    key = index_key(config)
    with out.store(f"{key}/documents") as place:
        out.stores.append(sync(place, DOCUMENT_LAYOUT, lambda: _document_rows(documents), out.identity))
    with out.store(f"{key}/passages") as place:
        out.stores.append(
            sync(place, passage_layout(config), lambda: _passage_rows(documents, chunks, out.meter), out.identity)
        )
    out.metrics["passages"] = out.stores[-1].rows
    return Counts(taken=total, kept=total, made={"chunks": out.stores[-1].rows})


def passages(documents: Path, chunks: Path) -> Iterator[tuple[Row, list[Row]]]:
    """Every document with its chunks, in order, one shard in memory at a time.

    Both as plain rows: of 42,000 papers, 100 of them new, making records took more than half the time.

    Raises:
        DataError: A shard of documents has no shard of chunks.
    """
    cut = {file.stem: file for file in parquet_files(chunks)}
    for file in parquet_files(documents):
        if file.stem not in cut:
            raise DataError(f"{file} has no chunks in {chunks}.", "Make the chunks of these documents again.")
        held: dict[tuple[str, str], list[Row]] = {}
        for chunk in _rows_of(cut[file.stem], list(arrow_schema(Chunk).names)):
            held.setdefault((chunk["span"]["doc_id"], chunk["span"]["text_hash"]), []).append(chunk)
        for document in _rows_of(file, list(READ)):
            yield document, held.get((document["id"], document["text_hash"]), [])


def _rows_of(file: Path, columns: list[str]) -> Iterator[Row]:
    for batch in read_batches(file, columns):
        yield from batch.to_pylist()


def blocks(rows: Iterable[T], size: int = ROWS_PER_BLOCK) -> Iterator[list[T]]:
    """The same rows in lists of at most ``size``."""
    rows = iter(rows)
    while block := list(islice(rows, size)):
        yield block


def _document_rows(documents: Path) -> Iterator[pa.Table]:
    for batch in read_batches(documents, list(arrow_schema(Document).names)):
        rows = batch.to_pylist()
        records = [json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for row in rows]
        described = [{"doc_id": row["id"], "record": record} for row, record in zip(rows, records, strict=True)]
        yield with_hashes(described, DOCUMENTS, DOCUMENT_LAYOUT.hashed)


def _passage_rows(documents: Path, chunks: Path, meter: Meter) -> Iterator[pa.Table]:
    """The passages that are wanted, without their analysed columns: those are made for new ones only."""
    rows = _all_passage_rows(documents, chunks, meter)
    return (with_hashes(block, WANTED, PASSAGE_FACTS) for block in blocks(rows))


def _all_passage_rows(documents: Path, chunks: Path, meter: Meter) -> Iterator[dict[str, Any]]:
    for document, cut in passages(documents, chunks):
        facts = facets(document)
        for chunk in cut:
            span = chunk["span"]
            yield {
                "chunk_id": chunk["id"], **span, "heading": chunk["heading"], "title": document["title"], **facts,
                "text": document["text"][span["start"] : span["end"]],
            }  # fmt: skip
        meter.advance(1)


def _analyse(rows: pa.Table, config: IndexConfig) -> pa.Table:
    """Add the analysed columns to new passages."""
    made = []
    for row in rows.select(["lang", "title", "authors", "year", "heading", "text"]).to_pylist():
        beside = " ".join([byline(row["authors"], row["year"], config.authors), *row["heading"]])
        made.append(indexed_text(row["lang"], row["title"], beside, row["text"], config.title_weight))
    for name in TEXT_COLUMNS:
        rows = rows.append_column(PASSAGES.field(name), pa.array([row[name] for row in made], pa.string()))
    return rows


def byline(authors: str, year: int | None, number: int) -> str:
    """The first authors and the year: people look for a paper by these, and its text does not hold them."""
    if not number:
        return ""
    return " ".join([*authors.split("; ")[:number], "" if year is None else str(year)]).strip()


def passage_layout(config: IndexConfig) -> Layout:
    """The table of passages."""
    return Layout(
        schema=PASSAGES,
        hashed=PASSAGE_FACTS,
        index=_index_passages,
        fill=lambda _, rows: _analyse(rows, config),
    )


def _index_passages(table: Any) -> None:
    from lancedb.index import FTS, Bitmap, BTree

    plain_words = {"stem": False, "remove_stop_words": False, "ascii_folding": True}
    wanted = {
        "en": FTS(base_tokenizer="simple", language="English", stem=True, remove_stop_words=True, ascii_folding=True),
        "ja": FTS(base_tokenizer="icu", **plain_words),
        "ja_pairs": FTS(base_tokenizer="whitespace", **plain_words),
        "chunk_id": BTree(),
        "year": BTree(),
        "lang": Bitmap(),
    }
    create_missing(table, wanted)


def _index_documents(table: Any) -> None:
    from lancedb.index import BTree

    create_missing(table, {"doc_id": BTree()})


def create_missing(table: Any, wanted: Mapping[str, Any]) -> None:
    """Create the indices that a table does not have yet, by column."""
    have = {column for index in table.list_indices() for column in index.columns}
    for column, config in wanted.items():
        if column not in have:
            table.create_index(column, config=config, replace=True)


DOCUMENT_LAYOUT = Layout(schema=DOCUMENTS, hashed=("record",), index=_index_documents)
