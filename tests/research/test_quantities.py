"""Quantities: the same number however it is rounded or worded, and numbers that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.research.solving.numbers import are_numbers
from gnomon.research.solving.quantities import nearness, quantities


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("forty-seven thousand", "46,748 galaxies"),
        ("one tenth", "10 per cent"),
        ("three quarters", "0.75"),
        ("Three and three quarters", "the power 3.75"),
        ("about 3/4 of a solar mass", "0.75"),
        ("fivefold", "five times"),
        ("one half", "50%"),
        ("50 hours", "2.087 days"),
        ("a hundred thousand million", "10^11"),
        ("eighty km/s", "80 km/s per Mpc"),
        ("1/3", "one third"),
        ("約900 m", "0.9 km"),
    ],
)
def test_numbers_in_other_words_are_near(one: str, other: str) -> None:
    assert nearness(quantities(one)[0], quantities(other)[0]) > 0.5


@pytest.mark.parametrize(("one", "other"), [("24 kpc", "10 kpc"), ("one quarter", "one half"), ("8", "11"), ("0", "3")])
def test_other_numbers_are_not(one: str, other: str) -> None:
    assert nearness(quantities(one)[0], quantities(other)[0]) == 0


@pytest.mark.parametrize("text", ["on 30 August", "March 7", "boron-8", "a third of them", "NGC 4258", "8月", ""])
def test_days_and_names_are_no_quantities(text: str) -> None:
    found = [one.value for one in quantities(text)]
    assert found == ([1 / 3] if "third" in text else [])


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    for one in quantities(text):
        assert 0 <= one.start < one.end
        assert nearness(one, one) == 1


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_nearness_is_even_handed(one: float, other: float) -> None:
    first, second = quantities(f"{one:.9f} m"), quantities(f"{other:.9f} m")
    assert nearness(first[0], second[0]) == pytest.approx(nearness(second[0], first[0]))


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["3 km", "14 km", "40 km"], True),
        (["About ten million", "Nearly two million", "A hundred thousand"], True),
        (["約72%", "約40%", "約6%"], True),
        (["One quarter", "Nine tenths", "About half", "none at all"], True),
        (["Helium-4", "Boron-8", "Argon-37"], False),
        (["It appears in 37 galaxies", "It vanishes without dust", "It is a 5 sigma gap"], False),
        (["red", "blue"], False),
        (["7"], False),
        ([], False),
    ],
)
def test_options_that_differ_by_their_numbers_are_known(options: list[str], numbers: bool) -> None:
    assert are_numbers(options) is numbers
