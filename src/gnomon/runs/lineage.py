"""Lineage: from anything back to the file it came from, through every step it met.

A lineage is a tree of *links*. Each link says what a thing is, what is known about it, what it rests on, and what
became of it. A *chain* is the steps behind an expert.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnomon.core.records import Expert
from gnomon.runs.record import Record
from gnomon.runs.workspace import Workspace

DOCUMENTS, MARKS, CHUNKS, PIECES, EXAMPLES = "documents", "marks", "chunks", "pieces", "examples"
DROPS, PAIRS, LEAKS, ITEMS = "drops.parquet", "pairs.parquet", "leaks.parquet", "items.parquet"
PREFERENCES, RESULTS = "preferences.parquet", "results.parquet"
TOMBSTONES = "tombstones"
READERS_ROLE = "index"
EVIDENCE_SHOWN = 5
IN_LIBRARY = "in the library"


@dataclass(frozen=True, kw_only=True)
class Link:
    """One thing in a lineage, and what it rests on."""

    kind: str
    """``answer``, ``claim``, ``citation``, ``chunk``, ``document``, ``step``, ``source``, ``question``, ``exam``,
    ``arm``, ``leak``, ``pair``, ``evidence``, ``example``, ``preference``, ``learnt``, ``file``, ``model``; of a model
    also ``stage``, ``mixture``, ``shown``, ``pass``, ``choice``, ``candidate``, ``merge``."""
    id: str
    """Its id or address."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is known about it, as JSON types."""
    below: tuple["Link", ...] = ()
    """What it rests on, and what became of it."""

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
