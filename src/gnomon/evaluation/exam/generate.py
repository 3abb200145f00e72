"""The solver that lets a model write its answer, as AstroMLab-1's generation mode does (arXiv 2407.11194).

A chat is asked for JSON by schema; a base model goes on from ``{"ANSWER": "`` and is stopped at the closing quote,
since a base model has no end to its explanations. What was cut by the limit before there was an answer is *truncated*,
what the endpoint would not answer *refused*, what names no option *unreadable*: none of them is a wrong answer.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from gnomon.core.exams import Output
from gnomon.core.messages import Message
from gnomon.core.records import Item
from gnomon.evaluation.exam.asking import Asking, each, timed
from gnomon.evaluation.exam.prompting import OPENING
from gnomon.evaluation.exam.reading import read_text, read_value
from gnomon.llm.chat import Chat, ChatOptions, Reply
from gnomon.llm.client import Client, Completion, Generation

LETTERS_TOKENS = 16
"""Tokens that a base model may write: a few letters and the quote after them."""
TEMPLATE_TOKENS = 200
"""Room for the marks of a chat template and the schema in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """How answers are written."""

    max_tokens: int = 1024
    """Most tokens of an answer, thinking included."""
    thinking: str = "auto"
    """``on``, ``off`` or ``auto``."""
    seed: int = 0
    """The randomness, where a model has some at temperature 0."""


class Written:
    """A ``Solver`` over a chat.

    Args:
        model: Who is asked.
        asking: How.
        writing: Limits.
    """

    def __init__(self, model: Chat, asking: Asking, writing: Writing) -> None:
        self._model, self._asking, self._writing = model, asking, writing

    def solve(self, items: Sequence[Item]) -> list[Output]:
        """One answer an item.

        Raises:
            ConfigError: The model cannot chat, or the endpoint refuses everything.
            RunError: It stays busy or broken; finished calls are in its log.
        """
        began = time.perf_counter()
        prompts = self._asking.prompts(items, lambda _: self._writing.max_tokens + TEMPLATE_TOKENS)
        found: dict[int, Output] = {}
        for options in dict.fromkeys(len(item.choices) for item in items):  # the schema names the letters
            places = [i for i, item in enumerate(items) if len(item.choices) == options]
            how = self._options(options)
            turns = [[Message(role="user", text=prompts[i])] for i in places]
            replies = each(lambda some, how=how: self._model.chat(some, how), turns)  # type: ignore[misc]
            found |= {i: chat_output(reply, items[i]) for i, reply in zip(places, replies, strict=True)}
        return timed([found[i] for i in range(len(items))], began)

    def _options(self, options: int) -> ChatOptions:
        return ChatOptions(
            max_tokens=self._writing.max_tokens, thinking=self._writing.thinking, seed=self._writing.seed,
            schema=schema(options, several=self._asking.sheet.several),
        )  # fmt: skip


class Continued:
    """A ``Solver`` over a base model that goes on from the beginning of the answer.

    Args:
        model: Who is asked.
        asking: How; its sheet is the form ``json``.
    """

    def __init__(self, model: Client, asking: Asking) -> None:
        self._model, self._asking = model, asking

    def solve(self, items: Sequence[Item]) -> list[Output]:
        """One answer an item; errors as ``Written.solve``."""
        began, how = time.perf_counter(), Generation(max_tokens=LETTERS_TOKENS, stop=('"',))
        prompts = self._asking.prompts(items, lambda _: LETTERS_TOKENS)
        made = each(lambda some: self._model.complete(some, how), prompts)
        rows = zip(items, prompts, made, strict=True)
        return timed([self._output(item, prompt, one) for item, prompt, one in rows], began)

    def _output(self, item: Item, prompt: str, made: Completion | str) -> Output:
        if isinstance(made, str):
            return Output(reason=made)
        chosen = read_value(made.text, item.choices)
        reason = _reason(chosen, cut=made.finish == "length", text=made.text)
        return Output(
            chosen=() if reason else chosen or (), text=OPENING + made.text, reason=reason,
            tokens_in=self._asking.tokens(prompt), tokens_out=made.tokens,
        )  # fmt: skip


def schema(options: int, *, several: bool) -> Mapping[str, Any]:
    """The JSON schema of an answer.

    Args:
        options: Options of the question.
        several: Whether it may name several.
    """
    letter: dict[str, Any] = {"type": "string", "enum": list(ascii_uppercase[:options])}
    answer = {"type": "array", "items": letter} if several else letter
    return {
        "type": "object", "properties": {"ANSWER": answer, "EXPLANATION": {"type": "string"}},
        "required": ["ANSWER", "EXPLANATION"], "additionalProperties": False,
    }  # fmt: skip


def chat_output(reply: Reply | str, item: Item) -> Output:
    """What a chat's reply says of an item; a string is the reason why there is no reply."""
    if isinstance(reply, str):
        return Output(reason=reply)
    value = reply.value.get("ANSWER") if isinstance(reply.value, dict) else None
    chosen = read_value(value, item.choices) if value is not None else read_text(reply.text, item.choices)
    cut = reply.finish == "length"
    reason = "refused" if reply.finish == "refused" else _reason(chosen, cut=cut, text=reply.text)
    return Output(
        chosen=() if reason else chosen or (), text=reply.text, reason=reason, tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out, cost_usd=reply.cost_usd, seconds=reply.seconds,
    )  # fmt: skip


def _reason(chosen: tuple[int, ...] | None, *, cut: bool, text: str) -> str:
    """Why there is no choice, empty when there is one."""
    if chosen:
        return ""
    if cut:
        return "truncated"
    return "no_answer" if chosen == () or not text.strip() else "unreadable"
