"""The step ``evaluation/cost_chart``: what an exam's arms cost and how often they were right, as a chart.

``cost.json`` holds the points, ``cost.html`` the page, and each of the two axes is drawn as SVG and as PNG. All of it
is drawn from the exam's facts and record: no model is needed to draw it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import read_json, write_atomic, write_json
from gnomon.core.hashing import plain
from gnomon.core.wording import say
from gnomon.evaluation.cost.chart import chart
from gnomon.evaluation.cost.frame import HEIGHT, WIDTH, About
from gnomon.evaluation.cost.page import page
from gnomon.evaluation.cost.points import (
    OURS,
    TOKENS,
    VIEWS,
    Point,
    Prices,
    benchmark_of,
    front,
    our_points,
    published_points,
)  # fmt: skip
from gnomon.evaluation.cost.shapes import png, svg
from gnomon.evaluation.exam.step import FACTS as EXAM_FACTS
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

EXAM, FACTS, PAGE = "exam", "cost.json", "cost.html"
NEAR_CHANCE = 0.15
"""Chance is shown when some arm comes this near to it; it would only squeeze the others."""


@dataclass(frozen=True, kw_only=True)
class CostConfig:
    """Settings of the step. Prices are in it, against the custom of this project, because they are what is shown.

    Raises:
        ConfigError: A price or an accuracy is outside its range.
    """

    paper: str = ""
    """Which paper of the exam; empty for its first that does not tell general ability."""
    usd_per_hour: float | None = None
    """Price of the machine on which local models ran; None leaves them without a cost."""
    stated: tuple[tuple[str, float], ...] = ()
    """(arm or model, USD per 0.1 M tokens) where neither log nor clock tells."""
    human: float | None = None
    """Accuracy of human experts on the paper; None when nobody measured it."""
    published: bool = True
    """Whether published results on AstroMLab-1 are shown."""
    same_benchmark: bool = False
    """Whether the paper is AstroMLab-1 itself, so that our arms and published ones may be compared."""
    points_per_decade: float = 3.5
    """Points that a tenfold cost has to buy for the same value (AstroMLab 1); 0 draws no diagonals."""

    def __post_init__(self) -> None:
        prices = [p for p in (self.usd_per_hour, *(price for _, price in self.stated)) if p is not None]
        shares = [] if self.human is None else [self.human]
        if any(p <= 0 for p in prices) or any(not 0 <= s <= 1 for s in shares) or self.points_per_decade < 0:
            raise ConfigError(
                say(f"cost_chart: usd_per_hour = {self.usd_per_hour}, stated = {self.stated}, human = {self.human},"
                    f" points_per_decade = {self.points_per_decade}.",
                    f"cost_chart: usd_per_hour = {self.usd_per_hour}、stated = {self.stated}、human = {self.human}、"
                    f"points_per_decade = {self.points_per_decade}。"),
                say("Prices are above 0, accuracies from 0 to 1, points from 0.",
                    "価格は正、正答率は 0〜1、ポイントは 0 以上とする。"),
            )  # fmt: skip


def run(config: CostConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Draw the chart of an exam.

    Args:
        config: Prices, and what else is shown.
        inputs: ``exam``.
        out: Receives ``cost.json``, ``cost.html`` and each axis as SVG and PNG.

    Raises:
        DataError: The exam has no such paper, or nobody scored on it.
        MissingExtra: Pillow is not installed.
    """
    facts = read_json(inputs[EXAM] / EXAM_FACTS)
    paper = _paper(facts, config.paper)
    record = out.records.get(EXAM)
    speed = record.metrics.get("speed", {}).get(paper, {}) if record else {}
    ours = our_points(facts, paper, speed, Prices(usd_per_hour=config.usd_per_hour, stated=dict(config.stated)))
    if not ours:
        raise DataError(
            say(f"No arm scored on the paper {paper!r}.", f"試験 {paper!r} で採点されたアームがない。"),
            say("See exam.json of the exam.", "試験の exam.json を確かめる。"),
        )
    points = [*(published_points() if config.published else []), *ours]
    about = _about(config, facts["exams"][paper], ours)
    for view in VIEWS:
        drawn = chart(points, view, about, "en")
        write_atomic(out.path / f"cost_{view}.svg", svg(drawn, WIDTH, HEIGHT, f"Accuracy and cost: {about.paper}"))
        write_atomic(out.path / f"cost_{view}.png", png(drawn, WIDTH, HEIGHT))
    write_atomic(out.path / PAGE, page(points, about))
    write_json(out.path / FACTS, _facts(points, about, paper))
    return Counts(taken=len(points), kept=len(points))


def _paper(facts: Mapping[str, Any], wanted: str) -> str:
    papers = facts["order"]["exams"]
    found = [name for name in papers if (name == wanted if wanted else not facts["exams"][name]["general"])]
    if not found:
        raise DataError(
            say(f"The exam has no paper {wanted!r}.", f"試験に {wanted!r} がない。"),
            say(f"Its papers: {', '.join(papers)}.", f"試験: {', '.join(papers)}。"),
        )
    return str(found[0])


def _about(config: CostConfig, exam: Mapping[str, Any], ours: list[Point]) -> About:
    levels = [arm["chance"] for arm in exam["arms"].values() if arm["chance"] is not None]
    chance = levels[0] if levels else None
    near = chance is not None and min(point.accuracy for point in ours) <= chance + NEAR_CHANCE
    return About(
        paper=exam["label"], questions=exam["items"], benchmark=benchmark_of() if config.published else "",
        same=config.same_benchmark, human=config.human, chance=chance if near else None,
        points_per_decade=config.points_per_decade,
    )  # fmt: skip


def _facts(points: list[Point], about: About, paper: str) -> dict[str, Any]:
    comparable = points if about.same else [point for point in points if point.kind == OURS]
    fronts = {view: [point.name for point in front(comparable, view)] for view in VIEWS}
    return {"paper": paper, "about": plain(about), "points": plain(points), "front": fronts, "axis": TOKENS}
