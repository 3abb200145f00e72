from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from papers import PAPERS, build, ids

from gnomon.core.errors import ConfigError
from gnomon.core.protocols import Filters
from gnomon.knowledge.filters import where
from gnomon.knowledge.library import Library

ONCE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
EVERYTHING = "dust stars pulsars waves dark matter halos comets 銀河 惑星 観測"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return build(tmp_path_factory.mktemp("filters"), languages=())[1]


def found(library: Library, mode: str, **limits: object) -> list[str]:
    return sorted(ids(library.search(EVERYTHING, k=50, mode=mode, filters=Filters(**limits))))


@pytest.mark.parametrize("mode", ["text", "vector", "hybrid"])
@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ({}, ["dust", "halo", "hole", "planet", "pulsar", "title-only"]),
        ({"years": (2015, 2021)}, ["halo", "hole", "pulsar"]),
        ({"years": (None, 1994)}, ["dust", "title-only"]),
        ({"years": (2022, None)}, ["planet"]),
        ({"author": "opik"}, ["dust"]),
        ({"author": "SATO"}, ["halo", "pulsar"]),
        ({"author": "O'Neil"}, ["pulsar"]),
        ({"author": "佐藤"}, ["hole"]),
        ({"category": "astro-ph"}, ["dust", "halo", "hole", "pulsar"]),
        ({"category": "astro-ph.HE"}, ["hole", "pulsar"]),
        ({"category": "gr-qc"}, ["pulsar"]),
        ({"category": "ph.HE"}, []),
        ({"lang": "ja"}, ["hole", "planet"]),
        ({"source": "pdf"}, ["halo"]),
        ({"source": "thesis/"}, ["halo"]),
        ({"source": "esis/"}, []),
        ({"author": "sato", "years": (2020, None), "lang": "en"}, ["halo"]),
        ({"years": (2021, 2015)}, []),
        ({"years": (-(10**30), 10**30)}, ["dust", "halo", "hole", "planet", "pulsar", "title-only"]),
    ],
)
def test_a_search_is_limited_to_what_the_filter_says(library: Library, mode: str, limits: dict, wanted: list) -> None:
    assert found(library, mode, **limits) == wanted


@ONCE
@given(
    value=st.one_of(
        st.text(min_size=1, max_size=12).filter(str.strip),
        st.sampled_from(
            ["' OR 1=1 --", "%", "_", "\\", "'; DROP TABLE rows; --", "''", "\x00'", "') OR (year > 0", "\ud800"]
        ),
    ),
    field=st.sampled_from(["author", "category", "lang", "source"]),
)
def test_no_value_of_a_filter_is_ever_read_as_sql(library: Library, value: str, field: str) -> None:
    hits = found(library, "text", **{field: value})
    if not value.strip().isalnum():
        assert len(hits) < len(PAPERS)


def test_limits_are_applied_before_ranking(tmp_path: Path) -> None:
    crowd = [{"id": f"c{i}", "title": "Dust dust dust", "text": "Dust and dust.", "year": 2000} for i in range(40)]
    rare = {"id": "rare", "title": "A note", "text": "Some dust in a long text about many other things.", "year": 1950}
    _, library = build(tmp_path, [*crowd, rare])
    for mode in ("text", "vector", "hybrid"):
        assert ids(library.search("dust", k=1, mode=mode, filters=Filters(years=(None, 1960)))) == ["rare"]


def test_a_value_too_long_to_compare_is_refused_with_its_length() -> None:
    with pytest.raises(ConfigError, match="301 characters"):
        where(Filters(author="x" * 301))


def test_an_empty_filter_is_no_condition() -> None:
    assert where(Filters()) == ""
    assert where(Filters(author="  ")) == ""
