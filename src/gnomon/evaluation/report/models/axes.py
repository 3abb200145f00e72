"""Axes and figures: places from 0 to 1, round ticks, and numbers as a person reads them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gnomon.evaluation.report.words import number

STEPS = (1, 2, 2.5, 5, 10)
MINUS, SUPERSCRIPTS = "\u2212", str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
DASH = "–"


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A range of values on a straight or logarithmic scale."""

    low: float
    """The value at 0."""
    high: float
    """The value at 1."""
    log: bool = False
    """Whether equal ratios are equally far apart."""

    def place(self, value: float) -> float:
        """Where a value stands, 0 to 1; values outside stand at the border."""
        low, high, at = (math.log(x) if self.log else x for x in (self.low, self.high, self._inside(value)))
        return (at - low) / (high - low) if high > low else 0.5

    def _inside(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    def ticks(self, wanted: int = 5) -> list[float]:
        """About so many round values."""
        if self.log:
            return self._decades()
        step = next_step((self.high - self.low) / max(1, wanted))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(at * step, 12) for at in range(first, last + 1)]

    def _decades(self) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        parts = (1, 2, 5) if last - first <= 2 else (1,)
        every = max(1, (last - first) // 5)
        found = [part * 10.0**power for power in range(first, last + 1, every) for part in parts]
        return [value for value in found if self.low <= value <= self.high]


def next_step(least: float) -> float:
    """The smallest round number that is not below a positive one."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in STEPS if step * power >= least * (1 - 1e-9))


def spanning(values: Iterable[float], *, zero: bool = False, pad: float = 0.06) -> Axis:
    """A straight axis around some values, with a little room; with zero on it when asked."""
    found = [value for value in values if math.isfinite(value)] + ([0.0] if zero else [])
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    room = (high - low) * pad or abs(high) * pad or 1.0
    return Axis(low=low - room, high=high + room)


def of_intervals(rows: Iterable[Mapping[str, Any]], *, zero: bool = False) -> Axis:
    """An axis for measures with intervals; an interval that dwarfs all values does not set the scale."""
    known = [row for row in rows if row["value"] is not None]
    values = [row["value"] for row in known] + ([0.0] if zero else [])
    if not values:
        return Axis(low=-1.0, high=1.0)
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    ends = [
        min(max(row[end], low - span), high + span) for row in known for end in ("low", "high") if row[end] is not None
    ]
    return spanning([*values, *ends])


# Words ---------------------------------------------------------------------------------------


def plain(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, thousands apart, without an exponent."""
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else DASH
    size = math.floor(math.log10(abs(value)))
    decimals = max(0, digits - 1 - size)
    words = number(round(value)) if decimals == 0 and abs(value) >= 1_000 else f"{value:.{decimals}f}"
    return words.replace("-", MINUS)


def tick_words(values: list[float]) -> list[str]:
    """Ticks with equally many decimals."""
    step = min((b - a for a, b in pairwise(values)), default=abs(values[0]) if values else 1.0)
    decimals = next((d for d in range(9) if abs(round(step, d) - step) < 1e-9 * max(1.0, abs(step)) + step * 1e-6), 9)
    if all(value >= 10_000 for value in values if value) and not decimals:
        return [short(value) for value in values]
    return [f"{value:.{decimals}f}".replace("-", MINUS) if decimals or abs(value) < 1_000 else number(int(value))
            for value in (value + 0.0 for value in values)]  # fmt: skip


def short(value: float) -> str:
    """A count in thousands, millions or thousands of millions."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            words = plain(value / size)
            return f"{words.rstrip('0').rstrip('.') if '.' in words else words}\u00a0{unit}"
    return plain(value) if value % 1 else str(int(value))


def scientific(value: float) -> str:
    """A small number such as a learning rate."""
    if value == 0 or abs(value) >= 0.01:
        return f"{value:g}"
    head, _, power = f"{value:.3g}".partition("e") if "e" in f"{value:.3g}" else f"{value:.2e}".partition("e")
    head = head.rstrip("0").rstrip(".") if "." in head else head
    times = f"{head}\u00a0×\u00a0" if head != "1" else ""
    return f"{times}10{str(int(power)).translate(SUPERSCRIPTS)}"


def signed(value: float) -> str:
    """A change in per cent, with its sign."""
    size = abs(value)
    decimals = 0 if size >= 100 else 1 if size >= 1 else 2
    words = f"{size:.{decimals}f}"
    sign = "" if float(words) == 0 else "+" if value > 0 else MINUS
    return f"{sign}{words}\u202f%"


def percents(ticks: list[float]) -> list[str]:
    """Ticks of changes in per cent, with their signs."""
    words = tick_words(ticks)
    return [f"{'+' if tick > 0 else ''}{text}\u202f%" for tick, text in zip(ticks, words, strict=True)]


def interval(row: Mapping[str, Any], words: Any = plain) -> str:
    """The ends of an interval in brackets; empty when it has none."""
    if row["low"] is None or row["high"] is None:
        return ""
    return f"[{words(row['low'])}, {words(row['high'])}]"


def inverted(row: Mapping[str, Any]) -> dict[str, Any]:
    """A change in per cent of b against a, as one of a against b, with its interval."""

    def turned(value: float | None) -> float | None:
        return None if value is None or value <= -100 else 100 * (1 / (1 + value / 100) - 1)

    return {"value": turned(row["value"]), "low": turned(row["high"]), "high": turned(row["low"]), "n": row["n"]}
