"""Server-sent events of work that goes on: what a worker gives, event by event, and a problem if it fails.

The first event is waited for before the response begins, so that what goes wrong at once (no such voice, every worker
busy) has its own status; what goes wrong later is the last event. Who leaves ends the work.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import TypeVar, cast

from fastapi import Request
from fastapi.sse import EventSourceResponse, format_sse_event

from gnomon.serving.problems import details, problem_of
from gnomon.serving.work import Workers

T = TypeVar("T")
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def wants_events(request: Request) -> bool:
    """Whether a client asked for events."""
    return MEDIA_TYPE in request.headers.get("accept", "")


async def respond(
    request: Request, workers: Workers, make: Callable[[], Iterator[T]], told: Callable[[T], tuple[str, str]]
) -> EventSourceResponse:
    """A response of events.

    Args:
        request: Who asks.
        workers: Who work.
        make: The work, step by step.
        told: The name of an event, and its data.

    Raises:
        Busy: Every place is taken.
    """
    items = workers.stream(make)
    first = await anext(items, None)
    return EventSourceResponse(_events(request, first, items, told), headers=HEADERS)


async def gathered(request: Request, workers: Workers, make: Callable[[], Iterator[T]]) -> list[T]:
    """Every item of work that goes on, at once; fewer when who asked has gone, whom nothing reaches any more.

    Args:
        request: Who asks.
        workers: Who work.
        make: The work, step by step.

    Raises:
        Busy: Every place is taken.
    """
    found = []
    async with aclosing(cast("AsyncGenerator[T]", workers.stream(make))) as items:
        async for item in items:
            found.append(item)
            if await request.is_disconnected():
                break
    return found


async def _events(
    request: Request, first: T | None, items: AsyncIterator[T], told: Callable[[T], tuple[str, str]]
) -> AsyncIterator[bytes]:
    try:
        if first is not None:
            yield _event(*told(first))
        async for item in items:
            yield _event(*told(item))
    except Exception as error:  # noqa: BLE001 -- the response has begun: a problem can only be its last event
        import json

        body = details(problem_of(error), request.url.path)
        yield _event("problem", json.dumps(body, ensure_ascii=False))


def _event(name: str, data: str) -> bytes:
    return format_sse_event(event=name, data_str=data)
