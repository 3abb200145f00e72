"""MinHash-LSH: which texts could be near-duplicates, without comparing all with all.

A *signature* is the smallest hash of a text's n-grams under many permutations; two texts agree
in one place of it with the probability of their Jaccard similarity. A *band* is a few places
together; texts that agree in a whole band become a *candidate*, to be verified. Broder 1997;
Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3. Signatures and bands are
Daft expressions; memory holds eight bytes a band and a text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gnomon.core.errors import ConfigError

ALL_PAIRS_UP_TO = 24
"""Texts in one bucket up to which every two are compared; in larger ones neighbours and the first."""


@dataclass(frozen=True, kw_only=True)
class NearConfig:
    """How alike two texts must be, and how the alike are found."""

    ngram: int = 5
    """Units in a shingle: words where words are spaced, characters where not."""
    bands: int = 25
    """Bands of a signature; more find more."""
    rows: int = 4
    """Hashes in a band; more find fewer."""
    threshold: float = 0.7
    """Jaccard similarity of the shingles from which two texts are near-duplicates."""
    seed: int = 1
    """Seed of the permutations."""

    def __post_init__(self) -> None:
        if min(self.ngram, self.bands, self.rows) < 1 or not 0 < self.threshold <= 1:
            raise ConfigError(
                f"Near-duplicates: ngram={self.ngram}, bands={self.bands}, rows={self.rows},"
                f" threshold={self.threshold} cannot work.",
                "Use whole numbers from 1 and a threshold above 0, at most 1.",
            )

    def found(self, jaccard: float) -> float:
        """The probability that two texts of this similarity become candidates."""
        return float(1 - (1 - jaccard**self.rows) ** self.bands)


@dataclass(frozen=True, kw_only=True)
class Signatures:
    """What is kept of each text: arrays of equal length."""

    ids: pa.ChunkedArray
    """The texts' ids, sorted; rows of the other arrays follow them."""
    bands: tuple[npt.NDArray[np.uint64], ...]
    """For each band its hash in each text."""
    whole: npt.NDArray[np.uint64]
    """Hash of the whole comparison text."""
    units: npt.NDArray[np.int32]
    """Units of the comparison text; 0 for an empty one, which is like nothing."""


def sign(frames: Iterable[Any], config: NearConfig) -> Signatures:
    """The signatures of Daft frames with the columns ``id`` and ``text`` (comparison texts), streamed."""
    names = ["whole", "units", *(f"band{i}" for i in range(config.bands))]
    parts: dict[str, list[npt.NDArray[Any]]] = {name: [np.empty(0, np.uint64)] for name in names}
    parts["units"] = [np.empty(0, np.int32)]
    ids: list[pa.Array] = [pa.array([], pa.string())]
    for batch in (batch for frame in frames for batch in _signed(frame, config).to_arrow_iter()):
        ids.append(batch.column("id").cast(pa.string()))
        for name in names:
            column = batch.column(name).to_numpy(zero_copy_only=False)
            parts[name].append(column.astype(np.int32 if name == "units" else np.uint64))
    keys = pa.chunked_array(ids)
    # In order of id, so that nothing depends on the order in which the engine hands out batches.
    order = pc.sort_indices(keys).to_numpy()
    # One column after the other, so that no more than one is held twice.
    columns = {name: np.concatenate(parts.pop(name))[order] for name in names}
    bands = tuple(columns[name] for name in names[2:])
    return Signatures(ids=keys.take(order), bands=bands, whole=columns["whole"], units=columns["units"])


def _signed(frame: Any, config: NearConfig) -> Any:
    """The lazy frame of ids, band hashes, whole hashes and sizes."""
    from daft import col
    from daft import functions as f

    hashes = f.minhash(col("text"), num_hashes=config.bands * config.rows, ngram_size=config.ngram,
                       seed=config.seed, hash_function="xxhash")  # fmt: skip
    bands = (f.hash(f.slice(col("hashes"), i * config.rows, (i + 1) * config.rows)) for i in range(config.bands))
    hashed = frame.select(
        col("id"), hashes.alias("hashes"), f.hash(col("text")).alias("whole"),
        f.regexp_count(col("text"), r"\S+").alias("units"),
    )  # fmt: skip
    return hashed.select(
        col("id"), col("whole"), col("units"), *(band.alias(f"band{i}") for i, band in enumerate(bands))
    )


def candidates(signatures: Signatures) -> npt.NDArray[np.int64]:
    """Pairs of row numbers (lower first) that share a band, sorted, shape (pairs, 2)."""
    rows = np.flatnonzero(signatures.units)
    found = [np.empty((0, 2), np.int64)]
    for keys in (signatures.whole, *signatures.bands):
        for bucket in _buckets(keys[rows]):
            found.append(_pairs(rows[bucket]))
        found = [np.unique(np.concatenate(found), axis=0)]
    return found[0]


def _buckets(keys: npt.NDArray[np.uint64]) -> Iterator[npt.NDArray[np.int64]]:
    """Positions of equal keys, for every key that occurs twice or more."""
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    borders = np.flatnonzero(sorted_keys[1:] != sorted_keys[:-1]) + 1
    starts, ends = np.r_[0, borders], np.r_[borders, len(keys)]
    for i in np.flatnonzero(ends - starts > 1):
        yield order[starts[i] : ends[i]]


def _pairs(bucket: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    size = len(bucket)
    if size <= ALL_PAIRS_UP_TO:
        first, second = np.triu_indices(size, 1)
    else:
        first = np.r_[np.zeros(size - 1, np.int64), np.arange(1, size - 1)]
        second = np.r_[np.arange(1, size), np.arange(2, size)]
    return np.column_stack([bucket[first], bucket[second]])
