"""Useful tokens a second: our loop against TRL's ``SFTTrainer``, on the same documents, tokens and model.

    python bench/packing_throughput.py [--precision float32 bfloat16] [--seeds 3] [--tokens 200000] [--out FILE]

Arms, each run in a process of its own and in turn (A B C D, A B C D, ...), because the machine is noisy:

* ``gnomon``: rows of ``training/pack``, attention inside documents;
* ``trl``: TRL as it comes: one example a document, padded to the longest of a micro-batch of 8;
* ``trl bfd``: ``packing=True, packing_strategy="bfd"``, all rows of a step in one micro-batch, as ours are;
* ``trl bfd rows``: the same, a row at a time: without FlashAttention the mask of a micro-batch grows with its square.

Equal for all: the pieces (cut by ``training/pack``, so TRL truncates nothing), the nano shape and its first weights,
AdamW, a constant rate, useful tokens a step, float32 weights, no gradient checkpointing, no log but our own (ours logs
every step, TRL nothing). *Useful* tokens are targets: neither padding nor the first token of a piece. Timed is what
lies between the Trainer's beginning and its last step, by the clock and by the processor's time; on a machine
shared with other work only the second, with ``--threads 1``, says much. TRL's documents say that packing needs FlashAttention,
which there is none of on processors; what it then does, and whether a document sees its neighbour, is measured.
``--malloc`` adds the allocator setting that our loop makes to TRL's ``bfd`` arms: which part of a difference is only that.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from packing_mix import Mix, mean_length, prepare, start

from gnomon.core.settings import TrainingPlace
from gnomon.evaluation.bootstrap import Draws, interval, mean_interval, ratio
from gnomon.training.loop.job import Job
from gnomon.training.loop.work import work
from gnomon.training.packed import PackedTokens
from gnomon.training.recipe import TrainConfig
from gnomon.training.shapes import Shape
from gnomon_recipes.nano_base import SHAPE, VOCABULARY

ARMS = ("gnomon", "trl", "trl bfd", "trl bfd rows")
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1)}
ROWS = 4
"""Rows of a step: the nano recipe's batch."""
PADDED = 8
"""Documents of an unpacked micro-batch: transformers' default."""
RATE = 1.5e-3
TINY = Shape(layers=2, hidden=32, intermediate=64, heads=2, kv_heads=1, context=128, tie_embeddings=True)


# One run, in a process of its own ------------------------------------------------------------


class Watch:
    """Times what lies between the beginning of training and the end of the last step (a ``Meter``)."""

    def __init__(self) -> None:
        self.began = self.ended = (0.0, 0.0)

    def total(self, amount: int, unit: str) -> None:
        self.began = (time.perf_counter(), time.process_time())

    def advance(self, amount: int) -> None:
        self.ended = (time.perf_counter(), time.process_time())

    def note(self, text: str) -> None:
        pass


def one_run(task: Mapping[str, Any]) -> dict[str, Any]:
    """Train as one arm does, and score the held-out documents."""
    import torch

    torch.set_num_threads(task["threads"])
    mix = Mix(
        tokens=Path(task["tokens"]), tokenizer=Path(task["tokenizer"]), held_out=tuple(map(Path, task["held_out"]))
    )
    with tempfile.TemporaryDirectory(dir=task["folder"]) as folder:
        watch, load = Watch(), os.getloadavg()[0]
        train = train_ours if task["arm"] == "gnomon" else train_trl
        model, about = train(task, mix, watch, Path(folder))
        seconds, cpu = (end - begin for begin, end in zip(watch.began, watch.ended, strict=True))
        packed = PackedTokens(mix.tokens)
        targets = sum(packed.row(number).targets for number in range(len(packed)))
        return {
            "arm": task["arm"], "seed": task["seed"], "precision": task["precision"], "malloc": task["malloc"],
            "threads": task["threads"], "tokens": task["tokens"],
            "seconds": seconds, "targets": targets, "rate": targets / seconds, "cpu_rate": targets / cpu,
            "load": [load, os.getloadavg()[0]], "losses": losses(model, mix.examined(packed.context)), **about,
        }  # fmt: skip


def train_ours(task: Mapping[str, Any], mix: Mix, watch: Watch, folder: Path) -> tuple[Any, dict[str, Any]]:
    import torch
    from transformers import AutoModelForCausalLM

    config = TrainConfig(
        name="bench", learning_rate=RATE, schedule="constant", warmup=0.0, batch=task["rows"],
        precision=task["precision"], saved_precision="float32", seed=task["seed"], spike=0.0,
    )  # fmt: skip
    job = Job(
        config=config, place=TrainingPlace(), start=Path(task["start"]), tokens=mix.tokens, folder=folder,
        logs=folder / "logs", threads=task["threads"],
    )  # fmt: skip
    work(job, watch)
    facts = json.loads((job.result / "training.json").read_text(encoding="utf-8"))
    model = AutoModelForCausalLM.from_pretrained(job.result / "model", dtype=torch.float32)
    return model, {"steps": facts["steps"], "attention": "gnomon_blocks"}


def train_trl(task: Mapping[str, Any], mix: Mix, watch: Watch, folder: Path) -> tuple[Any, dict[str, Any]]:
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Timer(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            watch.total(0, "steps")

        def on_step_end(self, *_: Any, **__: Any) -> None:
            watch.advance(1)

    pieces = mix.pieces()
    model = AutoModelForCausalLM.from_pretrained(task["start"], dtype=torch.float32)
    context, packed = model.config.max_position_embeddings, task["arm"] != "trl"
    settings = SFTConfig(
        output_dir=str(folder), num_train_epochs=1, max_length=context, packing=packed, packing_strategy="bfd",
        **micro_batches(task["arm"], task["rows"], context, mean_length(pieces)), gradient_checkpointing=False,
        bf16=task["precision"] == "bfloat16", use_cpu=True, learning_rate=RATE, lr_scheduler_type="constant",
        adam_beta1=0.9, adam_beta2=0.95, weight_decay=0.1, max_grad_norm=1.0, optim="adamw_torch_fused",
        logging_strategy="no", save_strategy="no", report_to="none", disable_tqdm=True, seed=task["seed"],
        dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = SFTTrainer(
        model=model, args=settings, train_dataset=Dataset.from_dict({"input_ids": pieces}),
        processing_class=AutoTokenizer.from_pretrained(task["start"]), callbacks=[Timer()],
    )  # fmt: skip
    trainer.train()
    batch = next(b for b in trainer.get_train_dataloader() if not packed or (b["position_ids"] == 0).sum() > 1)
    about = {
        "steps": trainer.state.global_step, "attention": model.config._attn_implementation,
        "tokens_a_micro_batch": int(batch["input_ids"].numel()), "padding": padding(trainer),
    }  # fmt: skip
    return trainer.model, about | ({"leak": leak(trainer.model, batch)} if packed else {})


def micro_batches(arm: str, rows: int, context: int, length: float) -> dict[str, int]:
    """TRL's batch settings that give about as many useful tokens a step as ``rows`` full rows.

    Args:
        arm: The arm.
        rows: Rows of a step.
        context: Tokens a row.
        length: Tokens of a document, on average.
    """
    if arm == "trl bfd":
        return {"per_device_train_batch_size": rows, "gradient_accumulation_steps": 1}
    if arm == "trl bfd rows":
        return {"per_device_train_batch_size": 1, "gradient_accumulation_steps": rows}
    documents = max(1, round(rows * context / length))
    parts = max(1, round(documents / PADDED))
    return {"per_device_train_batch_size": max(1, round(documents / parts)), "gradient_accumulation_steps": parts}


def padding(trainer: Any) -> float:
    """Share of the places that hold padding, over the whole run's batches."""
    filled = places = 0
    for batch in trainer.get_train_dataloader():
        places += batch["input_ids"].numel()
        filled += int(batch["attention_mask"].sum()) if "attention_mask" in batch else batch["input_ids"].numel()
    return 1 - filled / places


def leak(model: Any, batch: Mapping[str, Any]) -> float:
    """How far the logits of a packed batch's second document move when its first one is another: 0 for no leak."""
    import torch

    inputs = {name: value for name, value in batch.items() if name != "labels"} | {"use_cache": False}  # as TRL does
    begins = (inputs["position_ids"][0] == 0).nonzero().flatten().tolist()
    second = slice(begins[1], begins[2] if len(begins) > 2 else None)
    other = inputs["input_ids"].clone()
    other[0, : begins[1]] = torch.randint(3, model.config.vocab_size, (begins[1],))
    model.eval()
    with torch.no_grad():
        before, after = model(**inputs).logits, model(**inputs | {"input_ids": other}).logits
    return float((before[0, second] - after[0, second]).abs().max())


def losses(model: Any, documents: Sequence[Sequence[int]]) -> list[list[float]]:
    """Negative log-likelihood and number of targets of each document, read alone, in float32."""
    import torch

    model = model.float().eval()
    found = []
    with torch.no_grad():
        for ids in documents:
            row = torch.tensor([ids])
            logits = model(input_ids=row).logits[0, :-1].float()
            loss = torch.nn.functional.cross_entropy(logits, row[0, 1:], reduction="sum")
            found.append([float(loss), float(len(ids) - 1)])
    return found


# All runs ------------------------------------------------------------------------------------


def runs(asked: argparse.Namespace, mix: Mix, folder: Path) -> list[dict[str, Any]]:
    """Every arm with every seed and precision, in turn; those that an earlier call has done are taken from its notes."""
    shape, notes = shape_of(asked), folder / "runs.jsonl"
    found = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()] if notes.exists() else []
    done = {identity(row) for row in found}
    packed = PackedTokens(mix.tokens)
    for seed in range(asked.seeds):
        begin = start(mix, shape, seed, folder)
        for precision in asked.precision:
            for arm, malloc in arms(asked):
                task = {
                    "arm": arm, "seed": seed, "precision": precision, "threads": asked.threads, "malloc": malloc,
                    "rows": asked.rows, "tokens": str(mix.tokens), "tokenizer": str(mix.tokenizer),
                    "held_out": [str(path) for path in mix.held_out], "start": str(begin), "folder": str(folder),
                }  # fmt: skip
                if identity(task) in done:
                    continue
                row = in_a_process(task)
                found.append(row)
                with notes.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                print(
                    f"{seed} {precision} {arm}{' + malloc' if malloc else ''}: {row['rate']:,.0f} tokens/s, "
                    f"load {row['load'][0]:.1f} to {row['load'][1]:.1f}, {len(packed)} rows",
                    file=sys.stderr, flush=True,
                )  # fmt: skip
    return found


def identity(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("arm", "malloc", "seed", "precision", "threads", "tokens"))


def arms(asked: argparse.Namespace) -> list[tuple[str, bool]]:
    """The arms, and whether the allocator is set from outside."""
    return [(arm, False) for arm in asked.arms] + [(a, True) for a in asked.arms if asked.malloc and a != "gnomon"]


def in_a_process(task: Mapping[str, Any]) -> dict[str, Any]:
    environment = {**os.environ, **(MALLOC if task["malloc"] else {}), "OMP_NUM_THREADS": str(task["threads"])}
    command = [sys.executable, __file__, "--task", json.dumps(task)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{task['arm']} failed:\n{done.stderr[-4_000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def named(row: Mapping[str, Any]) -> str:
    return f"{row['arm']}{' + malloc' if row['malloc'] else ''}"


def summary(found: Sequence[Mapping[str, Any]], precision: str) -> list[dict[str, Any]]:
    """One row an arm: speed, our speed as a multiple of it (of the same round), and loss against ours."""
    here = [row for row in found if row["precision"] == precision]
    ours = {row["seed"]: row for row in here if row["arm"] == "gnomon"}
    rows = []
    for name in dict.fromkeys(map(named, here)):
        mine = [row for row in here if named(row) == name]
        scores = np.array([row["losses"] for row in mine])  # (seeds, documents, 2)
        rows.append({
            "arm": name, "precision": precision, "n": len(mine), "attention": mine[0]["attention"],
            "steps": mine[0]["steps"], "targets": mine[0]["targets"], "padding": mine[0].get("padding"),
            "tokens_a_micro_batch": mine[0].get("tokens_a_micro_batch"), "leak": mine[0].get("leak"),
            "rate": statistics.median(row["rate"] for row in mine),
            "rates": [round(row["rate"]) for row in mine],
            "cpu_rate": statistics.median(row["cpu_rate"] for row in mine),
            "load": [min(row["load"][0] for row in mine), max(row["load"][1] for row in mine)],
            "loss": interval(scores.sum(axis=0), ratio(0, 1), Draws()).to_row(),
            "loss_by_seed": [round(float(s[:, 0].sum() / s[:, 1].sum()), 4) for s in scores],
            **(against(mine, ours) if ours and name != "gnomon" else {}),
        })  # fmt: skip
    return rows


def against(mine: Sequence[Mapping[str, Any]], ours: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Our rate over an arm's in each round, and how much higher its held-out loss is than ours, by document."""
    ratios, cpu = ([ours[row["seed"]][name] / row[name] for row in mine] for name in ("rate", "cpu_rate"))
    theirs = np.mean([row["losses"] for row in mine], axis=0)
    own = np.mean([ours[row["seed"]]["losses"] for row in mine], axis=0)
    paired = np.column_stack([theirs[:, 0] - own[:, 0], own[:, 1]])
    by_seed = [float(sum_of(row) - sum_of(ours[row["seed"]])) for row in mine]
    return {
        "ours_over_it": statistics.median(ratios), "ours_over_it_by_round": [round(r, 3) for r in ratios],
        "ours_over_it_by_cpu_time": statistics.median(cpu),
        "loss_minus_ours": interval(paired, ratio(0, 1), Draws()).to_row(),
        "loss_minus_ours_by_seed": [round(value, 4) for value in by_seed],
        "loss_minus_ours_over_seeds": mean_interval(by_seed, Draws()).to_row(),
    }  # fmt: skip


def sum_of(row: Mapping[str, Any]) -> float:
    scores = np.array(row["losses"])
    return float(scores[:, 0].sum() / scores[:, 1].sum())


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows in Markdown."""
    lines = [
        "| | useful tokens/s (each round) | a CPU second | padding | ours is, times (by CPU time) | held-out loss "
        "| minus ours (by document) | minus ours (each seed) | load |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        rates = ", ".join(f"{rate:,}" for rate in row["rates"])
        times = f"{row['ours_over_it']:.2f} ({row['ours_over_it_by_cpu_time']:.2f})" if "ours_over_it" in row else ""
        loss, minus = row["loss"], row.get("loss_minus_ours")
        difference = f"{minus['value']:+.3f} [{minus['low']:+.3f}, {minus['high']:+.3f}]" if minus else ""
        seeds = ", ".join(f"{value:+.3f}" for value in row.get("loss_minus_ours_by_seed", []))
        share = f"{row['padding']:.0%}" if row["padding"] is not None else ""
        lines.append(
            f"| {row['arm']}, {row['precision']} | {row['rate']:,.0f} ({rates}) | {row['cpu_rate']:,.0f} | {share} | {times} "
            f"| {loss['value']:.3f} [{loss['low']:.3f}, {loss['high']:.3f}] | {difference} | {seeds} "
            f"| {row['load'][0]:.1f} to {row['load'][1]:.1f} |"
        )
    return "\n".join(lines)


def shape_of(asked: argparse.Namespace) -> Shape:
    return TINY if asked.tiny else SHAPE


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", type=json.loads, help="one run (used by this script itself)")
    parser.add_argument("--tokens", type=int, default=200_000, help="tokens a run")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of a step")
    parser.add_argument("--seeds", type=int, default=3, help="rounds")
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=ARMS)
    parser.add_argument("--mix", default="mixed", choices=["mixed", "abstracts"])
    parser.add_argument("--malloc", action="store_true", help="also set TRL's allocator as our loop sets ours")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--tiny", action="store_true", help="a toy shape, to try the script")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--out", type=Path)
    return parser.parse_args(arguments)


def main() -> None:
    asked = parsed()
    if asked.task:
        print(json.dumps(one_run(asked.task)))
        return
    folder = asked.work or Path(tempfile.mkdtemp())
    shape = shape_of(asked)
    mix = prepare(folder / "workspace", asked.tokens, asked.mix, shape, 512 if asked.tiny else VOCABULARY)
    pieces = mix.pieces()
    report: dict[str, Any] = {
        "documents": {"pieces": len(pieces), "mean_length": mean_length(pieces), "mix": asked.mix,
                      "held_out": len(mix.examined(shape.context))},
        "threads": asked.threads,
    }  # fmt: skip
    found = runs(asked, mix, folder)
    report["arms"] = [row for precision in asked.precision for row in summary(found, precision)]
    print(table(report["arms"]))
    if asked.out:
        asked.out.write_text(json.dumps(report | {"runs": found}, indent=1) + "\n", encoding="utf-8")
    else:
        print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
