"""Figures: the numbers of a text with their units, read one way however they are written.

``1,000``, ``1000``, ``1.0e3``, ``10^3``, ``10³``, ``one thousand``, ``千`` and ``１０００`` are one
number; ``5 km`` and ``5000 m`` one quantity. A number keeps its sign. What stays apart: rounding
(``about 625`` is not ``624.7``), and words that only hint at a number ("dozens", "数百", "half").
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Context, Decimal

from gnomon.core.glyphs import visible
from gnomon.core.units import read_unit

_EXACT = Context(prec=1_000)
"""Digits beyond the usual 28 count too: a number changed in its last digit is another number."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a text, perhaps with a unit."""

    value: Decimal
    """The number as written, powers of ten and number words worked out."""
    unit: str
    """Base units, ``""`` without a unit; a bare year has none."""
    power: int
    """Power of ten between the written unit and its base units."""
    start: int
    """First character, in the visible text."""
    end: int
    """One past the last, its unit included."""

    @property
    def quantity(self) -> tuple[Decimal, str]:
        """Value in base units, and the unit: equal for equal quantities."""
        return _EXACT.normalize(_EXACT.scaleb(self.value, self.power)), self.unit

    @property
    def number(self) -> Decimal:
        """The value in one form, whatever its unit."""
        return _EXACT.normalize(self.value)


_LETTERS = "A-Za-zÀ-ɏͰ-ϿЀ-ӿ"
_IDENTIFIER = re.compile(rf"(?<!\w)[{_LETTERS}]+\d\w*(?:[+-]\d[\w.]*\w)+")
_PLAIN = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,3}(?: 000)+(?!\d)|\d+)(?:\.\d+)?|(?<![\d.])\.\d+"
_RAISED = r"(?:\^|\*\*) ?\{?(?P<NAME>[+-]?\d{1,3})\}?"
_ALONE = _RAISED.replace("NAME", "alone")
_TENS = r" ?(?:[x×*·⋅]|times) ?10 ?" + _RAISED.replace("NAME", "tens")
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "兆": 12, "億": 8, "万": 4, "千": 3,
           "百": 2}  # fmt: skip
_NUMBER = re.compile(
    rf"(?<![\w.])10 ?{_ALONE}"
    rf"|(?<![{_LETTERS}\d])(?<!\d\.)(?P<plain>{_PLAIN})"
    rf"(?:{_TENS}|[eE](?P<e>[+-]?\d{{1,3}})(?![\w.])|[ -]?(?P<scale>hundred|thousand|million|billion|trillion)\b)?"
)
_SMALL = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
          " seventeen eighteen nineteen").split()  # fmt: skip
_TIES = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORD_VALUES = {w: n for n, w in enumerate(_SMALL)} | {w: 10 * n for n, w in enumerate(_TIES, 2)} | {"dozen": 12}
_ANY_WORD = "|".join(sorted([*_WORD_VALUES, "hundred", "thousand", "million", "billion", "trillion"], key=len)[::-1])
_WORDS = re.compile(rf"(?<![\w-])(?:{_ANY_WORD})(?:(?:[ -]|,? and )(?:{_ANY_WORD}))*(?!\w)", re.IGNORECASE)
_PRONOUN = re.compile(r" ?(?:of|another|can|could|may|might|must|should|would|is|was|has|had"
                      r"|such|or|that|who|by|where)\b|[^\w ]|$")  # fmt: skip
_BEFORE_PRONOUN = re.compile(r"\b(?:the|this|that|which|each|every|any|no|another|only|first|last|new|former|latter) $")
_KANJI = "〇一二三四五六七八九"
_MYRIADS = re.compile(rf"(?<![数何幾第\d])(?<!\d,)"
                      rf"(?:(?:\d[\d,]{{0,40}}(?:\.\d{{1,40}})?|[{_KANJI}十百千]+)[千百]?[兆億万千百])+"
                      rf"(?:\d+|[{_KANJI}十百千]+)?"
                      rf"|(?<![数何幾第])[{_KANJI}十百千]{{2,}}(?![{_KANJI}十百千万億兆])"
                      rf"|[二三四五六七八九](?=[つ個本台枚倍種群])|一(?=[つ個])|十(?=[個年倍億万])")  # fmt: skip
_SIGN = re.compile(r"(?:^|[\s(=~<>±≈:,、。はがで])-$")
_NAME_GOES_ON = re.compile(rf"(?!(?:st|nd|rd|th|x)\b)[{_LETTERS}]")
_AND = re.compile(r" ?(?:±|\+/-|-|~|〜|to|and|or|から|と) ?")


def figures(text: str) -> tuple[Figure, ...]:
    """The figures of a text, in order."""
    return _read(visible(text))


def blank_figures(text: str) -> str:
    """The visible text with every figure replaced by spaces of its length, so that names can be read."""
    shown = visible(text)
    for figure in _read(shown):
        shown = shown[: figure.start] + " " * (figure.end - figure.start) + shown[figure.end :]
    return shown


def _read(shown: str) -> tuple[Figure, ...]:
    taken = [False] * len(shown)
    for name in _IDENTIFIER.finditer(shown):
        taken[name.start() : name.end()] = [True] * len(name.group())
    found: list[Figure] = []
    readers: tuple[Callable[[str], Iterator[Figure]], ...] = (_japanese, _digits, _words)
    for reader in readers:
        for bare in reader(shown):
            figure = None if any(taken[bare.start : bare.end]) else _with_unit(shown, bare)
            if figure is not None:
                taken[figure.start : figure.end] = [True] * (figure.end - figure.start)
                found.append(figure)
    return _shared_units(shown, sorted(found, key=lambda f: (f.start, f.end)))


def _digits(shown: str) -> Iterator[Figure]:
    for match in _NUMBER.finditer(shown):
        if match["alone"]:
            value = Decimal(10) ** int(match["alone"])
        else:
            raised = int(match["tens"] or match["e"] or 0) + _SCALES.get(match["scale"] or "", 0)
            value = _EXACT.scaleb(_decimal(match["plain"]), raised)
        negative = shown[match.start() - 1 : match.start()] == "-" and _SIGN.search(shown[: match.start()][-2:])
        yield Figure(_EXACT.minus(value) if negative else value, "", 0, match.start(), match.end())


def _decimal(written: str) -> Decimal:
    return Decimal(written.replace(",", "").replace(" ", ""))


def _words(shown: str) -> Iterator[Figure]:
    for match in _WORDS.finditer(shown):
        words = re.findall("[a-z]+", match.group().lower())
        if words == ["one"] and (_PRONOUN.match(shown, match.end()) or _BEFORE_PRONOUN.search(shown[: match.start()])):
            continue
        total, part = 0, 0
        for word in (w for w in words if w != "and"):
            if word == "hundred":
                part = (part or 1) * 100
            elif word in _SCALES:
                total, part = total + (part or 1) * 10 ** _SCALES[word], 0
            else:
                part = part * 12 if word == "dozen" and part else part + _WORD_VALUES[word]
        yield Figure(Decimal(total + part), "", 0, match.start(), match.end())


def _japanese(shown: str) -> Iterator[Figure]:
    for match in _MYRIADS.finditer(shown):
        yield Figure(_myriads(match.group()), "", 0, match.start(), match.end())


def _myriads(written: str) -> Decimal:
    """The value of a number such as ``1億5000万``, ``2千5百`` or ``二千九百``."""
    total = section = Decimal(0)
    number: Decimal | None = None
    for piece in re.findall(r"\d[\d,]*(?:\.\d+)?|.", written):
        if piece in "兆億万":
            section += number if number is not None else Decimal(0)
            total += (section or Decimal(1)).scaleb(_SCALES[piece])
            section, number = Decimal(0), None
        elif piece in "千百十":
            section += (number if number is not None else Decimal(1)) * {"千": 1000, "百": 100, "十": 10}[piece]
            number = None
        elif piece in _KANJI:
            number = (number or Decimal(0)) * 10 + _KANJI.index(piece)
        else:
            number = _decimal(piece)
    return total + section + (number or Decimal(0))


def _with_unit(shown: str, figure: Figure) -> Figure | None:
    """The figure with its unit; None when it is the beginning of a name (``3C 273``)."""
    written = shown[figure.start : figure.end]
    plain_year = len(written) == 4 and written.isdigit() and 1000 <= int(written) <= 2100
    after = shown[figure.end : figure.end + 2]
    if plain_year and (after[:1] == "年" and after != "年間"):
        return replace(figure, end=figure.end + 1)
    if plain_year and written.endswith("0") and re.match(r"'?s\b", after):
        return replace(figure, end=figure.end + after.index("s") + 1)
    unit = read_unit(shown, figure.end)
    if unit is None:
        return None if _NAME_GOES_ON.match(shown, figure.end) else figure
    return replace(figure, unit=unit.name, power=unit.power, end=unit.end)


def _shared_units(shown: str, found: list[Figure]) -> tuple[Figure, ...]:
    """Let ``1.5 ± 0.1 km``, ``3-5 km`` and ``3 to 5 km`` carry their unit twice."""
    for i in range(len(found) - 2, -1, -1):
        this, following = found[i], found[i + 1]
        if not this.unit and following.unit and _AND.fullmatch(shown, this.end, following.start):
            found[i] = replace(this, unit=following.unit, power=following.power)
    return tuple(found)
