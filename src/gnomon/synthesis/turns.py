"""Turns: the conversation in a record of an instruction set, whatever its makers called the fields.

Known are lists of turns (``messages``, ``conversations``; ``role``/``from``, ``content``/``value``/``text``) and single
fields for question and answer (``instruction``, ``input``, ``output``…). Thinking is a field of the turn, or stands
between ``<think>`` marks before the answer.
"""

from collections.abc import Mapping
from typing import Any

from gnomon.core.messages import Message
from gnomon.llm.thinking import split_thinking

TURNS = ("messages", "conversations", "conversation", "dialogue", "turns")
SAID = ("text", "content", "value")
THOUGHT = ("thinking", "reasoning_content", "reasoning")
ASKED, GIVEN = ("question", "prompt", "instruction", "query"), ("input", "context")
ANSWERED = ("answer", "response", "output", "completion")
SYSTEM = ("system", "system_prompt")
PERSONS = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "model": "assistant",
           "system": "system"}  # fmt: skip


class NoConversation(Exception):
    """A record that cannot be learnt from.

    Args:
        reason: The code that is counted.
        detail: What was found.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def conversation_of(row: Mapping[str, Any]) -> tuple[Message, ...]:
    """The turns of a record: perhaps a system message, then user and assistant in turn; the last is the assistant's.

    Raises:
        NoConversation: Nobody asks, nobody answers, or somebody speaks out of turn.
    """
    held = next((row[key] for key in TURNS if isinstance(row.get(key), list)), None)
    turns = _fields(row) if held is None else [_turn(each) for each in held]
    first = _text(row, SYSTEM)
    if first and turns and turns[0].role != "system":
        turns = [Message(role="system", text=first), *turns]
    while turns and turns[-1].role != "assistant":
        turns.pop()
    spoken = turns[1:] if turns and turns[0].role == "system" else turns
    if not spoken:
        raise NoConversation("no_answer", f"fields: {', '.join(sorted(map(str, row)))}")
    wanted = [("user", "assistant")[at % 2] for at in range(len(spoken))]
    if [turn.role for turn in spoken] != wanted:
        raise NoConversation("out_of_turn", " ".join(turn.role for turn in turns))
    return tuple(turns)


def _fields(row: Mapping[str, Any]) -> list[Message]:
    question = "\n\n".join(text for keys in (ASKED, GIVEN) if (text := _text(row, keys)))
    answer = _text(row, ANSWERED)
    if not question or not answer:
        raise NoConversation("no_answer", f"fields: {', '.join(sorted(map(str, row)))}")
    return [Message(role="user", text=question), _spoken(answer, _text(row, THOUGHT))]


def _turn(each: Any) -> Message:
    if not isinstance(each, Mapping):
        raise NoConversation("broken_turn", f"a {type(each).__name__}, wanted an object")
    person = str(each.get("role") or each.get("from") or "").lower()
    if person not in PERSONS:
        raise NoConversation("unknown_role", f"role {person!r}, known are {', '.join(PERSONS)}")
    text = _text(each, SAID)
    if not text:
        raise NoConversation("broken_turn", f"a turn of {person} without text")
    if PERSONS[person] != "assistant":
        return Message(role=PERSONS[person], text=text)
    return _spoken(text, _text(each, THOUGHT))


def _spoken(text: str, thought: str) -> Message:
    """What an assistant said, its thinking apart."""
    thinking, answer = split_thinking(text)
    if not answer:
        raise NoConversation("broken_turn", "an answer that is cut while it thinks")
    return Message(role="assistant", text=answer, thinking=thought or thinking)


def _text(row: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """The first of some fields that is a text, fit for a file."""
    return next((plain(row[key]) for key in keys if isinstance(row.get(key), str) and row[key].strip()), "")


def plain(text: str) -> str:
    """Text without what no file can hold: no NUL, no lone surrogate, one kind of line end."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return whole.encode("utf-8", "replace").decode("utf-8").strip()
