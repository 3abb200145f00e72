"""Marks: how a point looks, which colour it has, and what is said when it is pointed at."""

import math
from collections.abc import Iterator, Sequence

from gnomon.core.wording import say
from gnomon.evaluation.cost.placing import usd
from gnomon.evaluation.cost.points import OPEN_WEIGHTS, OURS, SPECIALISED, Point
from gnomon.evaluation.cost.shapes import Drawn, Shape

GREY = "#6b7280"
TINTS = ("#1d4ed8", "#c2410c", "#047857", "#7c3aed", "#be123c", "#0e7490", "#a16207", "#4338ca")
"""Colours of our arms, distinct on white and in print."""


def colors(points: Sequence[Point]) -> dict[str, str]:
    """A colour for each point: one for each of our models, open book or not; grey for published ones."""
    found: dict[str, str] = {}
    models: dict[str, str] = {}
    for point in points:
        model = point.name.split(" · ")[0]
        if point.kind == OURS and model not in models:
            models[model] = TINTS[len(models) % len(TINTS)]
        found[point.name] = models[model] if point.kind == OURS else GREY
    return found


def mark(point: Point, place: tuple[float, float], color: str, tip: str) -> Iterator[Drawn]:
    """The sign of a point: published ones are hollow, open weights ringed, specialised stars; ours are filled."""
    x, y = place
    if point.kind == OURS:
        if point.open_book:
            corners = ((x, y - 7.5), (x + 7.5, y), (x, y + 7.5), (x - 7.5, y))
            yield Shape(places=corners, fill=color, stroke="#ffffff", width=1, group=OURS, tip=tip)
        else:
            yield Shape(places=(place,), radius=5.8, fill=color, stroke="#ffffff", width=1, group=OURS, tip=tip)
    elif point.kind == SPECIALISED:
        yield Shape(places=star(x, y, 9.0), stroke=color, group=point.kind, tip=tip)
    else:
        if point.kind == OPEN_WEIGHTS:
            yield Shape(places=(place,), radius=7.5, stroke=color, width=1, group=point.kind)
        yield Shape(places=(place,), radius=4.6, stroke=color, width=1.6, group=point.kind, tip=tip)


def star(x: float, y: float, radius: float) -> tuple[tuple[float, float], ...]:
    """The corners of a star with five rays."""
    found = []
    for corner in range(10):
        length, angle = radius if corner % 2 == 0 else radius * 0.45, math.pi * (corner / 5 - 0.5)
        found.append((x + length * math.cos(angle), y + length * math.sin(angle)))
    return tuple(found)


def tip(point: Point, view: str, lang: str) -> str:
    """What is known of a point, in a few words."""
    spread = "" if point.low is None or point.high is None else f" [{point.low:.1%}, {point.high:.1%}]"
    rests = "" if point.n is None else f", n = {point.n:,}"
    price = point.usd(view)
    cost = say("price not known", "価格不明", lang) if price is None else usd(price)
    basis = basis_of(point, lang)
    words = [f"{point.name}: {point.accuracy:.1%}{spread}{rests}", cost + (f" ({basis})" if basis else "")]
    if point.source:
        words.append(say(f"published: {point.source}", f"公表値: {point.source}", lang))
    return "; ".join(words)


def basis_of(point: Point, lang: str) -> str:
    """Where a cost comes from, in words."""
    known = {
        "call_log": say("call log", "呼び出し記録", lang),
        "clock": say("hourly price, measured speed", "時間単価と実測速度", lang),
        "stated": say("as stated", "指定値", lang),
    }
    return known.get(point.price, point.price)
