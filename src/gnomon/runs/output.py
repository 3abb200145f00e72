"""Output: the side of the workspace that a running step sees.

A step writes files below ``path`` and returns its counts. Long work goes in *shards*: files
first, then ``done(key, counts)``; after a kill, ``pending(keys)`` gives only what is missing.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import filelock

from gnomon.core.files import read_json, write_json
from gnomon.core.settings import Settings
from gnomon.runs.cache import Cache
from gnomon.runs.counts import NO_COUNTS, Counts
from gnomon.runs.record import Record, StoreUse


class Meter(Protocol):
    """Receives the progress of one step."""

    def total(self, amount: int, unit: str) -> None:
        """Say how much there is to do."""
        ...

    def advance(self, amount: int) -> None:
        """Say that some of it is done."""
        ...

    def note(self, text: str) -> None:
        """Say how it goes, in a few words that replace the last ones: ``loss 3.21``."""
        ...


class SilentMeter:
    """A meter nobody looks at."""

    def total(self, amount: int, unit: str) -> None:
        """Do nothing."""

    def advance(self, amount: int) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class StorePlace:
    """Where a shared store lives now."""

    key: str
    """Its key below ``stores``."""
    url: str
    """A local path, or an address such as ``s3://bucket/stores/index``."""
    options: dict[str, str] = field(default_factory=dict)
    """Options of the object store, empty for a local path."""

    def filesystem(self) -> tuple[Any, str]:
        """The file system that holds the store, and the store's path in it."""
        import fsspec

        options = fs_options(self.options) if "://" in self.url else {}
        fs, path = fsspec.core.url_to_fs(self.url, **options)
        return fs, str(path)


def fs_options(storage: Mapping[str, str]) -> dict[str, Any]:
    """What ``fsspec`` wants to be told for the storage options of ``gnomon.toml``."""
    known = ("endpoint_url", "key", "secret")
    options: dict[str, Any] = {name: storage[name] for name in known if name in storage}
    if "region" in storage:
        options["client_kwargs"] = {"region_name": storage["region"]}
    return options


@dataclass(kw_only=True)
class Output:
    """What a running step may touch."""

    path: Path
    """The folder for its files, empty on a first run, with finished shards on a resumed one."""
    shards: Path
    """The folder of shard markers."""
    identity: str
    """The step's identity."""
    settings: Settings
    """The machine."""
    place: Callable[[str], StorePlace]
    """Finds a store by key."""
    cache_path: Path
    """The file of the per-document cache of this step and these settings."""
    locks: Path
    """A local folder for lock files."""
    records: Mapping[str, Record] = field(default_factory=dict)
    """The records of the inputs, by name."""
    artifact: Callable[[str], Path] | None = None
    """Finds the files of another artifact by its address, such as that of the model an input was made with; None: there
    is no workspace around the step."""
    logs: Path | None = None
    """A local folder for what is worth watching and cannot be made twice alike, such as TensorBoard files; None: nobody
    watches."""
    meter: Meter = field(default_factory=SilentMeter)
    """Receives progress."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """What the step measured, as JSON types; goes into the record."""
    stores: list[StoreUse] = field(default_factory=list)
    """Versions of shared stores that belong to the artifact."""
    cost_usd: float = 0.0
    """Money spent, from the call log."""

    def pending(self, keys: Sequence[str]) -> Iterator[str]:
        """The shard keys that are not done yet, in order."""
        for key in keys:
            if not self._marker(key).exists():
                yield key

    def done(self, key: str, counts: Counts, note: Any = None) -> None:
        """Mark a shard as finished; its files must be in place. ``note`` is JSON kept for ``notes``."""
        write_json(self._marker(key), {"counts": counts.__dict__, "note": note})

    def counts(self, keys: Sequence[str]) -> Counts:
        """The sum of the counts of finished shards."""
        rows = (read_json(self._marker(key))["counts"] for key in keys)
        return sum((Counts.from_row(row) for row in rows), NO_COUNTS)

    def notes(self, keys: Sequence[str]) -> list[Any]:
        """The notes of finished shards, in order."""
        return [read_json(self._marker(key))["note"] for key in keys]

    def _marker(self, key: str) -> Path:
        return self.shards / f"{key}.json"

    @contextlib.contextmanager
    def cache(self) -> Iterator[Cache]:
        """The per-document cache of this step with these settings."""
        cache = Cache(self.cache_path)
        try:
            yield cache
        finally:
            cache.close()

    @contextlib.contextmanager
    def store(self, key: str) -> Iterator[StorePlace]:
        """A shared store, held so that no other process on this machine writes to it meanwhile."""
        self.locks.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(self.locks / (key.replace("/", "_") + ".lock")):
            yield self.place(key)
