"""Chance: what somebody who knows nothing scores, computed and not drawn.

One of k options, or one of the 2^k - 1 ways to name some of them where several are right. The interval is where 95 % of
guessers of these very questions would land (the distribution of a sum of unequal coins, exactly).
"""

import math
from collections.abc import Sequence

import numpy as np

from gnomon.core.records import Item
from gnomon.evaluation.bootstrap import CONFIDENCE, Interval


def chance_of(options: int, targets: int) -> float:
    """The chance to guess one item.

    Args:
        options: Its options.
        targets: How many of them are right.
    """
    return 1 / options if targets == 1 else 1 / (2**options - 1)


def chance(item: Item) -> float:
    """The chance to guess an item."""
    return chance_of(len(item.choices), len(item.targets))


def guessed(chances: Sequence[float]) -> Interval:
    """The accuracy of guessing: its mean, and the middle 95 % of guessers.

    Args:
        chances: Of each item.
    """
    n = len(chances)
    if not n:
        return Interval(value=None, low=None, high=None, n=0)
    shares = np.zeros(n + 1)
    shares[0] = 1.0
    for number, p in enumerate(chances, 1):
        shares[1 : number + 1] = shares[1 : number + 1] * (1 - p) + shares[:number] * p
        shares[0] *= 1 - p
    below = np.cumsum(shares)
    tail = (1 - CONFIDENCE) / 2
    low, high = (int(np.searchsorted(below, q)) for q in (tail, 1 - tail))
    return Interval(value=math.fsum(chances) / n, low=low / n, high=min(high, n) / n, n=n)
