"""A base continued on a small library: what is held out stays out, the control is of equal length, all is measured."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_base

from gnomon.core.errors import ConfigError, DataError, NotFound
from gnomon.core.files import read_json
from gnomon.core.pieces import Piece
from gnomon.core.records import Document
from gnomon.core.tables import read_table
from gnomon.llm.weights import read_ref
from gnomon.runs import FileSet, Recipe, Record, Step, Workspace
from gnomon.runs.runner import run
from gnomon_recipes import bases, library, quickstart


def listed(path: Path) -> dict[str, Any]:
    return FileSet.scan([path]).to_row()


def ids(folder: Path) -> set[str]:
    return {d.id for d in read_table(folder / "documents", Document)}


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sources")
    near = {"id": "copy-of-19", "title": "A later copy", "year": 2002, "text": tiny_base.prose(19) + " One word more."}
    domain = tiny_base.domain(folder / "domain.jsonl")
    with domain.open("a", encoding="utf-8") as file:
        file.write(json.dumps(near) + "\n")
    exam = [{"id": "q1", "question": tiny_base.prose(7)[:240], "choices": ["a", "b"], "answer": 0}]
    return {
        "files": listed(domain), "general": listed(tiny_base.general(folder / "general.jsonl")), "name": "tiny",
        "exam": listed(tiny_base.lines(folder / "exam.jsonl", exam)), "after": "2018", "held_out": 0.2, "method": "full",
        "base": {"name": "tiny-base", "files": listed(tiny_base.base(tmp_path_factory.mktemp("base"), context=1_024))},
    }  # fmt: skip


@pytest.fixture(scope="module")
def built(arguments: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    recipe = library.recipe(arguments)
    workspace = Workspace(str(tmp_path_factory.mktemp("ws")))
    records = run(recipe, workspace)
    assert recipe.serve is not None
    parts = dict(recipe.serve.parts)
    return SimpleNamespace(
        recipe=recipe, records=records, parts=parts, workspace=workspace,
        at={role: workspace.artifact(step.address) for role, step in parts.items()},
    )  # fmt: skip


def held_out(built: SimpleNamespace) -> dict[str, set[str]]:
    tests = {
        name.removeprefix("documents:"): step
        for name, step in built.parts["perplexity"].inputs.items()
        if name.startswith("documents:")
    }
    return {name: ids(built.workspace.artifact(step.address)) for name, step in tests.items()}


@pytest.mark.timeout(300)
def test_what_is_held_out_is_in_no_row_of_any_model(built: SimpleNamespace) -> None:
    apart = held_out(built)
    assert set(apart) == {"by_time", "by_hash", "general"}
    assert min(map(len, apart.values())) >= 2
    for tokens in ("tokens", "control_tokens"):
        shown = {piece.doc_id for piece in read_table(built.at[tokens] / "pieces", Piece)}
        assert shown
        for name, documents in apart.items():
            assert not shown & documents, f"{tokens} holds documents of {name}"


def test_by_time_a_later_document_is_held_out_and_a_near_copy_goes_with_it(built: SimpleNamespace) -> None:
    later = {d.id for d in read_table(built.at["dedup"] / "documents", Document) if (d.biblio.year or 0) > 2018}
    assert held_out(built)["by_time"] >= later


def test_what_gives_an_exam_away_is_shown_to_no_model(built: SimpleNamespace) -> None:
    assert built.records[built.parts["decontaminate"].address].counts.dropped
    assert "local:note-7" not in ids(built.at["decontaminate"])
    assert "local:note-7" in ids(built.at["dedup"]), "readers may see it"


def test_the_control_is_the_base_on_equally_many_tokens_of_general_text(built: SimpleNamespace) -> None:
    tokens, control = (read_json(built.at[name] / "pack.json") for name in ("tokens", "control_tokens"))
    assert abs(tokens["tokens"] - control["tokens"]) <= 1_000, "within a document"
    assert set(control["sources"]) == {"general"}
    assert built.parts["control"].config.learning_rate == built.parts["specialised"].config.learning_rate
    assert read_ref(built.at["control"]).parents == read_ref(built.at["specialised"]).parents == ("tiny-base",)


def test_replay_has_the_share_that_was_asked_for(built: SimpleNamespace) -> None:
    sources = read_json(built.at["tokens"] / "pack.json")["sources"]
    share = sources["general"]["tokens"] / sum(source["tokens"] for source in sources.values())
    assert 0.05 < share < 0.15


def test_every_measure_has_base_specialised_and_control(built: SimpleNamespace) -> None:
    facts = read_json(built.at["perplexity"] / "perplexity.json")
    assert set(facts["models"]) == {"base", "specialised", "control"}
    kinds = {name: test["kind"] for name, test in facts["tests"].items()}
    assert kinds == {"by_hash": "domain", "by_time": "domain", "general": "general"}
    assert {"base", "specialised", "embedder"} <= set(read_json(built.at["embedding"] / "embedding.json")["models"])
    assert {"base", "specialised", "control"} <= set(read_json(built.at["completion"] / "completion.json")["models"])
    assert (built.at["report"] / "report.html").is_file()


def test_the_trace_holds_what_the_model_was_shown(built: SimpleNamespace) -> None:
    assert built.parts["trace"].inputs["documents"] is built.parts["domain"]


def test_too_little_to_measure_is_refused_before_anything_is_trained(arguments, tmp_path: Path) -> None:
    few = {**arguments, "files": listed(tiny_base.domain(tmp_path / "few.jsonl", 6)), "after": "2050"}
    recipe, done = library.recipe(few), []
    workspace = Workspace(str(tmp_path / "ws"))
    with pytest.raises(DataError, match="wanted are at least"):
        run(Recipe(name="x", goals=(recipe.goals[3],)), workspace, progress(done))
    assert not [name for name in done if name.startswith("training/")]


def progress(done: list[str]) -> Any:
    from gnomon.runs.runner import SilentProgress

    class Told(SilentProgress):
        def finish(self, step: Step, record: Record, *, fresh: bool) -> None:
            done.append(step.name)

    return Told()


def test_without_general_text_there_is_no_control_and_forgetting_is_still_measured(arguments) -> None:
    recipe = library.recipe({k: v for k, v in arguments.items() if k != "general"})
    assert recipe.serve is not None
    parts = recipe.serve.parts
    assert "control" not in parts
    assert set(parts["tokens"].inputs) == {"tokenizer", "domain"}
    assert "documents:general" in parts["perplexity"].inputs


@pytest.mark.parametrize(
    ("base", "error"),
    [("org/model", ConfigError), ("", ConfigError), ({"revision": "1"}, ConfigError), (7, ConfigError)],
)
def test_a_base_that_is_no_one_model_is_refused(base: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        bases.adopted(base)


def test_a_hub_base_is_named_by_its_commit() -> None:
    assert bases.adopted("org/model@abc").config.revision == "abc"
    assert bases.adopted({"name": "org/model", "revision": "abc"}).identity == bases.adopted("org/model@abc").identity


def test_an_installation_without_the_nano_base_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bases, "NANO_FOLDER", tmp_path / "none")
    with pytest.raises(NotFound, match="nano"):
        bases.adopted("nano")


def test_arguments_for_a_model_need_one(arguments) -> None:
    with pytest.raises(ConfigError, match="after"):
        library.recipe({"files": arguments["files"], "after": "2018"})


def test_any_setting_of_the_training_can_be_changed_and_only_those(arguments) -> None:
    recipe = library.recipe(
        {**arguments, "train": {"batch": 2, "betas": [0.9, 0.99], "lora": {"rank": 4}}, "context": 128}
    )
    assert recipe.serve is not None
    found = recipe.serve.parts["specialised"].config
    assert (found.batch, found.betas, found.lora.rank) == (2, (0.9, 0.99), 4)
    assert recipe.serve.parts["tokens"].config.context == 128
    for wrong in ({"depth": 3}, {"batch": "many"}, {"lora": {"height": 1}}, {"batch": 0}, 3, {"name": "other"}):
        with pytest.raises(ConfigError):
            library.recipe({**arguments, "train": wrong})


def test_the_quickstart_without_a_model_is_the_library_alone() -> None:
    recipe = quickstart.recipe({"base": "none"})
    assert not [step for step in recipe.steps() if step.name.startswith("training/")]


def test_the_quickstart_keeps_its_questions_from_every_text_that_models_see(arguments) -> None:
    recipe = quickstart.recipe({"base": arguments["base"]})
    kept_out = [step for step in recipe.steps() if step.name == "corpus/decontaminate"]
    assert len(kept_out) == 4, "the notes, the general text, the questions written about notes, and the conversations"
