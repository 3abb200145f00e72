"""Pairs: candidates verified by their true Jaccard similarity, grouped, and one of each kept.

A *cluster* is a connected component of verified pairs. Within it texts are taken in order of
preference; one stays unless it is a verified copy of one that already stays. So everything that
is left out has a direct, recorded pair with a text that is kept, and a chain of small changes
never loses its far end.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gnomon.core.records import Pair
from gnomon.corpus.comparison import Texts, compared_frames
from gnomon.corpus.engine import Engine
from gnomon.corpus.minhash import ALL_PAIRS_UP_TO, NearConfig, Signatures, candidates

_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, kw_only=True, slots=True)
class Alike:
    """A verified pair, before anything is concluded from it."""

    a: str
    """The smaller of the two ids."""
    b: str
    """The larger of the two ids."""
    jaccard: float
    """Their true similarity."""
    same: bool
    """Whether their comparison texts are equal."""
    units: int
    """Units of the shorter one."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The like pairs of a corpus, and the means to compare two more of the texts in them."""

    pairs: list[Alike]
    """Every candidate pair whose true similarity reaches the threshold, in order of ids."""
    shingles: Mapping[str, npt.NDArray[np.uint64]]
    """Codes of the shingles of every candidate text."""
    facts: Mapping[str, tuple[int, int]]
    """(hash of the whole, units) of every candidate text."""
    threshold: float
    """Similarity from which two texts are alike."""

    def compare(self, a: str, b: str) -> Alike | None:
        """Two candidate texts as a pair, None when they are not alike."""
        a, b = min(a, b), max(a, b)
        same = self.facts[a][0] == self.facts[b][0] and np.array_equal(self.shingles[a], self.shingles[b])
        jaccard = 1.0 if same else _jaccard(self.shingles[a], self.shingles[b])
        if jaccard < self.threshold:
            return None
        return Alike(a=a, b=b, jaccard=round(jaccard, 6), same=same, units=min(self.facts[a][1], self.facts[b][1]))


def compare_all(texts: Texts, engine: Engine, signatures: Signatures, config: NearConfig) -> Comparison:
    """Verify every candidate pair.

    Args:
        texts: Opens the corpus a second time: texts are not kept in memory, only those of
            candidates are read again.
        engine: Where Daft runs.
        signatures: Of the same corpus.
        config: The settings.
    """
    rows = candidates(signatures)
    used = np.unique(rows)
    ids = signatures.ids.take(used).to_pylist() if len(used) else []
    names = dict(zip(used.tolist(), ids, strict=True))
    facts = {names[row]: (int(signatures.whole[row]), int(signatures.units[row])) for row in used.tolist()}
    found = Comparison(
        pairs=[], shingles=_shingles(texts, engine, ids, config.ngram), facts=facts, threshold=config.threshold
    )
    alike = (found.compare(names[first], names[second]) for first, second in rows.tolist())
    found.pairs.extend(pair for pair in alike if pair is not None)
    return found


Copies = defaultdict[str, dict[str, Alike]]
"""For each text those it is a copy of."""


def _shingles(texts: Texts, engine: Engine, ids: Sequence[str], ngram: int) -> dict[str, npt.NDArray[np.uint64]]:
    wanted = pa.array(ids, pa.string())
    vocabulary: dict[str, int] = {}
    found = {}

    def candidates_only() -> Iterator[pa.RecordBatch]:
        for batch in texts() if ids else ():
            yield batch.filter(pc.is_in(batch.column("id").cast(pa.string()), value_set=wanted))

    for frame in compared_frames(candidates_only, engine):
        for batch in frame.to_arrow_iter():
            for key, text in zip(batch.column("id").to_pylist(), batch.column("text").to_pylist(), strict=True):
                units = [vocabulary.setdefault(unit, len(vocabulary)) for unit in text.split()]
                found[key] = _codes(np.array(units, np.uint64), ngram)
    return found


def _codes(units: npt.NDArray[np.uint64], ngram: int) -> npt.NDArray[np.uint64]:
    """One number for each distinct shingle; a text shorter than a shingle is one."""
    width = min(ngram, len(units))
    codes = np.zeros(len(units) - width + 1, np.uint64)
    for i in range(width):
        codes = (codes ^ (units[i : len(units) - width + 1 + i] + np.uint64(1))) * _MIX
        codes ^= codes >> np.uint64(29)
    return np.unique(codes)


def _jaccard(a: npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> float:
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)


def conclude(
    found: Comparison, why_apart: Callable[[Alike], str], preference: Callable[[str], Any]
) -> tuple[list[Pair], dict[str, tuple[str, float, str]]]:
    """Decide what is kept.

    Args:
        found: Verified pairs.
        why_apart: Says why a pair is two works, or ``""``.
        preference: Sort key of an id; the smallest of a cluster is kept.

    Returns:
        Every pair with what was concluded, and for each id left out (kept id, similarity, kind).
    """
    judged = {(pair.a, pair.b): (pair, why_apart(pair)) for pair in found.pairs}
    copies: Copies = defaultdict(dict)
    for pair, apart in judged.values():
        if not apart:
            copies[pair.a][pair.b] = copies[pair.b][pair.a] = pair
    clusters = _clusters(copies)
    order = sorted(copies, key=preference)
    for pair in _missing(found, order, clusters, copies):
        judged[pair.a, pair.b] = (pair, apart := why_apart(pair))
        if not apart:
            copies[pair.a][pair.b] = copies[pair.b][pair.a] = pair
    staying, gone = _staying(order, copies), dict[str, tuple[str, float, str]]()
    for key in sorted(set(copies) - staying):
        best = max((k for k in copies[key] if k in staying), key=lambda k: (copies[key][k].jaccard, k))
        gone[key] = (best, copies[key][best].jaccard, _kind(copies[key][best]))
    rows = [
        Pair(a=p.a, b=p.b, jaccard=p.jaccard, kind=_kind(p), apart=apart, kept="" if apart else _kept(p, gone),
             cluster="" if apart else clusters[p.a])
        for _, (p, apart) in sorted(judged.items())
    ]  # fmt: skip
    return rows, gone


def _missing(found: Comparison, order: Sequence[str], clusters: Mapping[str, str], copies: Copies) -> Iterator[Alike]:
    """Pairs that a large bucket left out: of a member with the preferred one of its cluster."""
    sizes = Counter(clusters.values())
    first: dict[str, list[str]] = {}
    for key in order:
        cluster = clusters[key]
        if sizes[cluster] > ALL_PAIRS_UP_TO:
            leaders = first.setdefault(cluster, [])
            alike = [(leader, copies[key].get(leader) or found.compare(key, leader)) for leader in leaders]
            yield from (pair for leader, pair in alike if pair is not None and leader not in copies[key])
            if not any(pair for _, pair in alike):
                leaders.append(key)


def _kind(pair: Alike) -> str:
    return "exact" if pair.same else "near"


def _kept(pair: Alike, gone: Mapping[str, Any]) -> str:
    """The one that stays when the other does not; empty when both went for a third."""
    return next((key for key in (pair.a, pair.b) if key not in gone), "")


def _staying(order: Sequence[str], copies: Copies) -> set[str]:
    staying: set[str] = set()
    for key in order:
        if not any(other in staying for other in copies[key]):
            staying.add(key)
    return staying


def _clusters(copies: Copies) -> dict[str, str]:
    """For each id the smallest id of its connected component."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    names = sorted(copies)
    if not names:
        return {}
    number = {name: i for i, name in enumerate(names)}
    edges = np.array([(number[a], number[b]) for a in names for b in copies[a]])
    graph = coo_matrix((np.ones(len(edges), np.int8), edges.T), shape=(len(names), len(names)))
    _, labels = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    return {name: first.setdefault(int(label), name) for name, label in zip(names, labels, strict=True)}
