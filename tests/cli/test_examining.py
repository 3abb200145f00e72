"""``gnomon eval`` puts an exam to models and prints how each arm did."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))

import tiny_base


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base.base(tmp_path_factory.mktemp("weights") / "tiny", context=1024)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    rows = [
        {"id": f"q{i}", "question": f"What colour was star {i}?", "choices": ["red", "blue", "white", "green"],
         "answer": i % 4}
        for i in range(6)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "no json\n", encoding="utf-8")
    return path


def test_a_folder_of_weights_sits_beside_chance(gnomon, weights: Path, questions: Path) -> None:
    done = gnomon("eval", weights, "--items", questions, "--json")
    assert done.code == 0
    chance, model = done.row["arms"]
    assert (chance["name"], chance["n"], chance["accuracy"]) == ("chance", 6, 0.25)
    assert {
        "name",
        "n",
        "accuracy",
        "interval",
        "unscored",
        "truncated",
        "usd_per_question",
        "items_per_second",
    } <= set(model)
    assert (model["n"], model["unscored"], model["truncated"], model["open_book"]) == (6, 0, 0, False)
    assert model["interval"][0] <= model["accuracy"] <= model["interval"][1]
    assert done.row["left_out"] == {"broken_line": 1}


def test_a_second_call_reads_what_was_answered(gnomon, weights: Path, questions: Path) -> None:
    words = ("eval", weights, "--items", questions, "--mode", "option", "--json")
    assert gnomon(*words).row == gnomon(*words).row


def test_a_reader_is_told_what_is_at_chance(gnomon, weights: Path, questions: Path) -> None:
    done = gnomon("eval", weights, "--items", questions)
    assert done.code == 0
    assert "at chance" in done.out
    assert "broken_line: 1" in done.out


def test_a_base_model_writes_its_answer_without_a_chat(gnomon, weights: Path, questions: Path) -> None:
    done = gnomon("eval", weights, "--items", questions, "--mode", "generate", "--orders", 1, "--json")
    assert done.code == 0
    model = done.row["arms"][1]
    assert model["n"] + model["unscored"] == 6


def test_a_model_that_is_not_there_is_named(gnomon, papers: Path, questions: Path) -> None:
    gnomon("build", papers)
    done = gnomon("eval", "nobody", "--items", questions)
    assert (done.code, "nobody" in done.err) == (2, True)
