"""``gnomon complete`` prints what models write after the same beginning."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))

import tiny_base

from gnomon.runs import FileSet, Recipe, Serve, Workspace
from gnomon.runs.runner import run
from gnomon.training import steps as training


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base.base(tmp_path_factory.mktemp("weights") / "tiny")


@pytest.fixture
def expert(weights: Path, tmp_path: Path) -> None:
    base, other = (training.adopt(name, files=FileSet.scan([weights])) for name in ("toy/base", "toy/other"))
    serve = Serve(name="toys", parts={"base": base, "specialised": other}, needed=("base",))
    run(Recipe(name="toys", goals=(base, other), serve=serve), Workspace(str(tmp_path / "ws")))


def test_every_model_of_the_expert_continues_the_text_base_first(gnomon, expert) -> None:
    done = gnomon("complete", "The", "comets", "--max-tokens", 5, "--temperature", 0, "--json")
    assert done.code == 0
    assert {k: done.row[k] for k in ("text", "max_tokens", "temperature", "seed")} == {
        "text": "The comets", "max_tokens": 5, "temperature": 0.0, "seed": 0,
    }  # fmt: skip
    assert [(row["model"], row["name"]) for row in done.row["completions"]] == [
        ("base", "toy/base"), ("specialised", "toy/other"),
    ]  # fmt: skip
    first, second = done.row["completions"]
    assert first["text"] == second["text"], "equal weights write alike"
    assert first["finish"] in {"length", "stop"}


def test_the_same_seed_gives_the_same_text_again(gnomon, expert) -> None:
    words = ("complete", "The comets", "--model", "base", "--max-tokens", 8, "--temperature", 1, "--json")
    assert gnomon(*words).row == gnomon(*words).row


def test_a_folder_of_weights_needs_no_expert(gnomon, weights: Path) -> None:
    done = gnomon("complete", "The comets", "--model", weights, "--max-tokens", 3)
    assert done.code == 0
    assert "tiny" in done.out
    assert "no fact" in done.out


def test_a_model_that_is_not_there_is_named_with_those_that_are(gnomon, expert) -> None:
    done = gnomon("complete", "The comets", "--model", "nobody")
    assert (done.code, "nobody" in done.err, "specialised" in done.err) == (2, True, True)


def test_an_expert_without_a_model_says_how_to_make_one(gnomon, papers: Path) -> None:
    gnomon("build", papers)
    done = gnomon("complete", "The comets")
    assert (done.code, "--base" in done.err) == (2, True)


def test_a_text_of_nothing_is_refused(gnomon, expert) -> None:
    assert gnomon("complete", "  ").code == 2
