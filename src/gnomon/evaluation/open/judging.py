"""Judging: a model reads a question, a reference and an answer, and gives points with a reason.

What is judged stands between tags that it cannot close, because an answer can ask for full marks. A judgement that
cannot be had is no bad mark: the answer stays *unjudged*, with the reason.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.messages import Message
from gnomon.core.wording import say
from gnomon.evaluation.exam.asking import each
from gnomon.llm.chat import Chat, ChatOptions, Reply

PROMPTS = Path(__file__).parent / "prompts"
_TAGS = re.compile(r"</?\s*(?:question|reference|answer|conversation|user|assistant)\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What a judge said of one answer."""

    score: int | None = None
    """Points; None when there is no judgement."""
    why: str = ""
    """The judge's reason."""
    fault: str = ""
    """Why there is no judgement; empty when there is."""
    tokens: int = 0
    """Tokens the judge read and wrote."""
    cost_usd: float | None = None
    """Price of the call, None when not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One answer to be judged."""

    lang: str
    """Language of the question: the judge is spoken to in it where there is a prompt."""
    parts: tuple[tuple[str, str], ...]
    """(tag, text) in order."""


def judged(judge: Chat, name: str, cases: Sequence[Case], top: int, options: ChatOptions) -> list[Judgement]:
    """One judgement a case, in order.

    Args:
        judge: Who judges.
        name: The prompt and its version: ``answer-1``.
        cases: The answers.
        top: Most points; the fewest are 1.
        options: Of every call; the schema is put in here.

    Raises:
        ConfigError: There is no such prompt, or every single call is refused.
        RunError: The judge does not answer; finished calls are in its log.
    """
    how = ChatOptions(max_tokens=options.max_tokens, seed=options.seed, schema=schema(top))
    turns = [
        [Message(role="system", text=prompt(name, case.lang)), Message(role="user", text=shown(case))]
        for case in cases
    ]  # fmt: skip
    return [_read(reply) for reply in each(lambda some: judge.chat(some, how), turns)]


def schema(top: int) -> Mapping[str, Any]:
    """The JSON schema of a judgement of at most ``top`` points; the reason first, since it is thought before points."""
    return {
        "type": "object",
        "properties": {"reason": {"type": "string"}, "score": {"type": "integer", "minimum": 1, "maximum": top}},
        "required": ["reason", "score"], "additionalProperties": False,
    }  # fmt: skip


def shown(case: Case) -> str:
    """What the judge reads: every part between its tags, none of which the part can write itself."""
    return "\n\n".join(f"<{tag}>\n{_TAGS.sub(' ', text).strip()}\n</{tag}>" for tag, text in case.parts)


@cache
def prompt(name: str, lang: str) -> str:
    """The judge's prompt in a language; English for a language that has none.

    Raises:
        ConfigError: There is no such prompt.
    """
    for code in (lang, "en"):
        path = PROMPTS / f"{name}.{code}.txt"
        if path.is_file():
            return path.read_text(encoding="utf-8").strip()
    known = sorted({path.name.split(".")[0] for path in PROMPTS.glob("*.txt")})
    raise ConfigError(
        say(f"There is no prompt {name!r} for judges.", f"審査用プロンプト {name!r} はない。"),
        say(f"Known: {', '.join(known)}.", f"使えるもの: {', '.join(known)}。"),
    )


def _read(reply: Reply | str) -> Judgement:
    if isinstance(reply, str):
        return Judgement(fault=reply)
    spent = Judgement(tokens=reply.tokens_in + reply.tokens_out, cost_usd=reply.cost_usd)
    if not isinstance(reply.value, dict):
        fault = "refused" if reply.finish == "refused" else "truncated" if reply.finish == "length" else "unreadable"
        return replace(spent, fault=fault)
    return replace(spent, score=int(reply.value["score"]), why=str(reply.value["reason"]))
