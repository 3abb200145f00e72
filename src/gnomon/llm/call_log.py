"""The call log: every finished call to a model, so that nothing is paid for twice and all of it can be audited.

One SQLite file a workspace. A row stands under the hash of its request and a sample index; it is committed before the
reply is handed on, so that after a kill only calls in flight are made again. Request and reply are kept whole
(compressed): an answer's ``writer call`` leads to the very words that were sent.
"""

import json
import sqlite3
import threading
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.calls import Call
from gnomon.llm.chat import Reply

FILE = "calls.sqlite"
_BUSY_SECONDS = 120
_KEYS_PER_QUERY = 400
_TABLE = """CREATE TABLE IF NOT EXISTS calls (
    key TEXT NOT NULL, sample INTEGER NOT NULL, model TEXT NOT NULL, request BLOB NOT NULL, reply BLOB NOT NULL,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, cost_usd REAL, seconds REAL NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (key, sample)) WITHOUT ROWID"""
Place = tuple[str, int]
"""The hash of a request, and which draw of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What some calls came to."""

    calls: int = 0
    """Finished calls."""
    tokens_in: int = 0
    """Prompt tokens."""
    tokens_out: int = 0
    """Generated tokens."""
    cost_usd: float = 0.0
    """USD, of those whose price is known."""
    unpriced: int = 0
    """Calls whose price is not known."""


class CallLog:
    """The finished calls of a workspace, safe for threads and for several processes.

    Args:
        path: The SQLite file; made when missing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(_TABLE)
        self._database.commit()

    def find(self, places: Sequence[Place]) -> dict[Place, Reply]:
        """The replies that are already there."""
        found: dict[Place, Reply] = {}
        keys = list(dict.fromkeys(key for key, _ in places))
        wanted = set(places)
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            part = keys[start : start + _KEYS_PER_QUERY]
            query = f"SELECT key, sample, reply FROM calls WHERE key IN ({','.join('?' * len(part))})"
            with self._lock:
                rows = self._database.execute(query, part).fetchall()
            found |= {(k, n): Reply(**_unpacked(blob)) for k, n, blob in rows if (k, n) in wanted}
        return found

    def add(self, place: Place, model: str, request: Any, reply: Reply, at: str) -> None:
        """Keep a finished call; what another process kept first stays."""
        row = {name: getattr(reply, name) for name in Reply.__slots__}
        values = (*place, model, _packed(request), _packed(row), reply.tokens_in, reply.tokens_out,
                  reply.cost_usd, reply.seconds, at)  # fmt: skip
        with self._lock, self._database:
            self._database.execute("INSERT OR IGNORE INTO calls VALUES (?,?,?,?,?,?,?,?,?,?)", values)

    def request(self, place: Place) -> Any:
        """What was sent, None when the log has no such call."""
        with self._lock:
            row = self._database.execute("SELECT request FROM calls WHERE key=? AND sample=?", place).fetchone()
        return _unpacked(row[0]) if row else None

    def calls(self, model: str = "") -> list[Call]:
        """The rows of a model, or of all, as records."""
        where, values = ("WHERE model=?", (model,)) if model else ("", ())
        query = f"SELECT key, model, tokens_in, tokens_out, cost_usd, seconds FROM calls {where} ORDER BY key, sample"
        with self._lock, closing(self._database.execute(query, values)) as rows:
            names = ("key", "model", "tokens_in", "tokens_out", "cost_usd", "seconds")
            return [Call(**dict(zip(names, row, strict=True))) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def spent(replies: Sequence[Reply]) -> Spent:
    """What some replies came to, whether made now or before."""
    return Spent(
        calls=len(replies),
        tokens_in=sum(r.tokens_in for r in replies),
        tokens_out=sum(r.tokens_out for r in replies),
        cost_usd=sum(r.cost_usd for r in replies if r.cost_usd is not None),
        unpriced=sum(r.cost_usd is None for r in replies),
    )


def _packed(value: Any) -> bytes:
    return zlib.compress(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"), 6)


def _unpacked(blob: bytes) -> Any:
    return json.loads(zlib.decompress(blob).decode("utf-8", "surrogatepass"))
