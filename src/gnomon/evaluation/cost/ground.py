"""The ground of a chart: grid and axes, lines of equal value, lines of experts and of chance, and the legend."""

import math
from collections.abc import Callable, Iterator, Sequence

from gnomon.core.wording import say
from gnomon.evaluation.cost.frame import (
    BOTTOM,
    FRONT,
    GRID,
    HEIGHT,
    INK,
    LARGE,
    LEFT,
    PALE,
    PLAIN,
    SMALL,
    VALUE,
    WIDTH,
    About,
    Frame,
)
from gnomon.evaluation.cost.marks import GREY, mark
from gnomon.evaluation.cost.placing import Box, overlap, share_ticks, usd
from gnomon.evaluation.cost.points import OURS, TOKENS, Point
from gnomon.evaluation.cost.shapes import Drawn, Line, Text, text_width


def grid(frame: Frame, view: str, about: About, lang: str) -> Iterator[Drawn]:
    """Grid lines, ticks, axes, their names and the titles."""
    left, top, right, bottom = frame.box
    for share in share_ticks(frame.y.low, frame.y.high):
        y = frame.y(share)
        yield Line(places=((left, y), (right, y)), color=GRID)
        yield Text(place=(left - 8, y + 4), text=f"{share:.0%}", size=SMALL, color=PALE, anchor="end")
    decades = range(math.ceil(frame.x.low - 1e-9), math.floor(frame.x.high + 1e-9) + 1)
    for power in decades:
        x = frame.x(power)
        yield Line(places=((x, top), (x, bottom)), color=GRID)
        yield Text(place=(x, bottom + 18), text=usd(10.0**power), size=SMALL, color=PALE, anchor="middle")
    for power in range(math.floor(frame.x.low), math.ceil(frame.x.high)):
        for digit in range(2, 10):
            x = frame.x(power + math.log10(digit))
            if left <= x <= right:
                yield Line(places=((x, bottom), (x, bottom + 4)), color="#b6bcc7")
    yield Line(places=((left, top), (left, bottom), (right, bottom)), color="#9aa1ad", width=1.2)
    yield from _titles(frame, view, about, lang)


def _titles(frame: Frame, view: str, about: About, lang: str) -> Iterator[Drawn]:
    left, top, right, bottom = frame.box
    yield Text(place=(left, 30), text=say("Accuracy and cost", "正答率と費用", lang), size=LARGE)
    own = say(f"{about.paper}, {about.questions:,} questions", f"{about.paper}（{about.questions:,} 問）", lang)
    if not about.benchmark or view != TOKENS:
        second = own
    elif about.same:
        second = say(f"{own}; published models on the same questions", f"{own}。公表値も同じ問題による", lang)
    else:
        second = say(f"Ours: {own}. Published: {about.benchmark}, other questions: for scale only",
                     f"本評価: {own}。公表値: {about.benchmark}（別の問題、目安）", lang)  # fmt: skip
    yield Text(place=(left, 52), text=second, size=PLAIN, color=PALE)
    axis = say("USD per 0.1 million tokens", "10 万トークンあたりの費用（米ドル）", lang) if view == TOKENS else say(
        "USD per question", "1 問あたりの費用（米ドル）", lang)  # fmt: skip
    yield Text(place=((left + right) / 2, bottom + 40), text=axis, size=PLAIN, anchor="middle")
    yield Text(place=(18, (top + bottom) / 2), text=say("Accuracy", "正答率", lang), size=PLAIN, anchor="middle",
               turned=True)  # fmt: skip


def diagonals(frame: Frame, about: About) -> Iterator[Drawn]:
    """Lines of equal value, one decade of cost apart, or farther where there would be too many."""
    slope = about.points_per_decade / 100
    if slope <= 0:
        return
    x1, x2, y1, y2 = frame.x.low, frame.x.high, frame.y.low, frame.y.high
    gap = slope * max(1, math.ceil((y2 - y1 + slope * (x2 - x1)) / slope / 14))
    first = math.floor((y1 - slope * x2) / gap)
    for i in range(first, first + 40):
        ends = _inside(lambda x, c=i * gap: c + slope * x, (x1, x2, y1, y2))  # type: ignore[misc]
        if ends:
            yield Line(places=tuple((frame.x(x), frame.y(y)) for x, y in ends), color=VALUE, width=0.9, group="value")


def _inside(line: Callable[[float], float], ends: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    """The part of a rising line inside a field, nothing when it passes by."""
    x1, x2, y1, y2 = ends
    slope = line(1.0) - line(0.0)
    a, b = max(x1, (y1 - line(0.0)) / slope), min(x2, (y2 - line(0.0)) / slope)
    return [(a, line(a)), (b, line(b))] if b - a > 1e-6 else []


def levels(frame: Frame, about: About, taken: Sequence[Box], lang: str) -> tuple[list[Drawn], list[Box]]:
    """Lines of human experts and of chance with their words, where no mark stands, and the boxes that these take."""
    drawn: list[Drawn] = []
    boxes: list[Box] = []
    left, _, right, _ = frame.box
    for value, en, ja, color in (
        (about.human, "human experts", "人間の専門家", "#8a6d3b"),
        (about.chance, "chance", "偶然", "#9aa1ad"),
    ):
        if value is None:
            continue
        y, text = frame.y(value), f"{say(en, ja, lang)}  {value:.1%}"
        wide = text_width(text, SMALL)
        tried = [(x, line) for x in (left + 8, right - 8 - wide, (left + right - wide) / 2) for line in (y - 5, y + 14)]
        x, line = next(
            ((x, line) for x, line in tried if not any(overlap((x, line - 12, x + wide, line + 3), b) for b in taken)),
            tried[0],
        )
        drawn += [
            Line(places=((left, y), (right, y)), color=color, width=1.4, dash=7, group="level"),
            Text(place=(x, line), text=text, size=SMALL, color=color, group="level"),
        ]
        boxes += [(left, y - 1, right, y + 1), (x, line - 12, x + wide, line + 3)]
    return drawn, boxes


def legend(shown: Sequence[Point], about: About, view: str, lang: str) -> Iterator[Drawn]:
    """What the signs mean, in rows below the axis; signs that are not on the chart have no entry."""
    x, y = LEFT, HEIGHT - BOTTOM + 70
    entries: list[tuple[str, Point | str]] = []
    for sample in {(p.kind, p.open_book): p for p in reversed(shown)}.values():
        entries.append((_kind(sample, lang), sample))
    if any(p.usd(view) for p in shown):
        entries.append((say("Pareto front", "パレート境界", lang), "front"))
    if about.points_per_decade > 0:
        worth = f"{about.points_per_decade:g}"
        entries.append((say(f"equal value ({worth} points per tenfold cost)",
                            f"等価値線（費用 10 倍で {worth} ポイント）", lang), "value"))  # fmt: skip
    for words, sign in entries:
        width = 26 + text_width(words, SMALL) + 24
        if x + width > WIDTH - 10:
            x, y = LEFT, y + 20
        if isinstance(sign, Point):
            yield from mark(sign, (x + 9, y - 4), GREY if sign.kind != OURS else INK, "")
        else:
            color, dash = (FRONT, 4.0) if sign == "front" else ("#b6bcc7", 0.0)
            yield Line(places=((x, y - 4), (x + 18, y - 4)), color=color, width=1.6, dash=dash)
        yield Text(place=(x + 26, y), text=words, size=SMALL, color="#4b5563")
        x += width


def _kind(point: Point, lang: str) -> str:
    if point.kind == OURS:
        return (say("ours, open book", "本評価・参照あり", lang) if point.open_book
                else say("ours (95 % interval)", "本評価（95 % 区間）", lang))  # fmt: skip
    return {
        "proprietary": say("published, proprietary", "公表値・非公開モデル", lang),
        "open": say("published, open weights", "公表値・公開モデル", lang),
        "specialised": say("published, specialised", "公表値・天文特化", lang),
    }[point.kind]
