"""Numbers and units: one reading for every way of writing, and no reading that hides a change."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.figures import figures
from gnomon.core.glyphs import quotable, visible


def only(text: str) -> tuple[Decimal, str]:
    found = figures(text)
    assert len(found) == 1, found
    return found[0].quantity


@pytest.mark.parametrize(
    "written",
    ["1000", "1,000", "1\u2009000", "1 000", "1.0e3", "1E3", "1 x 10^3", "1×10³", "1 × 10^{3}", "10^3", "10³", "10**3", "one thousand",
     "a thousand", "1 thousand", "１０００", "1\u200b000", "千個は1000", "1千", "0.1万"],
)  # fmt: skip
def test_a_thousand_is_one_number_however_written(written: str) -> None:
    assert Decimal(1000) in {figure.value.normalize() for figure in figures(f"about {written} stars")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("625 km/s per Mpc", "625 km s^-1 Mpc^-1"),
        ("625 km/s/Mpc", "625 kilometres per second per megaparsec"),
        ("625 km s⁻¹ Mpc⁻¹", "625 km s-1 Mpc-1"),
        ("5 km", "5000 m"),
        ("1.5 Gyr", "1.5 billion years"),
        ("15億年", "1.5e9 yr"),
        ("98%", "98 percent"),
        ("98％", "98 per cent"),
        ("98パーセント", "98 %"),
        ("約2900ガウス", "2,900 gauss"),
        ("二千九百ガウス", "2900 G"),
        ("10-metre", "10 m"),
        ("1億5000万キロメートル", "1.5 x 10^8 km"),
        ("3光年", "three light-years"),
        ("1.4太陽質量", "1.4 M⊙"),
        ("4.3 micrometres", "4.3 µm"),
        ("2½ years", "2.5 yr"),
        ("twenty-one days", "21日間"),
    ],
)
def test_one_quantity_in_two_writings_is_equal(one: str, other: str) -> None:
    assert only(one) == only(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("625 km/s", "625 m/s"),
        ("625 km/s", "625 km"),
        ("625 km/s", "625 km s"),
        ("5 Mpc", "5 mpc"),
        ("5 Mpc", "5 kpc"),
        ("5 years", "5 days"),
        ("1.337 s", "1.338 s"),
        ("10⁹ yr", "109 yr"),
        ("10^9 yr", "10^8 yr"),
        ("2½ years", "21/2 years"),
        ("-1.5 mag", "1.5 mag"),
        ("5%", "5"),
        ("3億年", "3万年"),
        ("5 solar masses", "5 Earth masses"),
        ("3 arcsec", "3 arcmin"),
        ("3秒角", "3秒"),
    ],
)
def test_a_change_of_digit_sign_exponent_or_unit_is_seen(one: str, other: str) -> None:
    assert {f.quantity for f in figures(one)} != {f.quantity for f in figures(other)}


def test_a_unit_is_shared_across_an_error_and_a_range() -> None:
    assert {f.quantity for f in figures("73.2 ± 1.3 km/s")} == {
        (Decimal("73200"), "m s^-1"),
        (Decimal("1300"), "m s^-1"),
    }
    assert [f.unit for f in figures("3–5 kpc, 3 to 5 kpc, 3から5光年")] == ["pc", "pc", "pc", "pc", "ly", "ly"]


def test_a_year_carries_no_unit_in_either_language() -> None:
    assert only("in 1929") == only("1929年に") == (Decimal(1929).normalize(), "")
    assert only("10年間") == (Decimal(10).normalize(), "yr")


def test_names_with_digits_are_no_numbers() -> None:
    assert figures("3C, M87, J1614-2230 and H0") == ()
    assert [f.value for f in figures("NGC 1068")] == [Decimal(1068)]


def test_words_that_are_not_numbers_stay_out() -> None:
    assert figures("one of them, the one that, dozens, millions, 一般に三角形、統一、数百個、十分な") == ()


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading_and_figures_lie_inside(text: str) -> None:
    length = len(visible(text))
    assert all(0 <= f.start < f.end <= length and f.value.is_finite() for f in figures(text))


@given(st.integers(-(10**12), 10**12))
def test_grouping_changes_no_number(number: int) -> None:
    assert only(f"is {number:,} now")[0] == only(f"is {number} now")[0] == Decimal(number).normalize()


@given(st.integers(1, 999), st.integers(-30, 30))
def test_every_way_to_write_a_power_of_ten_is_equal(number: int, power: int) -> None:
    raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    writings = (f"{number}e{power}", f"{number} x 10^{power}", f"{number}×10{raised}", f"{number} × 10^{{{power}}}")
    assert len({only(f"about {w} K") for w in writings}) == 1


@given(st.text(max_size=100))
def test_the_form_of_quotes_is_stable(text: str) -> None:
    assert quotable(quotable(text)) == quotable(text)
