"""Roles: whether the answer is the one of its kind that the question asks about.

A quote often holds two names, two figures or two opposite words. The one that answers stands nearer to the question's
own words, in their clause; the others are *rivals*. A rival that stands nearer speaks against the answer.
"""

import math
from collections.abc import Sequence

from gnomon.core.figures import figures
from gnomon.core.glyphs import visible
from gnomon.core.names import names
from gnomon.synthesis.judging.evidence import NONE, Suspicion
from gnomon.synthesis.judging.opposites import polar
from gnomon.synthesis.judging.words import Word, alike, clauses, words

_REACH = 22.0
"""Characters after which nearness has fallen to a third; half of that in Japanese."""
_AS_NEAR, _FAR_NEARER = 0.2, 0.7
"""Lead of a rival over the answer, as a share of both, that is nothing and that is decisive."""
_BESIDE = 1
"""Words beside its names that an answer may have and still be no more than a name."""
_OTHER_CLAUSE = 0.35
"""What a word of another clause counts."""


def rivalry(question: str, answer: str, quote: str, lang: str) -> Suspicion:
    """How much nearer to the question's words the best rival stands than the answer does, and which it is.

    Returns:
        A suspicion: 0 when the quote holds no rival, or not the answer, or the answer stands as near; 1 from the rival
        standing several times as near.
    """
    asked = _asked(question, answer, quote, lang)
    worst, name = 0.0, ""
    for own, others in _kinds(question, answer, quote, lang):
        if not own or not others:
            continue
        mine = max(_nearness(at, asked, quote, lang) for at, _ in own)
        theirs, rival = max((_nearness(at, asked, quote, lang), text) for at, text in others)
        share = (theirs - mine) / (theirs + mine) if theirs + mine else 0.0
        if not name or share > worst:
            worst, name = share, rival
    grown = min(max(worst - _AS_NEAR, 0.0) / (_FAR_NEARER - _AS_NEAR), 1.0)
    return Suspicion(grown, f"{name} stands nearer to what is asked") if grown else NONE


def _asked(question: str, answer: str, quote: str, lang: str) -> list[Word]:
    """The words of the quote that are the question's and not the answer's."""
    wanted, given = words(question, lang), words(answer, lang)
    return [
        word
        for word in words(quote, lang)
        if any(alike(word.text, other.text) for other in wanted)
        and not any(alike(word.text, other.text) for other in given)
    ]


Places = list[tuple[int, str]]


def _kinds(question: str, answer: str, quote: str, lang: str) -> Sequence[tuple[Places, Places]]:
    """For figures, names and opposites: where the answer's stand in the quote, and where its rivals do.

    What the question says itself is no rival.
    """
    return (
        _figures(question, answer, visible(quote)),
        _names(question, answer, visible(quote), lang),
        _opposites(question, answer, visible(quote), lang),
    )


def _figures(question: str, answer: str, shown: str) -> tuple[Places, Places]:
    mine = {figure.quantity for figure in figures(answer)}
    known = mine | {figure.quantity for figure in figures(question)}
    units = {unit for _, unit in mine}
    there = [(f.start, shown[f.start : f.end], f.quantity) for f in figures(shown)]
    return (
        [(at, text) for at, text, quantity in there if quantity in mine],
        [(at, text) for at, text, quantity in there if quantity not in known and quantity[1] in units],
    )


def _names(question: str, answer: str, shown: str, lang: str) -> tuple[Places, Places]:
    mine, asked = set(names(answer)), set(names(question))
    there = [(shown.find(name), name) for name in names(shown)]
    own = [(at, name) for at, name in there if name in mine]
    if len([word for word in words(answer, lang) if not any(name_in(word.text, name) for name in mine)]) > _BESIDE:
        return [], []
    return own, [(at, name) for at, name in there if mine and name not in mine | asked and not name_in(name, question)]


def name_in(name: str, text: str) -> bool:
    """Whether a name stands in a text in any case."""
    return name.casefold() in visible(text).casefold()


def _opposites(question: str, answer: str, shown: str, lang: str) -> tuple[Places, Places]:
    said, read, asked = polar(answer, lang), polar(shown, lang), polar(question, lang)
    sides = frozenset[tuple[int, int]]().union(*(said[word] for word in said if word in read))
    turned = {(axis, 1 - side) for axis, side in sides}
    folded = shown.casefold()
    own = [(folded.find(word), word) for word in said if word in read]
    rivals = [word for word in read if read[word] & turned and word not in said and word not in asked]
    return own, [(folded.find(word), word) for word in rivals]


def _nearness(at: int, asked: Sequence[Word], quote: str, lang: str) -> float:
    clause = next((n for n, (start, end) in enumerate(clauses(visible(quote), lang)) if start <= at < end), 0)
    reach = _REACH / 2 if lang == "ja" else _REACH
    return sum(
        math.exp(-abs(word.start - at) / reach) * (1.0 if word.clause == clause else _OTHER_CLAUSE) for word in asked
    )
