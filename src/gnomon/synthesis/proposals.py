"""Proposals: what a writer, model or not, would like to ask; and what becomes of it.

A proposal becomes a ``QA`` only when its quotes are found in the document, its question stands alone, and its answer
is there, is not given away by the question, and is one of its options once. Otherwise it becomes a ``Drop`` with the
reason.
"""

import re
from dataclasses import dataclass

from gnomon.core.figures import blank_figures, figures
from gnomon.core.messages import Message
from gnomon.core.records import Document, Drop
from gnomon.core.synthetic import QA, Evidence
from gnomon.core.text import fold
from gnomon.synthesis.quoting import locate
from gnomon.synthesis.selfcontained import leaning, pointing, unnamed

EXCERPT = 200
OPTIONS = 4
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
REASONS = (
    "no_answer", "unreadable", "truncated", "refused", "quote_not_found", "not_self_contained", "leaks_answer",
    "bad_options", "not_chosen", "no_distractors", "other_language", "no_facts", "repeated", "orders", "not_in_passage",
)  # fmt: skip
"""Why something a writer proposed is left out, or a document gave rise to nothing."""
_SHORTEST = 3
"""Characters below which an answer says too little to be looked for in its question."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """A pair before it is checked."""

    kind: str
    """One of ``core.synthetic.KINDS``."""
    lang: str
    """ISO 639-1."""
    question: str
    """The question."""
    answer: str
    """The answer; of a question with options, the right option."""
    choices: tuple[str, ...] = ()
    """Options in order."""
    quotes: tuple[str, ...]
    """The words it rests on, as the writer gave them."""
    start: int = 0
    """Where the part of the document that was shown begins."""
    end: int | None = None
    """Where it ends; None for the document's end."""
    thinking: str = ""
    """A chain of reasoning."""
    turns: tuple[Message, ...] = ()
    """Turns after the first answer."""
    writer: str = ""
    """Name of the model, or of the rule."""
    call: str = ""
    """The call in the log."""


def settle(proposal: Proposal, document: Document) -> QA | Drop:
    """The pair a proposal makes, or why it makes none."""
    refusal = _empty(proposal) or _options(proposal) or _leaning(proposal, document.title) or _leaking(proposal)
    if refusal:
        return drop(document, proposal, *refusal)
    places = [locate(quote, document.text, proposal.start, proposal.end) for quote in proposal.quotes]
    missing = next((q for q, place in zip(proposal.quotes, places, strict=True) if place is None), None)
    if missing is not None or not places:
        return drop(document, proposal, "quote_not_found", missing or "no quote was given")
    evidence = tuple(
        Evidence(span=document.span(*place), quote=document.text[slice(*place)]) for place in places if place
    )
    return QA(
        kind=proposal.kind, lang=proposal.lang, question=proposal.question.strip(), answer=proposal.answer.strip(),
        choices=tuple(choice.strip() for choice in proposal.choices), evidence=evidence, turns=proposal.turns,
        thinking=proposal.thinking.strip(), writer=proposal.writer, call=proposal.call,
    )  # fmt: skip


def drop(document: Document, proposal: Proposal, reason: str, detail: str = "") -> Drop:
    """A proposal that is left out."""
    said = f"{proposal.kind}: {proposal.question.strip()} | {proposal.answer.strip()}"
    return Drop(doc_id=document.id, reason=reason, detail=detail[:EXCERPT], excerpt=said[:EXCERPT])


Refusal = tuple[str, str]


def _empty(proposal: Proposal) -> Refusal | None:
    if not proposal.question.strip() or not proposal.answer.strip():
        return "no_answer", "question or answer is empty"
    if any(not turn.text.strip() for turn in proposal.turns):
        return "no_answer", "a turn is empty"
    return None


def _options(proposal: Proposal) -> Refusal | None:
    """Options are four, all different also as numbers, one of them the answer, none "all of the above"."""
    if not proposal.choices:
        return ("bad_options", "there are none") if proposal.kind == "choice" else None
    options = [fold(choice) for choice in proposal.choices]
    if len(options) != OPTIONS or options.count(fold(proposal.answer)) != 1 or not all(options):
        return "bad_options", f"{len(options)} options, {options.count(fold(proposal.answer))} of them the answer"
    for i, first in enumerate(proposal.choices):
        for second in proposal.choices[i + 1 :]:
            if same(first, second):
                return "bad_options", f"{first} and {second} are the same"
    if any("of the above" in option or "上記" in option for option in options):
        return "bad_options", "an option speaks of the others"
    return None


def same(a: str, b: str) -> bool:
    """Whether two options are one answer: the same words, or the same quantities after rounding to two digits."""
    if fold(a) == fold(b):
        return True
    first, second = figures(a), figures(b)
    if not first or len(first) != len(second) or _words(a) != _words(b) or (_YEAR.search(a) and _YEAR.search(b)):
        return False
    return all(
        x.unit == y.unit and f"{x.quantity[0]:.1e}" == f"{y.quantity[0]:.1e}"
        for x, y in zip(first, second, strict=True)
    )


def _words(text: str) -> str:
    """The letters of an option that are no part of its figures."""
    return "".join(c for c in blank_figures(text).casefold() if c.isalpha())


def _leaning(proposal: Proposal, title: str) -> Refusal | None:
    """The question leans on something; a title that it quotes may say what it likes."""
    question = proposal.question.replace(title, "Title") if title else proposal.question
    why = leaning(question, proposal.lang) or unnamed(question, proposal.lang)
    if not why:
        said = [proposal.answer, proposal.thinking, *proposal.choices, *(turn.text for turn in proposal.turns)]
        why = next((found for text in said if (found := pointing(text, proposal.lang))), "")
    return ("not_self_contained", why) if why else None


def _leaking(proposal: Proposal) -> Refusal | None:
    """The answer stands in the question, as words or as its only figure."""
    answer, question = fold(proposal.answer).rstrip(".。"), fold(proposal.question)
    if len(answer) >= _SHORTEST and stands_in(answer, question):
        return "leaks_answer", proposal.answer
    own = figures(proposal.answer)
    there = {figure.quantity for figure in figures(proposal.question)}
    if len(own) == 1 and len(_words(proposal.answer)) <= _SHORTEST and own[0].quantity in there:
        return "leaks_answer", proposal.answer
    return None


def stands_in(words: str, text: str) -> bool:
    """Whether folded words stand in a folded text, not inside other words."""
    at = text.find(words)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(words) : at + len(words) + 1]
        inside = (_spaced(before) and _spaced(words[0])) or (_spaced(after) and _spaced(words[-1]))
        if not inside:
            return True
        at = text.find(words, at + 1)
    return False


def _spaced(character: str) -> bool:
    return character.isalnum() and ord(character[0]) < 0x2E80
