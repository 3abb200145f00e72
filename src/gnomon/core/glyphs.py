"""Glyphs: what a reader sees, without the traps of plain NFKC.

*Composed* text is NFKC except where NFKC changes a number: ``10⁹`` must not become ``109``, nor
``2½`` become ``21/2``. *Visible* text is composed text without characters that take no room on
the page (zero-width, directional, soft hyphen), with one kind of dash: two texts that look alike
to a reader are then alike, except for look-alike letters of other alphabets, which stay apart on
purpose.
"""

import re
import unicodedata

_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
_RAISED = re.compile(f"[{_SUPERSCRIPTS}]+")
_LOWERED = str.maketrans(_SUPERSCRIPTS, "0123456789+-")
_VULGAR = re.compile("([0-9]?)([¼½¾⅐-⅞])")
_THIN_GROUP = re.compile("(?<=\\d)[\u00a0\u2007\u2009\u202f](?=\\d{3}(?!\\d))")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
                        "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]")  # fmt: skip
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_SPACE = re.compile(r"\s+")


def composed(text: str) -> str:
    """NFKC that keeps exponents and fractions readable as what they are."""
    text = _RAISED.sub(lambda match: "^" + match.group().translate(_LOWERED), text)
    text = _VULGAR.sub(_decimal_fraction, text)
    return unicodedata.normalize("NFKC", _THIN_GROUP.sub(",", text))


def _decimal_fraction(match: re.Match[str]) -> str:
    whole, part = match.groups()
    return f"{int(whole or 0) + unicodedata.numeric(part):.6g}"


def visible(text: str) -> str:
    """The text as a reader sees it: composed, nothing invisible in it, one kind of dash."""
    return _DASHES.sub("-", composed(_INVISIBLE.sub("", text)))


def quotable(text: str) -> str:
    """The form in which quotes are compared: composed, every run of white space one space; case counts."""
    return _SPACE.sub(" ", composed(text)).strip()
