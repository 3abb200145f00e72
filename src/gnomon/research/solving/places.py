"""Places: where in what was found an option may have its support, and how well each place speaks for it.

A place belongs to one option and has a row of features. The score of an option is the logarithm of the sum of
``exp(weights · row)`` over its places, so that one good place is enough and several help a little; over the options
that is the softmax of a conditional logit whose choices are places (McFadden 1974), summed by option.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]
"""Shape (places, features)."""


@dataclass(frozen=True, slots=True)
class Places:
    """The places of one question."""

    kind: str
    """Which weights they are scored by, a key of ``solve.WEIGHTS``."""
    names: tuple[str, ...]
    """Features, in the order of a row."""
    options: npt.NDArray[np.int64]
    """The option of each place."""
    rows: Table
    """Features of each place."""
    nowhere: float = -np.inf
    """Score that every option has without any place."""


def places(kind: str, names: Sequence[str], found: Sequence[tuple[int, Sequence[float]]], nowhere: float) -> Places:
    """Places of rows by option; every feature is taken beside its mean over the question's places."""
    rows = np.array([row for _, row in found], dtype=np.float64).reshape(len(found), len(names))
    rows = rows - rows.mean(axis=0) if len(rows) else rows
    return Places(kind, tuple(names), np.array([option for option, _ in found], dtype=np.int64), rows, nowhere)


def scores(there: Places, weights: Mapping[str, float], options: int) -> npt.NDArray[np.float64]:
    """The score of every option, shape (options,); all 0 where nothing was found.

    Args:
        there: The places.
        weights: By feature.
        options: How many options there are.
    """
    each = there.rows @ np.array([weights[name] for name in there.names])
    found = np.full(options, there.nowhere)
    for option in range(options):
        found[option] = np.logaddexp.reduce(each[there.options == option], initial=there.nowhere)
    return found if np.isfinite(found).all() else np.zeros(options)
