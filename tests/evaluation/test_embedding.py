import gzip
import json
import random
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation_kit import document, documents, output
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import write_json
from gnomon.core.records import Document, ModelRef
from gnomon.core.tables import read_table
from gnomon.evaluation.bootstrap import Draws
from gnomon.evaluation.embedding import encode, similarity, step
from gnomon.evaluation.embedding.probe import MAJORITY, Prediction, divide
from gnomon.evaluation.embedding.retrieval import QueryScore, best, measures
from gnomon.evaluation.embedding.step import DisagreeingPair, EmbeddingConfig, run
from gnomon.evaluation.heldout import TestSet
from gnomon.evaluation.roles import role_of
from gnomon.llm.vectors import unit_rows
from gnomon.runs.sources import FileSet

FAKE = ModelRef(name="fake-hash-64", revision="2", kind="embedder/fake")
FIELDS = {
    "astro-ph.GA": "galaxy halo dust arm bulge",
    "astro-ph.SR": "corona flare spot wind loop",
    "hep-th": "brane string dual",
}


def papers(n: int = 90) -> list[Document]:
    r = random.Random(5)
    return [
        document(f"arxiv:{field}/{i:04d}", " ".join(r.choices(words.split(), k=12)), title=f"{field} note {i}",
                 year=2001, categories=(field,))
        for i in range(n // 3) for field, words in FIELDS.items()
    ]  # fmt: skip


def retrieval_set(folder: Path) -> FileSet:
    found = papers(60)
    rows = [{"_id": d.id, "title": d.title, "text": d.text} for d in found]
    folder.mkdir(parents=True)
    with gzip.open(folder / "corpus.jsonl.gz", "wt") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))
    queries = [
        {"_id": d.id, "title": d.text, "text": "", "is_astro": d.id.startswith("arxiv:astro")} for d in found[:12]
    ]
    (folder / "queries.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in [*queries, {"_id": "x", "title": "y", "text": ""}])
    )
    field = {d.id: d.biblio.categories[0] for d in found}
    pairs = [(q["_id"], d.id) for q in queries for d in found if field[d.id] == field[str(q["_id"])]]
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(f"{q}\t{d}\t1\n" for q, d in pairs))
    return FileSet.scan([folder])


def measured(folder: Path, models: dict[str, Any], found: FileSet | None = None, **settings: Any) -> dict[str, Any]:
    inputs = {"documents:held": documents(folder / "held", settings.pop("papers", None) or papers())}
    for name, how in models.items():
        inputs[f"model:{name}"] = folder / name
        write_json(folder / name / "words.json", how)
    if found is not None:
        inputs["retrieval"] = folder / "files.json"
        write_json(inputs["retrieval"], found.to_row())
    config = EmbeddingConfig(
        models=tuple(map(role_of, models)), documents=TestSet(name="held"), embedder=FAKE,
        **{"loader": "evaluation_kit:load_words", "draws": 50, "shard": 16, "smallest_subject": 20, **settings},
    )  # fmt: skip
    out = output(folder)
    counts = run(config, inputs, out)
    assert counts.add_up
    facts: dict[str, Any] = json.loads((out.path / "embedding.json").read_text())
    return facts


BLIND = {"base": {"blind": " ".join(FIELDS.values()).split()}, "specialised": {}}


def test_a_model_that_sees_the_words_of_its_field_finds_papers_and_tells_subjects(tmp_path: Path) -> None:
    facts = measured(tmp_path, BLIND, retrieval_set(tmp_path / "set"))
    groups = facts["retrieval"]["groups"]
    assert {name: row["n"] for name, row in groups.items()} == {"all": 12, "apart": 8, "rest": 4}
    all_ = groups["all"]
    assert all_["systems"]["specialised"]["ndcg10"] == all_["systems"]["embedder"]["ndcg10"]
    assert all_["systems"]["specialised"]["ndcg10"]["value"] > 0.9
    gain = next(d for d in all_["differences"] if (d["system"], d["against"]) == ("specialised", "base"))
    assert gain["ndcg10"]["low"] > 0
    assert facts["retrieval"]["unanswered_queries"] == 1
    subjects = facts["subjects"]["systems"]
    assert subjects["specialised"]["accuracy"]["value"] == 1.0
    assert subjects[MAJORITY]["accuracy"]["value"] == pytest.approx(1 / 3, abs=0.01)
    assert subjects[MAJORITY]["macro_f1"]["value"] < subjects[MAJORITY]["accuracy"]["value"]
    assert subjects["specialised"]["converged"]


def test_rows_behind_the_figures_are_left_so_that_they_can_be_drawn_again(tmp_path: Path) -> None:
    facts = measured(tmp_path, BLIND, retrieval_set(tmp_path / "set"))
    data = tmp_path / "data"
    scores = [row for row in read_table(data / "embedding_queries.parquet", QueryScore) if row.system == "base"]
    value = facts["retrieval"]["groups"]["all"]["systems"]["base"]["ndcg10"]["value"]
    assert np.mean([row.ndcg10 for row in scores]) == pytest.approx(value)
    said = [row for row in read_table(data / "embedding_subjects.parquet", Prediction) if row.system == "base"]
    right = np.mean([row.subject == row.predicted for row in said])
    assert right == pytest.approx(facts["subjects"]["systems"]["base"]["accuracy"]["value"])


def test_systems_that_agree_rank_pairs_alike_and_others_are_shown_with_titles(tmp_path: Path) -> None:
    facts = measured(tmp_path, BLIND, disagreements=3)
    systems = facts["similarity"]["systems"]
    assert systems["specialised"]["correlation_with_general"]["value"] == pytest.approx(1, abs=1e-5)
    assert systems["base"]["correlation_with_general"]["value"] < 0.9
    assert [b["spread"] for b in systems["specialised"]["bins"]] == [b["spread"] for b in systems["embedder"]["bins"]]
    rows = list(read_table(tmp_path / "data" / "embedding_pairs.parquet", DisagreeingPair))
    assert {(r.nearer, r.farther) for r in rows} == {
        ("base", "specialised"),
        ("specialised", "base"),
        ("base", "embedder"),
        ("embedder", "base"),
    }
    for row in rows:
        near, far = row.systems.index(row.nearer), row.systems.index(row.farther)
        assert row.ranks[near] > row.ranks[far]
        assert row.a != row.b
        assert "note" in row.title_a


def vectors_by_hand(n: int, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [unit_rows(rng.normal(0.3, 1, (n, 5))), unit_rows(rng.normal(1, 0.5, (n, 7)))]


@given(st.integers(2, 60), st.integers(1, 70))
def test_tiles_hold_every_pair_once_whatever_their_size(n: int, size: int) -> None:
    vectors = vectors_by_hand(n, 1)
    found = [
        (int(a), int(b), float(c))
        for t in similarity.tiles(vectors, size)
        for a, b, c in zip(t.rows, t.columns, t.cosines[0], strict=True)
    ]
    assert sorted(pair[:2] for pair in found) == list(combinations(range(n), 2))
    for a, b, cosine in found[:20]:
        assert cosine == pytest.approx(float(vectors[0][a] @ vectors[0][b]), abs=1e-6)


def test_the_figure_is_what_all_pairs_in_memory_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "TILE", 17)
    vectors = vectors_by_hand(80, 2)
    pairs = np.triu_indices(80, 1)
    own, general = ((v @ v.T)[pairs].astype(np.float64) for v in vectors)
    ranges = similarity.extents(vectors)
    counted = similarity.count(vectors, ranges, 1, seed=0)
    found = similarity.figures(["own", "general"], counted, ranges, 1, Draws(number=50))
    row = found["systems"]["own"]
    assert found["pairs"] == sum(row["histogram"]) == 80 * 79 // 2
    assert row["mean"]["value"] == pytest.approx(own.mean(), abs=1e-6)
    assert row["spread"]["value"] == pytest.approx(own.std(), abs=1e-6)
    assert row["correlation_with_general"]["value"] == pytest.approx(np.corrcoef(own, general)[0, 1], abs=1e-5)
    assert row["mean"]["low"] < own.mean() < row["mean"]["high"]
    edges = np.array(found["bin_edges"])
    bins = np.clip(np.searchsorted(edges, general, side="right") - 1, 0, 9)
    for b, shown in enumerate(row["bins"]):
        inside = own[bins == b]
        assert shown["spread"]["n"] == sum(shown["histogram"]) == pytest.approx(len(inside), abs=1)
        if len(inside) > 20:
            assert shown["spread"]["value"] == pytest.approx(inside.std(), rel=0.03)
    (first, *_) = similarity.disagreements(["own", "general"], vectors, counted, ranges, 1)
    ranks = [np.argsort(np.argsort(x)) / len(x) for x in (own, general)]
    widest = np.max(ranks[0] - ranks[1])
    assert first.ranks[0] - first.ranks[1] == pytest.approx(widest, abs=0.01)


def test_a_killed_run_keeps_its_vectors_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measured(tmp_path / "whole", BLIND)
    save, saved = encode._save, []

    def dying(path: Path, vectors: Any) -> None:
        if len(saved) == 9:
            raise KeyboardInterrupt
        saved.append(path.name)
        save(path, vectors)

    monkeypatch.setattr(encode, "_save", dying)
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path / "killed", BLIND)
    saved.clear()
    monkeypatch.setattr(encode, "_save", lambda path, vectors: (saved.append(path.name), save(path, vectors)))
    assert measured(tmp_path / "killed", BLIND) == whole
    assert len(saved) == 9
    assert all(not name.startswith("00") for name in saved)


def test_figures_do_not_depend_on_the_size_of_shards(tmp_path: Path) -> None:
    found = retrieval_set(tmp_path / "set")
    assert measured(tmp_path / "a", BLIND, found, shard=7) == measured(tmp_path / "b", BLIND, found, shard=200)


def test_ndcg_rewards_early_answers_and_a_query_is_no_answer_to_itself() -> None:
    assert measures([4, 5, 6], frozenset({4, 5, 6})) == (1.0, 1.0)
    early, late = (measures(order, frozenset({1}))[0] for order in ([1, 2, 3], [2, 3, 1]))
    assert early == 1.0 > late == pytest.approx(0.5)
    assert measures([2], frozenset()) == (0.0, 0.0)
    cosines = np.array([0.2, 0.9, 0.9, 0.5], dtype=np.float32)
    assert best(cosines, own=1) == [2, 3, 0]
    assert best(cosines, own=-1) == [1, 2, 3, 0]


def test_a_division_keeps_every_frequent_subject_in_every_part_and_counts_the_rest() -> None:
    subjects = ["a"] * 50 + ["b"] * 40 + ["c"] * 3 + [""] * 2
    division = divide(subjects, 30, seed=1)
    assert division is not None
    assert division.names == ("a", "b")
    assert division.left_out == {"no_subject": 2, "rare_subject": 3}
    parts = [division.train, division.development, division.test]
    assert [len(p) for p in parts] == [54, 18, 18]
    assert not set(parts[0]) & set(parts[2])
    assert divide(["a"] * 50, 30, seed=1) is None


def test_a_collection_without_subjects_says_why_nothing_was_probed(tmp_path: Path) -> None:
    facts = measured(tmp_path, {"base": {}}, papers=[document(f"local:{i}", f"dust {i} cloud") for i in range(6)])
    assert facts["subjects"]["n"] == 0
    assert "two subjects" in facts["subjects"]["reason"]


def test_one_document_makes_no_pair(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two documents"):
        measured(tmp_path, {"base": {}}, papers=[document("local:1", "dust")])


@pytest.mark.parametrize("missing", ["corpus.jsonl.gz", "queries.jsonl", "qrels.tsv"])
def test_a_retrieval_set_without_one_of_its_files_is_refused_by_name(tmp_path: Path, missing: str) -> None:
    found = retrieval_set(tmp_path / "set")
    left = FileSet(files=tuple(f for f in found.files if f.name != missing))
    with pytest.raises(DataError, match=missing.removesuffix(".gz")):
        measured(tmp_path, {"base": {}}, left)


def test_a_broken_line_of_a_retrieval_set_is_named(tmp_path: Path) -> None:
    retrieval_set(tmp_path / "set")
    (tmp_path / "set" / "queries.jsonl").write_text('{"_id": "a"}\n[]\n')
    with pytest.raises(DataError, match=r"queries\.jsonl, line 2"):
        measured(tmp_path, {"base": {}}, FileSet.scan([tmp_path / "set"]))


@pytest.mark.parametrize(
    "settings", [{"embedder_name": "base"}, {"query_field": "abstract"}, {"draws": 0}, {"reference": "x"}]
)
def test_a_comparison_that_cannot_be_made_is_refused_when_it_is_described(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        EmbeddingConfig(models=(role_of("base"),), documents=TestSet(name="d"), embedder=FAKE, **settings)


def test_the_step_takes_the_packaged_embedder_and_the_files_of_a_set() -> None:
    from gnomon.evaluation.steps import embedding, items
    from gnomon.llm.embedders import PACKAGED

    source = items(FileSet(files=()))
    made = embedding({"base": source}, source, retrieval=FileSet(files=()), part="")
    assert set(made.inputs) == {"model:base", "documents:held_out"}
    assert made.config.embedder == PACKAGED
    assert made.sources
    assert step.RETRIEVAL in made.sources
