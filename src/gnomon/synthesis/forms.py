"""Forms: the JSON that a model is asked for, kind by kind, and the proposals that are read from it."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gnomon.core.messages import Message
from gnomon.synthesis.proposals import OPTIONS, Proposal

LETTERS = "ABCD"
_TEXT = {"type": "string", "minLength": 1}


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _list(item: Mapping[str, Any], least: int, most: int) -> dict[str, Any]:
    return {"type": "array", "items": dict(item), "minItems": least, "maxItems": most}


_PAIR = _object(question=_TEXT, answer=_TEXT, quote=_TEXT)
_CHOICE = _object(
    question=_TEXT,
    options=_list(_TEXT, OPTIONS, OPTIONS),
    answer={"type": "string", "enum": list(LETTERS)},
    quote=_TEXT,
)
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "open": _PAIR,
    "reasoning": _object(question=_TEXT, reasoning=_TEXT, answer=_TEXT, quote=_TEXT),
    "choice": _object(questions=_list(_CHOICE, 1, 5)),
    "summary": _object(summary=_TEXT, quotes=_list(_TEXT, 1, 5)),
    "dialogue": _object(turns=_list(_PAIR, 2, 4)),
}
"""The answer wanted, by kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What every proposal of one reply has in common."""

    lang: str
    """Language."""
    start: int
    """Where the part that was shown begins."""
    end: int
    """Where it ends."""
    writer: str
    """The model's name."""
    call: str
    """The call."""
    asked: str
    """The question that code asks of a summary."""
    chance: random.Random
    """Decides the order of options: models like to put the right one first."""


def read(kind: str, value: Mapping[str, Any], frame: Frame) -> list[Proposal]:
    """The proposals in a structured answer that fits the schema of its kind."""
    return _READERS[kind](value, frame)


def _proposal(frame: Frame, kind: str, question: str, answer: str, *quotes: str, **more: Any) -> Proposal:
    return Proposal(
        kind=kind, lang=frame.lang, question=question, answer=answer, quotes=quotes, start=frame.start, end=frame.end,
        writer=frame.writer, call=frame.call, **more,
    )  # fmt: skip


def _open(value: Mapping[str, Any], frame: Frame) -> list[Proposal]:
    return [_proposal(frame, "open", value["question"], value["answer"], value["quote"])]


def _reasoning(value: Mapping[str, Any], frame: Frame) -> list[Proposal]:
    return [
        _proposal(frame, "reasoning", value["question"], value["answer"], value["quote"], thinking=value["reasoning"])
    ]


def _choice(value: Mapping[str, Any], frame: Frame) -> list[Proposal]:
    found = []
    for row in value["questions"]:
        options = list(row["options"])
        answer = options[LETTERS.index(row["answer"])]
        frame.chance.shuffle(options)
        found.append(_proposal(frame, "choice", row["question"], answer, row["quote"], choices=tuple(options)))
    return found


def _summary(value: Mapping[str, Any], frame: Frame) -> list[Proposal]:
    return [_proposal(frame, "summary", frame.asked, value["summary"], *value["quotes"])]


def _dialogue(value: Mapping[str, Any], frame: Frame) -> list[Proposal]:
    first, *later = value["turns"]
    turns = [
        Message(role=role, text=turn[part])
        for turn in later
        for role, part in (("user", "question"), ("assistant", "answer"))
    ]
    quotes = dict.fromkeys(turn["quote"] for turn in value["turns"])
    return [_proposal(frame, "dialogue", first["question"], first["answer"], *quotes, turns=tuple(turns))]


_READERS: Mapping[str, Callable[[Mapping[str, Any], Frame], list[Proposal]]] = {
    "open": _open, "reasoning": _reasoning, "choice": _choice, "summary": _summary, "dialogue": _dialogue,
}  # fmt: skip
