"""Characters: broken encodings mended, and one way to write what reads the same.

Encoding repair is ftfy's. Compatibility forms are folded only where the fold changes no meaning:

* folded: ligatures, full-width letters and digits, half-width kana, Roman-numeral characters,
  letters of mathematical alphabets that differ in weight or slant only, squared unit signs
  without an exponent, micro and Kelvin and Ångström signs, odd spaces;
* kept: superscripts and subscripts (``10⁻³``, ``m²``, ``㎡``), fractions, circled numbers, script
  and double-struck letters, ``ℓ`` and ``ℏ``, Japanese punctuation, ideographs that NFC would
  replace (they stand in people's names), thin spaces inside numbers.

Characters that take no room (zero-width, directional, tags) are removed: they hide text from a
reader and split words for a search. Joiners stay, some scripts need them.
"""

import functools
import re
import unicodedata

_FOLDED_RANGES = ((0xFB00, 0xFB06), (0xFF10, 0xFF19), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A), (0x2160, 0x217F))
_FULL_WIDTH_SIGNS = "％＋＝＜＞／＆"
_UNIT_SIGNS = (0x3300, 0x33FF)
_MATH_LETTERS = (0x1D400, 0x1D7FF)
_DISTINCT = ("SCRIPT", "FRAKTUR", "DOUBLE-STRUCK")
_SINGLE = {"\u00b5": "\u03bc", "℃": "°C", "℉": "°F", "\u00a0": " ", "\u3000": " ", "\u1680": " ", "\u205f": " "}
_INVISIBLE = (
    0xAD, 0x61C, 0x115F, 0x1160, 0x180E, 0x200B, 0x200E, 0x200F, 0x2060, 0x3164, 0xFEFF, 0xFFA0,
    *range(0x202A, 0x202F), *range(0x2061, 0x2070), *range(0xE0000, 0xE0080), *range(0xFDD0, 0xFDF0),
)  # fmt: skip
_RARE = re.compile("[\u2000-\u200a\u202f\uff0c-\uff0e\uff61-\uff9f]")
_HALF_KANA = re.compile("[\uff61-\uff9f]+")
_THIN = re.compile("(?<![0-9])[\u2000-\u200a\u202f]|[\u2000-\u200a\u202f](?![0-9]{3}(?![0-9]))")
_WIDE_POINT = re.compile("(?<=[0-9])[．](?=[0-9])")
_WIDE_COMMA = re.compile("(?<=[0-9])[，](?=[0-9]{3}(?![0-9]))")
_WIDE_MINUS = re.compile("[－](?=[0-9A-Za-z])|(?<=[0-9A-Za-z])[－]")
_IDEOGRAPHS = re.compile("([\uf900-\ufaff\U0002f800-\U0002fa1f]+)")
_ENTITY = re.compile(r"&#?\w{2,8};")
_SUSPECT = re.compile("[^\x00-\x7f]{2}|[\u00c2\u00c3] |\ufffd")
"""A broken character is at least two in a row: each byte of UTF-8 but the plain ones became one."""
_PRINTED = dict.fromkeys(map(ord, "\n\t\u00a0\u3000"))
_LONE = re.compile("([\u00c2\u00c3]) ")
_SURROGATE = re.compile("[\ud800-\udfff]")


def mended(text: str) -> str:
    """A text with broken encodings, HTML entities, control characters and line ends repaired."""
    if _is_printed(text) and ("&" not in text or _ENTITY.search(text) is None):
        if text.isascii() or _SUSPECT.search(text) is None:
            return text
        from ftfy.badness import is_bad

        if not is_bad(text):  # ftfy asks the same first, but does twelve other things as well
            return text
    import ftfy

    pages = text.replace("\x0c", "\n\n").replace("\x0b", "\n")
    fixed = ftfy.fix_text(pages, _ftfy_config())
    if _LONE.search(pages):
        # An A with tilde or hat before a space is a letter (an excited state, an operator), and half
        # of a broken one only where other letters are broken too.
        masked = _LONE.sub("A ", pages)
        rest = ftfy.fix_text(masked, _ftfy_config())
        fixed = pages if rest == masked else fixed
    return _SURROGATE.sub("\ufffd", fixed)


def _is_printed(text: str) -> bool:
    return text.isprintable() or text.translate(_PRINTED).isprintable()


@functools.cache
def _ftfy_config() -> object:
    import ftfy

    # Quotes, widths and composition are decided here, not by ftfy's defaults.
    return ftfy.TextFixerConfig(
        uncurl_quotes=False,
        fix_character_width=False,
        fix_latin_ligatures=False,
        normalization=None,
        explain=False,
    )


def folded(text: str) -> str:
    """A text in NFC with its harmless compatibility forms folded, and nothing invisible in it."""
    if text.isascii():
        return text
    if not _replaced().isdisjoint(text):
        text = text.translate(_table())
    if _RARE.search(text):  # one look for what the next five would look for in vain
        text = _HALF_KANA.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
        text = _WIDE_MINUS.sub("-", _WIDE_COMMA.sub(",", _WIDE_POINT.sub(".", _THIN.sub(" ", text))))
    return _composed(text)


def _composed(text: str) -> str:
    if unicodedata.is_normalized("NFC", text):
        return text
    parts = _IDEOGRAPHS.split(text)
    return "".join(part if i % 2 else unicodedata.normalize("NFC", part) for i, part in enumerate(parts))


@functools.cache
def _table() -> dict[int, str | None]:
    """Every character that is replaced or removed on its own."""
    points = [p for first, last in _FOLDED_RANGES for p in range(first, last + 1)]
    points += [p for p in range(_UNIT_SIGNS[0], _UNIT_SIGNS[1] + 1) if not _has_digit(p)]
    points += [p for p in range(_MATH_LETTERS[0], _MATH_LETTERS[1] + 1) if _only_dressed(p)]
    table: dict[int, str | None] = {p: unicodedata.normalize("NFKC", chr(p)) for p in points}
    table |= {ord(c): unicodedata.normalize("NFKC", c) for c in _FULL_WIDTH_SIGNS}
    table |= {ord(c): text for c, text in _SINGLE.items()}
    return table | dict.fromkeys(_INVISIBLE)


@functools.cache
def _replaced() -> frozenset[str]:
    """The characters of the table: asking for them is ten times faster than translating."""
    return frozenset(map(chr, _table()))


def _has_digit(point: int) -> bool:
    return any(c.isdigit() for c in unicodedata.normalize("NFKC", chr(point)))


def _only_dressed(point: int) -> bool:
    name = unicodedata.name(chr(point), "SCRIPT")
    return not any(word in name for word in _DISTINCT)
