from pathlib import Path

import pytest
from papers import PAPERS, build, ids

from gnomon.core.protocols import Filters
from gnomon.knowledge.alike import alike
from gnomon.knowledge.counting import AUTHORS, CATEGORIES, count_facets, each_once, holders
from gnomon.knowledge.factsheet import FactSheet
from gnomon.knowledge.library import Library

LONG = {
    "id": "long", "title": "Halos and dust", "year": 2021, "authors": ["SATO, K.", "et al."], "lang": "en",
    "categories": ["astro-ph.CO"], "text": " ".join(f"Sentence {n} of dark matter halos and of their dust." for n in range(90)),
}  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return build(tmp_path_factory.mktemp("counted"), [*PAPERS, LONG])[1]


def test_a_document_counts_once_however_many_passages_it_has(library: Library) -> None:
    every = library.facts.where(Filters())
    once = each_once(every)
    assert every.num_rows > once.num_rows == len(PAPERS) + 1
    counts = count_facets(once, authors=10, categories=10)
    assert (counts.documents, dict(counts.years)[2021]) == (7, 2)
    assert counts.authors[0] == ("sato, k.", 3)
    assert "et al." not in dict(counts.authors)
    assert dict(counts.categories) == {"astro-ph.co": 2, "astro-ph.ga": 1, "astro-ph.he": 2, "gr-qc": 1}
    assert counts.languages == (("en", 5), ("ja", 2))
    assert counts.sources == (("markdown", 6), ("pdf", 1))
    assert len(count_facets(once, authors=2, categories=1).authors) == 2


def test_some_document_tells_how_each_value_is_printed(library: Library) -> None:
    once = each_once(library.facts.where(Filters()))
    counts = count_facets(once, authors=10, categories=10)
    for facet, values in ((AUTHORS, counts.authors), (CATEGORIES, counts.categories)):
        having = holders(once, facet, values)
        assert set(having) == dict(values).keys()
    assert having["gr-qc"] == "local:pulsar"


def test_facts_are_the_same_from_memory_and_from_the_table(library: Library) -> None:
    every = library.facts.where(Filters())
    asked = [*every["chunk_id"].to_pylist()[::-2], "nothing#0-1@00000000"]
    looked_up = FactSheet(library._passages, every.num_rows, in_memory=0)
    assert looked_up.of(asked).to_pylist() == library.facts.of(asked).to_pylist()
    assert library.facts.of(asked)["chunk_id"].to_pylist() == asked[:-1]
    assert looked_up.where(Filters()).to_pylist() == every.to_pylist()
    assert library.facts.of([]).num_rows == 0


def test_facts_keep_to_limits(library: Library) -> None:
    recent = each_once(library.facts.where(Filters(years=(2019, None), lang="ja")))
    assert recent["doc_id"].to_pylist() == ["local:hole", "local:planet"]


def test_a_document_resembles_others_by_its_vectors_or_else_by_its_words(library: Library) -> None:
    near = alike(library, library.document("local:halo"))
    assert near.by == "vectors"
    assert "halo" not in ids(library.hits(near.ranked))
    assert ids(library.hits(near.ranked))[0] == "long"
    unread = alike(library, library.document("local:hole"))
    assert unread.by == "text"
    assert "hole" not in ids(library.hits(unread.ranked))


def test_a_ranking_says_what_words_and_vectors_found(library: Library) -> None:
    assert (library.rank("zzzz", mode="hybrid").text, library.rank("zzzz", mode="text").ranked) == (0, [])
    both = library.rank("dark matter halos")
    assert both.text > 0
    assert both.vectors > 0
    assert library.rank("dark matter halos", mode="text").vectors == 0
    assert ids(library.hits(both.ranked, 3)) == ids(library.search("dark matter halos", k=3))


def test_counting_survives_a_library_without_years_and_names(tmp_path: Path) -> None:
    _, bare = build(tmp_path, [{"id": "bare", "text": "Words and nothing else."}])
    counts = count_facets(each_once(bare.facts.where(Filters())), authors=5, categories=5)
    assert (counts.documents, counts.years, counts.authors, counts.categories) == (1, (), (), ())


def test_rows_are_read_alike_before_and_after_a_sheet_is_kept(library: Library) -> None:
    every = library.facts.where(Filters())["chunk_id"].to_pylist()
    asked = [every[3], "nothing#0-1@00000000", every[0], every[3]]
    sheet = FactSheet(library._passages, len(every))
    reads = [sheet.read(asked, ["chunk_id", "text", "heading"]) for _ in range(8)]
    assert all(read == reads[0] for read in reads)
    assert set(reads[0]) == {every[3], every[0]}
    assert sheet.read([], ["chunk_id", "text"]) == {}
    sheet.where(Filters())
    assert sheet.read(asked, ["chunk_id", "text", "heading"]) == reads[0]
