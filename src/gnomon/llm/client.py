"""The door to language models: what every one of them can do, wherever it runs.

A ``Client`` continues texts (*complete*) and says how probable a continuation is
(*log-likelihood*). Local weights implement it in ``gnomon.llm.local``; an OpenAI-compatible
endpoint implements the same protocol, so whoever asks does not know which it is. All of it is plain
text of base models: no roles, no templates, and the name of a special token in a text is just text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.records import ModelRef
from gnomon.core.wording import say


class TooLong(DataError):
    """A text needs more tokens than its model reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """How a text is continued.

    Raises:
        ConfigError: A value is outside its range.
    """

    max_tokens: int = 256
    """Most tokens to generate, from 1."""
    temperature: float = 0.0
    """0 takes the most probable token every time; else logits are divided by it before sampling."""
    top_p: float = 1.0
    """Nucleus sampling (Holtzman et al. 2020): the fewest tokens whose probabilities sum to this; above 0, to 1."""
    stop: tuple[str, ...] = ()
    """Strings before which the text ends; they are not part of it."""
    seed: int = 0
    """The randomness: the same seed and prompt give the same text, whatever other prompts stand beside it."""

    def __post_init__(self) -> None:
        _check(self.max_tokens >= 1, "max_tokens", self.max_tokens, ">= 1")
        _check(0.0 <= self.temperature < float("inf"), "temperature", self.temperature, ">= 0")
        _check(0.0 < self.top_p <= 1.0, "top_p", self.top_p, "0 < top_p <= 1")
        _check(all(self.stop) and not isinstance(self.stop, str), "stop", self.stop, '("…", …)')


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """One continued text."""

    text: str
    """What comes after the prompt, before the stop string or the end-of-text token."""
    tokens: int
    """Tokens generated, those of the stop string or the end-of-text token included."""
    finish: str
    """``"stop"`` when the model ended or a stop string appeared, ``"length"`` when there was no room for more."""
    tokens_in: int = 0
    """Tokens of the prompt; 0 where the model does not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredToken:
    """A token of a text, and how probable it was there."""

    text: str
    """Its characters; U+FFFD for a part of one."""
    start: int
    """Where it begins, in characters of the prompt and its continuation together."""
    log_prob: float | None
    """Natural logarithm of its probability, before temperature; None for one with nothing before it."""
    top: tuple[tuple[str, float], ...]
    """The most probable tokens in its place, most probable first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """A prompt and its continuation, token by token."""

    completion: Completion
    """The continuation."""
    prompt: tuple[ScoredToken, ...]
    """The prompt's tokens, without BOS."""
    written: tuple[ScoredToken, ...]
    """The continuation's tokens, as far as its text goes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLikelihood:
    """How probable a continuation is after its context."""

    total: float
    """Sum of the natural-log probabilities of its tokens; 0 or less."""
    tokens: int
    """Its number of tokens."""
    greedy: bool
    """Whether every token of it was the most probable one."""


class Client(Protocol):
    """A language model."""

    ref: ModelRef
    """Which model it is, weights and all."""

    def complete(self, prompts: Sequence[str], options: Generation) -> list[Completion]:
        """One continuation a prompt, in order.

        Raises:
            DataError: A prompt leaves no room in the model's context.
        """
        ...

    def stream_complete(self, prompt: str, options: Generation) -> Iterator[Completion]:
        """The continuation as it grows: each has more text, the last is the whole; errors as ``complete``."""
        ...

    def log_likelihoods(self, pairs: Sequence[tuple[str, str]]) -> list[LogLikelihood]:
        """How probable each (context, continuation) is, in order.

        Semantics of lm-evaluation-harness (Gao et al.): both are encoded as one text, the tokens after
        those of the context count, and white space at the context's end belongs to the continuation.

        Raises:
            DataError: A pair is longer than the model's context.
        """
        ...


def _check(sound: bool, name: str, value: object, wanted: str) -> None:  # noqa: FBT001 -- a guard reads best so
    if not sound:
        raise ConfigError(
            say(f"{name} = {value!r} cannot be used.", f"{name} = {value!r} は使えない。"),
            say(f"Wanted: {wanted}.", f"条件: {wanted}。"),
        )
