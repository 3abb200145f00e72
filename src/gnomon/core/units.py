"""Units: reading a unit behind a number, in English and Japanese, as powers of base units.

A unit becomes a power of ten and base symbols with exponents, so that ``625 km/s per Mpc``,
``625 km s^-1 Mpc^-1`` and ``625 kilometres per second per megaparsec`` are one quantity, and
``625 m/s`` is another. Nothing is converted between bases (years stay apart from seconds): a
check must not be cleverer than a careful reader.
"""

import functools
import re
from dataclasses import dataclass

_PREFIXES = {"T": 12, "G": 9, "M": 6, "k": 3, "m": -3, "µ": -6, "μ": -6, "u": -6, "n": -9, "p": -12, "f": -15}
_SYMBOLS = "m g s eV Hz pc yr Jy K W J G T Pa N V erg bar".split()
_PREFIXED = {"m": "TGkmµμunpf", "g": "kmµμu", "s": "mµμunp", "eV": "TGMkm", "Hz": "TGMkm", "pc": "GMk", "yr": "GMk",
             "Jy": "kmµμun", "K": "mµμu", "W": "TGMkmµμu", "J": "TGMkmµμu", "G": "kmµμun", "T": "mµμun", "Pa": "GMk",
             "N": "k", "V": "MkG", "bar": "m"}  # fmt: skip
_WORD_PREFIXES = {"tera": 12, "giga": 9, "mega": 6, "kilo": 3, "centi": -2, "milli": -3, "micro": -6, "nano": -9,
                  "pico": -12}  # fmt: skip
_WORDS = {
    "m": "met(?:re|er)s?", "g": "gram(?:me)?s?", "s": "seconds?|sec", "Hz": "hertz", "pc": "parsecs?",
    "eV": "electron[ -]?volts?", "K": "kelvins?", "W": "watts?", "J": "joules?", "Jy": "janskys?", "G": "gauss",
    "T": "teslas?", "erg": "ergs?",
}  # fmt: skip
_PLAIN = {
    "%": "%|per ?cent|パーセント", "ly": "light[ -]?years?|光年", "au": "astronomical units?|天文単位",
    "Msun": "solar[ -]mass(?:es)?|太陽質量", "Rsun": "solar radi(?:us|i)|太陽半径",
    "Lsun": "solar luminosit(?:y|ies)|太陽光度", "Mearth": "earth[ -]mass(?:es)?|地球質量",
    "Mjup": "jupiter[ -]mass(?:es)?|木星質量", "deg": "degrees?|deg|°(?! ?[CFK])|度",
    "celsius": "° ?C|degrees? celsius",
    "arcmin": "arc[ -]?min(?:ute)?s?|分角", "arcsec": "arc[ -]?sec(?:ond)?s?|秒角", "mag": "magnitudes?|mags?|等級?",
    "d": "days?|日間?", "h": "hours?|hrs?|時間", "min": "minutes?|mins?|分間?(?!の|角)", "week": "weeks?|週間?",
    "month": "months?|[かヶカケ箇]月間?", "century": "centur(?:y|ies)|世紀", "yr": "years?|yrs?|年間?",
    "in": "inch(?:es)?|インチ", "ft": "foot|feet", "mi": "miles?|マイル", "dex": "dex", "sigma": "sigma|σ|シグマ",
    "times": "倍",
}  # fmt: skip
_EXACT = {"cm": (-2, "m"), "mas": (-3, "arcsec"), "µas": (-6, "arcsec"), "uas": (-6, "arcsec"), "AU": (0, "au"),
          "au": (0, "au"), "ly": (0, "ly"), "Å": (-10, "m"), "M_sun": (0, "Msun"), "Msun": (0, "Msun"),
          "M⊙": (0, "Msun"), "R_sun": (0, "Rsun"), "Rsun": (0, "Rsun"), "L_sun": (0, "Lsun"), "Lsun": (0, "Lsun"),
          "sr": (0, "sr"), "hr": (0, "h"), "h": (0, "h")}  # fmt: skip
_KATAKANA_PREFIXES = {"テラ": 12, "ギガ": 9, "メガ": 6, "キロ": 3, "センチ": -2, "ミリ": -3, "マイクロ": -6, "ナノ": -9}
_KATAKANA = {"m": "メートル", "g": "グラム", "s": "秒", "pc": "パーセク", "Hz": "ヘルツ", "eV": "電子ボルト",
             "G": "ガウス", "K": "ケルビン", "W": "ワット", "J": "ジュール", "T": "テスラ"}  # fmt: skip
_LETTERS = "A-Za-zÀ-ɏµμÅσ"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that was read."""

    power: int
    """Power of ten to the base units."""
    bases: tuple[tuple[str, int], ...]
    """Base symbols with their exponents, sorted."""
    end: int
    """Where the unit ends in the text."""

    @property
    def name(self) -> str:
        """The base units, written one way only."""
        return " ".join(base if exponent == 1 else f"{base}^{exponent}" for base, exponent in self.bases)


@functools.cache
def _symbols() -> dict[str, tuple[int, str]]:
    """Every symbol that is compared with its case: power of ten and base."""
    table = {symbol: (0, symbol) for symbol in _SYMBOLS} | _EXACT
    for symbol, letters in _PREFIXED.items():
        table |= {letter + symbol: (_PREFIXES[letter], symbol) for letter in letters}
    return table


@functools.cache
def _atoms() -> re.Pattern[str]:
    """One unit atom: words in any case, then Japanese, then symbols with their case."""
    prefix = "|".join(_WORD_PREFIXES)
    words = "|".join(f"(?:{prefix})?(?:{word})" for word in _WORDS.values())
    kana = "|".join(f"(?:{'|'.join(_KATAKANA_PREFIXES)})?{word}(?!角)" for word in _KATAKANA.values())
    plain = "|".join(_PLAIN.values())
    symbols = "|".join(sorted(map(re.escape, _symbols()), key=lambda s: (-len(s), s)))
    ascii_end = rf"(?:(?<=[^{_LETTERS}])|(?![{_LETTERS}]))"  # "5 minutely" holds no minutes, "5年A" holds years
    return re.compile(
        rf"(?P<word>(?i:microns?|ミクロン|(?:{plain})|(?:{words}))){ascii_end}|(?P<kana>{kana})|(?P<symbol>{symbols})(?![{_LETTERS}])"
    )


@functools.cache
def _word(text: str) -> tuple[int, str]:
    """Power of ten and base of a unit that is written as a word."""
    for base, pattern in _PLAIN.items():
        if re.fullmatch(pattern, text, re.IGNORECASE):
            return 0, base
    if text.lower() in {"micron", "microns", "ミクロン"}:
        return -6, "m"
    for base, pattern in _WORDS.items():
        match = re.fullmatch(f"({'|'.join(_WORD_PREFIXES)})?(?:{pattern})", text, re.IGNORECASE)
        if match:
            return _WORD_PREFIXES.get((match.group(1) or "").lower(), 0), base
    for base, pattern in _KATAKANA.items():
        match = re.fullmatch(f"({'|'.join(_KATAKANA_PREFIXES)})?{pattern}", text)
        if match:
            return _KATAKANA_PREFIXES.get(match.group(1) or "", 0), base
    return 0, text.lower()


_EXPONENT = re.compile(r"(?:\^|\*\*)?\{?([+-]?\d)\}?(?!\d|[.,]\d)")
_JOIN = re.compile(r" ?/ ?| per |[ -]per[ -]|毎| ?[·⋅*] ?| ")


def read_unit(text: str, start: int) -> Unit | None:
    """The unit at a place of a visible text, None when there is none.

    Args:
        text: Text as ``glyphs.visible`` gives it.
        start: Where the number ended; one space or hyphen may stand before the unit.
    """
    position = start + 1 if text[start : start + 1] in {" ", "-"} else start
    match = _atoms().match(text, position)
    if match is None:
        return None
    power, counts, end = 0, dict[str, int](), start
    sign, bare_space = 1, False
    while match is not None:
        own, base = _symbols()[match["symbol"]] if match["symbol"] else _word(match.group())
        raised = _EXPONENT.match(text, match.end()) if match["symbol"] else None
        if bare_space and raised is None:
            break
        exponent = sign * (int(raised.group(1)) if raised else 1)
        power, counts[base] = power + own * exponent, counts.get(base, 0) + exponent
        end = raised.end() if raised else match.end()
        join = _JOIN.match(text, end)
        if join is None:
            break
        sign = -1 if join.group().strip(" -") in {"/", "per", "毎"} else 1
        bare_space = join.group() == " "
        match = _atoms().match(text, join.end())
    bases = tuple(sorted((base, exponent) for base, exponent in counts.items() if exponent))
    return Unit(power, bases, end) if bases else None
