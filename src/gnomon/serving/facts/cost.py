"""What an exam's arms cost and how often they were right; nothing is guessed where nobody knows a price.

Where the expert has a chart of its own (``evaluation/cost_chart``) its points are told; else they are made of the exam:
prices from the log of calls, or from the price by the hour that a reader gives for the machine, over measured speed.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from gnomon.core.errors import NotFound
from gnomon.core.files import read_json
from gnomon.core.wording import say
from gnomon.evaluation.cost.frame import About
from gnomon.evaluation.cost.points import OURS, Point, Prices, benchmark_of, our_points, published_points
from gnomon.evaluation.exam.step import FACTS
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.corpus import Frozen
from gnomon.serving.facts.exam import Figure, exam_record, known_role
from gnomon.serving.facts.gathered import finished

CHART, COSTS = "evaluation/cost_chart", "cost.json"
NEAR_CHANCE = 0.15
"""Chance is drawn when some arm comes this near to it."""


class CostPoint(Frozen):
    """A model or an arm with its accuracy and its cost."""

    name: str = Field(description="What it is called.")
    kind: str = Field(description="`ours`, or for published ones `proprietary`, `open` or `specialised`.")
    accuracy: Figure | None = Field(description="Share of right answers; without n where only the share is published.")
    share: float = Field(description="The same without its interval.")
    usd_per_100k_tokens: float | None = Field(description="Price of 0.1 M tokens; null when nobody knows.")
    usd_per_question: float | None = Field(description="Price of a question; null when nobody knows.")
    price_from: str = Field(description="`call_log`, `clock` (price by the hour), `stated`, or where it is published.")
    open_book: bool = Field(description="Whether it had the library at hand.")
    source: str = Field(description="Where a published accuracy comes from; empty for this exam's own.")


class Costs(Frozen):
    """Accuracy and cost of an exam's arms."""

    paper: str = Field(description="The paper that our arms sat.")
    questions: int = Field(description="How many questions it has.")
    benchmark: str = Field(description="What published models sat; empty when none are told.")
    same: bool = Field(description="Whether that is the same paper, so that the two can be compared.")
    human: float | None = Field(description="Accuracy of human experts; null when nobody measured it.")
    chance: float | None = Field(description="What guessing gives, where some arm comes near it.")
    priced: int = Field(description="How many of our arms have a price.")
    points: tuple[CostPoint, ...] = Field(description="Published models, then our arms.")


def costs(
    opened: OpenExpert, role: str = "", paper: str = "", usd_per_hour: float | None = None, *, published: bool = False
) -> Costs:
    """The costs of an exam's arms.

    Args:
        opened: The expert.
        role: The exam; empty for the first.
        paper: Its paper; empty for the first.
        usd_per_hour: Price of the machine on which local models ran; None leaves them without.
        published: Whether published models are told as well, for scale.

    Raises:
        NotFound: The expert has no such exam or paper.
    """
    points, about = measured(opened, role, paper, usd_per_hour, published=published)
    ours = [point for point in points if point.kind == OURS]
    return Costs(
        paper=about.paper, questions=about.questions, benchmark=about.benchmark, same=about.same, human=about.human,
        chance=about.chance, priced=sum(bool(p.usd_tokens or p.usd_question) for p in ours),
        points=tuple(_point(point) for point in points),
    )  # fmt: skip


def measured(
    opened: OpenExpert, role: str = "", paper: str = "", usd_per_hour: float | None = None, *, published: bool = False
) -> tuple[list[Point], About]:
    """The same in the shapes of the chart.

    Args:
        opened: The expert.
        role: The exam; empty for the first.
        paper: Its paper; empty for the first.
        usd_per_hour: Price of the machine on which local models ran.
        published: Whether published models are told as well.

    Raises:
        NotFound: The expert has no such exam or paper.
    """
    own = next((folder for folder, record in finished(opened).values() if record.name == CHART), None)
    if own is not None and not usd_per_hour and not paper:
        found = read_json(own / COSTS)
        points = [Point(**row) for row in found["points"]]
        return [p for p in points if published or p.kind == OURS], About(**found["about"])
    known = known_role(opened, role)
    folder, record = finished(opened)[known][0], exam_record(opened, known)
    facts = read_json(folder / FACTS)
    name = _paper(facts, paper)
    speed = record.metrics.get("speed", {}).get(name, {})
    ours = our_points(facts, name, speed, Prices(usd_per_hour=usd_per_hour or None))
    return [*(published_points() if published else []), *ours], _about(facts["exams"][name], ours, published=published)


def _paper(facts: Mapping[str, Any], wanted: str) -> str:
    names: list[str] = facts["order"]["exams"]
    if wanted in names or not wanted:
        return wanted or names[0]
    raise NotFound(
        say(f"The exam has no paper {wanted[:200]!r}.", f"試験に {wanted[:200]!r} はない。"),
        say(f"It has: {', '.join(names)}.", f"あるもの: {', '.join(names)}。"),
    )


def _about(paper: Mapping[str, Any], ours: list[Point], *, published: bool) -> About:
    levels = [arm["chance"] for arm in paper["arms"].values() if arm["chance"] is not None]
    near = bool(levels) and min((p.accuracy for p in ours), default=1.0) <= levels[0] + NEAR_CHANCE
    return About(
        paper=paper["label"], questions=paper["items"], benchmark=benchmark_of() if published else "",
        chance=levels[0] if near else None, points_per_decade=3.5 if published else 0.0,
    )  # fmt: skip


def _point(point: Point) -> CostPoint:
    known = None if point.n is None else Figure(value=point.accuracy, low=point.low, high=point.high, n=point.n)
    return CostPoint(
        name=point.name, kind=point.kind, accuracy=known, share=point.accuracy, usd_per_100k_tokens=point.usd_tokens,
        usd_per_question=point.usd_question, price_from=point.price, open_book=point.open_book, source=point.source,
    )  # fmt: skip
