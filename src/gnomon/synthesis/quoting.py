"""Quoting: where words that somebody quotes stand in a text, so that a quote becomes a span.

A model copies with other spaces, other widths, another kind of quotation mark's width; ``quotable`` folds exactly that
and nothing else. Here the folded text keeps, for each of its characters, the place it comes from.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from gnomon.core.checks import quote_stands
from gnomon.core.glyphs import composed, quotable

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
_CLUSTER = re.compile(rf"[{_RAISED}]+|[0-9]?[¼½¾⅐-⅞]|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Folded:
    """A text as quotes are compared with it."""

    text: str
    """Its folded characters."""
    starts: tuple[int, ...]
    """For each of them where its source begins."""
    ends: tuple[int, ...]
    """For each of them where its source ends."""


def locate(quote: str, text: str, start: int = 0, end: int | None = None) -> tuple[int, int] | None:
    """Where a quote stands in a text, in characters of the text; None when it does not stand there in one piece.

    Args:
        quote: The words as somebody gave them.
        text: The text.
        start: Where the part that was shown begins.
        end: Where it ends; None for the text's end.
    """
    shown = text[start:end]
    wanted, verbatim = quotable(quote), quote.strip()
    at = shown.find(verbatim) if wanted else -1
    if at >= 0 and _clean(shown, at, at + len(verbatim)):
        return start + at, start + at + len(verbatim)
    if not wanted:
        return None
    folded = _fold(shown)
    at = folded.text.find(wanted)
    while at >= 0:
        first, last = folded.starts[at], folded.ends[at + len(wanted) - 1]
        if _clean(shown, first, last) and quotable(shown[first:last]) == wanted:
            return start + first, start + last
        at = folded.text.find(wanted, at + 1)
    return None


def _clean(shown: str, first: int, last: int) -> bool:
    """Whether those characters are cut between words: ``quote_stands`` judges them where they stand."""
    before, after = shown[max(0, first - 3) : first], shown[last : last + 3]
    return quote_stands(shown[first:last], before + shown[first:last] + after)


@lru_cache(maxsize=64)
def _fold(text: str) -> _Folded:
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        piece = text[start:end]
        form = " " if piece.isspace() else composed(piece)
        if form.isspace() and characters and characters[-1] == " ":
            ends[-1] = end
            continue
        for character in re.sub(r"\s+", " ", form):
            characters.append(character)
            starts.append(start)
            ends.append(end)
    return _Folded("".join(characters), tuple(starts), tuple(ends))


def _clusters(text: str) -> list[tuple[int, int]]:
    """The text in pieces that NFKC cannot mix: a character with the marks after it, runs of exponents, of spaces."""
    pieces: list[tuple[int, int]] = []
    for match in _CLUSTER.finditer(text):
        first = text[match.start()]
        joins = unicodedata.combining(first) != 0 or first in "\uff9e\uff9f"
        if joins and pieces:
            pieces[-1] = (pieces[-1][0], match.end())
        else:
            pieces.append(match.span())
    return pieces
