"""Quantities: the numbers of options and sentences, read so that rounded and reworded ones can be held together.

``core.figures`` keeps numbers apart that differ at all. An exam does not: "forty-seven thousand" stands for 46,748,
"one tenth" for 10 per cent, "three quarters" for 0.75, "fivefold" for "five times". What is no quantity: the day of a
date, and the number in a name (``boron-8``, ``NGC 4258``).
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from gnomon.core.figures import figures
from gnomon.core.glyphs import visible

TOLERANCE = 0.06
"""Natural logarithm of the ratio from which two numbers are no longer the same one rounded."""
_SECONDS = {"min": 60, "h": 3_600, "d": 86_400, "week": 604_800, "yr": 31_557_600, "century": 3_155_760_000}
"""Units of time, which figures keep apart: fifty hours are also about two days."""
_ONES = {word: n for n, word in enumerate("zero one two three four five six seven eight nine ten".split())}
_PARTS = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "sixteenth": 16, "hundredth": 100, "thousandth": 1_000, "millionth": 1_000_000,
    "billionth": 1_000_000_000,
}  # fmt: skip
_ALONE = ("half", "quarter")
"""Parts that need no number before them: a "third" alone is an order."""
_ONE = "one|two|three|four|five|six|seven|eight|nine|ten"
_FRACTION = re.compile(
    rf"\b(?:(?P<whole>{_ONE}) and )?(?:(?P<count>{_ONE}|an?)[ -])?(?P<part>{'|'.join(_PARTS)})s?\b"
    rf"|(?<![\d/])(?P<over>\d{{1,9}})/(?P<under>[1-9]\d{{0,8}})(?![\d/])"
    rf"|\b(?P<fold>{_ONE}|fifty|hundred)-?fold\b|\b(?P<twice>twice|doubled?|doubles)\b",
    re.IGNORECASE,
)
_FOLDS = {"fifty": 50, "hundred": 100}
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAY = re.compile(rf" ?(?:(?:{_MONTHS})\b|月|日)")
_MONTH_BEFORE = re.compile(rf"(?:\b(?:{_MONTHS}) |[^\W\d_]-|\b(?:NGC|IC|HD|HR|SN|PSR|Messier|M|3C) ?)$")
_A_HUNDRED = re.compile(r"\ba (?=(?:hundred|thousand|million|billion)\b)", re.IGNORECASE)
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_MORE = re.compile(rf"[ -](?P<scale>{'|'.join(_SCALES)})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text."""

    value: float
    """In base units, times in seconds; a share of one for per cent."""
    written: float
    """As it is written, before its unit."""
    unit: str
    """Base units, ``""`` without one and for per cent."""
    start: int
    """First character, in the visible text."""
    end: int
    """One past the last, its unit included."""


@lru_cache(maxsize=5_000)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text, in order."""
    shown = _A_HUNDRED.sub("1 ", visible(text))  # as long as "a ", so that places stay
    found = [_fraction(match) for match in _FRACTION.finditer(shown)]
    fractions = [one for one in found if one is not None]
    plain = [_plain(shown, f.start, f.end, float(f.value), f.quantity) for f in figures(shown)]
    apart = [p for p in plain if p and not any(f.start < p.end and p.start < f.end for f in fractions)]
    return tuple(sorted([*fractions, *apart], key=lambda one: one.start))


def _fraction(match: re.Match[str]) -> Quantity | None:
    said = {name: (word or "").casefold() for name, word in match.groupdict().items()}
    if said["part"]:
        if not said["count"] and said["part"] not in _ALONE:
            return None
        value = _ONES.get(said["count"], 1) / _PARTS[said["part"]] + _ONES.get(said["whole"], 0)
    elif said["over"]:
        value = int(said["over"]) / int(said["under"])
    else:
        value = float(_FOLDS.get(said["fold"]) or _ONES.get(said["fold"]) or 2)
    return Quantity(value, value, "", match.start(), match.end())


def _plain(shown: str, start: int, end: int, written: float, quantity: tuple[object, str]) -> Quantity | None:
    """A figure as a quantity; None for a day of the month and the number of a name."""
    if _DAY.match(shown, end) or _MONTH_BEFORE.search(shown[max(0, start - 12) : start]):
        return None
    value, unit = float(str(quantity[0])), quantity[1]
    while not unit and (more := _MORE.match(shown, end)):  # "a hundred thousand million"
        value, end = value * _SCALES[more["scale"].casefold()], more.end()
        written = value
    if not (math.isfinite(value) and math.isfinite(written)):
        return None
    if unit == "%":
        return Quantity(value / 100, written, "", start, end)
    value, unit = (value * _SECONDS[unit], "s") if unit in _SECONDS else (value, unit)
    return Quantity(value, written, unit, start, end)


def nearness(one: Quantity, other: Quantity) -> float:
    """How near two quantities are, 0 to 1: 1 for the same, less for a rounded one, or one in other units."""
    return max(_near(one.value, other.value), 0.8 * _near(one.written, other.written))


def _near(one: float, other: float) -> float:
    if one == other:
        return 1.0
    if one <= 0 or other <= 0:
        return 0.0
    return 0.9 * max(0.0, 1 - abs(math.log(one / other)) / TOLERANCE)
