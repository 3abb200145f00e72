"""The rule judge: what can be said of a pair with no model, check by check, and one probability that it is sound.

Each check is a suspicion from 0 to 1 with its reason; a logistic model over them gives the verdict ``accept``. The
checks see whether the answer's words, figures and names stand in the quote in the part that the question asks about,
whether something is turned into its opposite, and whether the question stands alone and keeps its answer to itself.
They see form, not truth; ``docs/design/judging.md`` says what they cannot see.
"""

import math
import re
from collections.abc import Mapping

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
_GAP = re.compile(r"_{2,}|＿{2,}")
REASONS = 3
"""Reasons named in the verdict ``accept``."""
QUESTION_CHECKS = (
    "leaning",
    "unnamed",
    "definite",
    "subject",
    "aside",
    "premise",
    "usurped",
    "foreign",
    "evasive",
    "leak",
)
ANSWER_CHECKS = ("words", "figures", "names", "opposite", "unbacked", "denial", "rival")
TRIP_CHECKS = ("found", "recovered")
CHECKS = ("quote", *QUESTION_CHECKS, *ANSWER_CHECKS, *TRIP_CHECKS)
_WHOLE = frozenset({"summary"})
"""Kinds whose question names a whole document: it repeats words of the answer, and leads to no one sentence."""
_RECORD = frozenset({"metadata"})
"""Kinds that the document's record answers, not its text."""


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
    asked, titled = passage.asked(pair.question)
    quote = " … ".join(held.quote for held in pair.evidence)
    found = dict.fromkeys(CHECKS, NONE) | {"quote": _quote(pair, document)}
    found |= _question(pair, passage, asked, titled=titled)
    if pair.kind in _RECORD:
        return found | _told(asked, pair.answer, f"{passage.record}\n{quote}", passage.everything, pair.lang)
    found |= _answer(asked, pair.answer, quote, passage.everything, pair.lang)
    for question, answer in _later(pair):
        more = _answer(question, answer, quote, passage.everything, pair.lang)
        found |= {name: held for name, held in more.items() if held.share > found[name].share}
    if pair.kind not in _WHOLE:
        found |= {"found": recovery.lost(pair, passage), "recovered": recovery.unrecovered(pair, passage)}
    return found


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
    return probability(dict.fromkeys(CHECKS, NONE) | _answer(question, answer, evidence_text, evidence_text, lang))


def _quote(pair: QA, document: Document) -> Suspicion:
    for held in pair.evidence:
        span = held.span
        if span.text_hash != document.text_hash or document.text[span.start : span.end] != held.quote:
            return Suspicion(1.0, f"the document does not have these words at their place: {held.quote[:80]}")
    return NONE


def _question(pair: QA, passage: Passage, asked: str, *, titled: bool) -> dict[str, Suspicion]:
    answer, lang = pair.answer, pair.lang
    nothing, aside = asking.subjectless(asked, passage, lang)
    filled = _GAP.sub(lambda _: answer, asked)
    return {
        "leaning": asking.leans(filled, answer, lang),
        "unnamed": NONE if titled else asking.nameless(filled, lang),
        "definite": asking.bare_definites(filled),
        "subject": NONE if titled else nothing,
        "aside": NONE if titled else aside,
        "premise": evidence.strange_names(asked, passage, lang),
        "usurped": evidence.usurped(asked, answer, passage, passage.around(pair), lang),
        "foreign": NONE if pair.kind in _RECORD else evidence.foreign(asked, passage, lang),
        "evasive": asking.evasive(asked, answer, lang),
        "leak": NONE if pair.kind in _WHOLE else asking.given_away(asked, answer, lang),
    }


def _told(question: str, answer: str, quote: str, everything: str, lang: str) -> dict[str, Suspicion]:
    return {
        "words": evidence.unsaid(question, answer, quote, everything, lang),
        "figures": evidence.missing_figures(answer, quote, lang),
        "names": evidence.missing_names(question, answer, quote, lang),
    }


def _answer(question: str, answer: str, quote: str, everything: str, lang: str) -> dict[str, Suspicion]:
    opposite, unbacked = opposites.contradicted(answer, quote, lang)
    return _told(question, answer, quote, everything, lang) | {
        "opposite": opposite,
        "unbacked": unbacked,
        "denial": opposites.denial(question, answer, quote, lang),
        "rival": rivalry(question, answer, quote, lang),
    }


def _later(pair: QA) -> list[tuple[str, str]]:
    """Questions and answers after the first."""
    turns, asked = [], ""
    for message in pair.turns:
        if message.role == "user":
            asked = message.text
        elif message.role == "assistant":
            turns.append((asked, message.text))
    return turns


def _reasons(found: Mapping[str, Suspicion]) -> str:
    """What weighs most against a pair, in words."""
    weighed = {name: weight * found[name].share for name, weight in {**WEIGHTS, **BY_HAND}.items()}
    worst = sorted((total, name) for name, total in weighed.items() if total < 0)[:REASONS]
    return "; ".join(f"{name}: {found[name].reason}" for _, name in worst)
