"""What a score is worth: intervals, tests between arms, calibration.

An item asked in several orders counts once, with the share of orders in which it was answered rightly; orders are not
independent draws, items are. The interval of whole scores is Wilson's (1927), which is right for few items and near 0
and 1; of shares it is a bootstrap over items. Two arms are compared on the items that both answered: exact McNemar
(1947) on majorities, and a paired bootstrap of the difference of means.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnomon.evaluation.bootstrap import Draws, Interval, mean_interval

Z = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""
BINS = 10
MAJORITY = 0.5
"""An item counts as right in McNemar's test when more than this share of its orders is."""


def wilson(right: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a proportion.

    Args:
        right: Successes.
        n: Trials, at least one.
    """
    share, square = right / n, Z * Z / n
    middle = (share + square / 2) / (1 + square)
    half = Z * math.sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def accuracy(scores: Sequence[float], draws: Draws) -> Interval:
    """The mean of items' scores, each 0 to 1, with its 95 % interval."""
    if scores and set(scores) <= {0.0, 1.0}:
        low, high = wilson(sum(scores), len(scores))
        return Interval(value=sum(scores) / len(scores), low=low, high=high, n=len(scores))
    return mean_interval(scores, draws)


def at_chance(found: Interval, chance: float) -> bool:
    """Whether the interval holds chance or lies below it, or there is none: then nothing says that it knows more."""
    return found.low is None or found.low <= chance


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two arms on the items that both answered."""

    n: int
    """Items."""
    better: int
    """Items that the first got right and the second wrong, by majority of orders."""
    worse: int
    """The other way round."""
    p: float
    """Exact two-sided McNemar."""
    difference: Interval
    """First minus second, in means."""

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        row = {name: getattr(self, name) for name in ("n", "better", "worse", "p")}
        return row | {"difference": self.difference.to_row()}


def compare(first: Sequence[float], second: Sequence[float], draws: Draws) -> Comparison:
    """Compare two arms, item by item.

    Args:
        first: Scores of the first arm, 0 to 1.
        second: Scores of the second, of the same items.
        draws: Of the bootstrap.
    """
    a, b = (np.asarray(scores, dtype=np.float64) for scores in (first, second))
    better = int(((a > MAJORITY) & (b <= MAJORITY)).sum())
    worse = int(((b > MAJORITY) & (a <= MAJORITY)).sum())
    return Comparison(
        n=len(a), better=better, worse=worse, p=mcnemar(better, worse), difference=mean_interval(a - b, draws)
    )


def mcnemar(better: int, worse: int) -> float:
    """The exact two-sided p-value of McNemar's test: a binomial of one half over the items that differ."""
    n = better + worse
    tail = sum(math.comb(n, k) for k in range(min(better, worse) + 1))
    return min(1.0, float(2 * tail / (1 << n)))


def log_shares(scores: Sequence[float]) -> list[float]:
    """Log-softmax: natural-log probability of every option, given that one of them is chosen."""
    values = np.asarray(scores, dtype=np.float64)
    top = values.max()
    return [float(v) for v in values - top - np.log(np.exp(values - top).sum())]


def calibration(confidences: Sequence[float], right: Sequence[bool]) -> dict[str, Any] | None:
    """The expected calibration error in ten bins of equal width (Naeini et al. 2015; Guo et al. 2017), and the bins.

    Args:
        confidences: Probability of each chosen option.
        right: Whether it was right.
    """
    if not confidences:
        return None
    sure, true = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [
        {"low": b / BINS, "high": (b + 1) / BINS, "n": int((place == b).sum()),
         "confidence": float(sure[place == b].mean()), "accuracy": float(true[place == b].mean())}
        for b in range(BINS) if (place == b).any()
    ]  # fmt: skip
    error = sum(row["n"] * abs(row["confidence"] - row["accuracy"]) for row in bins) / len(sure)
    return {"ece": float(error), "n": len(sure), "bins": bins}
