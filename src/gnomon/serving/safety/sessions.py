"""Sessions: what a browser holds after a key was entered, instead of the key.

They live in memory: a restart ends them all. Only the hash of a session's id is kept, its key is asked for again at
every request, so that revoking a key ends the sessions it opened, and there are never more than a bounded number.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

HOURS = 12
MOST = 10_000
TRIES, TRY_SECONDS = 10, 300.0
"""Wrong keys that one address may enter, and in how long."""
MOST_ADDRESSES = 10_000


@dataclass(frozen=True, kw_only=True)
class Session:
    """One signed-in browser."""

    key: str
    """SHA-256 of the key that opened it."""
    name: str
    """That key's name."""
    ends: float
    """When it ends, by the clock of the sessions."""


class Sessions:
    """The sessions of one server.

    Args:
        clock: Seconds that only grow; tests give their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, Session] = {}

    def begin(self, key: str, name: str) -> str:
        """Open a session; returns its id, which the browser alone keeps."""
        now = self._clock()
        self._open = {id_: session for id_, session in self._open.items() if session.ends > now}
        while len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        text = secrets.token_urlsafe(32)
        self._open[_hash(text)] = Session(key=key, name=name, ends=now + HOURS * 3600)
        return text

    def find(self, text: str) -> Session | None:
        """The session of an id, None when there is none or it has ended."""
        found = self._open.get(_hash(text))
        return found if found is not None and found.ends > self._clock() else None

    def end(self, text: str) -> None:
        """Close a session."""
        self._open.pop(_hash(text), None)


class Tries:
    """Wrong keys by address, so that nobody can try for long.

    Args:
        clock: Seconds that only grow; tests give their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, list[float]] = {}

    def wait(self, address: str) -> int:
        """Seconds until this address may try again; 0 for now."""
        recent = self._recent(address)
        return 0 if len(recent) < TRIES else max(1, round(recent[0] + TRY_SECONDS - self._clock()))

    def failed(self, address: str) -> None:
        """Remember a wrong key."""
        recent = [*self._recent(address), self._clock()]
        self._failed.pop(address, None)
        if len(self._failed) >= MOST_ADDRESSES:
            del self._failed[next(iter(self._failed))]
        self._failed[address] = recent

    def _recent(self, address: str) -> list[float]:
        since = self._clock() - TRY_SECONDS
        return [moment for moment in self._failed.get(address, ()) if moment > since]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
