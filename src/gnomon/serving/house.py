"""The house: what one server holds while it runs. Everything a request needs is reached through it."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from gnomon.research.opened import OpenExpert
from gnomon.serving.work import Workers


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The bounds of requests and of work in hand."""

    body_bytes: int = 1_000_000
    """Largest body of a request."""
    query_characters: int = 2_000
    """Longest question or query."""
    text_characters: int = 100_000
    """Longest text that is traced or completed."""
    results: int = 100
    """Most results of a search."""
    readers: int = 2
    """Threads for searching, tracing and extractive answers."""
    readers_waiting: int = 64
    """Requests that may wait for them."""
    writers: int = 1
    """Threads for models: each of them uses every core by itself."""
    writers_waiting: int = 8
    """Requests that may wait for them."""


@dataclass(kw_only=True)
class House:
    """One server's expert, workers and limits."""

    opened: OpenExpert
    """The expert that is served."""
    limits: Limits = field(default_factory=Limits)
    """Bounds of requests and work."""
    readers: Workers = field(init=False)
    """Workers for what needs the index or the trace."""
    writers: Workers = field(init=False)
    """Workers for what needs a language model."""

    def __post_init__(self) -> None:
        limits = self.limits
        self.readers = Workers("search", limits.readers, limits.readers_waiting)
        self.writers = Workers("models", limits.writers, limits.writers_waiting)

    def close(self) -> None:
        """Let the work in hand end, then close what is open."""
        self.readers.close()
        self.writers.close()
        self.opened.close()


def house_of(request: Request) -> House:
    """The house of a request's server."""
    house: House = request.app.state.house
    return house


Housed = Annotated[House, Depends(house_of)]
"""A path operation's parameter that receives the house."""
