import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.evaluation.bootstrap import Draws, interval, intervals, mean_interval, ratio, resampled_sums


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        found = mean_interval(rng.normal(3.0, 1.0, 60), Draws(number=300, seed=trial))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 3.0 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_a_ratio_of_paired_columns_is_surer_than_the_two_alone() -> None:
    rng = np.random.default_rng(2)
    hard = rng.gamma(2.0, 2.0, 200)
    rows = np.stack([hard * 0.9, hard, np.ones(200)], axis=1)
    found = intervals(rows, {"a": ratio(0, 2), "b": ratio(1, 2), "change": ratio(0, 1)}, Draws())
    assert found["change"].value == pytest.approx(0.9)
    width = {name: f.high - f.low for name, f in found.items() if f.high is not None and f.low is not None}
    assert width["change"] < 1e-9 < width["a"]


def test_equal_seeds_give_equal_intervals_and_others_do_not() -> None:
    rows = np.random.default_rng(3).random((50, 2))
    first, again, other = (interval(rows, ratio(0, 1), Draws(seed=s)) for s in (4, 4, 5))
    assert first == again
    assert first != other
    assert first.value == other.value


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30))
def test_an_interval_holds_its_value_and_stays_inside_the_data(values: list[float]) -> None:
    found = mean_interval(values, Draws(number=200))
    assert found.low is not None
    assert found.high is not None
    assert found.value is not None
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert found.n == len(values)


def test_what_cannot_be_measured_has_no_figure_instead_of_a_zero() -> None:
    assert mean_interval([], Draws()).value is None
    lonely = mean_interval([2.0], Draws())
    assert (lonely.value, lonely.low, lonely.n) == (2.0, None, 1)
    assert interval(np.array([[1.0, 0.0], [2.0, 0.0]]), ratio(0, 1), Draws()).value is None


def test_every_draw_takes_as_many_rows_as_there_are() -> None:
    assert (resampled_sums(np.ones((17, 1)), Draws(number=20)) == 17).all()
