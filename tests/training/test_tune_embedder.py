"""Tuning an embedder: what it may be tuned on, that it learns, and how an index takes it up."""

import itertools
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_field import field, listed, machine, papers, tiny_bert

from gnomon.core.errors import ConfigError, DataError, NotFound
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table
from gnomon.knowledge import steps as knowledge
from gnomon.knowledge.library import Library
from gnomon.llm.embedders import PACKAGED, load_embedder
from gnomon.llm.minilm import home_folder
from gnomon.llm.tuned import placed
from gnomon.llm.weights import read_ref
from gnomon.runs import Recipe, Serve, Step, Workspace, run
from gnomon.runs.experts import open_expert
from gnomon.training import steps
from gnomon.training.curve import CurveRow
from gnomon.training.embedder import trainer
from gnomon.training.embedder.mining import KINDS, QUERY, QUERY_TITLE, Mined, WorkPair, mine
from gnomon.training.embedder.order import ShownPair, ordered
from gnomon.training.embedder.trial import chosen
from gnomon.training.embedder.works import KeptOut, Work, author_key, bare_id, read_kept_out, read_works

for _package in ("sentence_transformers", "onnxruntime", "datasets", "model2vec"):
    pytest.importorskip(_package)
MIXTURE = {"title": 1.0, "cites": 1.0, "author": 1.0}
SETTINGS: dict[str, Any] = {
    "mixture": MIXTURE, "steps": 60, "batch": 8, "learning_rate": 3e-3, "frozen": -1, "window": 32, "index_window": 32,
    "precision": "float32", "kept_back": 0.2, "weight_decay": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelRef, Settings]:
    folder = tmp_path_factory.mktemp("tiny") / "model"
    ref = tiny_bert(folder)
    return ref, machine(folder, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def tuned(base: tuple[ModelRef, Settings], tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Step]:
    workspace = Workspace(tmp_path_factory.mktemp("workspace"), base[1])
    queries = listed(tmp_path_factory.mktemp("queries") / "queries.jsonl", '{"_id": "dust1"}\n')
    step = steps.tune_embedder(field(), keep_out=queries, base=base[0], **SETTINGS)
    run(Recipe(name="t", goals=(step,)), workspace)
    return workspace, step


# What it may be tuned on ----------------------------------------------------------------------


def works_of(rows: dict[str, list[str]]) -> dict[str, Work]:
    return {
        i: Work(id=i, title=f"on {i}", text=f"text of {i}", cites=tuple(c), authors=("a x",)) for i, c in rows.items()
    }


def found(works: dict[str, Work], *queries: str, **settings: Any) -> Mined:
    kept_out = KeptOut(ids=frozenset(queries), titles=frozenset())
    return mine(works, kept_out, **{"kinds": KINDS, "crowd": 50, "kept_back": 0.0, **settings})


NAMES = [f"w{i}" for i in range(8)]


@given(
    st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4)),
    st.sets(st.sampled_from(NAMES), max_size=4),
    st.floats(0, 0.9),
)
def test_no_pair_has_a_query_at_either_end_or_between_them(
    rows: dict[str, list[str]], queries: set[str], share: float
) -> None:
    works = works_of({name: rows.get(name, []) for name in NAMES})
    got = found(works, *queries, kept_back=share)
    for pair in (*got.training, *got.trial):
        assert not {pair.a, pair.b, pair.through} & queries
    everything = found(works, kept_back=share)
    assert got.taken == everything.taken
    assert sum(got.refused.values()) == sum(
        bool({p.a, p.b, p.through} & queries) for p in (*everything.training, *everything.trial)
    )


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4)), st.floats(0, 0.9))
def test_no_training_pair_has_a_work_that_was_kept_back(rows: dict[str, list[str]], share: float) -> None:
    got = found(works_of({name: rows.get(name, []) for name in NAMES}), kept_back=share)
    asked = {pair.a for pair in got.trial}
    assert not asked & {i for pair in got.training for i in (pair.a, pair.b)}


def test_what_a_query_cites_may_be_paired_but_not_because_of_the_query() -> None:
    works = works_of({"q": ["x", "y"], "p": ["x", "z"], "x": [], "y": [], "z": []})
    got = found(works, "q", kinds=("cites", "cocited", "coupling"))
    assert {(p.kind, p.a, p.b) for p in got.training} == {
        ("cites", "p", "x"),
        ("cites", "p", "z"),
        ("cocited", "x", "z"),
    }
    assert got.refused == {QUERY: 4}


def test_a_query_under_another_id_is_known_by_its_title() -> None:
    works = {**works_of({"p": ["x"], "x": []}), "twin": Work(id="twin", title="Dust, in Shells!", cites=("x",))}
    got = mine(works, KeptOut(ids=frozenset(), titles=frozenset({"dust in shells"})), ("cites",), 50, 0.0)
    assert (len(got.training), got.refused) == (1, {QUERY_TITLE: 1})


def test_a_crowd_says_nothing_of_two_of_its_members() -> None:
    works = works_of({name: [] for name in NAMES})
    assert found(works, kinds=("author",), crowd=7).training == ()
    assert len(found(works, kinds=("author",), crowd=8).training) == 28


def test_an_unknown_kind_of_pair_is_refused() -> None:
    with pytest.raises(ConfigError, match="'friend'"):
        found({}, kinds=("friend",))


def test_a_citation_graph_is_read_and_its_broken_lines_are_told(tmp_path: Path) -> None:
    text = (
        "# head\nhep-th/9301001;hep-th;1;2;hep-th/9201002;U.M.Heller,H.Neuberger;A title; with a semicolon\nbroken\n\n"
    )
    (tmp_path / "none").mkdir()
    works, faults = read_works(tmp_path / "none", listed(tmp_path / "graph.csv", text))
    (work,) = works.values()
    assert (work.id, work.cites) == ("arxiv:hep-th/9301001", ("arxiv:hep-th/9201002",))
    assert (work.title, work.authors) == ("A title; with a semicolon", ("um heller", "h neuberger"))
    assert [(drop.reason, drop.detail) for drop in faults] == [("broken_line", "line 3")]


def test_one_author_is_one_however_the_name_is_written() -> None:
    assert {author_key(name) for name in ("U.M.Heller", "Heller, U. M.", "Urs Moritz Heller", "heller, u.m.")} == {
        "um heller"
    }
    assert author_key("") == author_key(" , ") == ""


def test_queries_come_from_jsonl_or_from_plain_lists(tmp_path: Path) -> None:
    works = [Work(id="arxiv:hep-th/9301001", title="A Title")]
    text = '{"_id": "hep-th/9301001"}\n\nastro-ph/9306029\n{"id": "local:x", "title": "On X"}\n'
    kept_out = read_kept_out(listed(tmp_path / "queries.txt", text), works)
    assert kept_out.ids == {"hep-th/9301001", "astro-ph/9306029", "x"}
    assert kept_out.titles == {"a title", "on x"}
    assert bare_id("arXiv:hep-th/9301001") == "hep-th/9301001"


@pytest.mark.parametrize("text", ["", '{"title": "no id"}\n', "{broken\n"])
def test_a_list_of_queries_that_cannot_be_used_stops_the_work(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError):
        read_kept_out(listed(tmp_path / "queries.jsonl", text), [])


# The order ------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(31, 60)), min_size=2, max_size=60), st.integers(0, 5))
def test_the_others_of_a_step_are_strangers(ends: list[tuple[int, int]], seed: int) -> None:
    pairs = [WorkPair(kind="cites", a=f"w{a}", b=f"w{b}") for a, b in ends]
    together = {frozenset((p.a, p.b)) for p in pairs}
    shown = ordered(pairs, {"cites": 1.0, "title": 0.0}, steps=6, batch=4, seed=seed)
    for step in range(1, 7):
        rows = [row for row in shown if row.step == step]
        assert 1 <= len(rows) <= 4
        for one in rows:
            for other in rows:
                if one is not other:
                    assert not {one.asked, one.wanted} & {other.asked, other.wanted}
                    assert frozenset((one.asked, other.wanted)) not in together
    assert shown == ordered(pairs[::-1], {"title": 0.0, "cites": 1.0}, steps=6, batch=4, seed=seed)


def test_every_pair_is_seen_once_before_one_is_seen_twice() -> None:
    pairs = [WorkPair(kind="cites", a=f"a{i}", b=f"b{i}") for i in range(40)]
    shown = ordered(pairs, {"cites": 1.0}, steps=10, batch=4, seed=1)
    assert len({frozenset((row.asked, row.wanted)) for row in shown}) == 40


def test_the_trial_asks_as_evenly_of_every_kind_as_it_can() -> None:
    pairs = [WorkPair(kind="author", a=f"a{i}", b=f"b{i}") for i in range(90)]
    pairs += [WorkPair(kind="cites", a=f"c{i}", b=f"d{i}") for i in range(5)]
    pairs += [WorkPair(kind="title", a=f"t{i}", b=f"t{i}") for i in range(90)]
    kinds = [pair.kind for pair in chosen(pairs, 20, 0)]
    assert (kinds.count("author"), kinds.count("cites"), kinds.count("title")) == (15, 5, 0)
    assert {pair.kind for pair in chosen(pairs[-90:], 20, 0)} == {"title"}


def test_no_pairs_stop_the_work_before_any_training() -> None:
    with pytest.raises(DataError, match="0 pairs"):
        ordered([], MIXTURE, steps=1, batch=2, seed=0)


# What it learns -------------------------------------------------------------------------------


def test_the_loss_falls_and_the_trial_is_won(tuned: tuple[Workspace, Step]) -> None:
    workspace, step = tuned
    record = workspace.record(step.address)
    assert record is not None
    curve = list(read_table(workspace.artifact(step.address) / "curve.parquet", CurveRow))
    assert [row.step for row in curve] == list(range(1, 61))
    assert np.mean([row.loss for row in curve[-10:]]) < 0.6 * np.mean([row.loss for row in curve[:10]])
    assert all(one.tokens < other.tokens for one, other in itertools.pairwise(curve))
    verdict = record.metrics["trial"]
    assert record.metrics["adopted"] is True
    assert verdict["tuned"] > verdict["base"]
    assert verdict["low"] > 0


def test_what_was_shown_can_be_read_and_holds_no_query(tuned: tuple[Workspace, Step]) -> None:
    workspace, step = tuned
    shown = list(read_table(workspace.artifact(step.address) / "pairs.parquet", ShownPair))
    assert {row.step for row in shown} == set(range(1, 61))
    assert not [row for row in shown if "local:dust1" in (row.asked, row.wanted, row.through)]
    counts = workspace.record(step.address).counts  # type: ignore[union-attr]
    assert counts.dropped[QUERY] > 0
    assert counts.add_up


def test_the_tuned_model_is_opened_by_the_door_and_is_what_sentence_transformers_opens(
    tuned: tuple[Workspace, Step],
) -> None:
    from sentence_transformers import SentenceTransformer

    workspace, step = tuned
    folder = workspace.artifact(step.address)
    ref, settings = placed(folder, workspace.settings)
    assert (ref, ref.parents) == (read_ref(folder), ("tiny",))
    model = load_embedder(ref, settings)
    texts = ["dust grain shell", "carbon silicate emission", ""]
    theirs = SentenceTransformer(str(folder / "model"), device="cpu").encode(texts)
    assert np.allclose(model.embed(texts), theirs, atol=1e-5)
    assert model.languages == ("en",)
    with pytest.raises(NotFound, match="tuned-embedder"):
        load_embedder(ref, workspace.settings)
    with pytest.raises(ConfigError):
        load_embedder(replace(ref, revision="sha256:0"), settings)


def test_running_texts_of_like_length_together_changes_no_vector(base: tuple[ModelRef, Settings]) -> None:
    import torch

    model = trainer.open_model(home_folder(*base), 32).eval()
    texts = ["dust", "dust grain shell cold infrared carbon", "", *["comet tail coma"] * 30, "halo " * 40]
    features = model.preprocess(texts)
    with torch.no_grad():
        together = model(dict(features))["sentence_embedding"]
        assert torch.allclose(trainer._by_length(model, features), together, atol=1e-5)


def test_a_tuning_that_does_not_win_leaves_the_base(tmp_path: Path, base: tuple[ModelRef, Settings]) -> None:
    workspace = Workspace(tmp_path, base[1])
    step = steps.tune_embedder(field(), base=base[0], **{**SETTINGS, "steps": 2, "learning_rate": 0.0})
    (record,) = [r for r in run(Recipe(name="t", goals=(step,)), workspace).values() if r.name == step.name]
    folder = workspace.artifact(step.address)
    assert record.metrics["adopted"] is False
    assert read_ref(folder) == base[0]
    assert not (folder / "model").exists()
    assert (folder / "rejected" / "model.safetensors").exists()
    assert placed(folder, base[1]) == (base[0], base[1])


def test_two_runs_are_equal_also_when_one_was_killed(
    tmp_path: Path, base: tuple[ModelRef, Settings], tuned: tuple[Workspace, Step]
) -> None:
    queries = listed(tmp_path / "queries.jsonl", '{"_id": "dust1"}\n')
    step = steps.tune_embedder(field(), keep_out=queries, base=base[0], **SETTINGS)
    assert step.address == tuned[1].address
    place = base[1].models["tiny"].url
    script = (
        "import os, signal, sys; from pathlib import Path; import tiny_field;"
        "from gnomon.training.loop import checkpoints; from gnomon.training import steps;"
        "from gnomon.runs import FileSet, Recipe, Workspace, run;"
        "seal = checkpoints.seal;"
        "kill = lambda place, folder, step, keep: (seal(place, folder, step, keep),"
        " step == 6 and os.kill(os.getpid(), signal.SIGKILL));"
        "checkpoints.seal = kill;"
        "from test_tune_embedder import SETTINGS; from gnomon.core.records import ModelRef;"
        "from gnomon.core.settings import ModelPlace, Settings;"
        f"settings = Settings(cache={base[1].cache!r}, threads=1, offline=True, models={{'tiny': ModelPlace(url={place!r})}});"
        f"base = ModelRef(name='tiny', revision={base[0].revision!r}, kind='embedder/onnx-fp32', licence='Apache-2.0');"
        f"q = FileSet.scan([{str(tmp_path / 'queries.jsonl')!r}]);"
        "step = steps.tune_embedder(tiny_field.field(), keep_out=q, base=base, **SETTINGS);"
        f"run(Recipe(name='t', goals=(step,)), Workspace({str(tmp_path / 'killed')!r}, settings))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "PYTHONHASHSEED": "5"}
    killed = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    workspace = Workspace(tmp_path / "killed", base[1])
    assert workspace.record(step.address) is None
    run(Recipe(name="t", goals=(step,)), workspace)
    one, other = workspace.record(step.address), tuned[0].record(step.address)
    assert one is not None
    assert other is not None
    assert {f.name: f.digest for f in one.files} == {f.name: f.digest for f in other.files}


# What an index makes of it --------------------------------------------------------------------


def library(workspace: Workspace, embedder: ModelRef | Step, **settings: Any) -> tuple[Library, Step]:
    chunks = knowledge.chunk(field())
    index = knowledge.index(field(), chunks)
    vectors = knowledge.vectors(field(), chunks, index, embedder=embedder, **settings)
    serve = Serve(name="main", parts={"index": index, "vectors": vectors})
    run(Recipe(name="lib", goals=(index, vectors), serve=serve), workspace)
    return Library.open(workspace, open_expert(workspace, "main")), vectors


def test_an_index_takes_the_tuned_embedder_from_its_step(tuned: tuple[Workspace, Step]) -> None:
    workspace, step = tuned
    opened, vectors = library(workspace, step)
    (side,) = opened.stats()["vectors"]
    assert (side["model"], side["rows"], side["finished"]) == ("tuned-embedder", len(papers()), True)
    hits = opened.search("silicate carbon ice", k=5, mode="vector")
    assert sum("dust" in hit.doc_id for hit in hits) >= 4
    record = workspace.record(vectors.address)
    assert record is not None
    assert record.inputs["embedder"] == step.address


def test_an_index_of_a_tuning_that_did_not_win_is_that_of_the_base(
    tmp_path: Path, base: tuple[ModelRef, Settings]
) -> None:
    workspace = Workspace(tmp_path, base[1])
    step = steps.tune_embedder(field(), base=base[0], **{**SETTINGS, "steps": 2, "learning_rate": 0.0})
    opened, vectors = library(workspace, step)
    assert opened.stats()["vectors"][0]["model"] == "tiny"
    assert opened.search("dust", k=1, mode="vector")
    _, plain = library(workspace, base[0])
    stores = [workspace.record(s.address).stores[0].key for s in (vectors, plain)]  # type: ignore[union-attr]
    assert stores[0] == stores[1]


def test_the_packaged_embedder_keeps_its_address_and_no_embedder_is_refused(tmp_path: Path) -> None:
    chunks = knowledge.chunk(field())
    index = knowledge.index(field(), chunks)
    made = knowledge.vectors(field(), chunks, index, embedder=PACKAGED)
    assert "embedder" not in made.inputs
    assert made.config.embedder == PACKAGED
    nothing = replace(made, config=replace(made.config, embedder=ModelRef(name="")))
    with pytest.raises(ConfigError, match="no embedder"):
        run(Recipe(name="t", goals=(nothing,)), Workspace(tmp_path))


def test_a_static_model_is_distilled_from_the_tuned_one(tuned: tuple[Workspace, Step]) -> None:
    workspace, step = tuned
    static = steps.distil_embedder(step)
    opened, _ = library(workspace, static)
    assert opened.stats()["vectors"][0]["model"] == "tuned-embedder-static"
    hits = opened.search("pulsar neutron", k=3, mode="vector")
    assert all("pulsar" in hit.doc_id for hit in hits)
    ref, settings = placed(workspace.artifact(static.address), workspace.settings)
    model = load_embedder(ref, settings)
    assert (ref.parents, model.languages) == (("tuned-embedder",), ("en",))


def test_a_base_of_another_architecture_is_refused(tmp_path: Path) -> None:
    step = steps.tune_embedder(field(), base=ModelRef(name="x", kind="embedder/characters"), **SETTINGS)
    with pytest.raises(ConfigError, match="characters"):
        run(Recipe(name="t", goals=(step,)), Workspace(tmp_path))


@pytest.mark.parametrize("wrong", [{"adopt": "never"}, {"batch": 1}, {"kept_back": 0.0}, {"precision": "int8"}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        steps.tune_embedder(field(), **{**SETTINGS, **wrong})
