"""Documents: the way of one document along a chain.

Its link names every step that the document met, latest first: kept, changed, or left out with the reason; asked, when
questions were written from it.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnomon.core.records import Document, Drop
from gnomon.core.tables import read_batches
from gnomon.runs.lineage import (
    CHUNKS,
    DOCUMENTS,
    DROPS,
    EVIDENCE_SHOWN,
    IN_LIBRARY,
    LEAKS,
    MARKS,
    PAIRS,
    PIECES,
    Chain,
    Link,
    manifest,
)  # fmt: skip
from gnomon.runs.record import Record
from gnomon.runs.rows import has_column, rows_where, rows_with, text_columns

SYNTHESIS = "synthesis/"
"""Before the names of the steps whose drops are pairs of a document, not documents."""


@dataclass(kw_only=True)
class _Seen:
    """What a walk along a chain has seen of one document so far."""

    title: str = ""
    """Its title."""
    year: int | None = None
    """Its year."""
    text_hash: str = ""
    """The latest version of its text."""
    lost: str = ""
    """Which of the readers' steps left it out, and why; empty while it is in the library."""
    withheld: str = ""
    """Which of the models' steps left it out, and why."""
    packed: bool = False
    """Whether some step made it into rows of tokens: then a mixture it was not drawn for is no loss."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """Where it was read from."""
    present: set[str] = field(default_factory=set)
    """Addresses of the steps that hold it."""
    links: list[Link] = field(default_factory=list)
    """The steps it met, in order."""


def document_lineage(chain: Chain, doc_id: str) -> Link | None:
    """The lineage of a document along a chain; None when no step of it ever met the document.

    Args:
        chain: The steps.
        doc_id: The document, or ``file:NAME`` for a file that could not be read.
    """
    seen = _Seen()
    for record in chain.records:
        facts = _met(chain, record, doc_id, seen)
        if facts:
            seen.links.append(Link(kind="step", id=record.address, facts=facts))
    if all(link.facts["outcome"] == "asked" for link in seen.links):
        return None  # nothing but pairs tells of it: it is no longer here
    facts = {"title": seen.title, "year": seen.year, "text_hash": seen.text_hash, "state": seen.lost or IN_LIBRARY}
    if seen.withheld and not seen.lost and not seen.packed:
        facts["models"] = seen.withheld
    below = (*reversed(seen.links), *_source(chain, seen.source))
    return Link(kind="document", id=doc_id, facts=facts, below=below)


def _met(chain: Chain, record: Record, doc_id: str, seen: _Seen) -> dict[str, Any]:
    """What one step did with a document; nothing when it never met it."""
    folder = chain.folder(record)
    if folder is None:
        return {}
    if record.name.startswith(SYNTHESIS) and not (folder / DOCUMENTS).is_dir():
        return _asked(folder, doc_id)
    drop = next(rows_where(folder / DROPS, Drop, "doc_id", doc_id), None)
    if drop is not None:
        _note_loss(chain, record, drop, seen)
        facts: dict[str, Any] = {"outcome": "dropped", "reason": drop.reason}
        facts |= {"detail": drop.detail, "excerpt": drop.excerpt}
    elif (folder / DOCUMENTS).is_dir():
        facts = _kept(folder, doc_id, seen)
    elif (folder / CHUNKS).is_dir():
        chunks = [str(row["id"]) for row in rows_with(folder / CHUNKS, [("span", "doc_id")], doc_id)]
        facts = {"outcome": "cut", "chunks": chunks} if chunks else {}
    elif (folder / PIECES).is_dir():
        facts = _packed(folder, doc_id, seen)
    else:
        facts = _served(record, seen)
    if facts and facts["outcome"] != "dropped":
        seen.present.add(record.address)
    return {**facts, **evidence_beside(folder, doc_id)} if facts else {}


def _note_loss(chain: Chain, record: Record, drop: Drop, seen: _Seen) -> None:
    told = f"dropped by {record.name}: {drop.reason}"
    if record.address in chain.readers and record.name != "training/pack":
        seen.lost = seen.lost or told
    else:
        seen.withheld = seen.withheld or told


def _kept(folder: Path, doc_id: str, seen: _Seen) -> dict[str, Any]:
    document = next(rows_where(folder / DOCUMENTS, Document, "id", doc_id), None)
    if document is None:
        return {}
    before, seen.text_hash = seen.text_hash, document.text_hash
    seen.title, seen.year = document.title, document.biblio.year
    seen.source = dataclasses.asdict(document.source)
    if before and before != document.text_hash:
        return {"outcome": "changed", "text_hash": document.text_hash, "before": before}
    return {"outcome": "kept" if before else "read", "text_hash": document.text_hash}


def _packed(folder: Path, doc_id: str, seen: _Seen) -> dict[str, Any]:
    """The rows of tokens that hold a document: ``gnomon lineage MODEL --document ID`` says when they were seen."""
    pieces = list(rows_with(folder / PIECES, [("doc_id",)], doc_id))
    if not pieces:
        return {}
    seen.packed = True
    rows = sorted({int(piece["sequence"]) for piece in pieces})
    return {"outcome": "packed", "passes": len({piece["repeat"] for piece in pieces}), "rows": rows}


def _asked(folder: Path, doc_id: str) -> dict[str, Any]:
    """The pairs of a document that a step of synthesis holds, and those it left out: the document itself stays."""
    pairs = [row["id"] for row in rows_with(folder / PAIRS, [("evidence", "span", "doc_id")], doc_id)]
    left_out: dict[str, int] = {}
    for drop in rows_where(folder / DROPS, Drop, "doc_id", doc_id):
        left_out[drop.reason] = left_out.get(drop.reason, 0) + 1
    return {"outcome": "asked", "pairs_here": pairs, "left_out": left_out} if pairs or left_out else {}


def _served(record: Record, seen: _Seen) -> dict[str, Any]:
    """A step without a table of documents holds what its ``documents`` input holds."""
    if record.inputs.get("documents") not in seen.present:
        return {}
    stores = [f"{use.key}@{use.tag}" for use in record.stores]
    return {"outcome": "served", **({"stores": stores} if stores else {})}


def evidence_beside(folder: Path, doc_id: str) -> dict[str, Any]:
    """What a step noted beside a document: marks, pairs of duplicates, leaked exam items."""
    found: dict[str, Any] = {}
    if (folder / MARKS).is_dir():
        rows = rows_with(folder / MARKS, [("doc_id",)], doc_id)
        found["marks"] = [{"name": row["name"], "value": row["value"]} for row in rows]
    for name in (PAIRS, LEAKS):
        path = folder / name
        if path.exists() and not has_column(path, "question"):
            rows = rows_with(path, [*text_columns(path), ("span", "doc_id")], doc_id)
            found[name.removesuffix(".parquet")] = list(rows)[:EVIDENCE_SHOWN]
    return {key: value for key, value in found.items() if value}


def _source(chain: Chain, source: Mapping[str, Any]) -> list[Link]:
    """The file a document was read from, as the manifest of the step that read it names it."""
    if not source:
        return []
    facts = {key: value for key, value in source.items() if value and key != "key"}
    file = next((f for f in manifest(chain) if f["sha256"] == source["sha256"]), None)
    if file is not None:
        facts |= {"file": file["name"], "bytes": file["bytes"]}
    return [Link(kind="source", id=str(source["key"]), facts=facts)]


def documents_of_file(chain: Chain, name: str) -> list[str]:
    """Ids of the documents that were read from a file of the manifest, in order."""
    found: dict[str, None] = {}
    for record in chain.records:
        folder = chain.folder(record) if record.sources else None
        if folder is None or not (folder / DOCUMENTS).is_dir():
            continue
        for batch in read_batches(folder / DOCUMENTS, ["id", "source"]):
            for row in batch.to_pylist():
                if row["source"]["key"] == name or str(row["source"]["key"]).rpartition("#")[0] == name:
                    found[str(row["id"])] = None
    return list(found)


def known_ids(chain: Chain) -> set[str]:
    """Every document id that a chain kept or dropped."""
    found: set[str] = set()
    for record in chain.records:
        folder = chain.folder(record)
        tables: Sequence[tuple[Path, str]] = (
            [] if folder is None else [(folder / DOCUMENTS, "id"), (folder / DROPS, "doc_id")]
        )
        for path, column in tables:
            if path.exists():
                for batch in read_batches(path, [column]):
                    found.update(str(value) for value in batch.column(0).to_pylist())
    return found
