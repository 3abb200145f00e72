"""Placing: scales, ticks and labels, so that nothing on a chart lies on anything else.

Labels are placed one after the other, those with least room first, at the nearest free of many places around their
mark; a label that had to go far is tied to its mark by a thin line.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
ANGLES = (0, 180, 315, 45, 225, 135, 270, 90, 337, 22, 202, 157, 292, 247, 67, 112)
"""Directions in which a label is tried, in degrees from the right, clockwise."""
RINGS = (11.0, 17.0, 26.0, 38.0, 54.0, 72.0, 96.0)
"""Distances from the mark."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """From values to pixels."""

    low: float
    """The value (or its logarithm) at the beginning."""
    high: float
    """At the end."""
    start: float
    """The pixel at the beginning."""
    end: float
    """At the end."""

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def log_range(values: Sequence[float]) -> tuple[float, float]:
    """Logarithms (base 10) of the ends of an axis that shows all values with room around them, at least two decades."""
    low, high = (math.log10(min(values)), math.log10(max(values))) if values else (-3.0, 0.0)
    middle, half = (low + high) / 2, max((high - low) / 2 * 1.12, 1.0)
    return middle - half, middle + half


def share_range(values: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis of shares: multiples of 5 % around all values."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = max(0.02, (high - low) * 0.08)
    return max(0.0, math.floor((low - room) * 20) / 20), min(1.0, math.ceil((high + room) * 20) / 20)


def share_ticks(low: float, high: float) -> list[float]:
    """Round shares between two ends, at most nine."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / s <= 8.01)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 6) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def usd(value: float) -> str:
    """A price as it is written on an axis."""
    if value >= 0.01:
        return f"${value:,.2f}".rstrip("0").rstrip(".") if value < 100 else f"${value:,.0f}"
    power = math.floor(math.log10(value) + 1e-9)
    if power >= -4:
        return f"${value:.{-power + 1}f}".rstrip("0")
    digits = f"{value / 10**power:.1f}".removesuffix(".0")
    return f"$1e{power}" if digits == "1" else f"${digits}e{power}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A label that wants a place."""

    x: float
    """Of its mark."""
    y: float
    """Of its mark."""
    width: float
    """Of its text."""
    height: float
    """Of its text."""


def place_labels(wanted: Sequence[Wanted], taken: Sequence[Box], field: Box) -> list[Box | None]:
    """A box for each label, inside the field and on nothing that is taken; None where there is no room.

    Args:
        wanted: The labels.
        taken: Boxes of marks and other things.
        field: Where labels may be.
    """
    blocked = list(taken)
    found: list[Box | None] = [None] * len(wanted)
    crowd = [sum(abs(a.x - b.x) < 90 and abs(a.y - b.y) < 30 for b in wanted) for a in wanted]
    for i in sorted(range(len(wanted)), key=lambda i: (-crowd[i], wanted[i].y, wanted[i].x)):
        box = next((box for box in _places(wanted[i]) if _free(box, blocked, field)), None)
        found[i] = box
        if box:
            blocked.append(box)
    return found


def _places(label: Wanted) -> Iterator[Box]:
    for ring in RINGS:
        for angle in ANGLES:
            dx, dy = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            # The nearest point of the box, not its middle, is a ring away from the mark.
            x = label.x + dx * ring + (dx - 1) / 2 * label.width
            y = label.y + dy * ring + (dy - 1) / 2 * label.height
            yield x, y, x + label.width, y + label.height


def _free(box: Box, blocked: Sequence[Box], field: Box) -> bool:
    inside = box[0] >= field[0] and box[1] >= field[1] and box[2] <= field[2] and box[3] <= field[3]
    return inside and not any(overlap(box, other) for other in blocked)


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes share any room."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places moved apart to keep a gap, in order, between two ends, as near to where they were as that allows."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [places[i] for i in order]
    for _ in range(200):
        steady = True
        for i in range(len(moved) - 1):
            short = gap - (moved[i + 1] - moved[i])
            if short > 1e-6:
                moved[i] -= short / 2
                moved[i + 1] += short / 2
                steady = False
        moved = [min(max(place, low), high) for place in moved]
        if steady:
            break
    found = [0.0] * len(places)
    for place, i in zip(moved, order, strict=True):
        found[i] = place
    return found
