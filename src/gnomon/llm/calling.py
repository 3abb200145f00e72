"""Calling an endpoint: many requests at once, patience with busy servers, errors a person can act on.

The official ``openai`` library sends, and asks again after 408, 409, 429, 5xx and broken connections, as long as the
server wants (``Retry-After``) or longer each time. What it does not do is done here: a limit on calls in flight and per
minute, another try when the body of an answer is broken, and one loop in one thread for the life of a model, so that
connections are used again.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeVar

from gnomon.core.errors import ConfigError, GnomonError, MissingExtra, RunError
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.core.wording import say
from gnomon.llm.requests import Unreadable

UNREADABLE_ATTEMPTS = 3
BUSY = frozenset({408, 409, 429})
T = TypeVar("T")


class Refused(Exception):
    """The endpoint will not answer this one request (HTTP 400 or 422); others may go through."""


class Caller:
    """The connections to one endpoint.

    Args:
        ref: The model; its name is where ``gnomon.toml`` has the place.
        settings: The machine.

    Raises:
        OfflineError: ``offline = true``.
        ConfigError: The place has no address, or its key is not in the environment.
        MissingExtra: ``openai`` is not installed.
    """

    def __init__(self, ref: ModelRef, settings: Settings) -> None:
        self.place = settings.models[ref.name]
        self.url, self._settings, self._ref = self.place.url, settings, ref
        settings.may_call(self.url)
        options = {
            "api_key": key_of(ref, self.place) or "none", "base_url": self.url,
            "timeout": self.place.timeout_seconds, "max_retries": self.place.retries,
        }  # fmt: skip
        openai = _openai()
        self.sync = openai.OpenAI(**options)
        """The same endpoint for one request at a time, as streams are."""
        self._loop = _Loop()
        self._client, self._turn, self._pace = self._loop.run(self._opened(openai, options))

    async def _opened(self, openai: Any, options: dict[str, Any]) -> tuple[Any, asyncio.Semaphore, Any]:
        pace: AbstractAsyncContextManager[Any] = nullcontext()
        if self.place.calls_per_minute:
            from aiolimiter import AsyncLimiter

            pace = AsyncLimiter(max(1.0, self.place.calls_per_minute / 60), 60 / max(60.0, self.place.calls_per_minute))
        return openai.AsyncOpenAI(**options), asyncio.Semaphore(max(1, self.place.concurrency)), pace

    def each(self, tasks: Sequence[Callable[[Any], Awaitable[T]]]) -> list[T]:
        """Run tasks that are given the client, at most ``concurrency`` at once; results in order.

        Raises:
            ConfigError: The endpoint refuses the key, or knows no such model.
            RunError: It stays busy, or its answers stay broken. Tasks in flight are given up.
        """

        async def one(task: Callable[[Any], Awaitable[T]]) -> T:
            async with self._turn:
                return await self._patiently(task)

        async def every() -> list[T]:
            async with asyncio.TaskGroup() as group:
                started = [group.create_task(one(task)) for task in tasks]
            return [task.result() for task in started]

        self._settings.may_call(self.url)
        try:
            return self._loop.run(every())
        except BaseExceptionGroup as group:
            raise _first(group) from group

    async def _patiently(self, task: Callable[[Any], Awaitable[T]]) -> T:
        import tenacity

        again = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(Unreadable), stop=tenacity.stop_after_attempt(UNREADABLE_ATTEMPTS),
            wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=5, jitter=0.2), reraise=True,
        )  # fmt: skip
        async for attempt in again:
            with attempt:
                async with self._pace:
                    with self.errors():
                        return await task(self._client)
        raise AssertionError("tenacity always ends by itself")

    def errors(self) -> "_Errors":
        """A context in which errors of the library become Gnomon's."""
        return _Errors(self._ref, self.place)

    def close(self) -> None:
        """Close the connections."""
        self._loop.run(self._client.close())
        self.sync.close()
        self._loop.close()


class _Errors:
    """Turns what ``openai`` raises into errors that name the endpoint and the cure."""

    def __init__(self, ref: ModelRef, place: ModelPlace) -> None:
        self._name, self._place = ref.name, place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, GnomonError | Unreadable):
            return
        openai, url = _openai(), self._place.url
        if isinstance(error, ValueError):  # a body that is no JSON
            raise Unreadable(str(error)[:200]) from error
        said = getattr(getattr(error, "response", None), "text", "") or str(error)
        text = f"{url}: {type(error).__name__}: {said[:300]}"
        if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
            raise Refused(said[:300]) from error
        if (
            isinstance(error, openai.APIStatusError)
            and error.status_code < 500
            and error.status_code not in {408, 409, 429}
        ):
            key = self._place.key_env or "key_env"
            raise ConfigError(
                say(f"The endpoint refused: {text}", f"エンドポイントが拒否した: {text}"),
                say(f'Check url, model and the key ({key}) under [models."{self._name}"] in gnomon.toml.',
                    f'gnomon.toml の [models."{self._name}"] の url・model とキー（{key}）を確かめる。'),
            ) from error  # fmt: skip
        if isinstance(error, openai.APIError):
            raise RunError(
                say(f"The endpoint did not answer after {self._place.retries + 1} attempts: {text}",
                    f"エンドポイントが {self._place.retries + 1} 回試しても応答しない: {text}"),
                say("Run again later; finished calls are kept.", "後で再実行する。終わった呼び出しは残っている。"),
            ) from error  # fmt: skip


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="gnomon-calls")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine; an interrupt here cancels it there."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def key_of(ref: ModelRef, place: ModelPlace) -> str:
    """The API key of a place, empty when it names none.

    Raises:
        ConfigError: The variable that should hold it is not set.
    """
    if not place.key_env:
        return ""
    key = os.environ.get(place.key_env, "")
    if not key:
        raise ConfigError(
            say(f"The variable {place.key_env} with the key of {ref.name!r} is not set.",
                f"{ref.name!r} のキーを入れる変数 {place.key_env} がない。"),
            say(f"export {place.key_env}=…", f"export {place.key_env}=…"),
        )  # fmt: skip
    return key


def _openai() -> Any:
    try:
        import openai
    except ImportError as error:
        raise MissingExtra("openai", "llm", say("A model behind an endpoint", "エンドポイントのモデル")) from error
    return openai


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    """The most telling error of a group: one of ours, else the first."""
    flat: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        error = waiting.pop(0)
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions
        else:
            flat.append(error)
    ours = [error for error in flat if isinstance(error, GnomonError)]
    return (ours or flat)[0]
