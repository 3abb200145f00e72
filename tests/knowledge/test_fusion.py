import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from gnomon.knowledge.fusion import fuse

RANKED = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-50, 50), max_size=6).map(
    lambda found: sorted(found.items(), key=lambda pair: -pair[1])
)
RANKINGS = st.lists(st.tuples(st.floats(0.01, 1), RANKED), max_size=3)


@given(RANKINGS)
def test_every_id_comes_out_once_best_first_between_0_and_1(rankings: list) -> None:
    fused = fuse(rankings)
    assert sorted(key for key, _ in fused) == sorted({key for _, ranked in rankings for key, _ in ranked})
    scores = [score for _, score in fused]
    assert scores == sorted(scores, reverse=True)
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in scores)


@given(RANKED, st.floats(0.1, 1))
def test_a_ranking_alone_keeps_its_order(ranked: list, weight: float) -> None:
    fused = dict(fuse([(weight, ranked), (0.5, [])]))
    for (one, high), (two, low) in itertools.pairwise(ranked):
        assert high < low or fused[one] >= fused[two]


@given(RANKINGS, st.floats(0.1, 100))
def test_the_scale_of_a_ranking_does_not_matter(rankings: list, factor: float) -> None:
    scaled = [(weight, [(key, score * factor) for key, score in ranked]) for weight, ranked in rankings]
    one, two = dict(fuse(rankings)), dict(fuse(scaled))
    assert all(math.isclose(one[key], two[key], abs_tol=1e-6) for key in one)


def test_what_both_rankings_like_comes_first() -> None:
    fused = fuse([(0.6, [("a", 9.0), ("b", 8.0), ("c", 1.0)]), (0.4, [("d", 0.9), ("b", 0.8), ("e", 0.1)])])
    assert [key for key, _ in fused] == ["b", "a", "d", "c", "e"]
