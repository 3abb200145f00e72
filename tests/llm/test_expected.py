from pathlib import Path

import pytest

from gnomon.core.estimates import Estimate, Range, exactly, of_calls
from gnomon.core.settings import ModelPlace, Settings
from gnomon.llm.call_log import FILE, CallLog
from gnomon.llm.chat import Reply
from gnomon.llm.expected import Load, expected, tokens_of

LOAD = Load(calls=exactly(100), tokens_in=Range(least=100_000, most=200_000), tokens_out=Range(least=100, most=50_000))
PLACE = {"url": "http://127.0.0.1:9/v1", "concurrency": 10}


def settings(**place: object) -> Settings:
    return Settings(models={"m": ModelPlace(**{**PLACE, **place})})  # type: ignore[arg-type]


def test_a_stated_price_gives_money_between_two_bounds(tmp_path: Path) -> None:
    priced = settings(usd_per_million_tokens=2.0, usd_per_million_output_tokens=10.0)
    found = expected("m", LOAD, priced, tmp_path)
    assert found.usd is not None
    assert (found.usd.least, found.usd.most) == (pytest.approx(0.201), pytest.approx(0.9))


@pytest.mark.parametrize("price", [{}, {"usd_per_million_tokens": 2.0}])
def test_a_price_that_is_not_stated_whole_is_unknown_and_never_nothing(price: dict, tmp_path: Path) -> None:
    found = expected("m", LOAD, settings(**price), tmp_path)
    assert found.usd is None
    assert 'models."m"' in found.why
    total = of_calls([found])
    assert total is not None
    assert (total.usd, total.hours) == (None, None)


def test_a_model_without_endpoint_has_no_price_a_call(tmp_path: Path) -> None:
    found = expected("m", LOAD, Settings(), tmp_path)
    assert (found.usd, found.hours) == (None, None)
    assert "weights on this machine" in found.why


def test_time_is_told_by_the_calls_in_the_log_and_none_is_begun_to_look(tmp_path: Path) -> None:
    assert expected("m", LOAD, settings(), tmp_path).hours is None
    assert not (tmp_path / FILE).exists()
    log = CallLog(tmp_path / FILE)
    log.add(("k", 0), "m", {}, Reply(text="x", tokens_out=100, seconds=20.0), "2026-01-01")
    log.add(("l", 0), "other", {}, Reply(text="x", tokens_out=100, seconds=9_000.0), "2026-01-01")
    log.close()
    found = expected("m", LOAD, settings(), tmp_path)
    assert found.hours is not None
    assert found.hours.most == pytest.approx(50_000 * 0.2 / 10 / 3600)
    assert "1 earlier calls, 10 at once" in found.why


def test_a_limit_of_calls_a_minute_bounds_the_time(tmp_path: Path) -> None:
    log = CallLog(tmp_path / FILE)
    log.add(("k", 0), "m", {}, Reply(text="x", tokens_out=100, seconds=0.001), "2026-01-01")
    log.close()
    found = expected("m", LOAD, settings(calls_per_minute=1.0), tmp_path)
    assert found.hours is not None
    assert found.hours.least == pytest.approx(100 / 60)


def test_japanese_has_more_tokens_a_character_than_english() -> None:
    english, japanese = tokens_of("a star of " * 10), tokens_of("星の明るさ" * 20)
    assert english.most is not None
    assert english.least < english.most < japanese.least


def test_what_is_not_bounded_stays_so_unless_there_is_none_of_it() -> None:
    assert (exactly(3) + Range()).most is None
    assert (exactly(3) * Range(least=2)) == Range(least=6)
    assert exactly(0) * Range() == exactly(0)
    assert of_calls([]) is None
    assert Estimate().calls == ()
