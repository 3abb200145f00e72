"""The field of a chart: its measures, its scales, and what a chart says besides its points."""

from collections.abc import Sequence
from dataclasses import dataclass

from gnomon.evaluation.cost.placing import Box, Scale, log_range, share_range
from gnomon.evaluation.cost.points import Point
from gnomon.evaluation.cost.shapes import text_width

WIDTH, HEIGHT = 960, 620
LEFT, TOP, BOTTOM = 68.0, 84.0, 110.0
SMALL, PLAIN, LARGE = 11.5, 13.0, 18.0
GRID, VALUE, INK, PALE = "#eceef1", "#d7dbe3", "#222222", "#6b7280"
FRONT = "#111827"
ROW = 16.0
"""Height of a line of small text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What a chart says besides its points."""

    paper: str
    """The paper our arms sat."""
    questions: int
    """How many questions it has."""
    benchmark: str
    """What published models sat; empty when none are shown."""
    same: bool = False
    """Whether that is the same paper."""
    human: float | None = None
    """Accuracy of human experts, None when nobody gave it."""
    chance: float | None = None
    """Accuracy of guessing, None when it is not to be shown."""
    points_per_decade: float = 3.5
    """Points that a tenfold cost has to buy for the same value; 0 draws no diagonals."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """The field of a chart and its scales."""

    x: Scale
    """From the logarithm of a price."""
    y: Scale
    """From an accuracy."""
    box: Box
    """The field."""


def frame_of(
    shown: Sequence[Point], priced: Sequence[Point], unpriced: Sequence[Point], view: str, about: About
) -> Frame:
    edge = max((text_width(named(p), SMALL) for p in unpriced), default=0.0)
    right = WIDTH - 24.0 - (edge + 26.0 if unpriced else 0.0)
    levels = [v for v in (about.human, about.chance) if v is not None]
    low, high = share_range([v for p in shown for v in (p.accuracy, p.low, p.high) if v is not None] + levels)
    box = (LEFT, TOP, right, HEIGHT - BOTTOM)
    x_low, x_high = log_range([p.usd(view) or 1.0 for p in priced])
    return Frame(
        x=Scale(low=x_low, high=x_high, start=box[0], end=box[2]),
        y=Scale(low=low, high=high, start=box[3], end=box[1]), box=box,
    )  # fmt: skip


def named(point: Point) -> str:
    return f"{point.name}  {point.accuracy:.1%}"
