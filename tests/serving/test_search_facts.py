import pytest

from gnomon.core.errors import ConfigError
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.asking import Query, checked, year_range
from gnomon.serving.facts.excerpts import marks, window
from gnomon.serving.facts.facets import Year
from gnomon.serving.facts.search import search
from gnomon.serving.web.histogram import MOST_BARS, histogram


def test_marks_stand_where_the_querys_words_are_in_any_form() -> None:
    text = "Distances to galaxies; the galaxy's distance. However, M31 is near."
    found = [text[a:b] for a, b in marks(text, "what is the distance of the galaxy M31?")]
    assert found == ["Distances", "galaxies", "galaxy", "distance", "M31"]
    assert marks(text, "the of and") == []
    assert marks("", "galaxy") == []


def test_japanese_is_marked_by_pairs_of_characters_not_by_particles() -> None:
    text = "銀河の回転はブラックホールで決まる。"
    assert [text[a:b] for a, b in marks(text, "ブラックホールの回転")] == ["回転", "ブラックホール"]


def test_an_excerpt_is_whole_sentences_around_the_marks() -> None:
    text = "Nothing here. " * 40 + "The pulsar slows. The pulsar glitches. " + "Nothing there. " * 40
    start, end = window(text, marks(text, "pulsar glitches"))
    assert text[start:end].startswith(("The pulsar", "Nothing"))
    assert "The pulsar slows. The pulsar glitches." in text[start:end]
    assert end - start <= 340
    assert window("short", []) == (0, 5)
    assert window("x" * 900, []) == (0, 340)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("", (None, None)),
        ("1998", (1998, 1998)),
        ("1990..2000", (1990, 2000)),
        ("1990..", (1990, None)),
        ("..2000", (None, 2000)),
    ],
)
def test_a_range_of_years_is_read(text: str, years: tuple[int | None, int | None]) -> None:
    assert year_range(text) == years


@pytest.mark.parametrize("text", ["abc", "2000..1990", "1990...", "..", "1990-2000"])
def test_what_is_no_range_of_years_is_refused_with_a_cure(text: str) -> None:
    with pytest.raises(ConfigError, match="range of years") as refused:
        year_range(text)
    assert "1990..2000" in refused.value.hint


def test_a_query_is_written_back_as_the_address_it_came_from() -> None:
    query = Query(q="dark matter", category="astro-ph.CO", page=3, mode="text")
    assert query.address() == "q=dark+matter&mode=text&category=astro-ph.CO"
    assert query.address(category="", page=2) == "q=dark+matter&mode=text&page=2"
    assert query.address(year="1990..") == "q=dark+matter&mode=text&category=astro-ph.CO&year=1990.."
    with pytest.raises(ConfigError, match="at most 20"):
        checked(Query(k=21), results=20, characters=10)
    with pytest.raises(ConfigError, match="11 characters"):
        checked(Query(q="x" * 11), results=20, characters=10)


def test_a_document_is_found_once_with_its_best_passages_first(opened: OpenExpert) -> None:
    found = search(opened, Query(q="velocity of nebulae"))
    ids = [document.id for document in found.documents]
    assert len(ids) == len(set(ids)) > 0
    assert found.facets is not None
    assert found.facets.documents == found.found
    assert sum(year.count for year in found.facets.years) <= found.found
    best = found.documents[0]
    passage = best.passages[0]
    assert best.score == passage.score
    words = {passage.text[a:b].lower() for a, b in passage.marks}
    assert words & {"velocity", "velocities", "nebula", "nebulae"}
    assert opened.library.document(best.id).text[passage.start : passage.end] == passage.text


def test_facets_narrow_a_search_to_as_many_documents_as_they_say(opened: OpenExpert) -> None:
    whole = search(opened, Query())
    assert whole.by == "library"
    assert whole.facets is not None
    for name, values in (
        ("category", whole.facets.subjects),
        ("language", whole.facets.languages),
        ("author", whole.facets.authors[:3]),
    ):
        for value in values:
            narrowed = search(opened, Query(**{name: value.value}))
            assert narrowed.found >= value.count if name == "author" else narrowed.found == value.count
            assert narrowed.facets is not None
    year = whole.facets.years[0]
    assert search(opened, Query(year=str(year.year))).found == year.count


def test_pages_follow_each_other_and_end(opened: OpenExpert) -> None:
    pages = [search(opened, Query(page=page, k=20)) for page in (1, 2, 3, 99)]
    ids = [document.id for page in pages for document in page.documents]
    assert len(ids) == len(set(ids))
    assert pages[0].pages == -(-pages[0].found // 20)
    assert pages[-1].documents == ()
    newest = [document.year or 0 for document in search(opened, Query(q="galaxy", sort="newest")).documents]
    assert newest == sorted(newest, reverse=True)
    oldest = [document.year or 0 for document in search(opened, Query(q="galaxy", sort="oldest")).documents]
    assert oldest == sorted(oldest)


def test_a_search_for_nothing_known_says_so(opened: OpenExpert) -> None:
    assert search(opened, Query(q="zzzqqq", mode="text")).found == 0
    nearest = search(opened, Query(q="zzzqqq"))
    assert (nearest.by_words, nearest.found > 0) == (0, True)


def test_the_histogram_covers_every_year_with_bars_that_lead_to_them() -> None:
    years = [Year(year=year, count=year % 7 + 1) for year in range(1900, 2025)]
    bars = histogram(years, (1990, 1994), lambda years: f"/search?year={years}")
    assert len(bars) <= MOST_BARS
    assert sum(bar.count for bar in bars) == sum(year.count for year in years)
    assert bars[0].address == "/search?year=1900..1904"
    assert [bar.years for bar in bars if bar.chosen] == ["1990–1994"]
    assert max(bar.height for bar in bars) == 56
    assert histogram([], (None, None), str) == ()
    assert histogram([Year(year=1999, count=3)], (None, None), str)[0].address == "1999"
