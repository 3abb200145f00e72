"""Garbage: what no expert needs any more, and how it is deleted.

An artifact is *needed* when an expert's parts rest on it. Everything else is garbage: artifacts of
earlier runs, folders of runs that were cut short, versions of stores. Deleting an artifact leaves
a *tombstone*, its record and the date, so that an old answer can still be walked back as far as
the facts go, and says honestly that the text is gone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock

from gnomon.core.errors import InputError
from gnomon.core.protocols import resolve
from gnomon.core.wording import say
from gnomon.runs.experts import KIND as EXPERTS
from gnomon.runs.experts import open_expert
from gnomon.runs.lineage import TOMBSTONES, tombstone_name, upstream
from gnomon.runs.record import Record, now
from gnomon.runs.workspace import RECORD, Workspace


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """One thing that would be deleted."""

    address: str
    """The artifact or unfinished folder."""
    bytes: int
    """Its size, stores apart."""
    what: str
    """``artifact`` or ``unfinished``."""
    stores: tuple[str, ...] = ()
    """Versions of stores that go with it, as ``key@tag``."""


def needed(workspace: Workspace) -> set[str]:
    """Addresses that some expert rests on, unfinished parts included."""
    experts = [open_expert(workspace, name) for name in workspace.names(EXPERTS)]
    parts = [address for expert in experts for _, address in expert.parts]
    return {*parts, *(record.address for record in upstream(workspace, parts))}


def garbage(workspace: Workspace) -> list[Garbage]:
    """What no expert needs, in order of address."""
    kept = needed(workspace)
    records = {record.address: record for record in workspace.records()}
    found = [_dead(workspace, records[address]) for address in sorted(records.keys() - kept)]
    return [*found, *_unfinished(workspace, kept | records.keys())]


def _dead(workspace: Workspace, record: Record) -> Garbage:
    stores = tuple(f"{use.key}@{use.tag}" for use in record.stores)
    size = sum(file.bytes for file in record.files)
    return Garbage(address=record.address, bytes=size, what="artifact", stores=stores)


def _unfinished(workspace: Workspace, known: set[str]) -> Iterator[Garbage]:
    for folder in sorted((workspace.local / "runs").glob("*/*/*")):
        address = "/".join(folder.parts[-3:])
        if folder.is_dir() and address not in known and not (folder / RECORD).exists():
            yield Garbage(address=address, bytes=folder_bytes(folder), what="unfinished")


def folder_bytes(folder: Path) -> int:
    """Bytes of every file below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def collect(workspace: Workspace, found: list[Garbage]) -> int:
    """Delete garbage; returns the bytes of its files.

    Raises:
        InputError: A run is at work in this workspace.
    """
    refuse_while_running(workspace)
    kept = needed(workspace)
    freed = 0
    for item in found:
        if item.address in kept:
            continue
        record = workspace.record(item.address)
        if record is not None:
            row = {"record": record.to_row(), "deleted": now()}
            workspace.save(TOMBSTONES, tombstone_name(item.address), row)
        workspace.delete(item.address)
        freed += item.bytes
        if record is not None:
            _sweep(workspace, record)
    return freed


def _sweep(workspace: Workspace, dead: Record) -> None:
    """Let the stores of a dead artifact free what no remaining tag needs; a store nobody uses goes whole."""
    for use in dead.stores:
        alive = {s.tag for record in workspace.records() for s in record.stores if s.key == use.key}
        folder = f"{workspace.root}/stores/{use.key}"
        with workspace.lock(use.key):
            if alive or _filling(workspace):
                if use.sweep:
                    resolve(use.sweep)(workspace.place(use.key), sorted(alive))
            elif workspace.fs.exists(folder):
                workspace.fs.rm(folder, recursive=True)


def _filling(workspace: Workspace) -> bool:
    """Whether a needed step is unfinished: a store without a record may then be the one it is filling."""
    return any(workspace.record(address) is None for address in needed(workspace))


def refuse_while_running(workspace: Workspace) -> None:
    """Raise when a process on this machine holds a step.

    Raises:
        InputError: With the step it holds.
    """
    for path in sorted((workspace.local / "locks").glob("*.lock")):
        try:
            with filelock.FileLock(path, timeout=0):
                continue
        except filelock.Timeout:
            raise InputError(
                say(
                    f"A run is at work in this workspace ({path.stem}).", f"この作業場所は実行中である（{path.stem}）。"
                ),
                say("Wait until it is done.", "終わるのを待つ。"),
            )
