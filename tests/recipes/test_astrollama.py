"""AstroLLaMA's recipe at its three scales."""

from pathlib import Path
from typing import Any

import pytest
import tiny_base

from gnomon.core.errors import ConfigError
from gnomon.core.files import read_json
from gnomon.runs import FileSet, Workspace
from gnomon.runs.runner import run
from gnomon.training.shapes import LLAMA_2_7B
from gnomon_recipes import astrollama

HUB = "meta-llama/Llama-2-7b-hf@0000000000000000000000000000000000000000"


def listed(path: Path) -> dict[str, Any]:
    return FileSet.scan([path]).to_row()


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("corpus")
    base = tiny_base.base(folder / "base", context=1_024)
    return {
        "files": listed(tiny_base.domain(folder / "domain.jsonl", 60)),
        "general": listed(tiny_base.general(folder / "general.jsonl", 40)),
        "base": {"name": "tiny-base", "files": listed(base)},
    }  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_at_laptop_scale_it_runs_whole(arguments, method: str, tmp_path: Path) -> None:
    recipe = astrollama.recipe({**arguments, "method": method, "after": "2018", "held_out": 0.2, "replay": 0.2})
    workspace = Workspace(str(tmp_path / "ws"))
    run(recipe, workspace)
    assert recipe.serve is not None
    at = {role: workspace.artifact(step.address) for role, step in recipe.serve.parts.items()}
    facts = read_json(at["perplexity"] / "perplexity.json")
    assert set(facts["models"]) == {"base", "specialised", "control"}
    assert (at["specialised"] / "adapter").is_dir() == (method == "lora")
    assert (at["report"] / "report.html").is_file()


def parts(arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    recipe = astrollama.recipe({**arguments, **more})
    assert recipe.serve is not None
    return dict(recipe.serve.parts)


def test_at_node_scale_it_is_what_was_published(arguments) -> None:
    found = parts(arguments, scale="node", base=HUB)
    assert found["base"].config.revision == HUB.partition("@")[2]
    assert found["specialised"].config.lora is not None
    assert found["tokens"].config.sources[0].repeats == 3.0
    how = found["completion"].config
    assert (how.temperature, how.max_tokens) == (0.3, 1_024)
    assert found["embedding"].config.max_documents == 10_000


def test_full_papers_get_rows_as_long_as_the_base_reads(arguments) -> None:
    found = parts(arguments, scale="node", base=HUB, text="full", method="full")
    assert found["tokens"].config.context == LLAMA_2_7B.context
    assert found["specialised"].config.lora is None
    assert parts(arguments, scale="cluster", base=HUB)["specialised"].config.lora is None


def test_a_hub_base_without_its_commit_is_refused(arguments) -> None:
    rest = {k: v for k, v in arguments.items() if k != "base"}
    with pytest.raises(ConfigError, match="revision"):
        astrollama.recipe({**rest, "scale": "node"})


@pytest.mark.parametrize(
    "wrong", [{"text": "titles"}, {"method": "half"}, {"passes": -1}, {"files": None}, {"scale": "moon"}]
)
def test_arguments_that_mean_nothing_are_refused(arguments, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        astrollama.recipe({**arguments, **wrong})


def test_a_document_that_was_removed_is_shown_to_nobody(arguments) -> None:
    assert parts(arguments, removed=["local:note-3"])["withhold"].config.ids == ("local:note-3",)
