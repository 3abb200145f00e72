"""Words: how a text is cut for tracing, with the place of every piece in characters.

A *word* here is a run of letters and digits with its marks (``NGC4258``, ``Hubble's``, ``0.315``),
one character of an unspaced script, or one other visible character. Its *form* is what is
compared: the same characters in one canonical writing and one width, so ``ＮＧＣ`` equals ``NGC``
and a decomposed accent equals a composed one, but ``10²`` stays different from ``102``. White
space separates words and is not compared, so a line break inside a sentence hides nothing.
"""

import functools
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from gnomon.core.text import sentences

_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HIRAGANA = "\u3041-\u3096\u309d-\u309f"
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9d"
_UNSPACED = f"{_HAN}{_HIRAGANA}{_KATAKANA}\u30fb"
_IGNORED = "\u00ad\u200b\u2060\ufeff"
_EXTRA_MARKS = "\u200c\uff9e\uff9f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"
_MARK_RANGES = (range(0x300, 0x20000), range(0xE0100, 0xE01F0))
_LIGATURES = {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
LONGEST = 200
"""Characters after which a word is cut, so that a file of one endless word stays workable."""


class Kind(IntEnum):
    """What a word is made of; neighbours of one unspaced kind may belong to one real word."""

    SYMBOL = 0
    WORD = 1
    HAN = 2
    HIRAGANA = 3
    KATAKANA = 4


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text."""

    form: str
    """What is compared."""
    start: int
    """Its first character."""
    end: int
    """One past its last character."""


_QUICK = (
    rf"[A-Za-z]{{1,{LONGEST}}}+(?![A-Za-z0-9'\u0080-\U0010ffff])"
    rf"|[0-9]{{1,{LONGEST}}}+(?![A-Za-z0-9'.,\u0080-\U0010ffff])"
    r"|[!-/:-@\[-`{-~](?![\u0080-\U0010ffff])"
)
"""Plain ASCII words and signs, which the full pattern finds too, ten times slower."""


@functools.cache
def pattern() -> re.Pattern[str]:
    """The pattern that finds one word; built once, because it lists every combining mark."""
    return re.compile(f"{_QUICK}|{full_pattern()}")


def full_pattern() -> str:
    """The pattern without its short cut for plain ASCII."""
    marks = f"[{_marks()}{_EXTRA_MARKS}]"
    letter = f"[^\\W_{_UNSPACED}\uff9e\uff9f]"
    more = f"(?:{letter}|{marks}){{0,{LONGEST}}}"
    word = f"{letter}{more}(?:(?:['’](?={letter})|(?<=\\d)[.,．，](?=\\d)){letter}{more}){{0,8}}"
    other = f"[^\\s{_IGNORED}]{marks}{{0,32}}"
    flag = "[\U0001f1e6-\U0001f1ff]{2}"
    return f"{word}|[{_UNSPACED}]{marks}{{0,32}}|{flag}|{other}(?:\u200d{other}){{0,8}}"


def _marks() -> str:
    codes = (code for part in _MARK_RANGES for code in part)
    return "".join(re.escape(chr(code)) for code in codes if unicodedata.category(chr(code))[0] == "M")


class Forms(dict[str, str]):
    """Forms of words as printed, remembered."""

    def __init__(self, *, fold_case: bool) -> None:
        super().__init__()
        self._fold_case = fold_case

    def __missing__(self, printed: str) -> str:
        form = unicodedata.normalize("NFC", "".join(map(_one_width, printed)))
        form = form.casefold() if self._fold_case else form
        self[printed] = form
        return form


def _one_width(char: str) -> str:
    if char in _LIGATURES:
        return _LIGATURES[char]
    wide = unicodedata.decomposition(char).startswith(("<wide>", "<narrow>"))
    return unicodedata.normalize("NFKC", char) if wide else char


def words(text: str, forms: Forms) -> list[Word]:
    """The words of a text, in order."""
    return [Word(forms[m.group()], m.start(), m.end()) for m in pattern().finditer(text)]


_KINDS = ((_HAN, Kind.HAN), (_HIRAGANA, Kind.HIRAGANA), (_KATAKANA, Kind.KATAKANA))
_KIND_PATTERNS = tuple((re.compile(f"[{ranges}]"), kind) for ranges, kind in _KINDS)


def kind(form: str) -> Kind:
    """What a form is made of, by its first character."""
    for characters, found in _KIND_PATTERNS:
        if characters.match(form):
            return found
    return Kind.WORD if form[:1].isalnum() else Kind.SYMBOL


def may_cut(before: str, after: str) -> bool:
    """Whether a span may end between two words: not inside a run of katakana, which is one word."""
    return not (kind(before) is Kind.KATAKANA and kind(after) is Kind.KATAKANA)


def weight(form: str) -> float:
    """How much a form counts towards a length in words: a character of an unspaced script is half a word."""
    return (0.0, 1.0, 0.5, 0.5, 0.5)[kind(form)]


def sentence_runs(text: str, found: list[Word], longest: int) -> Iterator[tuple[int, int]]:
    """Ranges of words that belong to one sentence, each at most ``longest`` words."""
    starts = [word.start for word in found]
    for begin, end in sentences(text):
        first, last = bisect_left(starts, begin), bisect_left(starts, end)
        for cut in range(first, last, longest):
            yield cut, min(cut + longest, last)
