"""Choosing: the best candidate of a development exam, and nothing but its files."""

import json
from pathlib import Path
from typing import Any

import packs
import pytest

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import read_json
from gnomon.core.records import ModelRef
from gnomon.llm.weights import read_ref, write_ref
from gnomon.training.choose import ChooseConfig, run


def candidate(folder: Path, name: str) -> Path:
    place = folder / name
    (place / "model").mkdir(parents=True)
    (place / "model" / "model.safetensors").write_bytes(name.encode())
    (place / "merge.json").write_text(json.dumps({"of": name}), encoding="utf-8")
    write_ref(place, ModelRef(name=name, revision="1", kind="instruct"))
    return place


def exam(folder: Path, scores: dict[str, Any], metric: str = "log_prob") -> Path:
    arms = {name: {metric: None if value is None else {"value": value}} for name, value in scores.items()}
    folder.mkdir(exist_ok=True)
    (folder / "exam.json").write_text(json.dumps({"exams": {"development": {"arms": arms}}}), encoding="utf-8")
    return folder


def chosen(folder: Path, scores: dict[str, Any], **config: Any) -> Path:
    names = tuple(scores)
    inputs = {f"model:{name}": candidate(folder, name) for name in names}
    inputs["exam"] = exam(folder / "exam", scores, config.get("metric", "log_prob"))
    out = packs.output(folder / "out")
    counts = run(ChooseConfig(candidates=names, **config), inputs, out)
    assert (counts.taken, counts.kept) == (len(names), 1)
    return out.path


def test_the_best_is_taken_with_what_was_said_of_it(tmp_path: Path) -> None:
    found = chosen(tmp_path, {"a": -1.5, "b": -1.2, "c": None})
    assert read_ref(found).name == "b"
    assert (found / "model" / "model.safetensors").read_bytes() == b"b"
    assert read_json(found / "merge.json") == {"of": "b"}
    assert read_json(found / "chosen.json")["scores"] == {"a": -1.5, "b": -1.2, "c": None}


def test_the_first_wins_a_tie_and_accuracy_may_decide(tmp_path: Path) -> None:
    assert read_ref(chosen(tmp_path, {"a": 0.25, "b": 0.25}, metric="accuracy")).name == "a"


def test_a_candidate_that_was_removed_afterwards_leaves_the_choice_whole(tmp_path: Path) -> None:
    found = chosen(tmp_path, {"a": -1.0, "b": -2.0})
    (tmp_path / "a" / "model" / "model.safetensors").unlink()
    assert (found / "model" / "model.safetensors").read_bytes() == b"a"


def test_no_figure_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="log_prob"):
        chosen(tmp_path, {"a": None})


def test_a_candidate_that_did_not_sit_is_an_error(tmp_path: Path) -> None:
    inputs = {"model:a": candidate(tmp_path, "a"), "exam": exam(tmp_path / "exam", {"b": -1.0})}
    with pytest.raises(ConfigError, match="'a'"):
        run(ChooseConfig(candidates=("a",)), inputs, packs.output(tmp_path / "out"))


@pytest.mark.parametrize("config", [{"metric": "luck"}, {"candidates": ()}, {"candidates": ("a", "a")}])
def test_a_choice_that_cannot_be_made_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ChooseConfig(**{"candidates": ("a",), **config})
