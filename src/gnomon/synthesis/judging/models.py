"""Model judges: a language model reads passage and pair and marks it, from 1 to 5, criterion by criterion.

The judge sees the passage, unlike AstroSage's (de Haan et al. 2024), and is shown a few marked pairs first, always the
same: they stand in the prompt file, after its rules, as turns. A reply that gives no marks leaves the pair *not judged*
by that judge, which is counted with its reason and is never taken for a bad mark.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from gnomon.core.errors import ConfigError
from gnomon.core.messages import Message
from gnomon.core.records import Document, ModelRef
from gnomon.core.synthetic import CRITERIA, QA, Verdict
from gnomon.core.text import sentences
from gnomon.core.wording import say
from gnomon.llm.chat import Chat, ChatOptions, Reply, each_reply
from gnomon.llm.models import refuse_self
from gnomon.synthesis.asked import Spending
from gnomon.synthesis.judging.agreement import MARKS
from gnomon.synthesis.model_writers import prompt

_MARK = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "score": {"type": "integer", "minimum": 1, "maximum": MARKS}},
    "required": ["reason", "score"],
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "properties": dict.fromkeys(CRITERIA, _MARK),
    "required": list(CRITERIA),
    "additionalProperties": False,
}
"""What a judge answers; the reason comes before the mark, so that the mark can follow from it."""
_TURN = re.compile(r"^--- (user|assistant) ---$", re.M)
_TAGS = re.compile(r"</?\s*(?:passage|pair|question|options|answer|quote|turn)\b[^>]*>", re.I)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What one judge said of one pair."""

    verdicts: tuple[Verdict, ...] = ()
    """One a criterion; empty when there are none."""
    fault: str = ""
    """Why there are none."""
    spending: Spending = field(default_factory=Spending)
    """What the call came to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """What of the settings a model's judging depends on."""

    prompt: str
    """Version of the prompt files."""
    passage: int
    """Characters of the passage shown."""
    options: ChatOptions
    """Of every call; the schema is put in here."""


def check_judges(judges: Sequence[ModelRef], tested: Sequence[ModelRef], writers: Sequence[str] = ()) -> None:
    """Refuse a judge that judges its own work, and two judges of one name.

    Args:
        judges: The judges.
        tested: Models whose training the pairs decide about.
        writers: Names of what wrote the pairs.

    Raises:
        ConfigError: A judge is under test, wrote pairs, or is named twice.
    """
    for judge in judges:
        for model in (*tested, *(replace(judge, name=name) for name in writers)):
            refuse_self(judge, model)
    names = [judge.name for judge in judges]
    if len(set(names)) != len(names):
        raise ConfigError(
            say(f"synthesis/judge: judges = {names}.", f"synthesis/judge: judges = {names}。"),
            say("Name every judge once.", "審査役は一度ずつ挙げる。"),
        )


def judge_with(model: Chat, pairs: Sequence[QA], documents: Sequence[Document], manner: Manner) -> list[Judged]:
    """What a model says of some pairs, in order.

    Args:
        model: The judge.
        pairs: The pairs.
        documents: The document of each.
        manner: How it is asked.

    Raises:
        ConfigError: There is no such version of the prompt.
        RunError: The model does not answer; finished calls are in its log.
    """
    options = replace(manner.options, schema=SCHEMA)
    asked = [conversation(pair, document, manner) for pair, document in zip(pairs, documents, strict=True)]
    return [_read(reply, model.ref.name) for reply in each_reply(model, asked, options)]


def _read(reply: Reply, name: str) -> Judged:
    spending = Spending.of([reply])
    if reply.fault or reply.value is None:
        return Judged(fault=_fault(reply), spending=spending)
    verdicts = tuple(
        Verdict(judge=name, criterion=criterion, score=float(reply.value[criterion]["score"]),
                reason=reply.value[criterion]["reason"].strip(), call=reply.call)
        for criterion in CRITERIA
    )  # fmt: skip
    return Judged(verdicts=verdicts, spending=spending)


def _fault(reply: Reply) -> str:
    if reply.finish in {"refused", "length"}:
        return "refused" if reply.finish == "refused" else "truncated"
    return "no_answer" if not reply.text.strip() else "unreadable"


# What is asked --------------------------------------------------------------------------------


def conversation(pair: QA, document: Document, manner: Manner) -> list[Message]:
    """Rules, marked examples, then passage and pair between tags."""
    return [*examples(manner.prompt, "ja" if pair.lang == "ja" else "en"),
            Message(role="user", text=shown(pair, passage_of(pair, document, manner.passage)))]  # fmt: skip


@lru_cache(maxsize=16)
def examples(version: str, lang: str) -> tuple[Message, ...]:
    """The rules as a system message, and the marked examples as turns.

    Raises:
        ConfigError: There is no such prompt.
    """
    rules, *turns = _TURN.split(prompt("judge", version, lang))
    said = zip(turns[::2], turns[1::2], strict=True)
    return (Message(role="system", text=rules.strip()), *(Message(role=role, text=text.strip()) for role, text in said))


def shown(pair: QA, passage: str) -> str:
    """A passage and a pair, as a judge sees them: data between tags that they cannot close."""
    options = "\n".join(f"- {_inside(choice)}" for choice in pair.choices)
    turns = "\n".join(f'<turn role="{turn.role}">{_inside(turn.text)}</turn>' for turn in pair.turns)
    parts = [
        f"<passage>\n{_inside(passage)}\n</passage>\n<pair>\n<question>{_inside(pair.question)}</question>",
        f"<options>\n{options}\n</options>" if options else "",
        f"<answer>{_inside(pair.answer)}</answer>", turns,
        *(f"<quote>{_inside(held.quote)}</quote>" for held in pair.evidence), "</pair>",
    ]  # fmt: skip
    return "\n".join(part for part in parts if part)


def _inside(text: str) -> str:
    plain = text
    while _TAGS.search(plain):
        plain = _TAGS.sub("", plain)
    return plain.strip()


def passage_of(pair: QA, document: Document, size: int) -> str:
    """Whole sentences around the evidence of a pair, at most ``size`` characters unless the evidence is longer."""
    found = sentences(document.text, pair.lang)
    first, last = pair.evidence[0].span.start, max(held.span.end for held in pair.evidence)
    chosen = [i for i, (start, end) in enumerate(found) if start < last and first < end]
    if not chosen:
        return document.text[:size]
    low, high = chosen[0], chosen[-1]
    while True:
        before = found[high][1] - found[low - 1][0] if low else size + 1
        after = found[high + 1][1] - found[low][0] if high + 1 < len(found) else size + 1
        if min(before, after) > size:
            return document.text[found[low][0] : found[high][1]]
        low, high = (low - 1, high) if before <= after else (low, high + 1)
