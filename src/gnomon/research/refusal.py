"""Refusal: whether the evidence found is strong enough to answer from.

The *strength* of evidence is a few shares between 0 and 1: how much of the question the best
passage and the best sentence cover, and how many of the names and numbers the question itself
mentions stand in the passage of the best sentence. A logistic model turns them into the
probability that the library holds an answer; below ``THRESHOLD`` the question is refused. Model and threshold were
fitted on the development half of the starter questions, where "unanswerable" is a question whose
source document was taken out (``bench/refusal.py``, ``docs/design/answering.md``).
"""

import math
from collections.abc import Mapping, Sequence, Set
from typing import Any

from gnomon.core.answers import Nearby
from gnomon.core.checks import keep_known_ids
from gnomon.core.figures import figures
from gnomon.core.names import name_stands_in, names
from gnomon.core.protocols import Hit
from gnomon.core.wording import say
from gnomon.research.asked import Question, telling_terms
from gnomon.research.selection import Candidate

MOST_NEAREST = 3
"""Documents named in a refusal."""
WEIGHTS: Mapping[str, float] = {
    "passage": 0.78, "near": 0.51, "own": 0.46, "plain": 0.69, "names": 2.28, "numbers": 1.8,
}  # fmt: skip
INTERCEPT = -3.26
THRESHOLD = 0.5


def strength(question: Question, found: Sequence[Candidate], hits: Sequence[Hit]) -> dict[str, float]:
    """The shares that say how well the evidence meets the question.

    A question without names or numbers takes the share of its terms in their place.
    """
    texts = [_facts(hit) for hit in hits]
    plain = max((_share(question.terms & telling_terms(text), question.terms) for text in texts), default=0.0)
    shares = {name: max((c.features[name] for c in found), default=0.0) for name in ("passage", "near", "own")}
    best = _facts(found[0].hit) if found else ""
    asked_names, asked_numbers = names(question.text), _numbers(question.text)
    named = sum(name_stands_in(name, best) for name in asked_names)
    return {
        **shares,
        "plain": plain,
        "names": named / len(asked_names) if asked_names else plain,
        "numbers": _share(asked_numbers & _numbers(best), asked_numbers) if asked_numbers else plain,
    }


def answerable(shares: Mapping[str, float]) -> float:
    """The probability that the library holds an answer."""
    return 1 / (1 + math.exp(-INTERCEPT - sum(weight * shares[name] for name, weight in WEIGHTS.items())))


def _facts(hit: Hit) -> str:
    return f"{hit.title} {hit.year or ''} {hit.text}"


def _numbers(text: str) -> Set[Any]:
    return {figure.number for figure in figures(text)}


def _share(part: Set[Any], whole: Set[Any]) -> float:
    return len(part) / len(whole) if whole else 0.0


def nearest(hits: Sequence[Hit]) -> tuple[Nearby, ...]:
    """The first different documents of a search."""
    found = {hit.doc_id: Nearby(doc_id=hit.doc_id, title=hit.title, year=hit.year) for hit in reversed(hits)}
    order = list(dict.fromkeys(hit.doc_id for hit in hits))
    return tuple(found[doc_id] for doc_id in order[:MOST_NEAREST])


def words_of_refusal(question: Question, near: Sequence[Nearby]) -> str:
    """The plain sentence of a refusal, with the nearest documents, in the question's language."""
    if not question.terms or not near:
        return reason(question, near)
    titles = [f"{keep_known_ids(n.title, ())[0] or n.doc_id}{f' ({n.year})' if n.year else ''}" for n in near]
    return reason(question, near) + say(
        f" Nearest documents: {'; '.join(titles)}.", f"近い文献: {'、'.join(titles)}。", question.lang
    )


def reason(question: Question, near: Sequence[Nearby]) -> str:
    """Why a question is refused, in its language; without the nearest documents, for whoever shows them otherwise."""
    if not question.terms:
        return say(
            "There is nothing in this question to look for. Ask about a subject, an object or a person.",
            "この質問には調べる手がかりがない。主題、天体、人名などを入れて尋ねてほしい。",
            question.lang,
        )
    if not near:
        return say(
            "The library holds nothing on this question.", "この質問に関する文献は見つからなかった。", question.lang
        )
    return say(
        "The library holds no passage that answers this well enough.",
        "この質問に十分に答える記述は見つからなかった。",
        question.lang,
    )
