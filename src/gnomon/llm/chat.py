"""Chat: conversations in, replies out, wherever the model runs.

A ``Chat`` is what a writer, a judge and a voice speak to. A *reply* keeps apart what the model said, what it thought
first, and the value of a structured answer; what could not be had is a *fault*, counted by whoever asked, and never
an empty string that looks like an answer.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.hashing import canonical_json, combined_hash, plain
from gnomon.core.messages import ROLES, Message
from gnomon.core.records import ModelRef
from gnomon.core.wording import say

THINKING = ("auto", "on", "off")
Conversation = Sequence[Message]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatOptions:
    """How a conversation is answered. All of it is part of a request's identity.

    Raises:
        ConfigError: A value is outside its range.
    """

    max_tokens: int = 1024
    """Most tokens of a reply, thinking included, from 1."""
    temperature: float = 0.0
    """0 for the most probable reply."""
    top_p: float = 1.0
    """Nucleus sampling (Holtzman et al. 2020); above 0, to 1."""
    stop: tuple[str, ...] = ()
    """Strings before which a reply ends."""
    seed: int = 0
    """The randomness, where the model has a seed."""
    thinking: str = "auto"
    """``on``: think first; ``off``: answer directly; ``auto``: as the model is used to."""
    schema: Mapping[str, Any] | None = None
    """JSON schema of the answer; None for free text."""

    def __post_init__(self) -> None:
        _check("max_tokens", self.max_tokens, ">= 1", sound=self.max_tokens >= 1)
        _check("temperature", self.temperature, ">= 0", sound=0.0 <= self.temperature < float("inf"))
        _check("top_p", self.top_p, "0 < top_p <= 1", sound=0.0 < self.top_p <= 1.0)
        _check("stop", self.stop, '("…", …)', sound=all(self.stop) and not isinstance(self.stop, str))
        _check("thinking", self.thinking, ", ".join(THINKING), sound=self.thinking in THINKING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a model answered."""

    text: str
    """The answer, without thinking."""
    thinking: str = ""
    """What it wrote first."""
    finish: str = "stop"
    """``stop`` (it ended), ``length`` (cut by the limit) or ``refused`` (the endpoint would not answer)."""
    tokens_in: int = 0
    """Prompt tokens."""
    tokens_out: int = 0
    """Generated tokens, thinking included."""
    cost_usd: float | None = None
    """Price of the call that gave it, None when not known; told of a replayed call too, which costs nothing again."""
    seconds: float = 0.0
    """How long the call took."""
    value: Any = None
    """The structured answer, when a schema was asked for and is met."""
    fault: str = ""
    """Why there is no (structured) answer; empty when there is."""
    call: str = ""
    """The call's key and sample in the log, ``KEY#0``; empty for a model without a log."""

    @property
    def message(self) -> Message:
        """The reply as the next turn of the conversation."""
        return Message(role="assistant", text=self.text, thinking=self.thinking)


class Chat(Protocol):
    """A model that answers conversations."""

    ref: ModelRef
    """Which model it is."""

    def chat(self, conversations: Sequence[Conversation], options: ChatOptions) -> list[Reply]:
        """One reply a conversation, in order.

        Raises:
            ConfigError: The model cannot chat, or its place in ``gnomon.toml`` is wrong.
            RunError: It does not answer; what was answered before is in the log.
        """
        ...

    def stream(self, conversation: Conversation, options: ChatOptions) -> Iterator[Reply]:
        """The reply as it grows: each has more of ``thinking`` or ``text``, the last is the whole."""
        ...


def each_reply(model: Chat, conversations: Sequence[Conversation], options: ChatOptions) -> list[Reply]:
    """One reply a conversation, in order; one that is longer than the model reads is a fault and spoils no other.

    An endpoint says by itself which requests it refuses; local weights refuse all that they are given together.

    Raises:
        ConfigError: The model cannot chat.
        RunError: It does not answer.
    """
    if not conversations:
        return []
    try:
        return model.chat(conversations, options)
    except DataError as error:
        if len(conversations) == 1:
            return [Reply(text="", finish="refused", fault=str(error))]
    middle = len(conversations) // 2
    halves = (conversations[:middle], conversations[middle:])
    return [reply for half in halves for reply in each_reply(model, half, options)]


def check_conversation(conversation: Conversation) -> None:
    """Refuse what no template can render.

    Raises:
        ConfigError: A role is unknown, or there is no turn to answer.
    """
    roles = [message.role for message in conversation]
    if not set(roles) <= set(ROLES) or not roles or roles[-1] == "assistant":
        raise ConfigError(
            say(f"These turns cannot be answered: {roles}.", f"この会話には返答できない: {roles}。"),
            say(f"Roles are {', '.join(ROLES)}; the last turn is the user's.",
                f"役割は {', '.join(ROLES)} で、最後は user とする。"),
        )  # fmt: skip


def request_key(ref: ModelRef, conversation: Conversation, options: ChatOptions) -> str:
    """Hash of everything that can change the reply, and of nothing else: not where the model runs."""
    asked = {"model": [ref.name, ref.revision], "messages": plain(list(conversation)), "options": plain(options)}
    return combined_hash(["chat", canonical_json(asked)])


def numbered(keys: Sequence[str]) -> list[tuple[str, int]]:
    """Keys with a sample index: the second of two equal requests is another draw, not a repetition."""
    met: Counter[str] = Counter()
    found = []
    for key in keys:
        found.append((key, met[key]))
        met[key] += 1
    return found


def refused(reply: Reply, why: str) -> Reply:
    """The reply without its value, and why."""
    return replace(reply, value=None, fault=why)


def _check(name: str, value: object, wanted: str, *, sound: bool) -> None:
    if not sound:
        raise ConfigError(
            say(f"{name} = {value!r} cannot be used.", f"{name} = {value!r} は使えない。"),
            say(f"Wanted: {wanted}.", f"条件: {wanted}。"),
        )
