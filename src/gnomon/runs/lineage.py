"""Lineage: from a document back to the file it came from, through every step it met.

A lineage is a tree of *links*. Each link says what a thing is, what is known about it, and what
it rests on. A *chain* is the steps behind an expert; a document's link names every one of them
that the document met, latest first: kept, changed, or left out with the reason.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnomon.core.records import Document, Drop, Expert
from gnomon.core.tables import read_batches
from gnomon.runs.record import Record
from gnomon.runs.rows import rows_where, rows_with, text_columns
from gnomon.runs.workspace import Workspace

DOCUMENTS, MARKS, CHUNKS, PIECES = "documents", "marks", "chunks", "pieces"
DROPS, PAIRS, LEAKS, ITEMS = "drops.parquet", "pairs.parquet", "leaks.parquet", "items.parquet"
TOMBSTONES = "tombstones"
READERS_ROLE = "index"
EVIDENCE_SHOWN = 5
IN_LIBRARY = "in the library"


@dataclass(frozen=True, kw_only=True)
class Link:
    """One thing in a lineage, and what it rests on."""

    kind: str
    """``answer``, ``claim``, ``citation``, ``chunk``, ``document``, ``step``, ``source``, ``question``, ``file``,
    ``model``."""
    id: str
    """Its id or address."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is known about it, as JSON types."""
    below: tuple["Link", ...] = ()
    """What it rests on."""

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        below = [link.to_row() for link in self.below]
        return {"kind": self.kind, "id": self.id, "facts": dict(self.facts), "below": below}


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The steps behind something, each after its inputs."""

    workspace: Workspace
    """Where the artifacts are."""
    records: tuple[Record, ...]
    """The steps' records, or the tombstones they left."""
    readers: frozenset[str]
    """Addresses of those on the way to what readers search; the others concern models only."""

    def folder(self, record: Record) -> Path | None:
        """The files of an artifact; None when only its tombstone is left."""
        finished = self.workspace.record(record.address) is not None
        return self.workspace.artifact(record.address) if finished else None


def chain_of(workspace: Workspace, parts: Iterable[tuple[str, str]]) -> Chain:
    """The chain behind an expert's parts, or behind those that gave an answer."""
    roles = dict(parts)
    readers = upstream(workspace, [roles[READERS_ROLE]] if READERS_ROLE in roles else list(roles.values()))
    every = upstream(workspace, roles.values())
    return Chain(workspace=workspace, records=tuple(every), readers=frozenset(record.address for record in readers))


def expert_chain(workspace: Workspace, expert: Expert) -> Chain:
    """The chain behind an expert."""
    return chain_of(workspace, expert.parts)


def whole_chain(workspace: Workspace) -> Chain:
    """Every finished step of a workspace, each after its inputs."""
    records = upstream(workspace, [record.address for record in workspace.records()])
    indexes = [record.address for record in records if record.name == "knowledge/index"]
    readers = upstream(workspace, indexes) if indexes else records
    return Chain(workspace=workspace, records=tuple(records), readers=frozenset(r.address for r in readers))


def upstream(workspace: Workspace, addresses: Iterable[str]) -> list[Record]:
    """The records behind some addresses, each after its inputs; unfinished steps are passed over."""
    seen: set[str] = set()
    ordered: list[Record] = []

    def visit(address: str) -> None:
        if address in seen:
            return
        seen.add(address)
        record = known_record(workspace, address)
        if record is not None:
            for name in sorted(record.inputs):
                visit(record.inputs[name])
            ordered.append(record)

    for address in addresses:
        visit(address)
    return ordered


def known_record(workspace: Workspace, address: str) -> Record | None:
    """A finished artifact's record, or the tombstone it left behind."""
    record = workspace.record(address)
    if record is not None:
        return record
    row = workspace.load(TOMBSTONES, tombstone_name(address))
    return None if row is None else Record.from_row(row["record"])


def tombstone_name(address: str) -> str:
    """The name under which a deleted artifact's record is kept."""
    return address.replace("/", "~")


# Documents -----------------------------------------------------------------------------------


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
    if not seen.links:
        return None
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
    return {**facts, **_evidence(folder, doc_id)} if facts else {}


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


def _served(record: Record, seen: _Seen) -> dict[str, Any]:
    """A step without a table of documents holds what its ``documents`` input holds."""
    if record.inputs.get("documents") not in seen.present:
        return {}
    stores = [f"{use.key}@{use.tag}" for use in record.stores]
    return {"outcome": "served", **({"stores": stores} if stores else {})}


def _evidence(folder: Path, doc_id: str) -> dict[str, Any]:
    """What a step noted beside a document: marks, pairs of duplicates, leaked exam items."""
    found: dict[str, Any] = {}
    if (folder / MARKS).is_dir():
        rows = rows_with(folder / MARKS, [("doc_id",)], doc_id)
        found["marks"] = [{"name": row["name"], "value": row["value"]} for row in rows]
    for name in (PAIRS, LEAKS):
        if (folder / name).exists():
            rows = rows_with(folder / name, text_columns(folder / name), doc_id)
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


# Files ---------------------------------------------------------------------------------------


def manifest(chain: Chain) -> list[dict[str, Any]]:
    """Every source file that a chain read: ``name``, ``sha256``, ``bytes``."""
    rows = (row for listing in _listings(chain) for row in listing["files"])
    return [{"name": name, "sha256": sha256, "bytes": size} for name, sha256, size, *_ in rows]


def files_left_out(chain: Chain) -> dict[str, str]:
    """Files that could not even be opened, with the reason."""
    return {name: reason for listing in _listings(chain) for name, reason in listing["left_out"]}


def _listings(chain: Chain) -> Iterator[Mapping[str, Any]]:
    for record in chain.records:
        yield from record.sources.values()


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
