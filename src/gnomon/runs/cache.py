"""The per-document cache: what was computed once for a text is not computed again.

One SQLite file per (step, version, chosen settings); keys are text hashes or file hashes. It
only ever saves time: an artifact is the same with an empty cache.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_KEYS_PER_QUERY = 500
_BUSY_SECONDS = 120


class Cache:
    """A persistent mapping from hash to bytes, safe for several processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, timeout=_BUSY_SECONDS)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
        self._database.commit()

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The stored values of those keys that are there."""
        found: dict[str, bytes] = {}
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            part = keys[start : start + _KEYS_PER_QUERY]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, value FROM results WHERE key IN ({marks})"
            found.update(self._database.execute(query, part).fetchall())
        return found

    def put_many(self, values: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> None:
        """Store values, all or none."""
        rows = values.items() if isinstance(values, Mapping) else values
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO results VALUES (?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        self._database.close()
