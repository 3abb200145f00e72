"""The scores of an exam as one drawing: every arm with its 95 % interval on one axis, beside chance.

Arms stand in groups: with the library at hand, without it, without a model, chance. The drawing comes in two widths,
since letters that shrink with a picture cannot be read on a telephone, and as a file of its own with its colours in it.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gnomon.core.wording import say
from gnomon.evaluation.report.markup import Markup, el, join
from gnomon.evaluation.report.models.exam_arms import WHOLE, called, percents, points, style
from gnomon.evaluation.report.models.names import Names
from gnomon.serving.facts.exam import Arm, Paper

COLOURS = {"s-base": "#55585e", "s-spec": "#2f5582", "s-spec2": "#5b3f8c", "s-spec3": "#1f7a74", "s-ctrl": "#a8741a",
           "s-gen": "#a2452f", "s-gen2": "#7a3b5e", "s-emb": "#a2452f", "s-chance": "#6c6a63"}  # fmt: skip
"""Colours of models in a file, which has no page to take them from."""
FILE_RULES = (
    "text{font:13px 'Helvetica Neue',Arial,'Hiragino Sans','Noto Sans CJK JP',sans-serif;fill:#22252a}"
    ".soft{fill:#625f58;font-size:12px}.grid{stroke:#dcd7cb}.chance-line{stroke:#625f58;stroke-dasharray:4 3}"
    ".whisker{stroke:var(--c);stroke-width:2}.dot{fill:var(--c);stroke:#fff;stroke-width:1.2}.hollow{fill:#fff;stroke:var(--c);stroke-width:2}.num{text-anchor:end}"
    ".tick{text-anchor:middle}"
) + "".join(f".{name}{{--c:{colour}}}" for name, colour in COLOURS.items())


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things stand, in pixels."""

    width: int
    """Of the whole."""
    left: int
    """Where the axis begins."""
    right: int
    """Where it ends."""
    row: int
    """Height of an arm."""
    stacked: bool
    """Whether names stand above their marks."""

    def x(self, share: float) -> float:
        """Where a share stands."""
        return round(self.left + WHOLE.place(share) * (self.right - self.left), 1)


WIDE = Layout(width=920, left=190, right=735, row=25, stacked=False)
NARROW = Layout(width=344, left=6, right=338, row=40, stacked=True)
CORNERS = {
    "s-spec2": "-5.5 0a5.5 5.5 0 0 1 11 0v5.5h-5.5a5.5 5.5 0 0 1 -5.5 -5.5",
    "s-spec3": "-5.5 -5.5h5.5a5.5 5.5 0 0 1 0 11a5.5 5.5 0 0 1 -5.5 -5.5",
}
"""Outlines of circles with one corner, from their middle."""
HEAD, FOOT = 26, 22
"""Heights of a group's name and of the axis."""


def scores_chart(paper: Paper, about: Mapping[str, Mapping[str, Any]], names: Names, sitting: str) -> Markup:
    """The chart in both widths, of which a page shows the one that fits; arms lead to their answers.

    Args:
        paper: The paper.
        about: Its arms in the shape that drawings of the report take.
        names: Of the models.
        sitting: Role of the exam, for the addresses.
    """
    drawn = (
        el("div", _svg(paper, about, names, layout, sitting), class_=f"chart scores {size}")
        for layout, size in ((WIDE, "large"), (NARROW, "small"))
    )
    return join(drawn)


def scores_file(paper: Paper, about: Mapping[str, Mapping[str, Any]], names: Names) -> str:
    """The chart as an SVG file.

    Args:
        paper: The paper.
        about: Its arms in the shape that drawings of the report take.
        names: Of the models.
    """
    return _svg(paper, about, names, WIDE, None)


def _svg(
    paper: Paper, about: Mapping[str, Mapping[str, Any]], names: Names, layout: Layout, sitting: str | None
) -> Markup:
    y, parts = 4, list[Markup]()
    for title, arms in _groups(paper):
        parts.append(el("text", title, x=layout.left if layout.stacked else 0, y=y + 17, class_="soft"))
        y += HEAD
        for arm in arms:
            parts.append(_arm(arm, about[arm.name], names, layout, y, _address(arm, paper, sitting)))
            y += layout.row
    ground = _ground(paper, layout, y)
    height, file = y + FOOT, sitting is None
    label = say(f"Share of right answers in {paper.label}, with 95 % intervals", f"{paper.label} の正答率と 95 % 区間")
    alone: dict[str, Any] = {"xmlns": "http://www.w3.org/2000/svg"} if file else {}
    rules = join([el("style", Markup(FILE_RULES)), el("rect", width="100%", height="100%", fill="#ffffff")])
    return el("svg", rules if file else "", ground, *parts, viewBox=f"0 0 {layout.width} {height}", width=layout.width,
              height=height, role="img" if file else "group", aria_label=label, **alone)  # fmt: skip


def _groups(paper: Paper) -> list[tuple[str, list[Arm]]]:
    """Arms in groups, the best first; those that scored nothing stand last."""
    models = [arm for arm in paper.arms if arm.kind == "model"]
    found = [
        (say("library at hand (open book)", "資料を参照"), [arm for arm in models if arm.open_book]),
        (say("by heart (closed book)", "資料なし"), [arm for arm in models if not arm.open_book]),
        (say("without a model", "モデルなし"), [arm for arm in paper.arms if arm.kind == "solver"]),
        (say("guessing", "当て推量"), [arm for arm in paper.arms if arm.kind == "chance"]),
    ]
    return [(title, sorted(arms, key=_accuracy, reverse=True)) for title, arms in found if arms]


def _accuracy(arm: Arm) -> float:
    return arm.accuracy.value if arm.accuracy is not None else -1.0


def _address(arm: Arm, paper: Paper, sitting: str | None) -> str:
    """Where the answers of an arm are listed; nowhere from a file, nor for guessing."""
    if sitting is None or arm.kind == "chance":
        return ""
    return "/exam/items?" + urlencode({"sitting": sitting, "paper": paper.name, "arm": arm.name})


def _ground(paper: Paper, layout: Layout, bottom: int) -> Markup:
    """Lines of the axis, and the dashed one of chance."""
    ticks = WHOLE.ticks(4)
    grid = el("path", d="".join(f"M{layout.x(tick)} 8V{bottom}" for tick in ticks), class_="grid", fill="none")
    words = zip(ticks, percents(ticks), strict=True)
    told = (el("text", text, x=_inside(layout, tick), y=bottom + 16, class_="soft tick") for tick, text in words)
    chance = next((arm.chance for arm in paper.arms if arm.chance is not None), None)
    line = "" if chance is None else el("path", d=f"M{layout.x(chance)} 8V{bottom}", class_="chance-line", fill="none")
    return join([grid, line, *told])


def _inside(layout: Layout, tick: float) -> float:
    """Words of the first and last tick, moved so that they stay on a narrow drawing."""
    return min(max(layout.x(tick), 12.0), layout.width - 20.0)


def _arm(arm: Arm, about: Mapping[str, Any], names: Names, layout: Layout, y: int, address: str) -> Markup:
    base, name = y + layout.row - (12 if layout.stacked else 9), called(about, names)
    own = el("text", name, x=layout.left if layout.stacked else 14, y=y + 15 if layout.stacked else base + 2)
    title = el("a", own, href=address) if address else own
    parts: Sequence[Markup] = [title, _value(arm, layout, y + 15 if layout.stacked else base + 2)]
    if arm.accuracy is not None:
        parts = [
            *parts,
            _whisker(arm, layout, base - 2),
            _dot(style(about, names), layout.x(arm.accuracy.value), base - 2),
        ]
    return el("g", el("title", told(arm, html.unescape(name))), *parts, class_=f"arm {style(about, names)}")


def _value(arm: Arm, layout: Layout, y: int) -> Markup:
    words = "–" if arm.accuracy is None else points(arm.accuracy.value)
    span = "" if arm.accuracy is None or arm.accuracy.low is None or arm.accuracy.high is None else (
        f" [{points(arm.accuracy.low)}, {points(arm.accuracy.high)}]")  # fmt: skip
    spread = el("tspan", span, class_="soft")
    if layout.stacked:
        return el("text", words, spread, x=layout.right, y=y, class_="num")
    return el("text", words, spread, x=layout.right + 18, y=y)


def _whisker(arm: Arm, layout: Layout, y: int) -> Markup:
    told_of = arm.accuracy
    if told_of is None or told_of.low is None or told_of.high is None:
        return Markup("")
    low, high = layout.x(told_of.low), layout.x(told_of.high)
    path = f"M{low} {y}H{high}M{low} {y - 4}V{y + 4}M{high} {y - 4}V{y + 4}"
    return el("path", d=path, class_="whisker", fill="none")


def _dot(style_: str, x: float, y: int) -> Markup:
    """The mark of a model, in the shape that it has on the whole page."""
    if style_ == "s-chance":
        return el("rect", x=x - 1.5, y=y - 6, width=3, height=12, class_="dot")
    if style_ in {"s-emb", "s-gen", "s-gen2"}:
        return el("rect", x=x - 5, y=y - 5, width=10, height=10, class_="dot")
    if style_ == "s-ctrl":
        return el("path", d=f"M{x} {y - 6.5}l6.5 6.5l-6.5 6.5l-6.5 -6.5Z", class_="dot")
    if style_ in CORNERS:
        return el("path", d=f"M{x} {y}m{CORNERS[style_]}Z", class_="dot")
    return el("circle", cx=x, cy=y, r=5.5, class_="dot hollow" if style_ == "s-base" else "dot")


def told(arm: Arm, name: str) -> str:
    """An arm in a line, for a pointer.

    Args:
        arm: The arm.
        name: What it is called.
    """
    if arm.accuracy is None:
        return say(f"{name}: nothing was scored", f"{name}: 採点できた問題がない")
    low, high = arm.accuracy.low, arm.accuracy.high
    span = "" if low is None or high is None else f" [{points(low)}, {points(high)}]"
    lost = sum(arm.unscored.values())
    rest = say(f"n = {arm.n}, unscored {lost}", f"n = {arm.n}、採点不能 {lost}")
    verdict = say("; at chance", "。偶然並み") if arm.at_chance and arm.kind != "chance" else ""
    return f"{name}: {points(arm.accuracy.value)}{span}, {rest}{verdict}"
