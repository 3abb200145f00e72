"""Merging two models of a gigabyte: peak memory and time, beside ``mergekit-yaml`` alone.

    python bench/merge_memory.py [--rounds 3] [--methods linear slerp ties] [--out FILE]

Two Llama shapes with random bfloat16 weights (about 0.5 B parameters, 1 GB each) are merged by ``training/merge`` and by
mergekit's own command line as its README gives it (its model card, which asks the hub, left out), in turns, each in a process of its
own. Peak memory is the process's high-water mark as the kernel keeps it (``ru_maxrss``: mapped files count). Then
the tensors are compared bit for bit.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WEIGHTS = (("a", 0.75), ("b", 0.25))
SHAPE = {"hidden_size": 1_280, "intermediate_size": 3_456, "num_hidden_layers": 22, "num_attention_heads": 20,
         "num_key_value_heads": 4, "vocab_size": 32_000, "max_position_embeddings": 2_048}  # fmt: skip


def make(folder: Path, seed: int) -> None:
    """A model artifact with random weights and a tokenizer of bytes."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from gnomon.core.records import ModelRef
    from gnomon.llm.weights import write_ref

    torch.manual_seed(seed)
    with torch.device("meta"):
        shape = LlamaForCausalLM(LlamaConfig(**SHAPE))
    model = shape.to_empty(device="cpu").to(torch.bfloat16)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    model.save_pretrained(folder / "model", max_shard_size="500MB")
    bytes_ = Tokenizer(models.BPE({c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, []))
    PreTrainedTokenizerFast(tokenizer_object=bytes_).save_pretrained(folder / "model")
    write_ref(folder, ModelRef(name=folder.name, revision=str(seed), kind="base", licence="Apache-2.0"))


def ours(work: Path, method: str) -> None:
    """The step, on finished artifacts."""
    from gnomon.core.settings import Settings
    from gnomon.runs.output import Output, StorePlace
    from gnomon.training.merge import MergeConfig, run

    home = work / "ours"
    for name in ("data", "shards"):
        (home / name).mkdir(parents=True)
    out = Output(
        path=home / "data", shards=home / "shards", identity="bench", settings=Settings(), cache_path=home / "cache",
        place=lambda key: StorePlace(key=key, url=str(home / key)), locks=home / "locks",
    )  # fmt: skip
    base = {"base": "o"} if method == "ties" else {}
    names = ["a", "b", *base.values()]
    inputs = {f"model:{name}": work / name for name in names}
    run(MergeConfig(name="merged", weights=WEIGHTS, method=method, density=0.5 if base else 1.0, **base), inputs, out)


def measured(command: list[str]) -> dict[str, float]:
    """Seconds and peak memory of a process."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:3]}: {said.decode(errors='replace')[-2_000:]}")
    return {"seconds": time.perf_counter() - begun, "cpu": used.ru_utime + used.ru_stime,
            "peak_gb": used.ru_maxrss * 1024 / 1e9}  # fmt: skip


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same tensors, bit for bit."""
    import torch
    from safetensors import safe_open

    def places(folder: Path) -> dict[str, Path]:
        found = {}
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(file, "pt") as tensors:
                found |= dict.fromkeys(tensors.keys(), file)
        return found

    left, right = places(one), places(other)
    if left.keys() != right.keys():
        return False
    for name, file in left.items():
        with safe_open(file, "pt") as a, safe_open(right[name], "pt") as b:
            if not torch.equal(a.get_tensor(name), b.get_tensor(name)):
                return False
    return True


def compared(work: Path, method: str, rounds: int) -> dict[str, Any]:
    """Both, in turns; then whether they made the same."""
    from gnomon.training.merge import MergeConfig, recipe_of

    base = {"base": "o", "density": 0.5} if method == "ties" else {}
    places = {name: str(work / name / "model") for name in "abo"}
    plan = work / f"{method}.yml"  # JSON is YAML
    config: Any = {"name": "merged", "weights": WEIGHTS, "method": method, **base}
    plan.write_text(json.dumps(recipe_of(MergeConfig(**config), places)), encoding="utf-8")
    peer = [str(Path(sys.executable).parent / "mergekit-yaml"), str(plan), str(work / "peer"),
            "--no-write-model-card", "--no-copy-tokenizer"]  # fmt: skip
    runs: dict[str, list[dict[str, float]]] = {"gnomon": [], "mergekit-yaml": []}
    for _ in range(rounds):
        for name, command in (
            ("gnomon", [sys.executable, __file__, "--run", method, str(work)]),
            ("mergekit-yaml", peer),
        ):
            shutil.rmtree(work / ("ours" if name == "gnomon" else "peer"), ignore_errors=True)
            runs[name].append(measured(command))
    found: dict[str, Any] = {
        name: {key: round(statistics.median(run[key] for run in rows), 2) for key in rows[0]}
        for name, rows in runs.items()
    }
    found["highest peak_gb"] = {name: round(max(run["peak_gb"] for run in rows), 2) for name, rows in runs.items()}
    return found | {"same bits": same(work / "ours" / "data" / "model", work / "peer")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=["linear", "slerp", "ties"])
    parser.add_argument("--run", nargs=2, metavar=("METHOD", "WORK"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.run:
        ours(Path(asked.run[1]), asked.run[0])
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for seed, name in enumerate("abo"):
            make(work / name, seed)
        size = sum(f.stat().st_size for f in (work / "a" / "model").glob("*.safetensors"))
        report: dict[str, Any] = {"gigabytes of a model": round(size / 1e9, 2), "load before": os.getloadavg()}
        for method in asked.methods:
            report[method] = compared(work, method, asked.rounds)
        report["load after"] = os.getloadavg()
    report["peak of the bench itself, GB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2)
    print(json.dumps(report, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
