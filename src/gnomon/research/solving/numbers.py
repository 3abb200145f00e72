"""Numbers: options that are quantities, looked for among the quantities of the sentences.

Several options of a good exam stand in the passage, so what decides is what each figure there is said *of*: how near
the words of the question stand to it, in its clause and around it, by words and by meaning.
"""

import math
import re
from collections.abc import Iterator, Sequence

import numpy as np

from gnomon.core.glyphs import visible
from gnomon.core.protocols import Vectors
from gnomon.research.asked import Question, telling_terms
from gnomon.research.selection import Candidate, covered, rarity
from gnomon.research.solving.meaning import Reader
from gnomon.research.solving.places import Places, places
from gnomon.research.solving.quantities import Quantity, nearness, quantities

NUMBERS = ("near", "unit", "unit_missing", "rank", "close", "clause", "close_meaning", "clause_meaning")
"""Features of a figure in a sentence, in the order of a row."""
NOWHERE = -4.0
"""Score of a figure that stands nowhere: far below the mean place, which has 0."""
DOCUMENTS = 3
"""Passages whose figures are looked at."""
REACH, MEANING_REACH = 30, 40
"""Characters over which a word of the question counts for a figure beside it (to 1/e), and a token of like meaning."""
_HEDGES = frozenset(
    term
    for word in ("about nearly roughly little almost approximately perhaps exactly around less more than under over few"
                 " thousand hundred million billion dozen 約 付近 ほど").split()
    for term in telling_terms(word)
)  # fmt: skip
_CLAUSE = re.compile(
    r"(?<!\d)[,;:](?!\d)\s*|[,;:]\s+|[、。]|\s(?:and|while|but|whereas|with|which|after|when|because)\s"
)
_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(f"(?=([\u3005\u4e00-\u9fff]{{2}}|[ァ-ヺー]{{2}}))|((?:(?![{_UNSPACED}])[\\w.-])+)")
"""Words of spaced writing, and all pairs of kanji or katakana."""
_PERCENT = re.compile(r"percent|per cent|%|パーセント", re.IGNORECASE)


def are_numbers(options: Sequence[str]) -> bool:
    """Whether the options differ by their quantities alone; one may be otherwise."""
    terms = [_beside_quantities(option) for option in options]
    common = frozenset.intersection(*terms) if terms else frozenset()
    plain = [bool(quantities(o)) and len(t - common - _HEDGES) <= 1 for o, t in zip(options, terms, strict=True)]
    return len(options) > 1 and sum(plain) >= len(options) - 1


def _beside_quantities(option: str) -> frozenset[str]:
    shown = visible(option)
    for one in reversed(quantities(option)):
        shown = f"{shown[: one.start]} {shown[one.end :]}"
    return frozenset(term for term in telling_terms(shown) if not term[0].isdigit())


def number_places(
    question: Question, options: Sequence[str], found: Sequence[Candidate], reader: Reader | None
) -> Places:
    """Where the quantities of options stand.

    Args:
        question: As it was read.
        options: The options.
        found: Sentences, scored.
        reader: Compares meanings; None leaves those features 0.
    """
    asked = {one.value for one in quantities(question.text)}
    own = [_own(option, asked, percent=bool(_PERCENT.search(question.text))) for option in options]
    rows = []
    for candidate in found:
        if candidate.rank >= DOCUMENTS:
            continue
        same = [other for other in found if other.hit is candidate.hit]
        for figure, features in _figures(candidate, rarity(question, same), reader):
            for option, wanted in enumerate(own):
                fits = _fits(wanted, figure)
                if fits[0] > 0:
                    rows.append((option, [*fits, 1 / (1 + candidate.rank), *features]))
    return places("numbers" if reader else "numbers_by_words", NUMBERS, rows, NOWHERE)


def _own(option: str, asked: set[float], *, percent: bool) -> list[Quantity]:
    """An option's quantities that the question does not state itself; a bare number is per cent where that is asked."""
    found = [
        Quantity(one.value / 100, one.written, "", one.start, one.end)
        if percent and not one.unit and one.value == one.written >= 1
        else one
        for one in quantities(option)
    ]
    return [one for one in found if one.value not in asked] or found


def _fits(wanted: Sequence[Quantity], figure: Quantity) -> tuple[float, float, float]:
    """(nearness, agreement of units, whether the option lacks the unit that the figure has)."""
    best = max(wanted, key=lambda one: nearness(one, figure), default=None)
    if best is None:
        return 0.0, 0.0, 0.0
    agree = 1.0 if best.unit == figure.unit else 0.0 if best.unit and figure.unit else 0.25
    return nearness(best, figure), agree, float(bool(figure.unit) and not best.unit)


def _figures(
    candidate: Candidate, weigh: dict[str, float], reader: Reader | None
) -> Iterator[tuple[Quantity, list[float]]]:
    """Every quantity of a sentence with what stands near it: (close, clause, close_meaning, clause_meaning)."""
    shown = visible(candidate.text)
    words = [(w.start(), sum(weigh.get(t, 0) for t in telling_terms(w[1] or w[2]))) for w in _WORD.finditer(shown)]
    likeness = _likeness(shown, reader) if reader and quantities(candidate.text) else None
    for figure in quantities(candidate.text):
        start, end = _clause(shown, figure)
        close = sum(weight * math.exp(-_gap(place, figure) / REACH) for place, weight in words)
        said = [close, covered(weigh, telling_terms(shown[start:end]))]
        yield figure, [*said, *(_by_meaning(likeness, figure, start, end) if likeness else (0.0, 0.0))]


def _clause(shown: str, figure: Quantity) -> tuple[int, int]:
    start, end = 0, len(shown)
    for border in _CLAUSE.finditer(shown):
        if border.end() <= figure.start:
            start = border.end()
        elif border.start() >= figure.end:
            end = border.start()
            break
    return start, end


def _gap(place: int, figure: Quantity) -> int:
    return max(0, figure.start - place, place - figure.end)


def _likeness(shown: str, reader: Reader) -> tuple[Vectors, list[int]]:
    """Likeness of every token of the question to every one of a sentence, and where the latter begin."""
    there = reader.alone(shown)
    return reader.telling() @ there.tokens.T, there.starts


def _by_meaning(likeness: tuple[Vectors, list[int]], figure: Quantity, start: int, end: int) -> tuple[float, float]:
    """The question's mean alignment, with tokens far from the figure fading, and with those of its clause alone."""
    table, places = likeness
    if not table.size:
        return 0.0, 0.0
    fading = np.array([math.exp(-_gap(place, figure) / MEANING_REACH) for place in places])
    inside = [i for i, place in enumerate(places) if start <= place < end] or list(range(len(places)))
    return float((table * fading).max(axis=1).mean()), float(table[:, inside].max(axis=1).mean())
