"""Verify: does every artifact still hold what its record says?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import GnomonError
from gnomon.core.hashing import file_sha256
from gnomon.core.protocols import resolve
from gnomon.runs.record import FileRecord, Record
from gnomon.runs.workspace import RECORD, Workspace


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is not as its record says."""

    address: str
    """The artifact."""
    place: str
    """The file or store."""
    problem: str
    """``missing``, ``changed``, ``unreadable`` or ``unexpected``, with details."""


def verify(workspace: Workspace) -> Iterator[Finding | Record]:
    """Check every artifact: yields its findings, then its record, one artifact at a time."""
    for path in sorted(workspace.fs.glob(f"{workspace.root}/runs/*/*/*/{RECORD}")):
        address = "/".join(str(path).split("/")[-4:-1])
        try:
            record = workspace.record(address)
        except GnomonError as error:
            yield Finding(address=address, place=RECORD, problem=f"unreadable: {error.message}")
            continue
        if record is not None:
            yield from _check(workspace, record, address)
            yield record


def _check(workspace: Workspace, record: Record, address: str) -> Iterator[Finding]:
    if record.address != address:
        yield Finding(address=address, place=RECORD, problem=f"changed: it names {record.address}")
        return
    folder = f"{workspace.root}/runs/{address}/{record.folder}"
    known = {file.name for file in record.files}
    for path in workspace.fs.find(folder):
        name = str(path)[len(folder.rstrip("/")) + 1 :]
        if name not in known:
            yield Finding(address=address, place=name, problem="unexpected")
    for file in record.files:
        problem = _file_problem(workspace, f"{folder}/{file.name}", file)
        if problem:
            yield Finding(address=address, place=file.name, problem=problem)
    for use in record.stores:
        for problem in resolve(use.check)(workspace.place(use.key), use):
            yield Finding(address=address, place=f"stores/{use.key}", problem=problem)


def _file_problem(workspace: Workspace, path: str, file: FileRecord) -> str:
    if not workspace.fs.exists(path):
        return "missing"
    if workspace.is_local:
        return "" if file_sha256(Path(path)) == file.sha256 else "changed"
    import hashlib

    with workspace.fs.open(path, "rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return "" if digest == file.sha256 else "changed"
