"""``--set key=value``: what a recipe receives."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import toy_recipes

from gnomon.cli.arguments import model_argument, recipe_arguments
from gnomon.cli.recipes import again
from gnomon.core.errors import ConfigError, DataError, InputError
from gnomon.core.records import Expert
from gnomon.runs import FileSet, Workspace


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The arguments of a recipe whose module names files and models."""
    monkeypatch.setattr(toy_recipes, "FILES", ("papers", "corpus"), raising=False)
    monkeypatch.setattr(toy_recipes, "MODELS", ("base",), raising=False)
    return lambda *settings: recipe_arguments(toy_recipes.library, settings, Workspace(str(tmp_path / "ws")))


def test_values_are_json_where_they_can_be_and_text_where_not(given) -> None:
    found = given("passes=2", "share=0.5", "on=true", 'langs=["en","ja"]', "after=2024-06-30", "text=full", "empty=")
    assert found == {
        "passes": 2, "share": 0.5, "on": True, "langs": ["en", "ja"], "after": "2024-06-30", "text": "full", "empty": "",
    }  # fmt: skip


def test_files_are_listed_by_content_and_may_be_given_again(given, papers: Path) -> None:
    found = given(f"papers={papers / 'alpha.txt'}", f"papers={papers / 'sub'}", f"corpus.web={papers / 'beta.txt'}")
    assert [f.name for f in FileSet.from_row(found["papers"]).files] == ["alpha.txt", "copy.txt"]
    assert [f.name for f in FileSet.from_row(found["corpus"]["web"]).files] == ["beta.txt"]


def test_an_at_sign_stands_for_what_a_file_holds(given, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("arxiv:1\n\narxiv:2\n", encoding="utf-8")
    (tmp_path / "weights.json").write_text('{"a": 1}', encoding="utf-8")
    found = given(f"ids=@{tmp_path / 'ids.txt'}", f"weights=@{tmp_path / 'weights.json'}")
    assert found == {"ids": ["arxiv:1", "arxiv:2"], "weights": {"a": 1}}


def test_a_folder_of_weights_is_a_base_by_its_files_and_a_name_is_one_by_its_commit(given, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "config.json").write_text("{}", encoding="utf-8")
    base = given(f"base={tmp_path / 'weights'}")["base"]
    assert (base["name"], FileSet.from_row(base["files"]).files[0].name) == ("weights", "config.json")
    assert given("base=org/model@1234")["base"] == "org/model@1234" == model_argument("org/model", "1234")
    with pytest.raises(ConfigError, match="no revision"):
        model_argument(str(tmp_path / "weights"), "1234")


@pytest.mark.parametrize(
    ("settings", "error"),
    [(["passes"], InputError), (["=2"], InputError), (["a=1", "a=2"], InputError), (["a=1", "a.b=2"], InputError),
     (["papers=/nowhere/at/all"], DataError), (["ids=@/nowhere/at/all"], DataError)],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(given, settings: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        given(*settings)


def test_run_passes_arguments_on_to_the_recipe_and_the_expert_remembers_them(
    gnomon, papers: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(toy_recipes, "FILES", ("files",), raising=False)
    done = gnomon("run", "toy_recipes:library", "--set", f"files={papers}", "--set", "name=mine", "--json")
    assert (done.code, done.row["expert"], done.row["kept"]) == (0, "mine", 2)
    kept = json.loads(json.loads((tmp_path / "ws" / "experts" / "mine.json").read_text())["arguments"])
    assert len(kept["files"]["files"]) == 4
    assert gnomon("run", "toy_recipes:library", "--set", "files").code == 2


def test_build_hands_the_base_to_the_recipe(gnomon, papers: Path, monkeypatch) -> None:
    seen = {}
    real = toy_recipes.library

    def spying(arguments):
        seen.update(arguments)
        return real(arguments)

    monkeypatch.setattr(sys.modules["toy_recipes"], "library", spying)
    gnomon("build", papers, "--base", "org/model", "--revision", "77", "--set", "passes=2")
    assert (seen["base"], seen["passes"]) == ("org/model@77", 2)
    gnomon("plan", papers, "--base", "nano")
    assert seen["base"] == "nano"


def remember(arguments: Mapping[str, Any]) -> Any:
    """A recipe that gives its arguments back."""
    return dict(arguments)


@pytest.mark.parametrize(
    ("before", "removed", "seen"),
    [({}, [], {}), ({}, ["b", "a"], {"removed": ["a", "b"]}), ({"removed": ["a"]}, [], {"removed": []})],
)
def test_a_recipe_that_cannot_leave_documents_out_is_not_asked_to(
    before: dict[str, Any], removed: list[str], seen: dict[str, Any]
) -> None:
    expert = Expert(name="e", recipe=f"{__name__}:remember", arguments=json.dumps(before), parts=(), made="")
    assert again(expert, removed) == seen
