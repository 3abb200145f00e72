"""Export to torchtitan: the same training where FSDP2 alone is not enough, for models of 70B and more.

torchtitan (PyTorch, BSD-3) adds tensor, context and pipeline parallelism. Since 0.3 a run is described by a
Python function; this writes one, with a data loader that reads gnomon's packed rows in their order. It masks
attention where positions restart, which is our own convention, and reads and writes Hugging Face weights.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.files import write_atomic
from gnomon.core.wording import say
from gnomon.training.cluster import filled
from gnomon.training.loop.arguments import micro_batch
from gnomon.training.loop.batches import RowNumbers
from gnomon.training.packed import PackedTokens
from gnomon.training.recipe import TrainConfig

VERSION = "0.3.0"
"""The release whose configuration classes the template names."""
MODULE = "gnomon_titan"
_KEYS = ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size",
         "vocab_size", "rope_theta")  # fmt: skip
_FLAVOURS: dict[tuple[Any, ...], str] = {
    (4096, 32, 32, 8, 14336, 128256, 500000.0): "8B",
    (8192, 80, 64, 8, 28672, 128256, 500000.0): "70B",
    (16384, 126, 128, 8, 53248, 128256, 500000.0): "405B",
}
"""Shapes that torchtitan knows by name (Llama 3.1)."""


@dataclass(frozen=True, kw_only=True)
class Titan:
    """How a run is spread out."""

    nodes: int = 4
    """Machines."""
    per_node: int = 8
    """GPUs a machine."""
    tensor_parallel: int = 8
    """GPUs that share each matrix product; within one machine."""
    rows: int = 1
    """Rows a data-parallel rank takes at a time."""
    interval: int = 500
    """Steps between checkpoints."""


def export_torchtitan(folder: Path, config: TrainConfig, model: Path, tokens: Path, titan: Titan) -> Path:
    """Write ``gnomon_titan.py``, a run of torchtitan.

    Args:
        folder: Where to.
        config: How the model is trained.
        model: A Hugging Face folder of weights and tokenizer; the run names it by its absolute path.
        tokens: A token artifact, likewise.
        titan: How the run is spread out.

    Returns:
        The file.

    Raises:
        ConfigError: torchtitan cannot do it.
    """
    packed = PackedTokens(tokens)
    ranks = titan.nodes * titan.per_node // titan.tensor_parallel
    flavour = _flavour(model, config, titan)
    numbers = RowNumbers(len(packed), config.batch, config.steps)
    pad = packed.facts["pad"] if packed.facts["pad"] is not None else 0
    text = filled(
        "torchtitan_run.py.txt", name=config.name, version=VERSION, nodes=titan.nodes, per_node=titan.per_node,
        model=repr(str(model.resolve())), tokens=repr(str(tokens.resolve())), rows=len(numbers), pad=pad,
        flavour=flavour, local=micro_batch(config.batch, packed.context, ranks, titan.rows), batch=config.batch,
        context=packed.context, steps=numbers.steps, tensor_parallel=titan.tensor_parallel, interval=titan.interval,
        learning_rate=config.learning_rate, betas=config.betas, epsilon=config.epsilon, clip=config.clip,
        weight_decay=config.weight_decay, saved_precision=config.saved_precision,
        mixed="float32" if config.precision == "float32" else "bfloat16", **_schedule(config, numbers.steps),
        **_float8(config),
    )  # fmt: skip
    write_atomic(folder / f"{MODULE}.py", text)
    return folder / f"{MODULE}.py"


def _schedule(config: TrainConfig, steps: int) -> dict[str, object]:
    """Our schedules in torchtitan's words: it knows one, whose stable part may be of length 0."""
    warmup = round(config.warmup * steps)
    if config.schedule == "cosine":
        return {"warmup": warmup, "decay_ratio": None, "decay_type": "cosine", "final": config.final}
    if config.schedule == "wsd":
        return {"warmup": warmup, "decay_ratio": config.decay, "decay_type": "linear", "final": config.final}
    return {"warmup": warmup, "decay_ratio": 0.0, "decay_type": "linear", "final": 1.0}


def _float8(config: TrainConfig) -> dict[str, str]:
    if config.precision != "float8":
        return {"imports": "", "converters": ""}
    line = "from torchtitan.components.quantization import Float8LinearConverter\n"
    call = ', converters=[Float8LinearConverter.Config(filter_fqns=["lm_head"], model_compile_enabled=True)]'
    return {"imports": line, "converters": call}


def _flavour(model: Path, config: TrainConfig, titan: Titan) -> str:
    row = json.loads((model / "config.json").read_text(encoding="utf-8"))
    theta = row.get("rope_theta") or (row.get("rope_parameters") or {}).get("rope_theta")
    shape = tuple(float(theta or 0) if key == "rope_theta" else row.get(key) for key in _KEYS)
    known = _FLAVOURS.get(shape) if row.get("model_type") == "llama" else None
    problems = {
        f"the shape {row.get('model_type')} {shape} is none that it knows by name": known is None,
        "it trains all weights, not an adapter": config.lora is not None,
        "the context is not extended there: run midtrain for it": config.extend is not None,
        f"{titan.per_node} GPUs a machine are not shared by {titan.tensor_parallel}": titan.tensor_parallel < 1
        or titan.per_node % titan.tensor_parallel != 0,
    }
    for problem, wrong in problems.items():
        if wrong:
            raise ConfigError(
                say(f"{config.name!r} cannot be exported to torchtitan: {problem}.",
                    f"{config.name!r} を torchtitan に書き出せない: {problem}。"),
                say("Train it with launcher = torchrun, or change the recipe: shapes are Llama 3.1 8B, 70B and 405B.",
                    "launcher = torchrun で学習するか、レシピを変える。形状は Llama 3.1 の 8B、70B、405B。"),
            )  # fmt: skip
    return str(known)
