"""Workers: threads with a bounded queue, so that nothing heavy ever runs on the event loop.

Every request that needs the index or a model takes a place. When all places are taken the answer is *busy* at once,
which a client can act on, instead of a queue that grows until everybody waits in vain. A place is given back when the
work has ended, not when its reader has gone: threads cannot be killed.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from threading import Event
from typing import Any, ParamSpec, TypeVar

from gnomon.core.errors import RunError
from gnomon.core.wording import say

P = ParamSpec("P")
T = TypeVar("T")
RETRY_SECONDS = 1


class Busy(RunError):
    """Every worker is at work and the queue is full."""

    def __init__(self, name: str) -> None:
        super().__init__(
            say(f"All workers for {name} are busy and their queue is full.",
                f"{name} の処理がすべて埋まり、待ち行列も一杯である。"),
            say(f"Try again in {RETRY_SECONDS} s.", f"{RETRY_SECONDS} 秒後にもう一度試す。"),
        )  # fmt: skip


class Workers:
    """Threads that do one kind of work.

    Args:
        name: What they do, for the message when they are busy.
        threads: How many work at once.
        waiting: How many requests may wait for them.
    """

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self.name, self.places = name, threads + waiting
        self.threads, self.refused = threads, 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"gnomon-{name}")
        self._taken = 0
        self._in_hand = set[Future[Any]]()

    @property
    def taken(self) -> int:
        """Requests at work or waiting."""
        return self._taken

    @property
    def waiting(self) -> int:
        """Requests that wait for a thread."""
        return max(0, self._taken - self.threads)

    @property
    def at_work(self) -> bool:
        """Whether a thread is at work, seen from anywhere."""
        return any(future.running() for future in tuple(self._in_hand))

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function returns, called on a worker.

        Raises:
            Busy: Every place is taken.
        """
        return await asyncio.wrap_future(self._submit(lambda: work(*args, **kwargs)))

    async def stream(self, make: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
        """The items of an iterator that runs on a worker; when the reader goes, it is closed after its next item.

        Raises:
            Busy: Every place is taken.
        """
        loop, items, gone = asyncio.get_running_loop(), asyncio.Queue[tuple[T] | None](), Event()

        def work() -> None:
            made = make()
            try:
                for item in made:
                    _call(loop, items.put_nowait, (item,))
                    if gone.is_set():
                        return
            finally:
                if isinstance(made, Generator):
                    made.close()
                _call(loop, items.put_nowait, None)

        done = asyncio.wrap_future(self._submit(work))
        try:
            while (item := await items.get()) is not None:
                yield item[0]
            await done
        finally:
            gone.set()

    def close(self, seconds: float | None = None) -> bool:
        """Take no more work and let what is in hand end; returns whether it did within a time."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        return not wait(set(self._in_hand), timeout=seconds).not_done

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        """Called on the event loop only, which is why counting needs no lock."""
        if self._taken >= self.places:
            self.refused += 1
            raise Busy(self.name)
        loop = asyncio.get_running_loop()
        future = self._pool.submit(contextvars.copy_context().run, work)
        self._taken += 1
        self._in_hand.add(future)
        future.add_done_callback(self._in_hand.discard)
        future.add_done_callback(lambda _: _call(loop, self._given_back))
        return future

    def _given_back(self) -> None:
        self._taken -= 1


def _call(loop: asyncio.AbstractEventLoop, what: Callable[..., None], *args: object) -> None:
    """Call something on the loop from a worker; at the end of the process there may be no loop any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(what, *args)
