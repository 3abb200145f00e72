"""Letters: a text with everything gone that a copyist may change without changing the words.

White space, punctuation, case, accents, the width of characters and the value of numbers are
folded away; what is left is one array of code points, with the place of each in the text. A copy
that was re-cased, re-spaced, re-lettered or given other numbers has the same letters.
"""

import functools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
NUMBER = ord("0")
"""The letter that stands for a whole run of digits."""
BETWEEN = 1
"""The letter that stands between two texts; no exam item has it."""
_SEPARATOR = chr(BETWEEN)
_TABLE_SIZE = 0x32000
"""Code points above (tags, private use) are letters of nothing."""
_UNSPACED_FROM, _UNSPACED_TO = 0x3005, 0xA000


@dataclass(frozen=True, kw_only=True)
class Letters:
    """The letters of one text."""

    codes: Codes
    """Folded code points."""
    places: npt.NDArray[np.int64]
    """For each the character of the text it stands for (the first, for a number)."""

    @property
    def string(self) -> str:
        """The letters as a string of the same length."""
        return self.codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


@functools.cache
def _table() -> Codes:
    """For each code point its letter, 0 when it has none."""
    table = np.zeros(_TABLE_SIZE, np.uint32)
    for code in range(_TABLE_SIZE):
        if not 0xD800 <= code < 0xE000:
            table[code] = _letter(chr(code))
    table[BETWEEN] = BETWEEN
    return table


def _letter(char: str) -> int:
    plain = unicodedata.normalize("NFKD", char)
    if len(plain) > 1 and not all(0x300 <= ord(mark) <= 0x36F for mark in plain[1:]):
        plain = unicodedata.normalize("NFKC", char)
    folded = plain[:1].casefold()[:1]
    if not folded.isalnum():
        return 0
    return NUMBER if unicodedata.category(folded) in {"Nd", "No"} else ord(folded)


def code_points(text: str) -> Codes:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def letters_of(text: str) -> Letters:
    """The letters of a text, with their places."""
    codes, places = _fold(code_points(text))
    return Letters(codes=codes, places=places)


def joined_letters(texts: Sequence[str]) -> tuple[Codes, npt.NDArray[np.int64]]:
    """The letters of many texts in one array, ``BETWEEN`` after each, and where each text ends in it."""
    points = code_points("".join(text + _SEPARATOR for text in texts))
    codes, places = _fold(points)
    lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    return codes, np.searchsorted(places, np.cumsum(lengths))


def _fold(points: Codes) -> tuple[Codes, npt.NDArray[np.int64]]:
    codes = _table()[np.minimum(points, _TABLE_SIZE - 1)]
    places = np.flatnonzero(codes)
    codes = codes[places]
    repeated = np.zeros(len(codes), bool)
    repeated[1:] = (codes[1:] == NUMBER) & (codes[:-1] == NUMBER)
    return codes[~repeated], places[~repeated]


def is_unspaced(codes: Codes) -> npt.NDArray[np.bool_]:
    """Which letters belong to a script without spaces (kana, kanji)."""
    return (codes >= _UNSPACED_FROM) & (codes < _UNSPACED_TO)


def words(letters: Letters) -> Iterator[tuple[int, int]]:
    """Ranges of letters that stand together in the text; each unspaced character is one of its own."""
    if not len(letters.codes):
        return
    alone = is_unspaced(letters.codes)
    new = np.ones(len(letters.codes), bool)
    new[1:] = (np.diff(letters.places) > 1) | alone[1:] | alone[:-1]
    starts = np.flatnonzero(new)
    yield from zip(starts.tolist(), [*starts[1:].tolist(), len(letters.codes)], strict=True)
