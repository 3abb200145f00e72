"""Models behind an OpenAI-compatible endpoint: vLLM, llama.cpp, Ollama, a hosted one, or Gnomon's own server.

Where it is, its key, price and limits stand in ``gnomon.toml`` under the model's name, because where a model runs is
no part of what it is. With a call log, what was answered once is replayed for free, and a reply is in the log before it
is used.
"""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from gnomon.core.errors import ConfigError, RunError
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm.call_log import CallLog, Place
from gnomon.llm.calling import Caller, Refused
from gnomon.llm.chat import ChatOptions, Conversation, Reply, check_conversation, numbered, request_key
from gnomon.llm.client import Completion, Generation, LogLikelihood
from gnomon.llm.requests import (
    Unreadable,
    chat_body,
    check_place,
    completion_body,
    completion_delta,
    delta_texts,
    echo_body,
    price,
    read_chat,
    read_completion,
    read_echo,
    usage,
    whole_reply,
)

T = TypeVar("T")
Task = Callable[[Any], Awaitable[T]]
"""What is done with the connection."""


class RemoteModel:
    """A model behind an endpoint, a ``Client`` and a ``Chat``.

    Args:
        ref: The model, with a place under its name in ``gnomon.toml``.
        settings: The machine.
        log: Keeps finished chat calls and gives them again; None keeps nothing.

    Raises:
        OfflineError: ``offline = true``.
        ConfigError: The place is incomplete.
        MissingExtra: ``openai`` is not installed.
    """

    def __init__(self, ref: ModelRef, settings: Settings, log: CallLog | None = None) -> None:
        check_place(ref.name, settings.models[ref.name])
        self.ref, self.place, self._log = ref, settings.models[ref.name], log
        self._caller = Caller(ref, settings)

    def chat(self, conversations: Sequence[Conversation], options: ChatOptions) -> list[Reply]:
        """One reply a conversation, in order; equal ones are different draws.

        Raises:
            ConfigError: The endpoint refuses the key, the model, or every single request.
            RunError: It stays busy or broken; finished calls are in the log.
        """
        for conversation in conversations:
            check_conversation(conversation)
        places = numbered([request_key(self.ref, c, options) for c in conversations])
        known = self._log.find(places) if self._log is not None else {}
        missing = [i for i, place in enumerate(places) if place not in known]
        made = self._each([self._asked(conversations[i], options, places[i]) for i in missing])
        if made and all(isinstance(reply, Refused) for reply in made):
            raise ConfigError(
                say(f"{self._caller.url} refuses every request: {made[0]}",
                    f"{self._caller.url} はすべての要求を拒否した: {made[0]}"),
                say(f'Check structured, thinking and limit under [models."{self.ref.name}"] in gnomon.toml.',
                    f'gnomon.toml の [models."{self.ref.name}"] の structured・thinking・limit を確かめる。'),
            )  # fmt: skip
        replies = dict(zip(missing, map(_no_answer, made), strict=True))
        return [replies[i] if i in replies else known[place] for i, place in enumerate(places)]

    def _each(self, tasks: Sequence[Task[Reply | Refused]]) -> list[Reply | Refused]:
        try:
            return self._caller.each(tasks)
        except Unreadable as error:
            raise RunError(
                say(f"The answers of {self._caller.url} cannot be read: {error}.",
                    f"{self._caller.url} の応答を読めない: {error}。"),
                say("Is this an OpenAI-compatible endpoint? Finished calls are kept.",
                    "OpenAI 互換のエンドポイントか確かめる。終わった呼び出しは残っている。"),
            ) from error  # fmt: skip

    def _asked(self, conversation: Conversation, options: ChatOptions, place: Place) -> Task[Reply | Refused]:
        body = chat_body(self.ref, self.place, conversation, options)

        async def asked(client: Any) -> Reply | Refused:
            started = time.perf_counter()
            try:
                with self._caller.errors():
                    answer = await client.chat.completions.create(**body)
            except Refused as refusal:
                return refusal
            return self._kept(place, body, replace(read_chat(answer, options), seconds=time.perf_counter() - started))

        return asked

    def _kept(self, place: Place, body: dict[str, Any], reply: Reply) -> Reply:
        """The reply with its price and its place in the log."""
        tokens = (reply.tokens_in, reply.tokens_out)
        reply = replace(reply, cost_usd=price(self.place, tokens), call=f"{place[0]}#{place[1]}")
        if self._log is not None:
            self._log.add(place, self.ref.name, body, reply, datetime.now(UTC).isoformat(timespec="seconds"))
        return reply

    def stream(self, conversation: Conversation, options: ChatOptions) -> Iterator[Reply]:
        """The reply as it grows; what is in the log comes whole at once.

        Raises:
            ConfigError: The endpoint refuses the key or the model; a refusal of this one conversation is a fault.
            RunError: The stream ends before the answer does.
        """
        check_conversation(conversation)
        place = (request_key(self.ref, conversation, options), 0)
        known = self._log.find([place]) if self._log is not None else {}
        if known:
            yield known[place]
            return
        started, body = time.perf_counter(), chat_body(self.ref, self.place, conversation, options)
        text, thinking, finish, tokens = "", "", None, (0, 0)
        try:
            with self._caller.errors(), self._streamed(body) as chunks:
                for chunk in chunks:
                    more, thought, ended = delta_texts(chunk)
                    text, thinking, finish = text + more, thinking + thought, ended or finish
                    tokens = usage(chunk) if any(usage(chunk)) else tokens
                    if more or thought:
                        told = whole_reply(text, thinking, None, (0, 0), replace(options, schema=None))
                        yield replace(told, fault="")
        except Refused as refusal:
            yield _no_answer(refusal)
            return
        if finish is None:
            raise self._cut(text)
        whole = whole_reply(text, thinking, finish, tokens, options)
        yield self._kept(place, body, replace(whole, seconds=time.perf_counter() - started))

    def _streamed(self, body: dict[str, Any]) -> Any:
        """A stream of chunks; leaving its context ends it at the endpoint as well."""
        return self._caller.sync.chat.completions.create(**body, stream=True, stream_options={"include_usage": True})

    def complete(self, prompts: Sequence[str], options: Generation) -> list[Completion]:
        """One continuation a prompt, in order (``POST /completions``).

        Raises:
            ConfigError: The endpoint has no completions, or refuses a prompt.
            RunError: It stays busy or broken.
        """

        def asked(prompt: str) -> Task[Completion]:
            async def ask(client: Any) -> Completion:
                answer = await client.completions.create(**completion_body(self.ref, self.place, prompt, options))
                text, finish, tokens = read_completion(answer)
                return Completion(text=text, tokens=tokens, finish=finish, tokens_in=usage(answer)[0])

            return ask

        return self._unrefused([asked(prompt) for prompt in prompts])

    def stream_complete(self, prompt: str, options: Generation) -> Iterator[Completion]:
        """The continuation as it grows.

        Raises:
            ConfigError: The endpoint has no completions, or refuses the prompt.
            RunError: The stream ends before the text does.
        """
        text, finish, tokens = "", "", (0, 0)
        with self._streaming():
            chunks = self._caller.sync.completions.create(
                **completion_body(self.ref, self.place, prompt, options), stream=True,
                stream_options={"include_usage": True},
            )  # fmt: skip
            for chunk in chunks:
                more, ended = completion_delta(chunk)
                text, finish = text + more, ended or finish
                tokens = usage(chunk) if any(usage(chunk)) else tokens
                if more:
                    yield Completion(text=text, tokens=tokens[1], finish="length", tokens_in=tokens[0])
        if not finish:
            raise self._cut(text)
        yield Completion(text=text, tokens=tokens[1], finish=finish, tokens_in=tokens[0])

    def log_likelihoods(self, pairs: Sequence[tuple[str, str]]) -> list[LogLikelihood]:
        """How probable each (context, continuation) is, by an endpoint that echoes its prompt (vLLM; not llama.cpp).

        Raises:
            ConfigError: The endpoint gives no log-probabilities of a prompt.
            RunError: It stays busy or broken.
        """

        def asked(context: str, continuation: str) -> Task[LogLikelihood]:
            stripped = context.rstrip()

            async def ask(client: Any) -> LogLikelihood:
                body = echo_body(self.ref, self.place, context + continuation)
                total, tokens, greedy = read_echo(await client.completions.create(**body), len(stripped))
                return LogLikelihood(total=total, tokens=tokens, greedy=greedy)

            return ask

        return self._unrefused([asked(*pair) for pair in pairs])

    def _unrefused(self, tasks: Sequence[Task[T]]) -> list[T]:
        try:
            return self._caller.each(tasks)
        except (Refused, Unreadable) as error:
            raise self._unable(error) from error

    @contextmanager
    def _streaming(self) -> Iterator[None]:
        """Errors of a stream in Gnomon's words."""
        try:
            with self._caller.errors():
                yield
        except Refused as error:
            raise self._unable(error) from error

    def _unable(self, error: Exception) -> ConfigError:
        return ConfigError(
            say(f"{self._caller.url} cannot do this: {error}", f"{self._caller.url} では行えない: {error}"),
            say("Use local weights, or vLLM.", "ローカルの重みか vLLM を使う。"),
        )

    def _cut(self, text: str) -> RunError:
        return RunError(
            say(f"{self._caller.url} ended the stream after {len(text)} characters, before the answer was whole.",
                f"{self._caller.url} のストリームが {len(text)} 文字で途切れた。"),
            say("Ask again.", "もう一度質問する。"),
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()


def _no_answer(made: Reply | Refused) -> Reply:
    """A refusal as a reply with its fault."""
    return (
        Reply(text="", finish="refused", fault=f"the endpoint refused: {made}") if isinstance(made, Refused) else made
    )
