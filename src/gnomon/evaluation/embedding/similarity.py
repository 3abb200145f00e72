"""All pairs of documents as several systems see them: AstroLLaMA's figure, and what it rests on.

For n documents there are n(n-1)/2 *pairs*, each with one cosine a system. They are made tile by
tile and only counted: histograms, sums in *groups* of documents, and the few pairs on which two
systems disagree most. Cosines of different systems are on different scales, so to disagree is to
*rank* a pair differently among all pairs.

Intervals: pairs that share a document are not independent, so documents are drawn, not pairs: in
``GROUPS`` seeded groups, where a pair counts as often as both its groups were drawn together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from gnomon.core.protocols import Vectors
from gnomon.evaluation.bootstrap import Draws, Floats, Interval, interval_of

TILE = 1_024
GROUPS = 32
SHOWN_BINS = 128
FINE_A_SHOWN = 128
FINE_BINS = SHOWN_BINS * FINE_A_SHOWN
SPREAD_BINS = 10
Cosines = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64 | np.int32]


@dataclass(frozen=True, kw_only=True)
class Tile:
    """Some pairs: row and column of each, and its cosine under every system."""

    rows: Ints
    """Index of the first document of each pair."""
    columns: Ints
    """Index of the second, always larger."""
    cosines: list[Cosines]
    """One array a system, -1 to 1."""


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The range of one system's cosines."""

    low: float
    """The smallest."""
    high: float
    """The largest."""

    def bin_of(self, cosines: Cosines, bins: int) -> Ints:
        """Which of some equal bins of the range each cosine falls into."""
        width = (self.high - self.low) or 1.0
        places = ((cosines - np.float32(self.low)) * np.float32(bins / width)).astype(np.int32)
        return np.clip(places, 0, bins - 1)

    def edges(self, bins: int) -> list[float]:
        """The borders of those bins."""
        return [float(x) for x in np.linspace(self.low, self.high, bins + 1)]


def tiles(vectors: Sequence[Vectors], size: int = TILE) -> Iterator[Tile]:
    """Every pair of documents once, in tiles of at most size x size."""
    n = len(vectors[0])
    for top in range(0, n, size):
        for left in range(top, n, size):
            rows, columns = np.arange(top, min(top + size, n)), np.arange(left, min(left + size, n))
            first, second = np.meshgrid(rows, columns, indexing="ij")
            pairs = first < second
            cosines = [np.clip(v[rows] @ v[columns].T, -1, 1)[pairs] for v in vectors]
            yield Tile(rows=first[pairs], columns=second[pairs], cosines=cosines)


def extents(vectors: Sequence[Vectors]) -> list[Extent]:
    """The range of every system's cosines; needs two documents or more."""
    low, high = np.full(len(vectors), np.inf), np.full(len(vectors), -np.inf)
    for tile in tiles(vectors):
        for s, cosines in enumerate(tile.cosines):
            if len(cosines):
                low[s], high[s] = min(low[s], cosines.min()), max(high[s], cosines.max())
    return [Extent(low=float(a), high=float(b)) for a, b in zip(low, high, strict=True)]


@dataclass(kw_only=True)
class Counted:
    """What is counted over all pairs."""

    shown: Ints
    """Pairs in each bin of the general system and each of ``SHOWN_BINS`` bins of a system's own range, shape
    (systems, SPREAD_BINS, SHOWN_BINS)."""
    fine: Ints
    """Pairs in each of ``FINE_BINS`` bins of a system's own range, shape (systems, bins)."""
    sums: Floats
    """Per pair of groups and bin of the general system: pairs; then for each system the sums of its cosines less the
    middle of its range, of their squares, and of their products with the general system's; shape
    (GROUPS**2, SPREAD_BINS, 1 + 3 * systems)."""


def count(vectors: Sequence[Vectors], ranges: Sequence[Extent], general: int, seed: int) -> Counted:
    """Count all pairs.

    Args:
        vectors: Unit rows of every system.
        ranges: The range of each.
        general: Which system's similarity makes the bins.
        seed: Of the groups of documents.
    """
    n, systems = len(vectors[0]), len(vectors)
    groups = np.random.default_rng(seed).permutation(n) % GROUPS
    fine = np.zeros((systems, FINE_BINS), np.int64)
    shown = np.zeros((systems, SPREAD_BINS * SHOWN_BINS), np.int64)
    cells = GROUPS * GROUPS * SPREAD_BINS
    sums = np.zeros((1 + 3 * systems, cells))
    middles = [(r.low + r.high) / 2 for r in ranges]
    for tile in tiles(vectors):
        cell = (groups[tile.rows] * GROUPS + groups[tile.columns]) * SPREAD_BINS
        level = ranges[general].bin_of(tile.cosines[general], SPREAD_BINS)
        cell += level
        sums[0] += np.bincount(cell, minlength=cells)
        base = tile.cosines[general].astype(np.float64) - middles[general]
        for s, cosines in enumerate(tile.cosines):
            own = cosines.astype(np.float64) - middles[s]
            for k, weights in enumerate((own, own * own, own * base)):
                sums[1 + 3 * s + k] += np.bincount(cell, weights=weights, minlength=cells)
            place = ranges[s].bin_of(cosines, FINE_BINS)
            fine[s] += np.bincount(place, minlength=FINE_BINS)
            shown[s] += np.bincount(level * SHOWN_BINS + place // FINE_A_SHOWN, minlength=len(shown[s]))
    return Counted(
        shown=shown.reshape(systems, SPREAD_BINS, SHOWN_BINS),
        fine=fine,
        sums=sums.T.reshape(GROUPS**2, SPREAD_BINS, 1 + 3 * systems),
    )


# Figures -------------------------------------------------------------------------------------


def figures(
    names: Sequence[str], counted: Counted, ranges: Sequence[Extent], general: int, draws: Draws
) -> dict[str, Any]:
    """Histogram, mean, spread and agreement of every system, as JSON types.

    A ``histogram``, of all pairs or of one bin of the general system, has ``SHOWN_BINS`` equal bins from the system's
    ``low`` to its ``high``.
    """
    pairs = int(counted.sums[:, :, 0].sum())
    weights = _drawn_weights(draws)
    found: dict[str, Any] = {}
    for s, name in enumerate(names):
        whole = _moments(counted.sums.sum(axis=1), s, general, weights, pairs)
        middle = (ranges[s].low + ranges[s].high) / 2
        found[name] = {
            "low": ranges[s].low,
            "high": ranges[s].high,
            "histogram": counted.shown[s].sum(axis=0).tolist(),
            "mean": _shifted(whole["mean"], middle).to_row(),
            "spread": whole["spread"].to_row(),
            "correlation_with_general": whole["correlation"].to_row(),
            "bins": [_bin(counted, s, b, (middle, general), weights) for b in range(SPREAD_BINS)],
        }
    return {
        "pairs": pairs,
        "bin_edges": ranges[general].edges(SPREAD_BINS),
        "groups": GROUPS,
        "systems": found,
    }


def _bin(counted: Counted, s: int, b: int, about: tuple[float, int], weights: Floats) -> dict[str, Any]:
    cells = counted.sums[:, b]
    pairs = int(cells[:, 0].sum())
    found = _moments(cells, s, about[1], weights, pairs)
    histogram = counted.shown[s, b].tolist()
    return {
        "mean": _shifted(found["mean"], about[0]).to_row(), "spread": found["spread"].to_row(), "histogram": histogram,
    }  # fmt: skip


def _shifted(found: Interval, by: float) -> Interval:
    moved = (None if x is None else x + by for x in (found.value, found.low, found.high))
    value, low, high = moved
    return Interval(value=value, low=low, high=high, n=found.n)


def _drawn_weights(draws: Draws) -> Floats:
    """How often each pair of groups counts in each draw, shape (draws, GROUPS**2); first row: all once."""
    rng = np.random.default_rng(draws.seed)
    times = rng.multinomial(GROUPS, [1 / GROUPS] * GROUPS, size=draws.number).astype(np.float64)
    times = np.vstack([np.ones(GROUPS), times])
    weights: Floats = (times[:, :, None] * times[:, None, :]).reshape(len(times), GROUPS**2)
    return weights


def _moments(cells: Floats, s: int, general: int, weights: Floats, pairs: int) -> dict[str, Interval]:
    """Mean (of shifted cosines), standard deviation and correlation with the general system.

    Args:
        cells: Sums by pair of groups, shape (GROUPS**2, columns).
        s: The system.
        general: The general system.
        weights: Of ``_drawn_weights``.
        pairs: How many pairs there are.
    """
    drawn = weights @ cells
    number = np.where(drawn[:, 0] > 0, drawn[:, 0], np.nan)
    own, base = 1 + 3 * s, 1 + 3 * general
    mean, other = drawn[:, own] / number, drawn[:, base] / number
    spread = np.sqrt(np.maximum(drawn[:, own + 1] / number - mean**2, 0))
    beside = np.sqrt(np.maximum(drawn[:, base + 1] / number - other**2, 0))
    product = spread * beside
    together = drawn[:, own + 2] / number - mean * other
    correlation = np.divide(together, product, out=np.full_like(product, np.nan), where=product > 0)
    return {
        name: interval_of(values[0], values[1:], pairs)
        for name, values in (("mean", mean), ("spread", spread), ("correlation", correlation))
    }


# Disagreement --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """A pair of documents that one system ranks far nearer than another."""

    nearer: str
    """The system for which they are near."""
    farther: str
    """The one for which they are not."""
    a: int
    """Row of the first document."""
    b: int
    """Row of the second."""
    ranks: tuple[float, ...]
    """For each system the share of all pairs that are less alike, 0 to 1."""
    cosines: tuple[float, ...]
    """For each system the cosine."""


def disagreements(
    names: Sequence[str], vectors: Sequence[Vectors], counted: Counted, ranges: Sequence[Extent], wanted: int
) -> list[Disagreement]:
    """For every two systems and both directions, the pairs whose ranks differ most.

    Args:
        names: The systems.
        vectors: Their unit rows.
        counted: Of the same vectors.
        ranges: Of the same vectors.
        wanted: Pairs for each two systems and direction.
    """
    shares = [_shares(c) for c in counted.fine]
    best: dict[tuple[int, int], list[tuple[float, Disagreement]]] = {}
    for tile in tiles(vectors) if wanted else ():
        ranks = [share[r.bin_of(c, FINE_BINS)] for c, r, share in zip(tile.cosines, ranges, shares, strict=True)]
        for x, y in combinations(range(len(names)), 2):
            difference = ranks[x] - ranks[y]
            for two, sign in (((x, y), 1), ((y, x), -1)):
                kept = best.setdefault(two, [])
                least = kept[-1][0] if len(kept) == wanted else 0.0
                kept += _largest(tile, ranks, sign * difference, (names[two[0]], names[two[1]]), (wanted, least))
                kept.sort(key=lambda pair: (-pair[0], pair[1].a, pair[1].b))
                del kept[wanted:]
    return [found for _, kept in sorted(best.items()) for _, found in kept]


def _shares(counts: Ints) -> Cosines:
    """For each fine bin the share of pairs below its middle."""
    upto = np.cumsum(counts)
    shares: Cosines = ((upto - counts / 2) / max(1, upto[-1])).astype(np.float32)
    return shares


def _largest(
    tile: Tile, ranks: Sequence[Cosines], difference: Cosines, names: tuple[str, str], limits: tuple[int, float]
) -> list[tuple[float, Disagreement]]:
    """The pairs of a tile with the largest differences, if they are above the least that counts."""
    wanted, least = limits
    places = np.flatnonzero(difference > least)
    if len(places) > wanted:
        places = places[np.argpartition(-difference[places], wanted - 1)[:wanted]]
    return [
        (
            float(difference[i]),
            Disagreement(
                nearer=names[0], farther=names[1], a=int(tile.rows[i]), b=int(tile.columns[i]),
                ranks=tuple(float(r[i]) for r in ranks), cosines=tuple(float(c[i]) for c in tile.cosines),
            ),
        )
        for i in places
    ]  # fmt: skip
