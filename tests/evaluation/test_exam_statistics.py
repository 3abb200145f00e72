import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exam_kit import held, item
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gnomon.core.errors import RunError
from gnomon.core.exams import Output
from gnomon.evaluation.bootstrap import Draws, Interval
from gnomon.evaluation.exam.arms import Arm, Paper, standard_arms
from gnomon.evaluation.exam.chance import chance, guessed
from gnomon.evaluation.exam.scoring import check_outputs, score
from gnomon.evaluation.exam.statistics import (
    accuracy,
    at_chance,
    calibration,
    compare,
    log_shares,
    mcnemar,
    wilson,
)
from gnomon.evaluation.roles import role_of

DRAWS = Draws(number=300, seed=0)


@pytest.mark.parametrize(  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(right: int, n: int, low: float, high: float) -> None:
    found = accuracy([1.0] * right + [0.0] * (n - right), DRAWS)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.value == right / n


def test_wilson_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    for p, n in ((0.25, 40), (0.9, 60)):
        found = [wilson(k, n) for k in rng.binomial(n, p, 1000).tolist()]
        assert 0.92 < np.mean([low <= p <= high for low, high in found]) < 0.98


def test_shares_of_orders_are_drawn_by_item_not_by_order() -> None:
    scores = [0.25, 1.0, 0.5, 0.75, 0.0, 1.0] * 10
    found = accuracy(scores, DRAWS)
    assert found.value == pytest.approx(np.mean(scores))
    half = 1.96 * np.std(scores) / math.sqrt(len(scores))
    assert found.low == pytest.approx(found.value - half, abs=0.02)
    assert found.high == pytest.approx(found.value + half, abs=0.02)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_exact_binomial_test_of_the_items_that_differ(better: int, worse: int) -> None:
    n = better + worse
    assert mcnemar(better, worse) == pytest.approx(stats.binomtest(better, n).pvalue if n else 1.0)
    assert mcnemar(better, worse) == mcnemar(worse, better)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 1.0]), st.sampled_from([0.0, 0.75, 1.0])), min_size=2))
def test_a_comparison_turned_round_is_its_mirror(pairs: list[tuple[float, float]]) -> None:
    first, second = ([pair[i] for pair in pairs] for i in (0, 1))
    one, other = compare(first, second, DRAWS), compare(second, first, DRAWS)
    assert (one.better, one.worse, one.p) == (other.worse, other.better, other.p)
    assert one.difference.value is not None
    assert other.difference.value == pytest.approx(-one.difference.value)
    assert one.difference.value == pytest.approx(np.mean(first) - np.mean(second))


def test_paired_intervals_are_those_of_the_difference() -> None:
    rng = np.random.default_rng(0)
    hard = rng.integers(0, 2, 200).astype(float)
    lift = np.where(rng.random(200) < 0.1, 1.0, hard)
    found = compare(lift.tolist(), hard.tolist(), DRAWS)
    assert found.difference.low is not None
    assert found.difference.low > 0  # two intervals of strangers would overlap
    assert wilson(lift.sum(), 200)[0] < wilson(hard.sum(), 200)[1]


# Chance --------------------------------------------------------------------------------------


@given(st.integers(1, 60), st.integers(2, 8))
def test_guessers_of_equal_questions_are_binomial(n: int, options: int) -> None:
    found = guessed([1 / options] * n)
    assert found.value == pytest.approx(1 / options)
    for end, q in ((found.low, 0.025), (found.high, 0.975)):
        assert end is not None
        assert abs(round(end * n) - stats.binom.ppf(q, n, 1 / options)) <= 1  # rounding at a tie
    assert found.n == n


def test_who_may_name_several_guesses_among_all_sets_that_are_not_empty() -> None:
    assert chance(item(0, 4)) == 0.25
    assert chance(item(0, 4, (0, 2))) == 1 / 15
    assert guessed([]) == Interval(value=None, low=None, high=None, n=0)


@pytest.mark.parametrize(
    ("low", "chance_level", "told"), [(0.24, 0.25, True), (0.25, 0.25, True), (0.26, 0.25, False), (None, 0.25, True)]
)
def test_at_chance_is_whose_interval_holds_chance_or_lies_below(
    low: float | None, chance_level: float, told: bool
) -> None:
    assert at_chance(Interval(value=0.3, low=low, high=0.4, n=5), chance_level) is told


# Calibration ---------------------------------------------------------------------------------


def test_who_is_right_as_often_as_sure_is_calibrated() -> None:
    sure = [0.55] * 20 + [0.95] * 20
    right = [True] * 11 + [False] * 9 + [True] * 19 + [False]
    found = calibration(sure, right)
    assert found is not None
    assert found["ece"] == pytest.approx(0.0)
    assert [(b["low"], b["n"]) for b in found["bins"]] == [(0.5, 20), (0.9, 20)]


def test_the_error_is_the_mean_distance_of_the_bins() -> None:
    found = calibration([0.9, 0.9, 0.3, 1.0], [True, False, True, True])
    assert found is not None
    # bins [0.3, 0.4): 1 of 0.3, all right; [0.9, 1]: three, mean 2.8 / 3, two right
    assert found["ece"] == pytest.approx((1 * 0.7 + 3 * abs(2.8 / 3 - 2 / 3)) / 4)
    assert found["n"] == 4
    assert calibration([], []) is None


@given(st.lists(st.floats(-500, 0), min_size=2, max_size=8))
def test_shares_of_options_are_a_distribution_in_their_order(scores: list[float]) -> None:
    shares = log_shares(scores)
    assert math.fsum(map(math.exp, shares)) == pytest.approx(1)
    assert shares[int(np.argmax(scores))] == max(shares)
    assert log_shares([s + 7 for s in scores]) == pytest.approx(shares)


# Scoring -------------------------------------------------------------------------------------


@given(st.sets(st.integers(0, 3), min_size=1), st.sets(st.integers(0, 3)), st.permutations(range(4)))
def test_right_is_who_names_exactly_the_right_options(targets: set[int], said: set[int], order: list[int]) -> None:
    one = item(1, 4, tuple(sorted(targets)))
    places = tuple(order.index(option) for option in said)
    found = score(one, tuple(order), Output(chosen=places), "arm")
    assert found.score == (None if not said else float(said == targets))
    assert found.reason == ("" if said else "no_answer")


@pytest.mark.parametrize("output", [
    Output(chosen=(4,)), Output(chosen=(-1,)), Output(chosen=(0,), log_probs=(0.0,)), Output(reason="tired"),
])  # fmt: skip
def test_a_solver_that_breaks_its_contract_is_told_so(output: Output) -> None:
    with pytest.raises(RunError, match="'arm'"):
        score(item(1), (0, 1, 2, 3), output, "arm")
    with pytest.raises(RunError, match="2 answers to 3 questions"):
        check_outputs([output] * 2, 3, "arm")


# Groups --------------------------------------------------------------------------------------


def test_every_subject_and_language_has_its_own_row_with_n_and_interval(tmp_path: Path) -> None:
    roles = (role_of("base"), role_of("specialised"))
    mixed = [item(n, subject="stars" if n < 12 else "dust", lang="ja" if n % 4 == 0 else "en") for n in range(20)]
    config: dict[str, Any] = {"models": roles, "arms": standard_arms(roles), "exams": (Paper(name="sky"),)}
    _, facts, _, _ = held(tmp_path, config, {"sky": mixed}, {"base": {"knows": 0}, "specialised": {"knows": 12}})
    found = facts["exams"]["sky"]["arms"]["specialised"]
    assert {name: row["n"] for name, row in found["by_subject"].items()} == {"stars": 12, "dust": 8}
    assert {name: row["n"] for name, row in found["by_lang"].items()} == {"en": 15, "ja": 5}
    assert found["by_subject"]["stars"]["accuracy"]["value"] == 1
    assert found["by_subject"]["dust"]["accuracy"]["value"] == 0.25
    assert found["by_subject"]["stars"]["accuracy"]["low"] == pytest.approx(wilson(12, 12)[0])
    guess = facts["exams"]["sky"]["arms"]["chance"]["by_subject"]["dust"]
    assert (guess["n"], guess["accuracy"]["value"]) == (8, 0.25)


def test_confidence_of_lengthened_scores_is_no_probability(tmp_path: Path) -> None:
    roles = (role_of("base"),)
    arms = (Arm(name="base", model="base", mode="option"),)
    for normalise, told in (("characters", False), ("sum", True)):
        config = {"models": roles, "arms": arms, "exams": (Paper(name="sky"),), "normalise": normalise}
        _, facts, _, _ = held(
            tmp_path / normalise, config, {"sky": [item(n) for n in range(6)]}, {"base": {"knows": 3}}
        )
        row = facts["exams"]["sky"]["arms"]["base"]
        assert (row["calibration"] is not None, row["log_prob"] is not None) == (told, told), json.dumps(row)
