"""Fusion: one ranking out of several.

Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): a passage gains ``1 / (K + rank)``
from each ranking it stands in. It needs no scale, so any embedder can be put beside BM25, and a
passage without a vector yet is not punished by a made-up score.
"""

from collections.abc import Sequence

K = 10
"""The constant of the formula; the usual 60 is for many rankings, 10 was better for two."""


def fuse(rankings: Sequence[Sequence[str]]) -> list[tuple[str, float]]:
    """Fuse rankings of ids.

    Args:
        rankings: Each best first, without repeats.

    Returns:
        (id, score) of every id, best first; equal scores in order of id.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, 1):
            scores[key] = scores.get(key, 0.0) + 1.0 / (K + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
