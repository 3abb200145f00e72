"""Merging: the arithmetic, bit for bit mergekit's own, and what is refused before it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import packs
import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import read_json
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.llm.weights import read_ref, write_ref
from gnomon.training import merge as room
from gnomon.training.merge import MergeConfig, merge, recipe_of

WEIGHTS = (("a", 0.75), ("b", 0.25))


def model(folder: Path, seed: int, *, width: int = 16, chats: bool = False, licence: str = "Apache-2.0") -> Path:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=300, hidden_size=width, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=64, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder / "model")
    for file in (packs.turns(folder / "t") / "tokenizer").iterdir():
        (folder / "model" / file.name).write_bytes(file.read_bytes())
    if chats:
        (folder / "model" / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    write_ref(
        folder, ModelRef(name=folder.name, revision=str(seed), kind="instruct" if chats else "base", licence=licence)
    )
    return folder


@pytest.fixture(scope="module", autouse=True)
def quiet() -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {"a": model(folder / "a", 1), "b": model(folder / "b", 2, chats=True), "o": model(folder / "o", 3)}


def run(folder: Path, models: dict[str, Path], **config: Any) -> Path:
    settings: dict[str, Any] = {"weights": WEIGHTS, "dtype": "float32", **config}
    wanted = [name for name, _ in settings["weights"]] + ([settings["base"]] if "base" in settings else [])
    out = packs.output(folder)
    room.run(MergeConfig(name="merged", **settings), {f"model:{name}": models[name] for name in wanted}, out)
    return out.path


def tensors(artifact: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for file in sorted((artifact / "model").glob("*.safetensors")):
        found |= load_file(file)
    return found


def test_a_linear_merge_is_the_weighted_mean(tmp_path: Path, models: dict[str, Path]) -> None:
    artifact = run(tmp_path, models)
    a, b, merged = tensors(models["a"]), tensors(models["b"]), tensors(artifact)
    assert merged.keys() == a.keys()
    for name, tensor in merged.items():
        torch.testing.assert_close(tensor, 0.75 * a[name] + 0.25 * b[name], rtol=1e-6, atol=1e-7)


def test_the_result_speaks_as_the_one_that_chats_and_names_its_parents(tmp_path: Path, models: dict[str, Path]) -> None:
    artifact = run(tmp_path, models)
    ref = read_ref(artifact)
    assert (ref.kind, ref.parents, ref.licence) == ("instruct", ("a", "b"), "Apache-2.0")
    assert (artifact / "model" / "chat_template.jinja").read_text(encoding="utf-8") == "{{ messages }}"
    assert read_json(artifact / "merge.json")["models"][0] == {"model": "a", "parameters": {"weight": 0.75}}
    loaded = LlamaForCausalLM.from_pretrained(artifact / "model")
    assert loaded.config.hidden_size == 16
    assert not list((artifact / "model").glob("README*"))


@pytest.mark.parametrize(
    "config",
    [
        {"method": "linear"},
        {"method": "slerp"},
        {"method": "ties", "base": "o", "density": 0.5},
        {"method": "dare_ties", "base": "o", "density": 0.5, "seed": 7},
    ],
    ids=lambda config: config["method"],
)
def test_every_method_gives_bit_for_bit_what_mergekit_yaml_gives(
    tmp_path: Path, models: dict[str, Path], config: dict[str, Any]
) -> None:
    ours = tensors(run(tmp_path / "ours", models, **config))
    whole = MergeConfig(name="merged", weights=WEIGHTS, dtype="float32", **config)
    plan = recipe_of(whole, {name: str(folder / "model") for name, folder in models.items()})
    (tmp_path / "plan.yaml").write_text(json.dumps(plan), encoding="utf-8")
    command = [Path(sys.executable).parent / "mergekit-yaml", tmp_path / "plan.yaml", tmp_path / "theirs" / "model",
               "--no-write-model-card", "--random-seed", str(whole.seed), "--quiet"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    theirs = tensors(tmp_path / "theirs")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def test_chance_is_the_seeds_and_nothing_elses(tmp_path: Path, models: dict[str, Path]) -> None:
    settings: dict[str, Any] = {"method": "dare_ties", "base": "o", "density": 0.3}
    torch.manual_seed(99)
    first = tensors(run(tmp_path / "1", models, **settings, seed=4))
    again = tensors(run(tmp_path / "2", models, **settings, seed=4))
    other = tensors(run(tmp_path / "3", models, **settings, seed=5))
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert any(not torch.equal(tensor, other[name]) for name, tensor in first.items())


def test_models_of_different_shapes_are_refused(tmp_path: Path, models: dict[str, Path]) -> None:
    wide = model(tmp_path / "wide", 5, width=32)
    with pytest.raises(DataError, match="hidden_size 16 / 32"):
        run(tmp_path / "out", {**models, "b": wide})


def test_models_whose_tokens_differ_are_refused(tmp_path: Path, models: dict[str, Path]) -> None:
    other = model(tmp_path / "other", 5)
    path = other / "model" / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8").replace("<|im_end|>", "<|eot|>"), encoding="utf-8")
    with pytest.raises(DataError, match="tokenizers differ"):
        run(tmp_path / "out", {**models, "b": other})


def test_licences_that_forbid_it_are_found_before_the_merge(tmp_path: Path, models: dict[str, Path]) -> None:
    closed = model(tmp_path / "closed", 5, licence="CC-BY-NC-ND-4.0")
    with pytest.raises(ConfigError, match="derivatives"):
        run(tmp_path / "out", {**models, "b": closed})


def test_damaged_weights_are_named(tmp_path: Path, models: dict[str, Path]) -> None:
    broken = model(tmp_path / "broken", 5)
    path = broken / "model" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="cannot be merged"):
        merge(recipe_of(MergeConfig(name="m", weights=WEIGHTS), {"a": str(models["a"] / "model"), "b": str(broken / "model")}),
              tmp_path / "out", 0, Settings())  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"method": "average"}, "known are linear"),
        ({"weights": (("a", 1.0),)}, "at least two"),
        ({"weights": (("a", 0.9), ("b", 0.9))}, "sum to 1.8"),
        ({"method": "ties"}, "needs a base"),
        ({"method": "slerp", "weights": (("a", 0.5), ("b", 0.3), ("c", 0.2))}, "takes two"),
        ({"density": 0.0}, "density 0"),
        ({"dtype": "int8"}, "dtype"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        MergeConfig(**{"name": "m", "weights": WEIGHTS, **wrong})
