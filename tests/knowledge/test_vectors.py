import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from papers import MODEL, PAPERS, build, ids, recipe, record_of

from gnomon.core.errors import StepFailed
from gnomon.core.protocols import Filters, Vectors
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.knowledge.library import Library
from gnomon.knowledge.opening import open_table
from gnomon.knowledge.vectors import config_from
from gnomon.llm.fakes import HashEmbedder
from gnomon.runs import Workspace, run
from gnomon.runs.experts import open_expert

ENGLISH = [paper for paper in PAPERS if paper.get("lang", "en") == "en"]
COUNTING = "test_vectors:load_counting"


class CountingEmbedder(HashEmbedder):
    """Remembers what it embedded, and breaks down when it is told to."""

    seen: ClassVar[list[str]] = []
    breaks_after: ClassVar[int | None] = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        if self.breaks_after is not None and len(self.seen) >= self.breaks_after:
            raise ConnectionError("the model is gone")
        self.seen.extend(texts)
        return super().embed(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return HashEmbedder.embed(self, texts)


def load_counting(ref: ModelRef, settings: Settings) -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountingEmbedder, "seen", [])
    monkeypatch.setattr(CountingEmbedder, "breaks_after", None)


def vectors_of(workspace: Workspace, papers: object = PAPERS, **settings: object) -> dict[str, list[float]]:
    use = record_of(workspace, "knowledge/vectors", papers, **settings).stores[0]
    rows = open_table(workspace.place(use.key), use.tag).to_arrow()
    return dict(zip(rows["chunk_id"].to_pylist(), rows["vector"].to_pylist(), strict=True))


def test_every_passage_in_the_models_languages_has_its_vector(tmp_path: Path) -> None:
    workspace, library = build(tmp_path)
    found = vectors_of(workspace)
    assert len(found) == len(ENGLISH)
    for chunk_id, vector in found.items():
        document = library.document(library.chunk(chunk_id).span.doc_id)
        words = "\n".join(part for part in (document.title, document.text) if part)
        assert np.allclose(vector, HashEmbedder().embed([words])[0], atol=1e-6)


def test_without_a_choice_the_languages_are_those_the_model_reads(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(CountingEmbedder, "languages", ("ja",), raising=False)
    workspace, library = build(tmp_path, languages=(), loader=COUNTING)
    assert len(vectors_of(workspace, languages=(), loader=COUNTING)) == 2
    assert library.search("dust", mode="vector") == []
    assert ids(library.search("ブラックホール", mode="vector"))[0] == "hole"


def test_passages_the_model_cannot_read_are_counted(tmp_path: Path) -> None:
    workspace, _ = build(tmp_path)
    counts = record_of(workspace, "knowledge/vectors").counts
    assert (counts.taken, counts.kept, counts.dropped) == (6, 4, {"language": 2})


def test_an_interrupted_run_embeds_only_what_is_missing_and_is_readable_meanwhile(tmp_path: Path, monkeypatch) -> None:
    workspace = Workspace(tmp_path)
    made = recipe(PAPERS, shard=2, loader=COUNTING)
    monkeypatch.setattr(CountingEmbedder, "breaks_after", 2)
    with pytest.raises(StepFailed, match="the model is gone"):
        run(made, workspace)
    library = Library.open(workspace, open_expert(workspace))
    (side,) = library.stats()["vectors"]
    assert (side["rows"], side["of"], side["finished"]) == (2, 4, False)
    assert set(ids(library.search("dust and pulsars", mode="vector"))) == {"dust", "pulsar"}
    assert "halo" in ids(library.search("dark matter halos"))
    monkeypatch.setattr(CountingEmbedder, "breaks_after", None)
    first = list(CountingEmbedder.seen)
    run(made, workspace)
    assert len(CountingEmbedder.seen) == len(set(CountingEmbedder.seen)) == 4
    assert CountingEmbedder.seen[:2] == first
    (side,) = library.stats()["vectors"]
    assert (side["rows"], side["of"], side["finished"]) == (4, 4, True)
    assert "halo" in ids(library.search("dark matter halos", mode="vector"))


def test_a_library_whose_vectors_have_not_begun_says_so_and_searches_words(tmp_path: Path, monkeypatch) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(StepFailed):
        run(recipe(PAPERS, loader="test_vectors:broken_loader"), workspace)
    library = Library.open(workspace, open_expert(workspace))
    assert library.stats()["vectors"][0]["rows"] == 0
    assert ids(library.search("dust"))[0] == "dust"
    assert library.search("dust", mode="vector") == []


def broken_loader(ref: ModelRef, settings: Settings) -> HashEmbedder:
    raise ConnectionError("no model")


def test_added_papers_are_embedded_alone_and_new_facts_need_no_model(tmp_path: Path) -> None:
    workspace, _ = build(tmp_path, PAPERS[:2], loader=COUNTING)
    before = vectors_of(workspace, PAPERS[:2], loader=COUNTING)
    redated = [{**PAPERS[0], "year": 1995}, *PAPERS[1:3]]
    CountingEmbedder.seen.clear()
    _, library = build(tmp_path, redated, loader=COUNTING)
    assert CountingEmbedder.seen == ["Halos of dark matter\n" + PAPERS[2]["text"]]
    after = vectors_of(workspace, redated, loader=COUNTING)
    assert {key: after[key] for key in before} == before
    assert library.document("local:dust").biblio.year == 1995


def test_the_digest_is_the_same_however_the_vectors_came(tmp_path: Path) -> None:
    straight, _ = build(tmp_path / "a")
    grown, _ = build(tmp_path / "b", PAPERS[:3])
    build(tmp_path / "b", PAPERS)
    assert record_of(straight, "knowledge/vectors").digest == record_of(grown, "knowledge/vectors").digest
    assert vectors_of(straight) == vectors_of(grown)


def test_beyond_the_flat_rows_there_is_an_index_and_it_finds_the_nearest(tmp_path: Path) -> None:
    many = [{"id": f"p{i}", "title": f"Star {i}", "text": f"Star {i} of kind {i % 7} shines."} for i in range(300)]
    workspace, library = build(tmp_path, many, flat_rows=256)
    use = record_of(workspace, "knowledge/vectors", many, flat_rows=256).stores[0]
    table = open_table(workspace.place(use.key), use.tag)
    assert [index.columns for index in table.list_indices()] == [["vector"]]
    assert "p41" in ids(library.search("Star 41 of kind 6 shines.", mode="vector"))
    for i in (3, 150, 299):
        only = Filters(source=f"p{i}.md")
        assert ids(library.search("Star 41 of kind 6 shines.", mode="vector", filters=only)) == [f"p{i}"]
    flat, _ = build(tmp_path / "flat", many)
    assert open_table(flat.place(record_of(flat, "knowledge/vectors", many).stores[0].key)).list_indices() == []


def test_two_models_are_two_sides_of_one_library(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    made = recipe(PAPERS)
    index, english = made.goals
    config = dataclasses.replace(english.config, languages=("ja",), embedder=ModelRef(name="fake-hash-ja"))
    japanese = dataclasses.replace(english, config=config)
    assert made.serve is not None
    serve = dataclasses.replace(made.serve, parts={"index": index, "vectors": english, "vectors_ja": japanese})
    run(dataclasses.replace(made, goals=(index, english, japanese), serve=serve), workspace)
    library = Library.open(workspace, open_expert(workspace))
    assert ids(library.search("ブラックホール", mode="vector"))[0] == "hole"
    assert {"hole", "planet"} == set(ids(library.search("ブラックホール", mode="vector")))
    assert [side["model"] for side in library.stats()["vectors"]] == ["fake-hash", "fake-hash-ja"]


def test_a_config_comes_back_from_its_record(tmp_path: Path) -> None:
    workspace, _ = build(tmp_path)
    config = config_from(record_of(workspace, "knowledge/vectors").config)
    assert (config.embedder, config.languages) == (MODEL, ("en",))
