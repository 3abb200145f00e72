import threading
from pathlib import Path

import pytest
from papers import PAPERS, as_document, build, documents_step, ids, recipe

from gnomon.core.errors import ConfigError, NotFound
from gnomon.core.records import Chunk
from gnomon.core.tables import read_table
from gnomon.knowledge import steps
from gnomon.knowledge.library import Library
from gnomon.runs import Recipe, Serve, Workspace, run
from gnomon.runs.experts import open_expert

HOSTILE = [
    "", " ", "\x00\x01\x02", "the of and", '"unclosed', "AND OR NOT", "(((", "dust' OR '1'='1", "title:dust^9 ~2", "*", "?",
    "\\", "😀" * 9, "\ud800", "{}[]", "x" * 100_000, "dust " * 20_000, "星" * 100_000, "dust\x00shells", "-dust +old",
]  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return build(tmp_path_factory.mktemp("library"))[1]


def test_words_are_stemmed_and_titles_are_searched(library: Library) -> None:
    assert ids(library.search("pulsar timing", mode="text"))[0] == "pulsar"
    assert ids(library.search("simulated halo", mode="text"))[0] == "halo"
    assert ids(library.search("comet spectrum spectra", mode="text")) == ["title-only"]


def test_a_paper_is_found_by_its_authors_and_year(library: Library) -> None:
    assert ids(library.search("Öpik 1994", mode="text"))[0] == "dust"
    assert ids(library.search("O'Neil", mode="text")) == ["pulsar"]
    assert ids(library.search("佐藤花子", mode="text"))[0] == "hole"


def test_japanese_is_found_in_other_writings_of_its_words(library: Library) -> None:
    assert ids(library.search("ブラックホールの影", mode="text"))[0] == "hole"
    assert ids(library.search("銀河中心の觀測", mode="text"))[0] == "hole"
    assert ids(library.search("ﾌﾞﾗｯｸﾎｰﾙ", mode="text"))[0] == "hole"


def test_a_query_finds_its_own_kind_of_language_first_and_then_the_other(library: Library) -> None:
    assert ids(library.search("TESSの惑星", mode="text"))[0] == "planet"
    assert ids(library.search("TESS", mode="text")) == ["planet"]
    both = library.search("dark matter TESSの惑星", mode="text")
    assert (ids(both)[0], ids(both)[-1]) == ("planet", "halo")
    assert both[0].score > both[-1].score


def test_a_hit_carries_the_very_words_its_span_points_at(library: Library) -> None:
    for mode in ("text", "vector", "hybrid"):
        for hit in library.search("dust and dark matter of 銀河", k=50, mode=mode):
            document = library.document(hit.doc_id)
            assert hit.span.text_hash == document.text_hash
            assert hit.text == document.text[hit.span.start : hit.span.end]
            assert (hit.title, hit.year, hit.lang) == (document.title, document.biblio.year, document.lang)
            assert library.chunk(hit.chunk_id).span == hit.span


def test_a_document_comes_back_whole(library: Library) -> None:
    for paper in PAPERS:
        assert library.document(f"local:{paper['id']}") == as_document(paper)
    asked = ["local:halo", "local:no", "local:dust", "local:halo"]
    assert list(library.documents(asked)) == ["local:halo", "local:dust"]


def test_what_is_not_there_is_named(library: Library) -> None:
    for missing in ("local:no", "", "' OR 1=1 --", "\x00", "x" * 10_000):
        with pytest.raises(NotFound):
            library.document(missing)
        with pytest.raises(NotFound):
            library.chunk(missing)


@pytest.mark.parametrize("mode", ["text", "vector", "hybrid"])
def test_a_hostile_query_is_only_words(library: Library, mode: str) -> None:
    for query in HOSTILE:
        hits = library.search(query, mode=mode)
        assert len(hits) <= 10
    assert library.search("the of and", mode="text") == []
    assert ids(library.search("dust\x00shells", mode="text")) == ["dust"]


def test_an_empty_query_finds_nothing(library: Library) -> None:
    for mode in ("text", "vector", "hybrid"):
        assert library.search(" \n", mode=mode) == []


def test_a_wrong_mode_or_number_is_refused(library: Library) -> None:
    with pytest.raises(ConfigError, match="'magic'"):
        library.search("dust", mode="magic")
    with pytest.raises(ConfigError, match="k = 0"):
        library.search("dust", k=0)


def test_hits_are_few_enough_best_first_and_always_the_same(library: Library) -> None:
    for mode in ("text", "vector", "hybrid"):
        hits = library.search("dark matter dust light", k=3, mode=mode)
        assert len(hits) <= 3
        assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
        assert hits == library.search("dark matter dust light", k=3, mode=mode)


def test_a_language_without_vectors_is_searched_by_its_words(library: Library) -> None:
    query = "銀河のブラックホール"
    assert library.search(query, mode="vector") == []
    assert ids(library.search(query)) == ids(library.search(query, mode="text"))


def test_hybrid_finds_what_either_half_finds(library: Library) -> None:
    query = "light of stars"
    halves = {*ids(library.search(query, mode="text")), *ids(library.search(query, mode="vector"))}
    assert set(ids(library.search(query, k=50))) == halves


def test_an_expert_without_vectors_is_searched_by_words(tmp_path: Path) -> None:
    documents = documents_step(PAPERS)
    chunks = steps.chunk(documents)
    index = steps.index(documents, chunks)
    workspace = Workspace(tmp_path)
    run(Recipe(name="r", goals=(index,), serve=Serve(name="e", parts={"index": index})), workspace)
    library = Library.open(workspace, open_expert(workspace))
    assert ids(library.search("dust"))[0] == "dust"
    assert library.stats() == {"documents": 6, "passages": 6, "vectors": []}


def test_several_libraries_stand_side_by_side(tmp_path: Path) -> None:
    _workspace, one = build(tmp_path, PAPERS[:3], library="one")
    _, two = build(tmp_path, PAPERS[3:], library="二/../x")
    assert ids(one.search("dust"))[0] == "dust"
    assert one.search("ブラックホール") == []
    assert ids(two.search("ブラックホール"))[0] == "hole"
    stores = sorted(path.name for path in (tmp_path / "stores" / "index").iterdir())
    assert len(stores) == 2
    assert not any(".." in name for name in stores)


def test_a_mended_paper_is_found_anew_and_readers_of_the_old_version_are_not_disturbed(tmp_path: Path) -> None:
    _workspace, before = build(tmp_path)
    assert ids(before.search("dust", mode="text")) == ["dust"]
    mended = [{**PAPERS[0], "text": "Only ices remain. Nothing else."}, *PAPERS[1:-1]]
    _, after = build(tmp_path, mended)
    assert ids(after.search("ices", mode="text")) == ["dust"]
    assert after.stats()["documents"] == 5
    with pytest.raises(NotFound):
        after.document("local:title-only")
    assert ids(before.search("hides", mode="text")) == ["dust"]
    assert before.document("local:title-only").title


def test_many_readers_may_search_at_once(library: Library) -> None:
    wanted = library.search("dark matter")
    results: list[object] = []
    readers = [threading.Thread(target=lambda: results.append(library.search("dark matter"))) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert results == [wanted] * 8


def test_every_chunk_of_the_artifact_is_in_the_library(tmp_path: Path) -> None:
    long = {"id": "long", "title": "Long", "text": " ".join(f"Star {i} shines in the sky." for i in range(200))}
    workspace, library = build(tmp_path, [*PAPERS, long])
    made = recipe([*PAPERS, long])
    (step,) = [step for step in made.steps() if step.name == "knowledge/chunk"]
    kept = list(read_table(workspace.artifact(step.address) / "chunks", Chunk))
    assert len(kept) > len(PAPERS) + 1
    assert [library.chunk(chunk.id) for chunk in kept] == kept
    assert library.stats()["passages"] == len(kept)


def test_an_index_that_is_not_made_is_named(tmp_path: Path) -> None:
    workspace, library = build(tmp_path)
    workspace.delete(library.index.address)
    with pytest.raises(NotFound, match="knowledge/index"):
        Library.open(workspace, open_expert(workspace))
