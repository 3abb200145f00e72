"""Which models learnt a lesson, and how a merge and a choice are told."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))

import taught_kit as kit

from gnomon.runs import Workspace
from gnomon.runs.lineage import Link
from gnomon.training.lessons import learners
from gnomon.training.shown import find_model, model_lineage


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return kit.workspace(tmp_path_factory.mktemp("lessons"))


def lineage(workspace: Workspace, step: str, name: str = "") -> Link:
    found = [r.address for r in workspace.records() if r.name == step]
    address = find_model(workspace, name, {}) if name else found[0]
    assert address is not None
    return model_lineage(workspace, address)


def test_a_lesson_is_learnt_in_the_steps_that_saw_its_rows_and_by_all_models_made_from_there(
    workspace: Workspace,
) -> None:
    (link,) = learners(workspace)([kit.LESSON.id])
    assert link.id.startswith("training/sft/")
    assert (link.facts["model"], link.facts["passes"], link.facts["steps"]) == ("toy/tuned", 2, [1, 3])
    assert link.facts["lessons"] == [kit.LESSON.id]
    assert set(link.facts["models"]) == {"toy/merged-0.75", "toy/merged-0.5", "toy/preferring"}


def test_a_lesson_behind_the_last_step_was_learnt_by_nobody(workspace: Workspace) -> None:
    assert not learners(workspace)([kit.CHAT.id])
    assert not learners(workspace)([])


def test_a_preference_is_learnt_in_the_steps_in_which_its_training_shows_it(workspace: Workspace) -> None:
    (link,) = learners(workspace)([kit.BETTER.id])
    assert (link.facts["model"], link.facts["passes"], link.facts["steps"]) == ("toy/preferring", 2, [1, 2])
    assert not learners(workspace)(["qa:other#swapped"]), "it was too long"


def test_a_choice_tells_its_candidates_and_a_merge_its_weights_down_to_the_base(workspace: Workspace) -> None:
    choice, merge = lineage(workspace, "training/choose").below
    assert (choice.kind, choice.facts["chosen"], choice.facts["metric"]) == ("choice", "much", "accuracy")
    assert [(c.id, c.facts["score"], c.facts["chosen"]) for c in choice.below] == [
        ("much", 1.0, True),
        ("half", 0.5, False),
    ]
    assert (merge.kind, merge.facts["weights"]) == ("merge", {"tuned": 0.75, "base": 0.25})
    preferring, base = merge.below
    assert (preferring.id, preferring.facts["weight"]) == ("toy/preferring", 0.75)
    assert (base.id, base.facts["weight"], base.below) == ("toy/base", 0.25, ())
    dpo, sft, start = preferring.below
    assert [link.id.rpartition("/")[0] for link in (dpo, sft)] == ["training/dpo", "training/sft"]
    assert (dpo.facts["preferences"], start.id) == (1, "toy/base")


def test_a_mixture_of_lessons_leads_to_the_steps_that_wrote_and_judged_them(workspace: Workspace) -> None:
    stage, base = lineage(workspace, "training/sft", "toy/tuned").below
    assert base.id == "toy/base"
    chat, questions = stage.below
    assert [b.id.rpartition("/")[0] for b in chat.below if b.kind == "step"] == ["synthesis/general"]
    steps = [b for b in questions.below if b.kind == "step"]
    assert [b.id.rpartition("/")[0].removeprefix("synthesis/") for b in steps] == [
        "examples",
        "select",
        "judge",
        "write",
    ]
    assert (steps[1].facts["taken"], steps[1].facts["kept"], steps[1].facts["dropped"]) == (
        3,
        2,
        {"low_correctness": 1},
    )
    (example,) = [b for b in questions.below if b.kind == "example"]
    assert (example.id, example.facts["asked"]) == (kit.LESSON.id, kit.TAUGHT.question)


def test_the_losing_candidate_is_no_ancestor_of_the_choice(workspace: Workspace) -> None:
    from gnomon.training.exposure import pedigree

    chosen = next(r for r in workspace.records() if r.name == "training/choose")
    merges = [r.config["weights"][0][1] for r in pedigree(workspace, chosen.address) if r.name == "training/merge"]
    assert merges == [0.75]
