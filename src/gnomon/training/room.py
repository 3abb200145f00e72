"""Room: whether a training fits into the memory that is free right now, and what else would.

``capacity`` predicts what a training holds; this module reads the model's dimensions and the machine's
free memory, and offers only savings that the loop can make: smaller micro-batches (with more
accumulation: the same training), gradient checkpointing (the same training, slower), LoRA (another one).
"""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from gnomon.capacity.decoder import Decoder
from gnomon.capacity.hardware import Hardware, hardware
from gnomon.capacity.memory import Training
from gnomon.capacity.training import LORA_RANK, needed
from gnomon.core.settings import TrainingPlace
from gnomon.training.loop.arguments import micro_batch
from gnomon.training.preflight import Way, check_memory
from gnomon.training.recipe import TrainConfig
from gnomon.training.wholeness import read_config

_CGROUP = Path("/sys/fs/cgroup")
_TOLD = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)
"""Where containers tell their limit, what is used, and how much of that is cached files (cgroup 2, cgroup 1)."""


def check_room(
    config: TrainConfig,
    place: TrainingPlace,
    model: Path,
    context: int,
    *,
    device: str = "cpu",
    ranks: int = 1,
    beside: int = 0,
) -> int:
    """Refuse a training that needs more memory than a device has free; returns the prediction in bytes.

    Args:
        config: What is trained.
        place: How this machine does it.
        model: A Hugging Face folder.
        context: Tokens a row.
        device: ``"cpu"`` or a torch device such as ``"cuda:0"``.
        ranks: Processes that share the weights (FSDP2); on a CPU they share its memory too.
        beside: Bytes that are held besides, such as a second model.

    Raises:
        ConfigError: It does not fit; the cure names what would.
        DataError: The model's configuration cannot be read.
    """
    training = predicted(config, place, decoder_of(model), context, device=device, ranks=ranks)
    kind = hardware("h200" if device.startswith("cuda") else "cpu")  # of its figures only the allocator's slack counts
    available = free_memory(device) // (1 if device.startswith("cuda") else ranks) - beside
    wanted = needed(training, kind)
    if wanted > available:
        check_memory(wanted, available, list(ways(training, config, available, kind)), where=device)
    return wanted


def decoder_of(model: Path) -> Decoder:
    """The dimensions of the model in a Hugging Face folder; what its configuration leaves out is taken as in Llama.

    Raises:
        DataError: The configuration cannot be read.
    """
    config = read_config(model).get_text_config()

    def value(*names: str, default: Any = 0) -> Any:
        return next((found for name in names if (found := getattr(config, name, None))), default)

    hidden, heads = config.hidden_size, config.num_attention_heads
    experts = value("num_experts", "num_local_experts", "n_routed_experts")
    width = value("intermediate_size", "n_inner", default=4 * hidden)
    return Decoder(
        vocab_size=config.vocab_size,
        layers=config.num_hidden_layers,
        hidden=hidden,
        intermediate=value("moe_intermediate_size", default=width) if experts else width,
        heads=heads,
        kv_heads=value("num_key_value_heads", default=heads),
        head_dim=value("head_dim", default=hidden // heads),
        tied=bool(value("tie_word_embeddings")),
        experts=experts,
        experts_per_token=value("num_experts_per_tok"),
        qk_norm=config.model_type.startswith("qwen3"),
    )


def predicted(
    config: TrainConfig, place: TrainingPlace, decoder: Decoder, context: int, *, device: str = "cpu", ranks: int = 1
) -> Training:
    """A training of the loop as ``capacity`` sees it."""
    gpu = device.startswith("cuda")
    fused = gpu and importlib.util.find_spec("liger_kernel") is not None
    half = "mixed" if ranks > 1 else "autocast"
    return Training(
        decoder=decoder,
        context=context,
        micro_batch=micro_batch(config.batch, context, ranks, place.micro_batch),
        precision="float32" if config.precision == "float32" else half,
        checkpointing="full" if place.gradient_checkpointing else "none",
        loss="chunked" if fused else "whole",
        scores=0.0 if gpu else context / 2 + 128,  # own attention on processors, at worst one document a row
        lora_rank=config.lora.rank if config.lora else 0,
        ranks=ranks,
    )


def ways(training: Training, config: TrainConfig, available: int, kind: Hardware) -> Iterator[Way]:
    """Thriftier ways to train the same model that would fit, the least changed first.

    Args:
        training: The training that does not fit.
        config: What is trained.
        available: Bytes free on a device.
        kind: The device, for its slack.
    """
    saving = replace(training, checkpointing="full")
    candidates = [("", training), ("gradient_checkpointing = true", saving)]
    if config.lora is None:
        candidates.append(("lora = LoRA()", replace(training, lora_rank=LORA_RANK)))
        candidates.append(("lora = LoRA(), gradient_checkpointing = true", replace(saving, lora_rank=LORA_RANK)))
    for change, candidate in candidates:
        for rows in range(training.micro_batch, 0, -1):
            smaller = replace(candidate, micro_batch=rows)
            if config.batch // training.ranks % rows == 0 and needed(smaller, kind) <= available:
                settings = [change] if change else []
                settings += [f"micro_batch = {rows}"] if rows != training.micro_batch else []
                text = ", ".join(settings)
                yield Way(en=text, ja=text, bytes=needed(smaller, kind))
                break


def free_memory(device: str = "cpu", cgroup: Path = _CGROUP) -> int:
    """Bytes that can still be taken on a device.

    Args:
        device: ``"cpu"`` or a torch device such as ``"cuda:0"``.
        cgroup: Where a container's limits are told.
    """
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    import psutil  # type: ignore[import-untyped]

    free = int(psutil.virtual_memory().available)
    for limit, used, stat, cached in _TOLD:  # a container may have less than the machine
        try:
            facts = dict(line.split() for line in (cgroup / stat).read_text().splitlines())
            left = int((cgroup / limit).read_text()) - int((cgroup / used).read_text()) + int(facts.get(cached, 0))
            free = min(free, left)
        except (OSError, ValueError):  # not told here, or no limit ("max")
            continue
    return free
