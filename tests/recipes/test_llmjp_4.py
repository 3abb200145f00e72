"""LLM-jp-4's three phases on a corpus of seconds, and its published settings at scale."""

import json
from pathlib import Path
from typing import Any

import pytest
import tiny_base

from gnomon.core.errors import ConfigError
from gnomon.core.files import read_json
from gnomon.runs import FileSet, Recipe, Workspace
from gnomon.runs.runner import run
from gnomon_recipes import llmjp_4


def listed(path: Path) -> dict[str, Any]:
    return FileSet.scan([path]).to_row()


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("corpus")
    pairs = [
        {
            "id": f"qa-{i}",
            "question": f"What do the {thing} of field {i} do?",
            "answer": tiny_base.prose(300 + i, sentences=3),
        }
        for i, thing in enumerate(tiny_base.THINGS * 3)
    ]
    return {
        "corpus": {
            "sky": listed(tiny_base.domain(folder / "sky.jsonl", 60)),
            "day": listed(tiny_base.general(folder / "day.jsonl", 60)),
        },
        "instructions": listed(tiny_base.lines(folder / "qa.jsonl", pairs)), "vocabulary": 400, "name": "toy",
    }  # fmt: skip


def by_role(recipe: Recipe) -> dict[str, Any]:
    assert recipe.serve is not None
    return dict(recipe.serve.parts)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laptop scale with a model of a few thousand parameters and short rows."""
    from gnomon.training.shapes import Shape

    twins = {
        "dense": Shape(layers=1, hidden=16, intermediate=32, heads=2, kv_heads=1, context=64, tie_embeddings=True),
        "moe": Shape(
            architecture="qwen3_moe", layers=1, hidden=16, intermediate=16, heads=2, kv_heads=1, context=64,
            tie_embeddings=True, experts=4, experts_per_token=2, router_loss=0.01,
        ),
    }  # fmt: skip
    size = llmjp_4.Size(
        shapes=twins, vocabulary=400, batch=8, longer=256, longer_batch=2, peak=1e-3, precision="float32"
    )
    monkeypatch.setitem(llmjp_4.SIZES, "laptop", size)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shape", ["dense", "moe"])
def test_three_phases_leave_a_base_with_a_longer_context(small, arguments, shape: str, tmp_path: Path) -> None:
    recipe = llmjp_4.recipe({**arguments, "shape": shape})
    workspace = Workspace(str(tmp_path / "ws"))
    run(recipe, workspace)
    at = {role: workspace.artifact(step.address) for role, step in by_role(recipe).items()}
    contexts = {
        role: read_json(at[role] / "model" / "config.json")["max_position_embeddings"] for role in ("base", "long")
    }
    assert contexts == {"base": 64, "long": 256}
    assert read_json(at["long_tokens"] / "pack.json")["context"] == 256
    mixed = {name: source["tokens"] for name, source in read_json(at["middle_tokens"] / "pack.json")["sources"].items()}
    assert mixed["instructions"] / sum(mixed.values()) == pytest.approx(0.6, abs=0.05)
    assert mixed["sky"] == pytest.approx(mixed["day"], rel=0.3)
    facts = read_json(at["perplexity"] / "perplexity.json")
    assert set(facts["models"]) == {"base", "middle", "long"}
    assert set(facts["tests"]) == {"sky", "day", "instructions"}
    figures = facts["tests"]["day"]["models"]
    assert figures["base"]["perplexity"]["value"] < 400, "it learned nothing"
    assert json.loads((at["base"] / "model.json").read_text())["name"] == "gnomon/toy-base"


def test_the_published_settings_are_those_of_the_first_phase_at_scale(arguments) -> None:
    tokens = 10_500_000_000_000
    weights = {"weights": {"sky": 1, "day": 3}, "tokens": tokens, "vocabulary": 196_608}
    parts = by_role(llmjp_4.recipe({**arguments, **weights, "scale": "cluster"}))
    base = parts["base"].config
    assert (base.learning_rate, base.final, base.betas, base.epsilon) == (3e-4, 0.1, (0.9, 0.95), 1e-8)
    assert (base.weight_decay, base.clip, base.batch, parts["tokens"].config.context) == (0.1, 1.0, 512, 4_096)
    assert base.shape.rope_theta == 500_000
    assert base.shape.kv_heads == 8
    assert base.warmup * tokens / (512 * 4_096) == pytest.approx(2_000)
    assert (base.schedule, base.decay) == ("wsd", 0.0), "the trunk stays at its peak; the branch decays"
    middle, long = parts["middle"].config, parts["long"].config
    assert (middle.schedule, middle.warmup, middle.decay, middle.learning_rate) == ("wsd", 0.0, 1.0, 3e-4)
    assert (long.extend.context, long.learning_rate) == (65_536, pytest.approx(3e-5))
    assert (
        by_role(llmjp_4.recipe({**arguments, "scale": "cluster", "shape": "moe"}))["base"].config.shape.experts == 128
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": "square"},
        {"weights": {"sky": 1}},
        {"vocabulary": "many"},
        {"scale": "moon"},
        {"corpus": 3},
        {"nothing": 1},
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        llmjp_4.recipe({**arguments, **wrong})


@pytest.mark.parametrize("missing", ["corpus", "instructions"])
def test_what_is_missing_is_named_with_the_way_to_give_it(arguments, missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        llmjp_4.recipe({k: v for k, v in arguments.items() if k != missing})
