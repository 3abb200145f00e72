"""The quickstart with a model, as a user meets it: continued on the starter library, taught, examined, and its proof."""

import json
import shutil
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))

import tiny_base

from gnomon.core.files import read_json
from gnomon.runs import Workspace
from gnomon_recipes.bases import NANO_FOLDER

TEN_MINUTES = 600


@pytest.fixture(scope="module")
def specialist(quickstart: Path, tmp_path_factory: pytest.TempPathFactory, gnomon) -> Path:
    """The quickstart's library, and a stand-in base of a few thousand parameters continued on it."""
    workspace = tmp_path_factory.mktemp("specialist") / "ws"
    shutil.copytree(quickstart, workspace)
    weights = tiny_base.base(tmp_path_factory.mktemp("weights") / "tiny", context=1_024)
    chosen = ("--set", f"base={weights}", "--set", f"instruct={weights}", "--set", "questions=12")
    gnomon("run", "quickstart", *chosen, "--workspace", str(workspace))
    return workspace


@pytest.mark.timeout(400)
def test_the_expert_has_a_base_and_a_specialised_model_that_write_side_by_side(specialist: Path, answer_json) -> None:
    told = answer_json("complete", "The velocities of the nebulae", "--max-tokens", "8", "--workspace", str(specialist))
    told = told["completions"]
    roles = [role for row in told for role in (row["model"], *row["same"])]
    merges = {"linear-50", "linear-75", "linear-90"}
    assert set(roles) == {"base", "control", "final", "instruct", "specialised", "tuned", *merges}
    assert len(roles) == len(set(roles))
    assert len(told) - 1 == len({row["revision"] for row in told}), "the partner here is the base, taught nothing"
    assert next(row for row in told if "final" in (row["model"], *row["same"]))["same"], "final is one of the merges"


def test_the_proof_is_measured_on_notes_and_on_general_text(specialist: Path) -> None:
    workspace = Workspace(specialist)
    (address,) = [r.address for r in workspace.records() if r.name == "evaluation/perplexity"]
    facts = read_json(workspace.artifact(address) / "perplexity.json")
    assert {name: test["kind"] for name, test in facts["tests"].items()} == {
        "by_hash": "domain", "by_time": "domain", "general": "general",
    }  # fmt: skip
    assert set(facts["models"]) == {"base", "specialised", "control", "instruct", "tuned", "final"}
    perplexities = {name: m["perplexity"]["value"] for name, m in facts["tests"]["by_hash"]["models"].items()}
    assert perplexities["specialised"] < perplexities["base"], "a random base learns from anything"


def test_every_stage_sat_the_exam_beside_chance_and_the_solver(specialist: Path) -> None:
    workspace = Workspace(specialist)
    facts = [read_json(workspace.artifact(r.address) / "exam.json") for r in workspace.records()
             if r.name == "evaluation/exam"]  # fmt: skip
    sat = next(found["exams"]["exam"] for found in facts if "exam" in found["exams"])
    stages = ("base", "specialised", "instruct", "tuned", "final")
    assert set(sat["arms"]) == {"chance", "solver", *(f"{s}{book}" for s in stages for book in ("", " · open book"))}
    assert all(arm["n"] + sum(arm["unscored"].values()) == 12 for arm in sat["arms"].values())


def test_the_final_model_is_the_merge_that_the_development_exam_chose(specialist: Path) -> None:
    workspace = Workspace(specialist)
    (address,) = [r.address for r in workspace.records() if r.name == "training/choose"]
    told = read_json(workspace.artifact(address) / "chosen.json")
    assert told["scores"][told["chosen"]] == max(told["scores"].values())


def test_a_model_can_be_walked_back_to_its_documents(specialist: Path, answer_json) -> None:
    told = json.dumps(answer_json("lineage", "specialised", "--workspace", str(specialist)))
    assert "training/cpt" in told
    assert "training/pack" in told
    taught = json.dumps(answer_json("lineage", "tuned", "--workspace", str(specialist)))
    assert "training/sft" in taught
    assert "training/cpt" in taught


def test_the_library_still_answers_and_everything_verifies(specialist: Path, answer_json, gnomon) -> None:
    assert answer_json("search", "pulsars", "--workspace", str(specialist))["hits"]
    assert not answer_json("ask", "Who found pulsars?", "--workspace", str(specialist))["refused"]
    gnomon("verify", "--workspace", str(specialist))
    assert "specialised" in gnomon("show", "--workspace", str(specialist)).stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not NANO_FOLDER.is_dir(), reason="the nano base is not in this checkout")
def test_the_whole_quickstart_takes_less_than_ten_minutes(tmp_path: Path, gnomon) -> None:
    started = time.monotonic()
    gnomon("run", "quickstart", "--workspace", str(tmp_path / "ws"))
    assert time.monotonic() - started < TEN_MINUTES
