"""The house: what one server holds while it runs. Everything a request needs is reached through it.

The expert may be published anew while the server runs. Each request reads one version from its beginning to its end:
new requests get the new version, and the old one is closed when the last request, and the last worker, lets go of it.
"""

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gnomon.core.answers import Answer
from gnomon.research.opened import OpenExpert
from gnomon.serving.work import Workers

CLOSING_SECONDS = 5.0
_MOST_READERS = 8


def _cores() -> int:
    """Readers spend most of their time in libraries that let other threads run; beyond some, they only wait in turn."""
    return max(2, min(_MOST_READERS, len(os.sched_getaffinity(0))))


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The bounds of requests and of work in hand."""

    body_bytes: int = 1_000_000
    """Largest body of a request."""
    body_seconds: float = 20.0
    """Longest time for it to arrive."""
    address_bytes: int = 32_768
    """Longest path and query string: 2,000 letters of any script, percent-encoded."""
    header_bytes: int = 65_536
    """Largest headers."""
    query_characters: int = 2_000
    """Longest question or query."""
    text_characters: int = 100_000
    """Longest text that is traced or completed."""
    written_tokens: int = 4_096
    """Most tokens that a model writes for one text, whatever is asked for."""
    results: int = 100
    """Most results of a search."""
    readers: int = field(default_factory=_cores)
    """Threads for searching, tracing and extractive answers."""
    readers_waiting: int = 64
    """Requests that may wait for them."""
    writers: int = 1
    """Threads for models: each of them uses every core by itself."""
    writers_waiting: int = 8
    """Requests that may wait for them."""


class _Version:
    """An expert as it was published once; closed when nobody holds this object any more."""

    def __init__(self, opened: OpenExpert) -> None:
        self.opened = opened
        weakref.finalize(self, opened.close)


_read: ContextVar[_Version | None] = ContextVar("read", default=None)


class House:
    """One server's expert, workers and limits.

    Args:
        opened: The expert that is served.
        limits: Bounds of requests and work.
    """

    def __init__(self, opened: OpenExpert, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.readers = Workers("search", self.limits.readers, self.limits.readers_waiting)
        self.writers = Workers("models", self.limits.writers, self.limits.writers_waiting)
        self.ready = True
        """Whether whatever is loaded ahead of the first reader is loaded."""
        self.heard: Callable[[Answer], None] = lambda _: None
        """Called with every answer that is kept, of whichever version."""
        self._newest = self._version(opened)

    @property
    def opened(self) -> OpenExpert:
        """The expert: inside a request the version it began with, elsewhere the newest."""
        return (_read.get() or self._newest).opened

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep to one version of the expert inside; workers that are started here keep to it, too."""
        before = _read.set(self._newest)
        try:
            yield
        finally:
            _read.reset(before)

    def replace(self, opened: OpenExpert) -> None:
        """Give another version of the expert to whoever comes from now on."""
        self._newest = self._version(opened)

    def _version(self, opened: OpenExpert) -> _Version:
        opened.heard.append(lambda given: self.heard(given))
        return _Version(opened)

    @property
    def at_work(self) -> bool:
        """Whether a worker is at work."""
        return self.readers.at_work or self.writers.at_work

    def close(self, seconds: float = CLOSING_SECONDS) -> bool:
        """Take no more work and let what is in hand end, for so long; returns whether all of it did."""
        ended = [workers.close(seconds) for workers in (self.readers, self.writers)]
        self._newest.opened.close()
        return all(ended)


class Reading:
    """Middleware under which each request reads one version of the expert.

    Args:
        app: What answers.
        house: What is read.
    """

    def __init__(self, app: ASGIApp, house: House) -> None:
        self.app, self.house = app, house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self.house.reading():
            await self.app(scope, receive, send)


def house_of(request: Request) -> House:
    """The house of a request's server."""
    house: House = request.app.state.house
    return house


Housed = Annotated[House, Depends(house_of)]
"""A path operation's parameter that receives the house."""
