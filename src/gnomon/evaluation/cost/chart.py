"""The chart: accuracy against cost on a logarithmic axis, after the figure of AstroSage (de Haan et al. 2025).

Published models are grey and hollow, our arms coloured and filled with their 95 % intervals; the step line is the
Pareto front; the diagonals join what is worth the same, when a tenfold cost has to buy so many points. Models whose
price nobody knows stand at the right edge with their accuracy alone.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from gnomon.core.wording import say
from gnomon.evaluation.cost.frame import FRONT, PALE, ROW, SMALL, About, Frame, frame_of, named
from gnomon.evaluation.cost.ground import diagonals, grid, legend, levels
from gnomon.evaluation.cost.marks import colors, mark, tip
from gnomon.evaluation.cost.placing import (
    Box,
    Wanted,
    place_labels,
    spread,
)  # fmt: skip
from gnomon.evaluation.cost.points import OURS, TOKENS, Point, front
from gnomon.evaluation.cost.shapes import Drawn, Line, Text, text_width


def chart(points: Sequence[Point], view: str, about: About, lang: str) -> list[Drawn]:
    """The shapes of a chart, from the back.

    Args:
        points: What stands on it.
        view: ``tokens`` or ``question``.
        about: What it says besides.
        lang: ``en`` or ``ja``.
    """
    shown = [p for p in points if p.kind == OURS or view == TOKENS]
    priced, unpriced = [p for p in shown if p.usd(view)], [p for p in shown if not p.usd(view)]
    frame = frame_of(shown, priced, unpriced, view, about)
    drawn = [*grid(frame, view, about, lang), *diagonals(frame, about)]
    lines, labels = levels(frame, about, _boxes(frame, priced, view), lang)
    drawn += lines
    comparable = priced if about.same else [p for p in priced if p.kind == OURS]
    path = _front_path(frame, front(comparable, view), view)
    drawn += [Line(places=path, color=FRONT, width=1.6, dash=4, group="front")] if len(path) > 1 else []
    drawn += _marks(frame, priced, points, view, lang, (*labels, *_along(path)))
    return [*drawn, *_edge(frame, unpriced, points, view, lang), *legend(shown, about, view, lang)]


def _front_path(frame: Frame, best: Sequence[Point], view: str) -> tuple[tuple[float, float], ...]:
    """Steps: up to a point of the front only at its price."""
    path: list[tuple[float, float]] = []
    for point in best:
        x, y = frame.x(math.log10(point.usd(view) or 1.0)), frame.y(point.accuracy)
        path += [(x, path[-1][1]), (x, y)] if path else [(x, y)]
    return (*path, (frame.box[2], path[-1][1])) if path else ()


def _along(path: Sequence[tuple[float, float]]) -> list[Box]:
    return [
        (min(a[0], b[0]) - 2, min(a[1], b[1]) - 2, max(a[0], b[0]) + 2, max(a[1], b[1]) + 2) for a, b in pairwise(path)
    ]


def _marks(
    frame: Frame, priced: Sequence[Point], every: Sequence[Point], view: str, lang: str, taken: Sequence[Box]
) -> Iterator[Drawn]:
    tint = colors(every)
    places = [(frame.x(math.log10(p.usd(view) or 1.0)), frame.y(p.accuracy)) for p in priced]
    boxes = [*taken, *_boxes(frame, priced, view)]
    for point, (x, _) in zip(priced, places, strict=True):
        if point.low is not None and point.high is not None:
            ends = ((x, frame.y(point.low)), (x, frame.y(point.high)))
            yield Line(places=ends, color=tint[point.name], width=1.4, group=point.kind)
            for _, y in ends:
                yield Line(places=((x - 3, y), (x + 3, y)), color=tint[point.name], width=1.4, group=point.kind)
    for point, place in zip(priced, places, strict=True):
        yield from mark(point, place, tint[point.name], tip(point, view, lang))
    wanted = [Wanted(x=x, y=y, width=text_width(p.name, SMALL), height=SMALL + 2)
              for p, (x, y) in zip(priced, places, strict=True)]  # fmt: skip
    field = (frame.box[0] + 3, frame.box[1] + 2, frame.box[2] - 2, frame.box[3] - 3)
    for point, want, box in zip(priced, wanted, place_labels(wanted, boxes, field), strict=True):
        if box:
            yield from _label(point, want, box, tint[point.name])


def _boxes(frame: Frame, priced: Sequence[Point], view: str) -> list[Box]:
    """What the marks and their intervals take."""
    found: list[Box] = []
    for point in priced:
        x, y = frame.x(math.log10(point.usd(view) or 1.0)), frame.y(point.accuracy)
        found.append((x - 9, y - 9, x + 9, y + 9))
        if point.low is not None and point.high is not None:
            found.append((x - 4, frame.y(point.high), x + 4, frame.y(point.low)))
    return found


def _label(point: Point, want: Wanted, box: Box, color: str) -> Iterator[Drawn]:
    near = (min(max(want.x, box[0]), box[2]), min(max(want.y, box[1]), box[3]))
    far = math.dist(near, (want.x, want.y))
    if far > 20:  # tied to its mark
        ratio = 8 / far
        start = (want.x + (near[0] - want.x) * ratio, want.y + (near[1] - want.y) * ratio)
        yield Line(places=(start, near), color="#b6bcc7", width=0.8, group=point.kind)
    ink = color if point.kind == OURS else "#4b5563"
    yield Text(place=(box[0], box[3] - 3), text=point.name, size=SMALL, color=ink, group=point.kind)


def _edge(frame: Frame, unpriced: Sequence[Point], every: Sequence[Point], view: str, lang: str) -> Iterator[Drawn]:
    """Accuracies without a price, at the right."""
    if not unpriced:
        return
    right, tint = frame.box[2], colors(every)
    words = say("no price per token", "トークン単価不明", lang) if view == TOKENS else say(
        "no price per question", "1 問の価格不明", lang)  # fmt: skip
    yield Text(place=(right + 18, frame.box[1] - 10), text=words, size=SMALL,
               color=PALE)  # fmt: skip
    levels = [frame.y(p.accuracy) for p in unpriced]
    moved = spread(levels, ROW, frame.box[1] + 4, frame.box[3] - 4)
    for point, y, at in zip(unpriced, levels, moved, strict=True):
        color = tint[point.name]
        yield Line(places=((right, y), (right + 7, y), (right + 15, at)), color=color, group=point.kind)
        yield Text(place=(right + 18, at + 4), text=named(point), size=SMALL, color=color, group=point.kind)
