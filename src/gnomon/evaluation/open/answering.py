"""Answering: open questions put to one model, and why an answer is none.

A chat's answer that the limit of tokens cut is *truncated*, not wrong; a base model has no end, so what it writes up to
a blank line, the next question or the limit is its answer.
"""

import time
from collections.abc import Sequence
from typing import Any

from gnomon.core.exams import Output
from gnomon.core.messages import Message
from gnomon.core.records import Item
from gnomon.evaluation.exam.arms import Arm
from gnomon.evaluation.exam.asking import Asking, each, timed
from gnomon.evaluation.exam.generate import TEMPLATE_TOKENS
from gnomon.evaluation.exam.shelf import Shelf
from gnomon.evaluation.open.config import OpenConfig
from gnomon.evaluation.open.questions import Sheet
from gnomon.llm.chat import ChatOptions, Reply
from gnomon.llm.client import Completion, Generation

STOPS = ("\n\n", "\nQuestion:", "\n質問：")
"""Where the answer of a base model ends."""


class Answering:
    """A ``Solver`` of open questions.

    Args:
        model: Who is asked: a ``Chat`` or a ``Client``, as the arm says.
        arm: How.
        config: Limits.
        shelf: The library, None for a closed book.
    """

    def __init__(self, model: Any, arm: Arm, config: OpenConfig, shelf: Shelf | None) -> None:
        sheet: Any = Sheet(chat=arm.chat)  # the part of a sheet that asking needs
        self._model, self._chat, self._config = model, arm.chat, config
        self._asking = Asking(sheet, model, shelf)

    def solve(self, items: Sequence[Item]) -> list[Output]:
        """One answer an item.

        Args:
            items: Blinded: without reference and evidence.

        Raises:
            ConfigError: The model cannot chat, or the endpoint refuses everything.
            RunError: It stays busy or broken; finished calls are in its log.
        """
        began, config = time.perf_counter(), self._config
        room = config.max_tokens + (TEMPLATE_TOKENS if self._chat else 0)
        prompts = self._asking.prompts(items, lambda _: room)
        if self._chat:
            how = ChatOptions(max_tokens=config.max_tokens, thinking=config.thinking, seed=config.seed)
            turns = [[Message(role="user", text=prompt)] for prompt in prompts]
            return timed([said(reply) for reply in each(lambda some: self._model.chat(some, how), turns)], began)
        written = Generation(max_tokens=config.max_tokens, stop=STOPS, seed=config.seed)
        made = each(lambda some: self._model.complete(some, written), prompts)
        return timed([self._continued(*one) for one in zip(prompts, made, strict=True)], began)

    def _continued(self, prompt: str, made: Completion | str) -> Output:
        if isinstance(made, str):
            return Output(reason=made)
        text = made.text.strip()
        return Output(
            text=text, reason="" if text else "no_answer", tokens_in=self._asking.tokens(prompt), tokens_out=made.tokens
        )


def said(reply: Reply | str) -> Output:
    """What a chat's reply says; a string is the reason why there is no reply."""
    if isinstance(reply, str):
        return Output(reason=reply)
    reason = {"refused": "refused", "length": "truncated"}.get(reply.finish, "" if reply.text.strip() else "no_answer")
    return Output(
        text=reply.text.strip(), reason=reason, tokens_in=reply.tokens_in, tokens_out=reply.tokens_out,
        cost_usd=reply.cost_usd, seconds=reply.seconds,
    )  # fmt: skip
