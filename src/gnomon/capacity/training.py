"""Training: FLOPs, hours and money of training on some tokens, and what would fit into some memory.

A token costs six operations a multiplied parameter (two forward, four backward; arXiv 2001.08361) and twelve a layer,
query value and position attended to (arXiv 2204.02311, appendix B): the convention of torchtitan and of published MFU.
Adapters save the products that make weights' gradients; full checkpointing pays the forward pass twice, which counts
in hours and not in MFU. ``fits`` answers the question that follows "not enough memory". Figures compared with measured
and published runs are in ``docs/design/training-capacity.md``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gnomon.capacity.decoder import Decoder
from gnomon.capacity.hardware import Hardware
from gnomon.capacity.memory import Training, largest_micro_batch, memory
from gnomon.core.estimates import Estimate
from gnomon.core.wording import say

PROCESS_BYTES = 600 * (1 << 20)
"""What Python, torch and transformers take before there is a model."""
LORA_RANK = 16
"""Rank that is offered when only adapters fit."""
_RECOMPUTED = {"none": 0.0, "selective": 0.3, "full": 1.0}
"""Share of the forward pass computed again; selective keeps the dearer half of the products."""
_HOUR = 3_600.0


def flops_per_token(decoder: Decoder, attended: float) -> float:
    """Operations to train on one token, as MFU counts them.

    Args:
        decoder: The model's dimensions; of experts only the active ones count.
        attended: Positions a token attends to. By convention the whole context, though causal attention needs half
            of it on average, and packed documents need half of their own length.
    """
    return 6.0 * decoder.multiplied + 12.0 * decoder.layers * decoder.queries * attended


def executed_flops_per_token(training: Training) -> float:
    """Operations really done for one token: without the weights' gradients under adapters, with what is repeated."""
    attention = 12.0 * training.decoder.layers * training.decoder.queries * training.context
    forward = 2.0 * training.decoder.multiplied + attention / 3
    backward = (2.0 if training.lora_rank else 4.0) * training.decoder.multiplied + attention * 2 / 3
    return forward * (1 + _RECOMPUTED[training.checkpointing]) + backward


def mfu(decoder: Decoder, context: int, tokens_per_second: float, peak: float) -> float:
    """Share of the peak (operations a second of all devices) that a training at this speed uses."""
    return flops_per_token(decoder, context) * tokens_per_second / peak


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A training as a plan sees it."""

    training: Training
    """The model and how it is trained."""
    tokens: float
    """Tokens to train on, repeats included."""
    hardware: Hardware
    """One device."""
    devices: int = 1
    """How many there are; ``training.ranks`` of them share a copy of the model."""
    mfu: float = 0.0
    """Share of the peak that is used; 0 for the hardware's own."""
    arithmetic: str = "bf16"
    """``float32``, ``bf16`` or ``fp8``: whose peak counts."""
    usd_per_hour: float = 0.0
    """Price of one device."""


def tokens_per_second(run: Run) -> float:
    """Speed of all devices together."""
    peak = run.hardware.peak(run.arithmetic) * run.devices * (run.mfu or run.hardware.share(run.arithmetic))
    return peak / executed_flops_per_token(run.training)


def cost(run: Run) -> Estimate:
    """Hours, memory of one device, size of the model left behind, and money."""
    hours = run.tokens / tokens_per_second(run) / _HOUR
    decoder, each = run.training.decoder, run.training.bytes_per
    return Estimate(
        hours=hours,
        memory_bytes=needed(run.training, run.hardware),
        disk_bytes=decoder.total * each.compute,
        usd=hours * run.devices * run.usd_per_hour,
    )


def checkpoint_bytes(training: Training) -> int:
    """Size of one checkpoint: trained weights in their precision, and the optimizer's states."""
    return training.trained * (training.bytes_per.weights + training.bytes_per.states)


def needed(training: Training, device: Hardware) -> int:
    """Memory of one device in bytes, with the process and the allocator's slack."""
    return PROCESS_BYTES + int(device.slack * memory(training).total)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A training that fits, and what it gives up."""

    training: Training
    """The training, at its largest micro-batch."""
    changed: tuple[str, ...]
    """What differs from what was asked for; empty when only the micro-batch does."""
    memory_bytes: int
    """What it needs."""

    def describe(self, lang: str | None = None) -> str:
        """One line for a person."""
        gigabytes = self.memory_bytes / 2**30
        what = ", ".join(_WORDING[change](lang) for change in self.changed)
        return say(
            f"{what or 'as asked'}, micro-batch {self.training.micro_batch}: {gigabytes:.1f} GiB",
            f"{what or '指定どおり'}、マイクロバッチ{self.training.micro_batch}: {gigabytes:.1f} GiB",
            lang,
        )


_WORDING = {
    "chunked": lambda lang: say("loss in chunks", "損失を分割計算", lang),
    "checkpointing": lambda lang: say("gradient checkpointing", "勾配チェックポイント", lang),
    "adam8bit": lambda lang: say("8-bit optimizer states", "8ビットのオプティマイザー状態", lang),
    "lora": lambda lang: say(f"LoRA of rank {LORA_RANK}", f"LoRA（ランク{LORA_RANK}）", lang),
}


def fits(training: Training, available: int, device: Hardware) -> list[Fit]:
    """What would fit into ``available`` bytes of a device, the least changed first; empty if nothing does.

    Each entry has the largest micro-batch that fits, but no larger than the one asked for: a smaller one with more
    accumulation gives the same training. Tried in this order: as asked, loss in chunks, checkpointing, 8-bit optimizer
    states (for bf16 products), adapters. The search ends with the first that reaches the micro-batch asked for.
    """
    room = int((available - PROCESS_BYTES) / device.slack)
    found: list[Fit] = []
    for changed, candidate in _candidates(training):
        most = min(largest_micro_batch(candidate, room), training.micro_batch) if room > 0 else 0
        if most and (not found or most > found[-1].training.micro_batch):
            chosen = replace(candidate, micro_batch=most)
            found.append(Fit(training=chosen, changed=changed, memory_bytes=needed(chosen, device)))
        if most == training.micro_batch:
            break
    return found


def _candidates(training: Training) -> Iterator[tuple[tuple[str, ...], Training]]:
    """The training as asked and ever thriftier ones, each with what was changed so far."""
    changed: tuple[str, ...] = ()
    yield changed, training
    if training.loss == "whole":
        changed, training = (*changed, "chunked"), replace(training, loss="chunked")
        yield changed, training
    if training.checkpointing != "full":
        changed, training = (*changed, "checkpointing"), replace(training, checkpointing="full")
        yield changed, training
    if training.lora_rank:
        return
    if training.precision in {"mixed", "bf16"}:
        small = replace(training, precision=f"{training.precision}_adam8bit")
        yield (*changed, "adam8bit"), small
    yield (*changed, "lora"), replace(training, lora_rank=LORA_RANK)
