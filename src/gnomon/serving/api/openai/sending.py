"""Sending what is written piece by piece, as server-sent events; who leaves ends the writing.

The first piece is waited for before a stream begins, so that what goes wrong at once has its own status. What goes
wrong later is an event with the protocol's error object, and the stream ends without ``[DONE]``.
"""

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Protocol

from fastapi.responses import StreamingResponse

from gnomon.serving.facts.writing import Piece
from gnomon.serving.problems import openai_error, problem_of
from gnomon.serving.work import Workers

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
Chunk = dict[str, Any]


class Chunks(Protocol):
    """How pieces become chunks of the protocol."""

    def begin(self) -> Iterable[Chunk]:
        """Chunks before the first piece."""
        ...

    def of(self, piece: Piece) -> Iterable[Chunk]:
        """Chunks of one piece."""
        ...

    def end(self) -> Iterable[Chunk]:
        """Chunks after the last piece."""
        ...


class Head:
    """What every chunk of one response begins with, and the last one with its usage.

    Args:
        kind: The protocol's name of a chunk.
        name: Of the response's id.
        model: Who was asked.
        fingerprint: The weights that write; empty when none do.
        wants_usage: Whether a last chunk tells the usage.
    """

    def __init__(self, kind: str, name: str, model: str, fingerprint: str, *, wants_usage: bool) -> None:
        self.told: Chunk = {"id": new_id(name), "object": kind, "created": int(time.time()), "model": model}
        self.told["system_fingerprint"] = fingerprint or None
        self._wants_usage = wants_usage
        self.read = self.written = 0

    def chunk(self, choice: Chunk) -> Chunk:
        """A chunk with one choice."""
        return {**self.told, "choices": [choice], **({"usage": None} if self._wants_usage else {})}

    def count(self, tokens: tuple[int, int]) -> None:
        """Add tokens to the usage."""
        self.read, self.written = self.read + tokens[0], self.written + tokens[1]

    def usage(self) -> Iterator[Chunk]:
        """The last chunk, when it was asked for."""
        if self._wants_usage:
            told = {"prompt_tokens": self.read, "completion_tokens": self.written}
            yield {**self.told, "choices": [], "usage": told | {"total_tokens": self.read + self.written}}


async def streamed(workers: Workers, make: Callable[[], Iterator[Piece]], chunks: Chunks) -> StreamingResponse:
    """A response of server-sent events.

    Args:
        workers: Who work.
        make: The writing.
        chunks: How pieces are told.

    Raises:
        Busy: Every place is taken.
    """
    pieces = workers.stream(make)
    first = await anext(pieces, None)
    return StreamingResponse(_events(first, pieces, chunks), media_type=MEDIA_TYPE, headers=HEADERS)


async def _events(first: Piece | None, pieces: AsyncIterator[Piece], chunks: Chunks) -> AsyncIterator[bytes]:
    try:
        for chunk in (*chunks.begin(), *(chunks.of(first) if first is not None else ())):
            yield _event(chunk)
        async for piece in pieces:
            for chunk in chunks.of(piece):
                yield _event(chunk)
    except Exception as error:  # noqa: BLE001 -- the response has begun: an error can only be its last event
        yield _event(openai_error(problem_of(error)))
        return
    for chunk in chunks.end():
        yield _event(chunk)
    yield b"data: [DONE]\n\n"


def _event(data: Chunk) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def new_id(kind: str) -> str:
    """The id of a response."""
    return f"{kind}-{secrets.token_hex(12)}"
