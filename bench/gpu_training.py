"""Full-parameter training of an 8B Llama on one GPU: tokens/s, MFU and peak memory, in bf16 and FP8.

    PYTHONPATH=src python bench/gpu_training.py [--out FILE] [--cases bf16,fp8,fp8_packed] [--steps 8] [--tiny]

Random weights of Llama 3 8B, random tokens, sequences of 8,192. Each case runs in a process of its own under a time
limit, so that all three end within ten minutes on an H200 and one that runs out of memory does not take the rest along.
The result is JSON, in FILE, or in $OUT/gpu_training.json, or printed.

No network. Wheels needed beside the machine's CUDA build of torch (2.6 or later; 2.10 for packed cases):
transformers>=5 with tokenizers, safetensors, huggingface-hub, regex, numpy; torchao>=0.13 for FP8 and for the default
optimizer; liger-kernel only for ``--loss liger``. What is missing is named before anything starts.

What is in memory, per parameter: weights 2 bytes, gradients 2, Adam's moments 4, all bfloat16, weights rounded
stochastically (torchao; arXiv 2010.06192) because rounding to nearest would swallow small steps; ``adam8bit`` keeps the
moments in 2 bytes together, ``fused`` is torch's own kernel, which rounds to nearest: for speed only. There is no
float32 copy of the weights: with one and float32 moments the 8B model would take 16 bytes a parameter, 120 GiB of the
139 before any activation. One sequence at a time without checkpointing and with a compiled loss then takes about
100 GiB (``gnomon.capacity``, whose prediction is printed beside the measured peak).
"""

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gnomon.capacity import training as capacity
from gnomon.capacity.hardware import CPU_CORE, H200
from gnomon.capacity.memory import Training, memory
from gnomon.training import shapes

VOCAB = 128_256
AIMS = {"bf16": (5_787,), "fp8": (8_500, 10_938), "fp8_packed": (8_500,)}
TINY = shapes.Shape(layers=2, hidden=64, intermediate=160, heads=4, kv_heads=2, context=64)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to train."""

    name: str
    fp8: bool = False
    packed: bool = False
    micro_batch: int = 1
    accumulate: int = 2
    optimizer: str = "stochastic"
    checkpointing: str = "none"
    loss: str = "compiled"
    steps: int = 8
    warmup: int = 3
    documents: int = 8
    tiny: bool = False
    compiled: bool = True

    @property
    def shape(self) -> shapes.Shape:
        return TINY if self.tiny else replace(shapes.LLAMA_3_8B, context=8_192)

    @property
    def vocab(self) -> int:
        return 512 if self.tiny else VOCAB

    @property
    def device(self) -> str:
        return "cpu" if self.tiny else "cuda"

    def expected(self) -> Training:
        """The case as the capacity estimates see it."""
        return Training(
            decoder=self.shape.decoder(self.vocab), context=self.shape.context, micro_batch=self.micro_batch,
            precision="bf16_adam8bit" if self.optimizer == "adam8bit" else "bf16", checkpointing=self.checkpointing,
            compiled=self.compiled, loss="chunked" if self.loss == "liger" else self.loss,
        )  # fmt: skip


CASES = {
    "bf16": Case(name="bf16"),
    "bf16_packed": Case(name="bf16_packed", packed=True),
    "fp8": Case(name="fp8", fp8=True),
    "fp8_packed": Case(name="fp8_packed", fp8=True, packed=True),
}


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def missing(cases: list[Case]) -> list[str]:
    """What has to be there and is not, in words."""
    wanted = {"torch": "2.6 or later, CUDA build", "transformers": "5 or later"}
    if any(case.fp8 or case.optimizer != "fused" for case in cases):
        wanted["torchao"] = "0.13 or later: FP8 and optimizers; without it --cases bf16 --optimizer fused runs"
    if any(case.loss == "liger" for case in cases):
        wanted["liger-kernel"] = "for --loss liger"
    lacking = [f"wheel {name} ({why})" for name, why in wanted.items() if version(name) is None]
    if version("torch") and not all(case.tiny for case in cases):
        import torch

        if not torch.cuda.is_available():
            lacking.append("a CUDA device that torch sees (torch's build and the driver must match); or use --tiny")
        elif any(case.fp8 for case in cases) and torch.cuda.get_device_capability() < (8, 9):
            lacking.append("a GPU of compute capability 8.9 or later for FP8")
    return lacking


def build(case: Case) -> Any:
    """The model with random weights in bfloat16, on the device, its layers compiled one by one."""
    import torch
    from transformers import AutoModelForCausalLM

    from gnomon.training.loop import attention

    config = shapes.model_config(case.shape, shapes.TokenIds(vocab_size=case.vocab, eos=0))
    config._attn_implementation = attention.choose(config, case.device) if case.packed else "sdpa"
    with torch.device(case.device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    generator = torch.Generator(case.device).manual_seed(0)
    shapes.initialise(model, std=case.shape.initializer_range, generator=generator)
    model.train()
    if case.fp8:
        to_float8(model, emulate=case.tiny)
    if case.checkpointing == "full":
        getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)()
    if case.compiled:
        for layer in model.model.layers:  # as torchtitan does: one small graph, compiled once for all layers
            layer.compile()
        model.model.norm.compile()
    return model


def to_float8(model: Any, *, emulate: bool) -> None:
    """Linear layers inside blocks in FP8 with one scale a tensor, torchao's fastest recipe; the head stays bf16."""
    from torchao.float8 import Float8LinearConfig, convert_to_float8_training

    config = replace(Float8LinearConfig.from_recipe_name("tensorwise"), emulate=emulate)
    convert_to_float8_training(model, config=config, module_filter_fn=lambda _, name: "lm_head" not in name)


def optimizer_of(model: Any, case: Case) -> Any:
    settings: dict[str, Any] = {"lr": 1e-4, "betas": (0.9, 0.95), "weight_decay": 0.1}
    if case.optimizer == "fused":
        import torch

        return torch.optim.AdamW(model.parameters(), fused=True, **settings)
    from torchao import optim

    kind = optim.AdamW8bit if case.optimizer == "adam8bit" else optim._AdamW
    return kind(model.parameters(), bf16_stochastic_round=True, **settings)


def loss_function(model: Any, case: Case) -> Callable[[Any, Any], Any]:
    """From last hidden states (tokens, width) and labels (tokens,) to the mean loss."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.checkpoint import checkpoint

    weight = model.lm_head.weight

    def whole(hidden: Any, labels: Any) -> Any:
        return cross_entropy((hidden @ weight.T).float(), labels, reduction="sum")

    part = torch.compile(whole) if case.compiled else whole

    def chunked(hidden: Any, labels: Any) -> Any:
        pieces = zip(hidden.split(1_024), labels.split(1_024), strict=True)
        return sum(checkpoint(part, h, y, use_reentrant=False) for h, y in pieces)

    if case.loss == "liger":
        from liger_kernel.transformers import LigerFusedLinearCrossEntropyLoss

        fused = LigerFusedLinearCrossEntropyLoss()
        return lambda hidden, labels: fused(weight, hidden, labels)
    chosen = chunked if case.loss == "chunked" else part
    return lambda hidden, labels: chosen(hidden, labels) / labels.numel()


def batch(case: Case, generator: Any) -> tuple[dict[str, Any], Any]:
    """Inputs of the model and labels. Packed: documents of random lengths, as many in every batch, end to end."""
    import torch

    context, rows, device = case.shape.context, case.micro_batch, case.device
    drawn = torch.randint(1, case.vocab, (rows, context + 1), generator=generator, device=device)
    ids, labels = drawn[:, :-1], drawn[:, 1:]
    if not case.packed:
        return {"input_ids": ids.contiguous()}, labels.reshape(-1)
    total = rows * context
    cuts = torch.randperm(total - 1, generator=generator, device=device)[: rows * case.documents - 1] + 1
    ends = torch.tensor([0, total], device=device)
    borders = torch.cat([cuts, ends]).sort().values.to(torch.int32)
    place = torch.arange(total, device=device)
    starts = borders[torch.searchsorted(borders, place, right=True) - 1]
    kwargs = {"cu_seq_lens_q": borders, "cu_seq_lens_k": borders, "max_length_q": total, "max_length_k": total}
    return {"input_ids": ids.reshape(1, -1), "position_ids": (place - starts)[None], **kwargs}, labels.reshape(-1)


def train(case: Case) -> tuple[list[float], list[float]]:
    """Seconds of the timed steps, and the losses of all steps."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    model = build(case)
    loss_of, optimizer = loss_function(model, case), optimizer_of(model, case)
    generator = torch.Generator(case.device).manual_seed(1)
    kernels = [SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]
    seconds, losses = [], []
    with sdpa_kernel(kernels, set_priority=True):
        for step in range(case.warmup + case.steps):
            begun, total = time.perf_counter(), 0.0
            for _ in range(case.accumulate):
                inputs, labels = batch(case, generator)
                hidden = model.model(use_cache=False, **inputs).last_hidden_state
                loss = loss_of(hidden.reshape(-1, hidden.shape[-1]), labels) / case.accumulate
                loss.backward()
                total = total + loss.detach()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(float(total))  # waits for the device
            if step >= case.warmup:
                seconds.append(time.perf_counter() - begun)
    return seconds, losses


def measure(case: Case) -> dict[str, Any]:
    """Everything one case has to say."""
    import torch

    started = time.perf_counter()
    seconds, losses = train(case)
    tokens = case.shape.context * case.micro_batch * case.accumulate
    speed = tokens / statistics.median(seconds)
    expected = case.expected()
    device = CPU_CORE if case.tiny else H200
    share = {
        kind: capacity.mfu(expected.decoder, expected.context, speed, device.peak(kind)) for kind in ("bf16", "fp8")
    }
    found = {
        "case": asdict(case), "tokens_per_second": speed, "tokens_per_step": tokens, "seconds": seconds,
        "mfu_of_bf16_peak": share["bf16"], "mfu_of_fp8_peak": share["fp8"] if case.fp8 else None,
        "flops_per_token": capacity.flops_per_token(expected.decoder, expected.context),
        "losses": losses, "predicted_bytes": memory(expected).total, "wall_seconds": time.perf_counter() - started,
        "aims": {} if case.tiny else {str(aim): speed >= aim for aim in AIMS.get(case.name, ())},
        "device": "cpu" if case.tiny else torch.cuda.get_device_name(),
        "versions": {name: version(name) for name in ("torch", "transformers", "torchao", "liger-kernel")},
    }  # fmt: skip
    if not case.tiny:
        found["peak_bytes"] = torch.cuda.max_memory_allocated()
        found["reserved_bytes"] = torch.cuda.max_memory_reserved()
    return found


def run_apart(case: Case, limit: float) -> dict[str, Any]:
    """The case in its own process; what went wrong, when something does."""
    environment = {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True", **os.environ}
    command = [sys.executable, __file__, "--one", json.dumps(asdict(case))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return {"case": asdict(case), "error": f"not done after {limit:.0f} s"}
    if done.returncode:
        return {"case": asdict(case), "error": done.stderr.strip()[-3_000:]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def line(found: dict[str, Any]) -> str:
    name = found["case"]["name"]
    if "error" in found:
        return f"{name:12} failed: {found['error'].splitlines()[-1]}"
    peak = found.get("peak_bytes")
    peak_words = f"peak {peak / 2**30:.1f} GiB, " if peak else ""
    predicted = f"predicted {found['predicted_bytes'] / 2**30:.2f} GiB"
    aims = ", ".join(f"{'reaches' if ok else 'misses'} {aim}" for aim, ok in found["aims"].items())
    mfu = f"MFU {found['mfu_of_bf16_peak']:.1%} of bf16"
    return f"{name:12} {found['tokens_per_second']:,.0f} tokens/s, {mfu}, {peak_words}{predicted}{aims and '; ' + aims}"


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default="bf16,fp8,fp8_packed", help=f"of {', '.join(CASES)}")
    parser.add_argument("--micro-batch", type=int, default=1)
    parser.add_argument("--accumulate", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--optimizer", choices=("stochastic", "adam8bit", "fused"), default="stochastic")
    parser.add_argument("--checkpointing", choices=("none", "full"), default="none")
    parser.add_argument("--loss", choices=("compiled", "chunked", "liger"), default="compiled")
    parser.add_argument("--compile", choices=("yes", "no"), help="default: yes, with --tiny no")
    parser.add_argument("--limit", type=float, default=195.0, help="seconds for each case")
    parser.add_argument("--tiny", action="store_true", help="a tiny shape on the processor, to test this script")
    parser.add_argument("--out", type=Path, help="file for the result")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser


def main() -> int:
    chosen = arguments().parse_args()
    if chosen.one:
        print(json.dumps(measure(Case(**json.loads(chosen.one)))))
        return 0
    unknown = [name for name in chosen.cases.split(",") if name not in CASES]
    if unknown:
        print(f"No such case: {', '.join(unknown)}. Known: {', '.join(CASES)}.", file=sys.stderr)
        return 2
    settings = {name: getattr(chosen, name) for name in
                ("micro_batch", "accumulate", "steps", "optimizer", "checkpointing", "loss", "tiny")}  # fmt: skip
    settings["compiled"] = chosen.compile == "yes" or (chosen.compile is None and not chosen.tiny)
    cases = [replace(CASES[name], **settings) for name in chosen.cases.split(",")]
    lacking = missing(cases)
    if lacking:
        print("Cannot start. Missing:\n" + "\n".join(f"  - {what}" for what in lacking), file=sys.stderr)
        return 2
    results = []
    for case in cases:
        results.append(run_apart(case, chosen.limit))
        print(line(results[-1]), flush=True)
        keep(results, chosen.out)
    return 1 if any("error" in found for found in results) else 0


def keep(results: list[dict[str, Any]], out: Path | None) -> None:
    """After each case, so that a later one cut short costs only itself."""
    place = out or (Path(os.environ["OUT"]) / "gpu_training.json" if os.environ.get("OUT") else None)
    text = json.dumps(results, indent=1)
    if place is None:
        print(text)
    else:
        place.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
