"""The three steps as a recipe has them: described, planned, run once, found made."""

import json
from pathlib import Path
from typing import Any

import pytest
from evaluation_kit import made

from gnomon.core.errors import ConfigError
from gnomon.core.records import ModelRef
from gnomon.evaluation.heldout import TestSet
from gnomon.evaluation.roles import Role, check_roles, role_of
from gnomon.evaluation.steps import completion, embedding, perplexity
from gnomon.runs import Recipe, run
from gnomon.runs.plan import plan
from gnomon.runs.step import Step
from gnomon.runs.workspace import Workspace

FAKE = ModelRef(name="fake-hash-64", revision="2", kind="embedder/fake")


def steps() -> dict[str, Step]:
    models = {
        "base": made("model", "x"),
        Role(name="specialised", kind="specialised", label="nano"): made("model", "stars"),
    }
    held, other = made("documents", "stars dust comets novae"), made("documents", "rivers trees roads hills")
    return {
        "perplexity": perplexity(
            models, {"astronomy": held, TestSet(name="other", kind="general"): other}, draws=20,
            loader="evaluation_kit:load_bytes",
        ),
        "embedding": embedding(models, held, FAKE, draws=20, loader="evaluation_kit:load_words"),
        "completion": completion(models, held, draws=20, least_ending=3, loader="evaluation_kit:load_parrot"),
    }  # fmt: skip


def test_a_recipe_runs_the_three_steps_and_finds_them_made(tmp_path: Path) -> None:
    workspace, wanted = Workspace(tmp_path), steps()
    records = run(Recipe(name="toy", goals=tuple(wanted.values())), workspace)
    facts: dict[str, Any] = {}
    for name, step in wanted.items():
        record = records[step.address]
        assert record.counts.add_up
        assert record.metrics
        facts[name] = json.loads((workspace.artifact(step.address) / f"{name}.json").read_text())
        assert facts[name]["order"]["models"][:2] == ["base", "specialised"]
        assert facts[name]["models"]["specialised"]["label"] == "nano"
        assert facts[name]["models"]["specialised"]["training"] == {"tokens": 123}
    assert set(facts["perplexity"]["tests"]) == {"astronomy", "other"}
    planned = plan(Recipe(name="toy", goals=tuple(steps().values())), workspace)
    assert {line.state for line in planned} == {"made"}


def test_another_role_or_another_label_is_another_step() -> None:
    base, held = made("model", "x"), made("documents", "stars dust")
    first = perplexity({"base": base}, {"a": held})
    same = perplexity({Role(name="base", kind="base"): base}, {TestSet(name="a"): held})
    other = perplexity({Role(name="base", kind="control"): base}, {"a": held})
    assert first.identity == same.identity != other.identity


def test_a_bare_name_that_is_a_kind_has_that_kind() -> None:
    assert [role_of(name).kind for name in ("base", "control", "general", "nano")] == [
        "base", "control", "general", "specialised",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="reference 'base' is none of the models nano"):
        check_roles([role_of("nano")], "base", "perplexity")
