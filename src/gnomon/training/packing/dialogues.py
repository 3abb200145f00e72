"""Dialogues: conversations as token streams, with the tokens that are learnt.

A conversation is rendered by the model's chat template and learnt where the assistant speaks (its end-of-turn token
included), nowhere else. Where earlier answers were thought about, one conversation becomes several *lessons*, one an
answer: a model that is asked again is not shown what it thought before, so it must not learn from having seen it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gnomon.core.messages import Message
from gnomon.llm.templated import encode_learnt
from gnomon.llm.tokens import Tokens

Lesson = tuple[npt.NDArray[np.integer[Any]], npt.NDArray[np.bool_]]
"""Token ids of a lesson, and which of them are learnt."""


def lessons(messages: Sequence[Message]) -> list[tuple[tuple[Message, ...], bool]]:
    """(turns, whether only the last answer is learnt) of a conversation."""
    answers = [i for i, message in enumerate(messages) if message.role == "assistant"]
    if not answers:
        return []
    if not any(messages[i].thinking for i in answers[:-1]):
        return [(tuple(messages[: answers[-1] + 1]), False)]
    return [((*map(_forgetting, messages[:i]), messages[i]), True) for i in answers]


def _forgetting(message: Message) -> Message:
    return replace(message, thinking="")


class DialogueEncoder:
    """Turns conversations into streams.

    Args:
        tokenizer: A fast ``transformers`` tokenizer, with a chat template or the marks of one of ours.
        dtype: How a token is stored.
    """

    def __init__(self, tokenizer: Any, dtype: npt.DTypeLike) -> None:
        self._tokens, self._dtype = Tokens(tokenizer), dtype

    def streams(self, messages: Sequence[Message]) -> Iterator[Lesson]:
        """The stream of each lesson of a conversation; nothing after the last token that is learnt.

        Raises:
            ConfigError: The template cannot render the conversation, or does not say what the assistant said.
        """
        for turns, last_only in lessons(messages):
            ids, learnt = encode_learnt(self._tokens, turns, last_only=last_only)
            end = max((i for i, learn in enumerate(learnt) if learn), default=-1) + 1
            yield np.array(ids[:end], self._dtype), np.array(learnt[:end], bool)
