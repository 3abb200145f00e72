"""Fusion: one ranking out of several.

Each ranking's scores are stretched to 0..1 (*min-max*) and added by weight. Reciprocal rank fusion,
the usual choice, tied with it on English; but where one half is much weaker (Japanese), it pulled the
result below the better half at any constant, and min-max with a small weight did not.
"""

from collections.abc import Sequence

Ranked = Sequence[tuple[str, float]]


def fuse(rankings: Sequence[tuple[float, Ranked]]) -> list[tuple[str, float]]:
    """Fuse rankings of ids.

    Args:
        rankings: Weight, and (id, score) pairs best first, without repeats. An id that is missing from
            a ranking has 0 there.

    Returns:
        (id, score) of every id, best first; equal scores in order of id.
    """
    total = sum(weight for weight, ranked in rankings if ranked) or 1.0
    scores: dict[str, float] = {}
    for weight, ranked in rankings:
        for key, share in _stretched(ranked):
            scores[key] = scores.get(key, 0.0) + weight / total * share
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def _stretched(ranked: Ranked) -> list[tuple[str, float]]:
    if not ranked:
        return []
    values = [score for _, score in ranked]
    least, span = min(values), max(values) - min(values)
    return [(key, (score - least) / span if span else 1.0) for key, score in ranked]
