"""Scripts: how exponents, indices and accents are written on one line.

The least that stays unmistakable: ``10^-3``, ``e^(-t/τ)``, ``T_eff``, ``H2O``, ``M⊙``, ``13CO``, ``30°``.
"""

import re
import unicodedata

from gnomon.corpus.cleaning.tex.place import BREAK, GLUE, SOFT, Place, Read, argument, bare, bracketed, settled
from gnomon.corpus.cleaning.tex.words import ACCENTS

_LONGEST = 60
_ORDINAL = frozenset(("th", "st", "nd", "rd"))
_STANDING = frozenset("⊙⊕☉★⋆∗*†‡+−-∥⊥∘°")
_FRAME = re.compile(r"(?:[${}]|\\(?:rm|mathrm|text|textrm|it)\b)*")
_TEXT_ACCENT = re.compile(r"\{\\?\w?\}|\s\w\b|\{[^\W\d_]\}")
_NO_BASE = frozenset(("", *" \t\n([/,-–{"))
_NUMBER = re.compile(r"\d{2,}(?:\.\d+)?")
_TEN = re.compile(r"(?<!\d)10$")
_DOTLESS = {"ı": "i", "ȷ": "j"}


def script(text: str, start: int, end: int, place: Place) -> Read:
    """An exponent or an index; outside mathematics only one in braces."""
    sign = text[start]
    if not place.math and not text.startswith("{", start + 1):
        return sign, start + 1
    number = _NUMBER.match(text, start + 1, end)
    if number and (bare(place.before) in _NO_BASE or _TEN.search(text, max(start - 3, 0), start)):
        # TeX raises one digit only, but nobody means the seven of 10^37 to stand on the line.
        return scripted(sign, number.group(), place.before, seen_next(text, number.end())), number.end()
    found = argument(text, start + 1, end, place._replace(math=True, before=sign))
    if found is None or (not place.math and found[1] - start > _LONGEST):
        return sign, start + 1
    inner = settled(found[0]).strip()
    return scripted(sign, inner, place.before, seen_next(text, found[1])), found[1]


def seen_next(text: str, start: int) -> str:
    """The next character that a reader would see, roughly."""
    window = text[start : start + 40]
    frame = _FRAME.match(window)
    return window[frame.end() :][:1] if frame else ""


def scripted(sign: str, inner: str, before: str, after: str) -> str:
    """An exponent (``^``) or an index (``_``) on the line.

    Args:
        sign: Which of the two.
        inner: Its plain text.
        before: The character before it.
        after: The character that will follow.
    """
    before = bare(before)
    if not inner:
        return ""
    if sign == "_":
        stands = inner in _STANDING or (inner.isdigit() and (before.isalpha() or before == ")"))
        return inner + BREAK if stands else sign + bracketed(inner) + SOFT
    if inner in {"∘", "°"}:
        return "°"
    if set(inner) <= {"′", "'", "″"}:
        return "″" if len(inner) == 2 else inner.replace("'", "′")
    if inner in _ORDINAL and before.isdigit():
        return inner + SOFT
    if inner.isdigit() and before in _NO_BASE and after.isalpha():
        return inner + GLUE
    return sign + bracketed(inner) + SOFT


def accent_follows(text: str, start: int) -> bool:
    """Whether a one-letter command is an accent: it stands before a single letter."""
    return _TEXT_ACCENT.match(text[start : start + 6]) is not None


def accent(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    """An accented letter; what cannot carry the accent stays without."""
    name = token.group(1) or token.group(2)
    found = argument(text, token.end(), end, place)
    if found is None or not (base := bare(found[0])):
        return token.group(), token.end()
    if not token.group(1) and not base[0].isalpha():
        return token.group(), token.end()
    if base[0].isdigit() or (len(base) > 1 and len(name) > 1):
        return found
    letter = _DOTLESS.get(base[0], base[0])
    return unicodedata.normalize("NFC", letter + ACCENTS[name]) + base[1:], found[1]
