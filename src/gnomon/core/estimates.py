"""Estimates: what a step is expected to take, so that a plan can show it before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Range:
    """An amount that is known to lie between two bounds."""

    least: float = 0.0
    """No less than this."""
    most: float | None = None
    """No more than this; None where nothing bounds it yet."""

    @property
    def known(self) -> bool:
        """Whether it has an upper bound."""
        return self.most is not None

    def __add__(self, other: "Range") -> "Range":
        most = None if self.most is None or other.most is None else self.most + other.most
        return Range(least=self.least + other.least, most=most)

    def __mul__(self, other: "Range") -> "Range":
        if 0 in (self.most, other.most):  # none of something unbounded is still none
            return Range(least=0, most=0)
        most = None if self.most is None or other.most is None else self.most * other.most
        return Range(least=self.least * other.least, most=most)


def exactly(amount: float) -> Range:
    """An amount that is known."""
    return Range(least=amount, most=amount)


@dataclass(frozen=True, kw_only=True)
class Calls:
    """What the calls of a step to one model are expected to come to."""

    model: str
    """Name of the model, as in the recipe."""
    calls: Range
    """How many."""
    tokens_in: Range
    """Prompt tokens of all of them."""
    tokens_out: Range
    """Generated tokens of all of them, thinking included."""
    usd: Range | None = None
    """Money; None where no price is stated."""
    hours: Range | None = None
    """Wall-clock hours; None where nothing tells how fast the model answers."""
    why: str = ""
    """What the bounds rest on, and what is not known and why, in words."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a step is expected to take on this machine."""

    hours: float | None = 0.0
    """Wall-clock hours, at most; None when nothing tells."""
    memory_bytes: int = 0
    """Peak memory."""
    disk_bytes: int = 0
    """Size of what it leaves behind."""
    usd: float | None = 0.0
    """Money for calls, at most; None when a price or an amount is not known."""
    calls: tuple[Calls, ...] = ()
    """The calls to models, one entry a model and purpose."""


def of_calls(calls: Sequence[Calls]) -> Estimate | None:
    """What a step takes that does little but ask models; None when it asks none."""
    if not calls:
        return None
    return Estimate(
        hours=_most([one.hours for one in calls]), usd=_most([one.usd for one in calls]), calls=tuple(calls)
    )


def _most(ranges: Sequence[Range | None]) -> float | None:
    """The upper bound of a sum, None as soon as a part of it has none."""
    bounds = [None if one is None else one.most for one in ranges]
    return None if None in bounds else sum(bound for bound in bounds if bound is not None)
