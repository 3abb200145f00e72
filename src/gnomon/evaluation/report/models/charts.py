"""Drawings: lines, points with intervals, distributions.

As in ``plots``: what scales is an SVG stretched to the width there is, with strokes that keep their
width; letters and marks are HTML above it, so that they keep their size on a telephone and in print. Each
model has one colour and one shape of mark on the whole page (``models.css``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, el, join
from gnomon.evaluation.report.models.axes import Axis, tick_words

SIZE = 1000.0
APART = 0.085
"""Least distance of two labels beside a plot, as a share of its height."""
NAME_HEIGHT, NAME_WIDTH = 0.08, 0.45
"""How near two named marks may come, as shares of the area, before their names would run into each other."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a plot."""

    style: str
    """Class of its colour."""
    label: Content
    """What stands at its end; empty for nothing."""
    points: Sequence[tuple[float, float]]
    """(x, y) in order."""
    band: Sequence[tuple[float, float]] = ()
    """Lower and upper border at the same x; empty for none."""
    told: str = ""
    """What a pointer over it reads."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Axes of a plot with their words."""

    x: Axis
    """Across."""
    y: Axis
    """Upwards."""
    x_title: Content
    """What x is, with its unit."""
    y_title: Content
    """What y is, with its unit."""
    label: str
    """What the plot shows, for readers who cannot see it."""
    x_words: Any = tick_words
    """Words of the ticks."""
    y_words: Any = tick_words
    """Words of the ticks."""
    tall: str = ""
    """Class of its height."""


def plot(frame: Frame, drawn: Content, above: Content = "", beside: Content = "") -> Markup:
    """A plot.

    Args:
        frame: Its axes.
        drawn: SVG in a square of ``SIZE``, y downwards.
        above: HTML over it, placed in per cent.
        beside: HTML in the margin to its right.
    """
    across, up = frame.x.ticks(), frame.y.ticks(4)
    grid = "".join(f"M0 {_down(frame.y, tick)}H{SIZE:g}" for tick in up)
    svg = el("svg", el("path", d=grid, class_="grid-lines"), drawn, viewBox=f"0 0 {SIZE:g} {SIZE:g}",
             preserveAspectRatio="none", role="img", aria_label=frame.label)  # fmt: skip
    left = join(el("span", words, style=f"top:{100 - 100 * frame.y.place(tick):.2f}%")
                for tick, words in zip(up, frame.y_words(up), strict=True))  # fmt: skip
    below = join(el("span", words, style=f"left:{100 * frame.x.place(tick):.2f}%")
                 for tick, words in zip(across, frame.x_words(across), strict=True))  # fmt: skip
    return el(
        "div", el("p", frame.y_title, class_="y-title"),
        el("div", left, class_="y-ticks"), el("div", svg, above, class_="area"),
        el("div", beside, class_="beside") if beside else "",
        el("div", below, class_="ticks"), el("p", frame.x_title, class_="x-title"),
        class_=" ".join(filter(None, ("plot", frame.tall, "labelled" if beside else ""))),
    )  # fmt: skip


def _down(axis: Axis, value: float) -> str:
    return f"{SIZE * (1 - axis.place(value)):.1f}"


def _at(frame: Frame, x: float, y: float) -> str:
    return f"{SIZE * frame.x.place(x):.1f} {_down(frame.y, y)}"


def lines(frame: Frame, drawn: Sequence[Line], above: Content = "") -> Markup:
    """A plot of lines, each named at its end, and what stands above them."""
    bands = join(_band(frame, line) for line in drawn if line.band)
    strokes = join(
        el("path", el("title", line.told) if line.told else "", class_=f"line {line.style}",
           d="M" + "L".join(_at(frame, x, y) for x, y in line.points))
        for line in drawn if line.points
    )  # fmt: skip
    named = [(1 - frame.y.place(line.points[-1][1]), line) for line in drawn if line.label and line.points]
    return plot(frame, join([bands, strokes]), above, _beside(named))


def _band(frame: Frame, line: Line) -> Markup:
    xs = [x for x, _ in line.points]
    low = [_at(frame, x, y) for x, (y, _) in zip(xs, line.band, strict=True)]
    high = [_at(frame, x, y) for x, (_, y) in zip(xs, line.band, strict=True)]
    return el("path", d="M" + "L".join([*low, *reversed(high)]) + "Z", class_=f"band {line.style}")


def _beside(named: Sequence[tuple[float, Line]]) -> Markup:
    """Labels at the height of their lines, moved apart where they would touch."""
    ordered = sorted(named, key=lambda pair: pair[0])
    places = apart([place for place, _ in ordered], APART)
    return join(el("span", line.label, class_=line.style, style=f"top:{100 * place:.2f}%")
                for place, (_, line) in zip(places, ordered, strict=True))  # fmt: skip


def apart(places: Sequence[float], least: float) -> list[float]:
    """Sorted places from 0 to 1, moved as little as keeps them so far apart, within the range where they fit."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + least) if found else place)
    over = max(0.0, found[-1] - 1.0) if found else 0.0
    limit = 1.0
    for at in range(len(found) - 1, -1, -1) if over else ():
        found[at] = min(found[at], limit)
        limit = found[at] - least
    return found


# Points with intervals -----------------------------------------------------------------------


def mark(style: str, left: float, top: float | None = None, told: str = "") -> Markup:
    """The mark of a model, at a place from 0 to 1."""
    down = f";top:{100 * top:.2f}%" if top is not None else ""
    return el("i", class_=f"mark-of {style}", style=f"left:{100 * left:.2f}%{down}", title=told or None)


def track(axis: Axis, rows: Sequence[tuple[str, Mapping[str, Any], str]], line: float = 0.0) -> Markup:
    """Measures on one axis, below each other, each with its interval.

    Args:
        axis: The axis.
        rows: (class of the model, measure with ``value``, ``low``, ``high``, words for a pointer).
        line: A value that is marked when it lies within the axis.
    """
    zero = el("i", class_="zero", style=f"left:{100 * axis.place(line):.2f}%") if axis.low < line < axis.high else ""
    drawn = join(el("div", _bar(axis, style, row), mark(style, axis.place(row["value"]), told=told), class_="one")
                 if row["value"] is not None else el("div", class_="one")
                 for style, row, told in rows)  # fmt: skip
    return el("div", zero, drawn, class_="track-of")


def _bar(axis: Axis, style: str, row: Mapping[str, Any]) -> Markup:
    if row["low"] is None or row["high"] is None:
        return Markup("")
    left, right = axis.place(row["low"]), axis.place(row["high"])
    return el("i", class_=f"interval {style}", style=f"left:{100 * left:.2f}%;width:{100 * (right - left):.2f}%")


def track_head(axis: Axis, words: Any = tick_words) -> Markup:
    """The ticks of a column of tracks."""
    ticks = axis.ticks(3)
    return el("div", join(el("span", text, style=f"left:{100 * axis.place(tick):.2f}%")
                          for tick, text in zip(ticks, words(ticks), strict=True)), class_="track-ticks")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point with intervals in both directions."""

    style: str
    """Class of the model."""
    label: Content
    """Its name."""
    x: Mapping[str, Any]
    """Measure across."""
    y: Mapping[str, Any]
    """Measure upwards."""
    told: str = ""
    """What a pointer over it reads."""


def cloud(frame: Frame, points: Sequence[Point], corners: Content = "") -> Markup:
    """A plot of points with intervals; lines through zero."""
    x, y = frame.x, frame.y
    zero = f"M{_at(frame, 0, y.low)}L{_at(frame, 0, y.high)}M{_at(frame, x.low, 0)}L{_at(frame, x.high, 0)}"
    crosses = join(_cross(frame, point) for point in points)
    marks = join(_named_mark(frame, point, points) for point in points)
    return plot(frame, join([el("path", d=zero, class_="axes"), crosses]), above=join([corners, marks]))


def _named_mark(frame: Frame, point: Point, points: Sequence[Point]) -> Markup:
    """A mark with its name above it, or below where a mark just above has its own name there."""
    left, top = _corner(frame, point)
    side = " to-left" if left > 0.62 else ""
    near = (_corner(frame, other) for other in points)
    if any(0 < top - y < NAME_HEIGHT and abs(left - x) < NAME_WIDTH for x, y in near):
        side += " below"
    name = el(
        "span", point.label, class_=f"name-of {point.style}{side}", style=f"left:{100 * left:.2f}%;top:{100 * top:.2f}%"
    )
    return join([mark(point.style, left, top, point.told), name])


def _corner(frame: Frame, point: Point) -> tuple[float, float]:
    """Where a point lies in the area, from its left and its top."""
    return frame.x.place(point.x["value"]), 1 - frame.y.place(point.y["value"])


def _cross(frame: Frame, point: Point) -> Markup:
    x, y = point.x, point.y
    across = f"M{_at(frame, x['low'], y['value'])}L{_at(frame, x['high'], y['value'])}" if x["low"] is not None else ""
    up = f"M{_at(frame, x['value'], y['low'])}L{_at(frame, x['value'], y['high'])}" if y["low"] is not None else ""
    return el("path", d=across + up, class_=f"cross {point.style}") if across or up else Markup("")


# Distributions -------------------------------------------------------------------------------


def steps(frame: Frame, histogram: Sequence[int], low: float, high: float, style: str) -> Markup:
    """A histogram of equal bins from ``low`` to ``high`` as a filled shape; y of the frame is the count of a bin."""
    width, path = (high - low) / len(histogram), [f"M{_at(frame, low, 0)}"]
    for at, count in enumerate(histogram):
        left, right = low + at * width, low + (at + 1) * width
        path.append(f"L{_at(frame, left, count)}L{_at(frame, right, count)}")
    return el("path", d="".join([*path, f"L{_at(frame, high, 0)}Z"]), class_=f"shape {style}")


def boxes(frame: Frame, rows: Sequence[tuple[float, float, Sequence[float], str]], style: str) -> tuple[Markup, Markup]:
    """Distributions beside each other: 5 to 95 % as a thin line, the middle half as a thick one, the median as a mark.

    Args:
        frame: The axes.
        rows: (left and right border, five quantiles, words for a pointer).
        style: Class of the system.

    Returns:
        SVG, and the marks above it.
    """
    drawn, marks = [], []
    for left, right, (least, quarter, middle, most, end), told in rows:
        x = (left + right) / 2
        drawn.append(el("path", d=f"M{_at(frame, x, least)}L{_at(frame, x, end)}", class_=f"thin {style}"))
        drawn.append(el("path", d=f"M{_at(frame, x, quarter)}L{_at(frame, x, most)}", class_=f"thick {style}"))
        marks.append(mark(f"{style} small", frame.x.place(x), 1 - frame.y.place(middle), told))
    return join(drawn), join(marks)
