"""The paired bootstrap: how far a measure would move if other documents had been drawn.

A *row* is what one document contributes to every system at once (log-likelihoods, tokens,
scores); a *statistic* is read off the sums of rows. Drawing whole rows with replacement keeps
systems paired: a hard document is hard for all of them in the same draw, so the interval of a
difference is that of the difference, not of two strangers (Efron 1979; for language models
Koehn, EMNLP 2004). Intervals are percentiles of the draws.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""From sums, shape (..., columns), to one number each, shape (...)."""
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A measure with its 95 % interval."""

    value: float | None
    """The measure on all rows; None when it is undefined (nothing was scored)."""
    low: float | None
    """Lower end; None with fewer than two rows."""
    high: float | None
    """Upper end; None with fewer than two rows."""
    n: int
    """Rows it rests on."""

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


@dataclass(frozen=True, kw_only=True, slots=True)
class Draws:
    """How resamples are drawn."""

    number: int = 2_000
    """Resamples."""
    seed: int = 0
    """Seed of the generator; equal seeds and rows give equal intervals."""


def intervals(rows: Floats, statistics: Mapping[str, Statistic], draws: Draws) -> dict[str, Interval]:
    """Several measures of the same rows, all from the same draws.

    Args:
        rows: What each document contributes, shape (documents, columns), finite.
        statistics: Measures by name.
        draws: How resamples are drawn.
    """
    if not len(rows):
        return {name: Interval(value=None, low=None, high=None, n=0) for name in statistics}
    whole, sums = rows.sum(axis=0), resampled_sums(rows, draws)
    return {name: _interval(statistic, whole, sums, len(rows)) for name, statistic in statistics.items()}


def interval(rows: Floats, statistic: Statistic, draws: Draws) -> Interval:
    """One measure of some rows; see ``intervals``."""
    return intervals(rows, {"": statistic}, draws)[""]


def mean_interval(values: npt.ArrayLike, draws: Draws) -> Interval:
    """The mean of one score a document, with its interval."""
    column = np.asarray(values, dtype=np.float64).reshape(-1, 1)
    rows = np.hstack([column, np.ones_like(column)])
    return interval(rows, ratio(0, 1), draws)


def resampled_sums(rows: Floats, draws: Draws) -> Floats:
    """Sums of rows drawn with replacement, shape (draws, columns); memory for one draw at a time."""
    rng, n = np.random.default_rng(draws.seed), len(rows)
    sums = np.empty((draws.number, rows.shape[1]), dtype=np.float64)
    for i in range(draws.number):
        times = np.bincount(rng.integers(0, n, n), minlength=n)
        sums[i] = times.astype(np.float64) @ rows
    return sums


def ratio(numerator: int, denominator: int) -> Statistic:
    """The statistic that divides one column's sum by another's; undefined where the latter is 0."""

    def statistic(sums: Floats) -> Floats:
        below = sums[..., denominator]
        return np.divide(sums[..., numerator], below, out=np.full_like(below, np.nan), where=below != 0)

    return statistic


def _interval(statistic: Statistic, whole: Floats, sums: Floats, n: int) -> Interval:
    with np.errstate(over="ignore"):
        return interval_of(float(statistic(whole[None, :])[0]), statistic(sums), n)


def interval_of(value: float, drawn: Floats, n: int) -> Interval:
    """The interval of a measure whose values in the draws are known; undefined draws are left out.

    Args:
        value: The measure on all rows.
        drawn: The measure in each draw.
        n: Rows it rests on.
    """
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value):
        return Interval(value=None, low=None, high=None, n=n)
    if n < 2 or not len(drawn):
        return Interval(value=float(value), low=None, high=None, n=n)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return Interval(value=float(value), low=float(low), high=float(high), n=n)
