"""The rule judge: what can be said of a pair with no model, check by check, and one probability that it is sound.

Each check is a suspicion from 0 to 1 with its reason; a logistic model over them gives the verdict ``accept``. The
checks see whether the answer's words, figures and names stand in the quote in the part that the question asks about,
whether something is turned into its opposite, and whether the question stands alone and keeps its answer to itself.
They see form, not truth; ``docs/design/judging.md`` says what they cannot see.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gnomon.core.records import Document
from gnomon.core.synthetic import QA, Verdict
from gnomon.synthesis.judging import asking, evidence, opposites, recovery
from gnomon.synthesis.judging.evidence import NONE, Suspicion
from gnomon.synthesis.judging.passages import Passage, read_passage
from gnomon.synthesis.judging.roles import rivalry
from gnomon.synthesis.judging.weights import BY_HAND, INTERCEPT, WEIGHTS

RULE = "rule-1"
"""Name of this judge in verdicts; a new one whenever a check or a weight changes."""
ACCEPT = "accept"
REASONS = 3
"""Reasons named in the verdict ``accept``."""
QUESTION_CHECKS = ("leaning", "unnamed", "definite", "subject", "premise", "usurped", "foreign", "evasive", "leak")
ANSWER_CHECKS = ("words", "figures", "names", "opposite", "unbacked", "denial", "rival")
TRIP_CHECKS = ("found", "recovered")
CHECKS = ("quote", *QUESTION_CHECKS, *ANSWER_CHECKS, *TRIP_CHECKS)
_WHOLE = frozenset({"summary"})
"""Kinds whose question names a whole document: it repeats words of the answer, and leads to no one sentence."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer."""

    question: str
    """What is asked."""
    answer: str
    """What is said."""


def judge(pair: QA, document: Document) -> tuple[Verdict, ...]:
    """The verdicts of the rule judge: one a check, 1 for nothing found, and ``accept``, the chance that it is sound.

    Args:
        pair: The pair.
        document: The document it was made from.
    """
    found = suspicions(pair, document)
    checks = (
        Verdict(judge=RULE, criterion=name, score=round(1 - held.share, 4), reason=held.reason)
        for name, held in found.items()
    )
    return (*checks, Verdict(judge=RULE, criterion=ACCEPT, score=probability(found), reason=_reasons(found)))


def suspicions(pair: QA, document: Document) -> dict[str, Suspicion]:
    """What each of ``CHECKS`` holds against a pair."""
    passage = read_passage(document)
    quote = " … ".join(held.quote for held in pair.evidence)
    found = {"quote": _quote(pair, document)}
    found |= _question(pair, passage)
    found |= _answer(Turn(pair.question, pair.answer), quote, pair.lang)
    for turn in _later(pair):
        more = _answer(turn, quote, pair.lang)
        found |= {name: held for name, held in more.items() if held.share > found[name].share}
    whole = pair.kind in _WHOLE
    found["found"] = NONE if whole else recovery.lost(pair, passage)
    found["recovered"] = NONE if whole else recovery.unrecovered(pair, passage)
    return {name: found[name] for name in CHECKS}


def probability(found: Mapping[str, Suspicion]) -> float:
    """The probability that a pair with these suspicions is sound, at even odds before looking."""
    total = INTERCEPT + sum(weight * found[name].share for name, weight in {**WEIGHTS, **BY_HAND}.items())
    return 1 / (1 + math.exp(-total))


def grounded(question: str, answer: str, evidence_text: str, lang: str) -> float:
    """The probability that an answer rests on its evidence, from the checks of the answer alone.

    Args:
        question: What is asked; empty for a bare claim.
        answer: The answer or claim.
        evidence_text: What it should rest on.
        lang: ISO 639-1.
    """
    return probability(dict.fromkeys(CHECKS, NONE) | _answer(Turn(question, answer), evidence_text, lang))


def _quote(pair: QA, document: Document) -> Suspicion:
    for held in pair.evidence:
        span = held.span
        if span.text_hash != document.text_hash or document.text[span.start : span.end] != held.quote:
            return Suspicion(1.0, f"the document does not have these words at their place: {held.quote[:80]}")
    return NONE


def _question(pair: QA, passage: Passage) -> dict[str, Suspicion]:
    question, answer, lang = pair.question, pair.answer, pair.lang
    return {
        "leaning": asking.leans(question, answer, passage.title, lang),
        "unnamed": asking.nameless(question, passage.title, lang),
        "definite": asking.bare_definites(question),
        "subject": asking.subjectless(question, passage, lang),
        "premise": evidence.strange_names(question, passage, lang),
        "usurped": evidence.usurped(question, answer, passage, passage.around(pair), lang),
        "foreign": evidence.foreign(question, passage, lang),
        "evasive": asking.evasive(question, answer, lang),
        "leak": NONE if pair.kind in _WHOLE else asking.given_away(question, answer, lang),
    }


def _answer(turn: Turn, quote: str, lang: str) -> dict[str, Suspicion]:
    opposite, unbacked = opposites.contradicted(turn.answer, quote, lang)
    return {
        "words": evidence.unsaid(turn.question, turn.answer, quote, lang),
        "figures": evidence.missing_figures(turn.answer, quote, lang),
        "names": evidence.missing_names(turn.question, turn.answer, quote, lang),
        "opposite": opposite,
        "unbacked": unbacked,
        "denial": opposites.denial(turn.question, turn.answer, quote, lang),
        "rival": rivalry(turn.question, turn.answer, quote, lang),
    }


def _later(pair: QA) -> list[Turn]:
    """The turns after the first answer, question by question."""
    turns, asked = [], ""
    for message in pair.turns:
        if message.role == "user":
            asked = message.text
        elif message.role == "assistant":
            turns.append(Turn(asked, message.text))
    return turns


def _reasons(found: Mapping[str, Suspicion]) -> str:
    """What weighs most against a pair, in words."""
    weighed = {name: weight * found[name].share for name, weight in {**WEIGHTS, **BY_HAND}.items()}
    worst = sorted((total, name) for name, total in weighed.items() if total < 0)[:REASONS]
    return "; ".join(f"{name}: {found[name].reason}" for _, name in worst)
