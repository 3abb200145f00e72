"""Seeds: which documents share a run of letters with which exam items, found in one streamed pass.

A *seed* is a window of a few letters of an item. Every window of every document is hashed by a
rolling polynomial (Karp and Rabin 1987) in NumPy and looked up among the seeds; what comes back
is (document, seed) pairs. Seeds that many documents or many items have are boilerplate and lead
nowhere. Memory holds eight bytes for each pair found.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnomon.corpus.letters import Codes

Hashes = npt.NDArray[np.uint64]
_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)
_BITS = 25
"""Size of the first sieve: 2**25 bytes."""


def _powers(base: int, count: int) -> Hashes:
    with np.errstate(over="ignore"):
        steps = np.full(count, base, np.uint64)
        steps[:1] = 1
        return np.multiply.accumulate(steps)


class Windows:
    """Hashes of all windows of one width; grows its tables of powers as needed."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._up = self._down = np.empty(0, np.uint64)

    def hashes(self, codes: Codes) -> Hashes:
        """The hash of each window, shape (letters - width + 1,)."""
        size = len(codes)
        if size < self.width:
            return np.empty(0, np.uint64)
        if len(self._up) < size:
            self._up, self._down = _powers(_BASE, 2 * size), _powers(_INVERSE, 2 * size)
        with np.errstate(over="ignore"):
            sums = np.zeros(size + 1, np.uint64)
            np.cumsum(_scrambled(codes) * self._up[:size], out=sums[1:])
            last = size - self.width + 1
            return (sums[self.width :] - sums[:last]) * self._down[:last]


def _scrambled(codes: Codes) -> Hashes:
    """Letters as large odd-looking numbers, so that a window's hash depends on all their bits."""
    with np.errstate(over="ignore"):
        mixed = codes.astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93)
        return (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xC2B2AE3D27D4EB4F)


@dataclass(frozen=True, kw_only=True)
class SeedIndex:
    """The seeds of one width, and the rows (parts of exam items) they come from."""

    width: int
    """Letters in a window."""
    hashes: Hashes
    """Sorted, without repeats."""
    starts: npt.NDArray[np.int64]
    """For each seed where its rows begin in ``rows``; one more at the end."""
    rows: npt.NDArray[np.int32]
    """Numbers of the rows that have it, seed after seed."""
    sieve: npt.NDArray[np.bool_]
    """Whether any seed has these leading bits."""

    @property
    def rows_per_seed(self) -> npt.NDArray[np.int64]:
        """How many rows have each seed."""
        return np.diff(self.starts)


def build_index(parts: Iterable[tuple[int, Codes]], width: int) -> SeedIndex:
    """Index every window of the given parts (row, letters)."""
    windows = Windows(width)
    pairs = [(np.unique(windows.hashes(codes)), row) for row, codes in parts]
    hashes = np.concatenate([h for h, _ in pairs]) if pairs else np.empty(0, np.uint64)
    rows = np.repeat([row for _, row in pairs], [len(h) for h, _ in pairs]).astype(np.int32)
    order = np.lexsort((rows, hashes))
    hashes, rows = hashes[order], rows[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (rows[1:] != rows[:-1])
    hashes, rows = hashes[new], rows[new]
    distinct, starts = np.unique(hashes, return_index=True)
    sieve = np.zeros(1 << _BITS, bool)
    sieve[_leading(distinct)] = True
    return SeedIndex(width=width, hashes=distinct, starts=np.r_[starts, len(hashes)], rows=rows, sieve=sieve)


def _leading(hashes: Hashes) -> npt.NDArray[np.int64]:
    return (hashes >> np.uint64(64 - _BITS)).astype(np.int64)


def scan(index: SeedIndex, windows: Windows, codes: Codes, ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The distinct (text, seed) pairs of a batch of joined texts, shape (pairs, 2).

    Args:
        index: The seeds.
        windows: Hashes windows of the index's width.
        codes: Letters of the texts, joined.
        ends: Where each text ends in them.
    """
    if not len(index.hashes):
        return np.empty((0, 2), np.int64)
    hashes = windows.hashes(codes)
    places = np.flatnonzero(index.sieve[_leading(hashes)])
    found = np.searchsorted(index.hashes, hashes[places])
    found[found == len(index.hashes)] = 0
    real = index.hashes[found] == hashes[places]
    texts = np.searchsorted(ends, places[real], side="right")
    pairs = np.unique(texts * len(index.hashes) + found[real])
    return np.column_stack(np.divmod(pairs, len(index.hashes)))


def expand(index: SeedIndex, hits: npt.NDArray[np.int64], most_rows: int) -> dict[tuple[int, int], int]:
    """How many distinct seeds each (text, row) pair shares; seeds of too many rows are passed over."""
    counts = index.rows_per_seed[hits[:, 1]]
    hits, counts = hits[counts <= most_rows], counts[counts <= most_rows]
    inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = index.rows[np.repeat(index.starts[hits[:, 1]], counts) + inside]
    size = int(index.rows.max(initial=0)) + 1
    pairs, shared = np.unique(np.repeat(hits[:, 0], counts) * size + rows, return_counts=True)
    texts, rows = np.divmod(pairs, size)
    return {(t, r): c for t, r, c in zip(texts.tolist(), rows.tolist(), shared.tolist(), strict=True)}


def seeds_per_row(index: SeedIndex, rows: int, most_rows: int) -> npt.NDArray[np.int64]:
    """How many seeds each row has, without those of too many rows."""
    usable = np.repeat(index.rows_per_seed <= most_rows, index.rows_per_seed)
    return np.bincount(index.rows[usable], minlength=rows)
