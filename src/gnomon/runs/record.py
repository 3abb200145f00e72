"""The record: what a step leaves behind, written last.

Its presence at an address means that the artifact is whole and was made exactly this way.
"""

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.files import content_digest, folder_files
from gnomon.core.hashing import combined_hash, file_sha256
from gnomon.runs.counts import Counts

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """One file of an artifact."""

    name: str
    """Relative to the artifact's folder."""
    bytes: int
    """Size."""
    sha256: str
    """Of its bytes."""
    digest: str
    """Content digest: independent of row order and of how the bytes are laid out."""


@dataclass(frozen=True, kw_only=True)
class StoreUse:
    """A version of a shared store that belongs to this artifact."""

    key: str
    """The store below ``<workspace>/stores``."""
    tag: str
    """The tagged version."""
    rows: int
    """Rows in that version."""
    digest: str
    """Content digest of those rows."""
    check: str
    """Entry of a function ``(place, use) -> list[str]`` that names what is wrong with it."""
    files: tuple[tuple[str, str], ...] = ()
    """(name, sha256) of the files that version consists of."""
    sweep: str = ""
    """Entry of a function ``(place, tags) -> None`` that frees what none of the tags still needed holds; ``gc`` calls
    it. Empty when the store has nothing to free."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything about one finished step."""

    name: str
    """The step's name."""
    identity: str
    """Its identity: with the name, its address."""
    version: int
    """Its version."""
    entry: str
    """The function that ran."""
    entry_hash: str
    """Hash of that function's module and the modules of Gnomon it imports: shows code that changed
    without a new version."""
    config: Mapping[str, Any]
    """Every setting, defaults included."""
    inputs: Mapping[str, str]
    """Addresses of the artifacts it read, by name."""
    sources: Mapping[str, Any]
    """Manifests of the files it read, by name, without their places."""
    counts: Counts
    """Taken, kept, dropped by reason."""
    metrics: Mapping[str, Any]
    """What the step measured."""
    files: tuple[FileRecord, ...]
    """Its files, in order of name."""
    stores: tuple[StoreUse, ...] = ()
    """Versions of shared stores that belong to it."""
    folder: str = "data"
    """The folder of its files, below the address."""
    cost_usd: float = 0.0
    """Money spent on calls, from the call log."""
    code: Mapping[str, Any] = field(default_factory=dict)
    """Git commit and dirty flag of Gnomon itself, when it runs from a checkout."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Versions of Gnomon and of the packages it requires."""
    started: str = ""
    """ISO time at which the run that finished it began."""
    seconds: float = 0.0
    """Wall-clock seconds of that run."""
    schema: int = SCHEMA
    """Version of this record's own shape."""

    @property
    def address(self) -> str:
        """Where the artifact lives."""
        return f"{self.name}/{self.identity}"

    @property
    def digest(self) -> str:
        """Content digest of the whole artifact: equal for every run of the same step."""
        files = [part for f in self.files for part in (f.name, f.digest)]
        return combined_hash([*files, *(part for s in self.stores for part in (s.key, s.digest))])

    def to_row(self) -> dict[str, Any]:
        """As JSON types, with the digest for readers."""
        return {**dataclasses.asdict(self), "digest": self.digest}

    @staticmethod
    def from_row(row: dict[str, Any]) -> "Record":
        """A record as read from JSON.

        Raises:
            DataError: It has another schema, or lacks a field.
        """
        values = {key: value for key, value in row.items() if key != "digest"}
        if values.get("schema") != SCHEMA:
            raise DataError(f"A record of {values.get('name')} has schema {values.get('schema')}, wanted {SCHEMA}.")
        try:
            values["counts"] = Counts.from_row(values["counts"])
            values["files"] = tuple(FileRecord(**f) for f in values["files"])
            stores = [{**s, "files": tuple((n, h) for n, h in s["files"])} for s in values["stores"]]
            values["stores"] = tuple(StoreUse(**s) for s in stores)
            return Record(**values)
        except (KeyError, TypeError) as error:
            raise DataError(f"A record of {values.get('name')} is not whole: {error}.") from error


def describe_files(folder: Path) -> tuple[FileRecord, ...]:
    """The files of an artifact with their hashes."""
    return tuple(
        FileRecord(
            name=path.relative_to(folder).as_posix(),
            bytes=path.stat().st_size,
            sha256=file_sha256(path),
            digest=content_digest(path),
        )
        for path in folder_files(folder)
    )


def now() -> str:
    """The present time as ISO 8601 in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
