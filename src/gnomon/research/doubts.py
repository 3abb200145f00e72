"""Doubts: why a sentence that a model wrote is not believed on its evidence, and how that is told to a person.

A doubt is kept with its answer in English, so that the answer is the same whoever asked; ``told`` says it in the
reader's language.
"""

import re
from collections.abc import Callable

from gnomon.core.answers import Claim
from gnomon.core.checks import covered_ngrams, facts
from gnomon.core.wording import say
from gnomon.research.asked import telling_terms

_NEGATIONS = re.compile(
    r"\b(?:not|no|never|none|neither|nor|cannot|without)\b|n't\b|ない|なかっ|ず(?:に|、|。|$)|ません", re.I
)


def doubt(claim: Claim, evidence: str, shared: float) -> str:
    """Why a sentence is not believed on its evidence; empty when nothing speaks against it."""
    if not claim.citations:
        return "no evidence"
    wrong = [fact.text for fact in facts(claim.text, evidence) if not fact.supported]
    if wrong:
        return f"not in its evidence: {', '.join(wrong[:3])}"
    own = telling_terms(claim.text)
    held = len(own & telling_terms(evidence)) / len(own) if own else 0.0
    covered, grams = covered_ngrams(claim.text, evidence)
    if held < shared and covered < grams:
        return f"{held:.0%} of its words are in its evidence"
    if bool(_NEGATIONS.search(claim.text)) != bool(_NEGATIONS.search(evidence)) and covered < grams:
        return "one of sentence and evidence denies something"
    return ""


_TELLINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile("no evidence"),
        lambda _: say("It cites nothing.", "根拠が示されていない。"),
    ),
    (
        re.compile("not in its evidence: (.+)", re.DOTALL),
        lambda m: say(f"Not in its evidence: {m[1]}.", f"根拠にない: {m[1]}。"),
    ),
    (
        re.compile(r"(\d+)% of its words are in its evidence"),
        lambda m: say(f"Only {m[1]} % of its telling words stand in its evidence.",
                      f"主な語のうち根拠にあるのは {m[1]} % だけである。"),
    ),
    (
        re.compile("one of sentence and evidence denies something"),
        lambda _: say("Of the sentence and its evidence, one denies something and the other does not.",
                      "文と根拠のうち一方だけが何かを否定している。"),
    ),
)  # fmt: skip


def told(why: str) -> str:
    """A doubt as a sentence in the reader's language; one that this version does not know as it stands."""
    for pattern, words in _TELLINGS:
        match = pattern.fullmatch(why)
        if match:
            return words(match)
    return why
