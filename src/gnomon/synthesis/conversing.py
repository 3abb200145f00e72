"""Conversing: a pair as the turns that a model is taught, and the two answers of which it is to prefer one.

Options are lettered in an order drawn from seed and id, so that no letter is right more often than another; the answer
gives letter and text. A chain of reasoning is taught with the switch ``thinking: on``, and the same question answered
directly with ``thinking: off``: the words by which Gnomon's chat template says what the API's field asks for.
"""

import random
from collections.abc import Sequence
from string import ascii_uppercase

from gnomon.core.messages import Message
from gnomon.core.synthetic import QA

SWITCH = {"on": "thinking: on", "off": "thinking: off", "auto": ""}
"""What the system message says, by the state of the switch."""


def conversation(pair: QA, seed: int, state: str = "auto") -> tuple[Message, ...]:
    """The turns of a pair.

    Args:
        pair: The pair.
        seed: Of the order of options.
        state: ``on``, ``off`` or ``auto``; the chain of reasoning is left out when it is off.
    """
    thinking = "" if state == "off" else pair.thinking
    system = [Message(role="system", text=SWITCH[state])] if SWITCH[state] else []
    asked, answer = asked_and_answered(pair, seed)
    return (
        *system, Message(role="user", text=asked), Message(role="assistant", text=answer, thinking=thinking),
        *(pair.turns if state != "off" else map(_direct, pair.turns)),
    )  # fmt: skip


def asked_and_answered(pair: QA, seed: int) -> tuple[str, str]:
    """The first question, with its lettered options where it has some, and the right answer."""
    if not pair.choices:
        return pair.question, pair.answer
    options = shuffled(pair, seed)
    lines = [f"{letter}. {option}" for letter, option in zip(ascii_uppercase, options, strict=False)]
    return "\n".join([pair.question, "", *lines]), lettered(pair.answer, options)


def shuffled(pair: QA, seed: int) -> list[str]:
    """The options in the order in which they are shown."""
    options = list(pair.choices)
    random.Random(f"{seed}\0options\0{pair.id}").shuffle(options)
    return options


def lettered(option: str, options: Sequence[str]) -> str:
    """An option with its letter, as an answer gives it."""
    return f"{ascii_uppercase[options.index(option)]}. {option}"


def _direct(message: Message) -> Message:
    return Message(role=message.role, text=message.text)
