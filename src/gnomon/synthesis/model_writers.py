"""Model writers: what a language model is asked for about a document, and what its replies propose.

The model sees title, id, the opening as a short summary, and a passage of 1,800 characters, as cosmosage's generator
did (de Haan 2024); four-option questions come five to a paper, as in AstroMLab 1 (Ting et al. 2024). One of twenty
instructions, drawn by the seed, makes questions differ. The document is data between tags that it cannot close;
what it orders the model to do changes nothing that is checked afterwards: a pair must quote its passage, and its answer
may hold no figure and no name that was not shown.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from gnomon.core.checks import facts
from gnomon.core.errors import ConfigError
from gnomon.core.messages import Message
from gnomon.core.records import Document, Drop
from gnomon.core.text import sentences
from gnomon.core.wording import say
from gnomon.llm.chat import Chat, ChatOptions, Reply, each_reply
from gnomon.synthesis.asked import Asked, Spending, Written
from gnomon.synthesis.forms import SCHEMAS, Frame, read
from gnomon.synthesis.metadata import people_of
from gnomon.synthesis.proposals import EXCERPT, Proposal, drop

PROMPTS = Path(__file__).parent / "prompts"
QUESTIONS_A_PAPER = 5
SUMMARY_CHARACTERS = 400
"""Of the opening that stands in as a summary."""
READ_PASSAGES = 4
"""Passages from the beginning that are shown together where a whole paper is asked about."""
_WHOLE = frozenset({"choice", "summary", "dialogue"})
"""Kinds that are asked of a paper once, and see more than one passage."""
_TAGS = re.compile(r"</?\s*(?:document|summary|passage)\b[^>]*>", re.I)
_FIELD = re.compile(r"\{(count|variety)\}")
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget)\b[^.\n]{0,40}\b(?:instructions?|prompts?|rules|above|previous)\b|\bsystem prompt\b"
    r"|\byou (?:are|must) (?:now )?(?:an? )?(?:AI|assistant|language model|respond|reply|answer|output)\b|\bas an AI\b"
    r"|(?:指示|命令|規則|プロンプト)[^。\n]{0,12}(?:無視|忘れ|従わな)|あなたは(?:今から)?AI",
    re.I,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class How:
    """What of the settings a model's writing depends on."""

    kinds: tuple[str, ...]
    """Kinds wanted."""
    prompt: str
    """Version of the prompt files."""
    passage: int
    """Characters of a passage."""
    seed: int
    """Decides kinds, passages and instructions."""
    options: ChatOptions
    """Of every call; the schema is put in by kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One call."""

    place: int
    """Which of the documents asked about."""
    number: int
    """Which call about it."""
    kind: str
    """What is wanted."""
    count: int
    """How many."""
    start: int
    """Where the part shown begins."""
    end: int
    """Where it ends."""


def write_with(model: Chat, asked: Sequence[Asked], how: How) -> list[Written]:
    """What a model writes about some documents, in order; calls of one kind are made together.

    Raises:
        ConfigError: There is no such version of the prompts.
        RunError: The model does not answer; finished calls are in its log.
    """
    jobs = [job for place, one in enumerate(asked) for job in plan(place, one, how)]
    written = [Written() for _ in asked]
    for kind in sorted({job.kind for job in jobs}):
        own = [job for job in jobs if job.kind == kind]
        options = replace(how.options, schema=SCHEMAS[kind])
        replies = each_reply(model, [conversation(job, asked[job.place], how) for job in own], options)
        for job, reply in zip(own, replies, strict=True):
            more = _read(job, asked[job.place], reply, model.ref.name, how)
            written[job.place] = _added(written[job.place], more, Spending.of([reply]))
    return written


def _added(before: Written, more: tuple[list[Proposal], list[Drop]], spending: Spending) -> Written:
    return Written(
        proposals=[*before.proposals, *more[0]], drops=[*before.drops, *more[1]], spending=before.spending + spending
    )


# What is asked --------------------------------------------------------------------------------


def plan(place: int, asked: Asked, how: How) -> Iterator[Job]:
    """The calls about one document: kinds in turn, as many as its amount is worth.

    Kinds of a whole paper are asked once, four-option questions five at a time; the rest goes through the passages.
    """
    chance = random.Random(f"{how.seed}\0plan\0{asked.document.id}")
    kinds = [kind for kind in how.kinds if kind in SCHEMAS and (kind != "summary" or asked.document.title.strip())]
    chance.shuffle(kinds)
    shown = passages(asked.document, asked.lang, how.passage)
    chance.shuffle(shown)
    whole = _whole(asked.document, asked.lang, how.passage)
    wanted, number = asked.amount, 0
    while wanted > 0 and kinds:
        for kind in list(kinds):
            if wanted <= 0:
                return
            start, end = whole if kind in _WHOLE else shown[number % len(shown)]
            count = min(QUESTIONS_A_PAPER, wanted) if kind == "choice" else 1
            yield Job(place=place, number=number, kind=kind, count=count, start=start, end=end)
            wanted, number = wanted - count, number + 1
            if kind in _WHOLE:
                kinds.remove(kind)


def passages(document: Document, lang: str, size: int) -> list[tuple[int, int]]:
    """The document in passages of whole sentences, at most ``size`` characters unless one sentence is longer."""
    found: list[tuple[int, int]] = []
    for start, end in sentences(document.text, lang):
        if found and end - found[-1][0] <= size:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, min(end, start + size)))
    return found or [(0, min(len(document.text), size))]


def _whole(document: Document, lang: str, size: int) -> tuple[int, int]:
    first = passages(document, lang, size)[:READ_PASSAGES]
    return first[0][0], first[-1][1]


def conversation(job: Job, asked: Asked, how: How) -> list[Message]:
    """What the model is told: the rules, then the document between tags."""
    document = asked.document
    chance = random.Random(f"{how.seed}\0variety\0{document.id}\0{job.number}")
    words = {"count": str(job.count), "variety": chance.choice(prompt("variety", how.prompt, asked.lang).splitlines())}
    rules = _FIELD.sub(lambda match: words[match.group(1)], prompt(job.kind, how.prompt, asked.lang))
    opening = next(iter(passages(document, asked.lang, SUMMARY_CHARACTERS)))
    shown = (
        f'<document id="{_inside(document.id)}" title="{_inside(document.title)}">\n'
        f"<summary>{_inside(document.text[slice(*opening)])}</summary>\n"
        f"<passage>\n{_inside(document.text[job.start : job.end], keep_lines=True)}\n</passage>\n</document>"
    )
    return [Message(role="system", text=rules), Message(role="user", text=shown)]


def _inside(text: str, *, keep_lines: bool = False) -> str:
    """Text of a document that cannot end its own block."""
    plain = text
    while _TAGS.search(plain):
        plain = _TAGS.sub("", plain)
    return plain if keep_lines else " ".join(plain.split()).replace('"', "'")


@lru_cache(maxsize=64)
def prompt(name: str, version: str, lang: str) -> str:
    """A prompt file.

    Raises:
        ConfigError: There is none.
    """
    file = PROMPTS / f"{name}-{version}.{lang}.txt"
    if not version.isalnum() or not file.is_file():
        known = sorted({path.name.split(".")[0].rpartition("-")[2] for path in PROMPTS.glob("open-*.txt")})
        raise ConfigError(
            say(f"There are no prompts of the version {version!r} for {name!r} in {lang}.",
                f"{name!r}（{lang}）のプロンプトに版 {version!r} はない。"),
            say(f"Versions: {', '.join(known)}.", f"版: {'、'.join(known)}。"),
        )  # fmt: skip
    return file.read_text(encoding="utf-8").strip()


# What comes back ------------------------------------------------------------------------------


def _read(job: Job, asked: Asked, reply: Reply, writer: str, how: How) -> tuple[list[Proposal], list[Drop]]:
    document = asked.document
    if reply.fault or reply.value is None:
        return [], [Drop(doc_id=document.id, reason=_fault(reply), detail=f"{job.kind}: {reply.fault}"[:EXCERPT],
                         excerpt=reply.text[:EXCERPT])]  # fmt: skip
    frame = Frame(
        lang=asked.lang, start=job.start, end=job.end, writer=writer, call=reply.call, asked=_summarise(asked),
        chance=random.Random(f"{how.seed}\0options\0{document.id}\0{job.number}"),
    )  # fmt: skip
    proposals, drops = list[Proposal](), list[Drop]()
    for proposal in read(job.kind, reply.value, frame):
        why = _unbelievable(proposal, document)
        if why:
            drops.append(drop(document, proposal, *why))
        else:
            proposals.append(proposal)
    return proposals, drops


def _fault(reply: Reply) -> str:
    """Why a reply gave nothing."""
    if reply.finish in {"refused", "length"}:
        return "refused" if reply.finish == "refused" else "truncated"
    return "no_answer" if not reply.text.strip() else "unreadable"


def _unbelievable(proposal: Proposal, document: Document) -> tuple[str, str] | None:
    """An order to the model among its words, or a figure or name in an answer that was not shown."""
    answers = [proposal.answer, *(turn.text for turn in proposal.turns if turn.role == "assistant")]
    for text in (proposal.question, *answers, *proposal.quotes):
        order = _ORDERS.search(text)
        if order:
            return "orders", order.group()
    shown = f"{document.title}\n\n{document.text[proposal.start : proposal.end]}\n\n{proposal.question}"
    made_up = [fact.text for answer in answers for fact in facts(answer, shown) if not fact.supported]
    return ("not_in_passage", ", ".join(made_up)) if made_up else None


def _summarise(asked: Asked) -> str:
    """The question that a summary answers."""
    document = asked.document
    title, people = " ".join(document.title.split()), people_of(document, asked.lang)
    year = str(document.biblio.year or "")
    where = ", ".join(part for part in (people, year) if part)
    return say(f"Summarise “{title}”{f' ({where})' if where else ''}.",
               f"「{title}」{f'（{where}）' if where else ''}を要約してください。", asked.lang)  # fmt: skip
