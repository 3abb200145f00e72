"""The exam against lm-evaluation-harness: the same predictions, and the time that scoring takes.

    python bench/exam_lm_eval.py [--items 400] [--rounds 3] [--threads 1] [--batches 1 4 8 16 32] [--modes letter option]

The same weights (the nano base, float32, on processors), the same questions (``mmlu_general``, test split, by hash), two
ways of asking: *letter* with lm-eval's own lines of MMLU (``tasks/mmlu/default``, with its description), *option* with its
lines of MMLU as continuation (``tasks/mmlu/continuation``). lm-eval builds its prompts from its own templates, ours are
built by ``evaluation.exam.prompting``; that they are equal is counted, not assumed. Predictions are compared for the raw
sum and, for options, per character (``acc_norm``); a *tie* is a pair of options that both libraries score within 1e-4 of
each other.

Timed is scoring alone, tokenizing included, model loaded: ``HFLM.loglikelihood`` there, ``Likeliest.solve`` here (which
builds the prompts too). lm-eval is given the batch size that is its fastest on the first hundred questions. Rounds go in turn
(ours, lm-eval's, ours, ...), because the machine is noisy; medians of the clock and of the processor's time are printed.
Questions longer than the model's context are left out: lm-eval cuts them from the left, the exam counts them as
``too_long``.
"""

import argparse
import hashlib
import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
import numpy as np

from gnomon.core.exams import Output
from gnomon.core.records import Item
from gnomon.core.settings import Settings
from gnomon.evaluation.exam.asking import Asking
from gnomon.evaluation.exam.likeliest import Likeliest
from gnomon.evaluation.exam.orders import presented
from gnomon.evaluation.exam.prompting import Sheet
from gnomon.evaluation.items import to_item
from gnomon.llm.local import LocalModel, load_local

ROOT = Path(__file__).parents[1]
NANO = ROOT / "src" / "gnomon_recipes" / "nano" / "base"
QUESTIONS = ROOT.parent / "shared" / "data" / "mcq" / "mmlu_general.jsonl"
TIE = 1e-4
TRIAL = 100
ABOUT = "The following are multiple choice questions (with answers) about {{subject.replace('_', ' ')}}.\n\n"
TASKS: dict[str, dict[str, Any]] = {
    "letter": {
        "description": ABOUT,
        "doc_to_text": "{{question.strip()}}\nA. {{choices[0]}}\nB. {{choices[1]}}\nC. {{choices[2]}}\nD. {{choices[3]}}\nAnswer:",
        "doc_to_choice": ["A", "B", "C", "D"],
        "doc_to_target": "answer",
    },
    "option": {
        "doc_to_text": "Question: {{question.strip()}}\nAnswer:",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{answer}}",
    },
}
"""lm-eval 0.4.13: tasks/mmlu/default/_default_template_yaml and tasks/mmlu/continuation/_continuation_template_yaml."""
FORMS = {"letter": "mmlu", "option": "option"}
Times = list[tuple[float, float]]
"""(seconds of the clock, seconds of the processor), one a round."""


def questions(number: int) -> list[dict[str, Any]]:
    """Rows of the test split, by hash of their id."""
    with QUESTIONS.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row["split"] == "test"]
    chosen = sorted(rows, key=lambda row: hashlib.blake2b(row["id"].encode()).digest())[:number]
    return [{**row, "answer": "ABCD".index(row["answer"])} for row in chosen]


def clocked(work: Callable[[], Any], times: Times) -> Any:
    began = (time.perf_counter(), time.process_time())
    found = work()
    times.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    return found


# Ours ----------------------------------------------------------------------------------------


def ours(model: LocalModel, mode: str, items: Sequence[Item], times: Times) -> list[Output]:
    solver = Likeliest(model, Asking(Sheet(form=FORMS[mode]), model), "sum")
    blind = [presented(item, tuple(range(len(item.choices)))) for item in items]
    found: list[Output] = clocked(lambda: solver.solve(blind), times)
    return found


# lm-eval's -----------------------------------------------------------------------------------


def harness(folder: Path, threads: int) -> Any:
    import torch
    from lm_eval.models.huggingface import HFLM

    torch.set_num_threads(threads)

    class Timed(HFLM):  # type: ignore[misc]
        times: Times = []  # noqa: RUF012

        def loglikelihood(self, requests: Any, disable_tqdm: bool = False) -> Any:  # noqa: FBT001
            return clocked(lambda: super(Timed, self).loglikelihood(requests, disable_tqdm=True), self.times)

    return Timed(pretrained=str(folder), device="cpu", dtype="float32", batch_size=1, add_bos_token=True)


def theirs(model: Any, mode: str, rows: Sequence[dict[str, Any]], batch: int, times: Times) -> list[dict[str, Any]]:
    """lm-eval's samples, in the order of the rows."""
    import datasets
    from lm_eval import simple_evaluate
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.tasks import TaskManager

    data = datasets.Dataset.from_list(
        [{k: row[k] for k in ("id", "subject", "question", "choices", "answer")} for row in rows]
    )
    task = ConfigurableTask(config={
        "task": f"bench_{mode}", "output_type": "multiple_choice", "test_split": "test", "num_fewshot": 0,
        "custom_dataset": lambda **_: {"test": data}, "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}], **TASKS[mode],
    })  # fmt: skip
    model.batch_size_per_gpu, model.times = batch, times
    known = TaskManager(include_defaults=False)  # looking through the files of every other task takes long
    result = simple_evaluate(model=model, tasks=[task], task_manager=known, bootstrap_iters=0, log_samples=True)
    samples = {sample["doc"]["id"]: sample for sample in (result or {})["samples"][f"bench_{mode}"]}
    return [samples[row["id"]] for row in rows]


# Side by side --------------------------------------------------------------------------------


def compare(
    mode: str, items: Sequence[Item], mine: Sequence[Output], other: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Differing prompts, predictions and scores."""
    sheet = Sheet(form=FORMS[mode])
    found = {"items": len(items), "prompts differ": 0, "differ": 0, "ties": 0, "differ, per character": 0, "ties, per character": 0,
             "right": 0, "right, lm-eval": 0, "largest difference of a score": 0.0}  # fmt: skip
    for item, output, sample in zip(items, mine, other, strict=True):
        contexts = [tuple(pair) for pair in pairs(sample)]
        found["prompts differ"] += contexts != [(sheet.prompt(item), after) for after in sheet.continuations(item)]
        a, b = np.array(output.log_probs), np.array([float(response[0]) for response in sample["filtered_resps"]])
        lengths = np.array([len(choice) for choice in item.choices])
        found["largest difference of a score"] = max(found["largest difference of a score"], float(np.abs(a - b).max()))
        for name, scale in (("", 1.0), (", per character", lengths)) if mode == "option" else (("", 1.0),):
            p, q = int((a / scale).argmax()), int((b / scale).argmax())
            tie = all(abs((s / scale)[p] - (s / scale)[q]) < TIE for s in (a, b))
            found["differ" + name] += p != q and not tie
            found["ties" + name] += p != q and tie
        found["right"] += int(a.argmax()) in item.targets
        found["right, lm-eval"] += int(b.argmax()) in item.targets
    return found


def pairs(sample: dict[str, Any]) -> list[Sequence[str]]:
    """What lm-eval asked: (context, continuation) of each option."""
    asked = sample["arguments"]
    if isinstance(asked, dict):
        return [(asked[key]["arg_0"], asked[key]["arg_1"]) for key in sorted(asked)]
    return [tuple(one[:2]) for one in asked]


def summary(times: Times) -> dict[str, float]:
    return {"seconds": statistics.median(t for t, _ in times), "cpu_seconds": statistics.median(c for _, c in times)}


def fastest(lm: Any, mode: str, rows: Sequence[dict[str, Any]], batches: Sequence[int]) -> int:
    """lm-eval's best batch size, by the processor's time."""
    found: dict[int, float] = {}
    for batch in batches:
        times: Times = []
        theirs(lm, mode, rows[:TRIAL], batch, times)
        found[batch] = times[0][1]
    told = ", ".join(f"{batch}: {seconds:.2f} s" for batch, seconds in found.items())
    print(f"\n{mode}: lm-eval's batch sizes on {min(TRIAL, len(rows))} questions: {told}")
    return min(found, key=lambda batch: found[batch])


def measure(options: argparse.Namespace) -> dict[str, Any]:
    model = load_local(NANO, Settings(threads=options.threads))
    lm = harness(NANO, options.threads)
    rows = questions(options.items)
    items = [to_item(row, row["id"]) for row in rows]
    fits = [len(model.encode(Sheet(form="mmlu").prompt(item))) + 64 <= model.context for item in items]
    rows, items = ([one for one, fit in zip(every, fits, strict=True) if fit] for every in (rows, items))
    load = os.getloadavg()[0]
    print(f"{len(items)} questions, {len(fits) - len(items)} too long; threads {options.threads}, load {load:.1f}")
    report: dict[str, Any] = {"load": os.getloadavg(), "threads": options.threads}
    for mode in options.modes:
        report[mode] = side_by_side(model, lm, mode, rows, options)
    print(f"load {os.getloadavg()[0]:.1f}")
    return report


def side_by_side(
    model: LocalModel, lm: Any, mode: str, rows: Sequence[dict[str, Any]], options: argparse.Namespace
) -> dict[str, Any]:
    items = [to_item(row, row["id"]) for row in rows]
    batch = fastest(lm, mode, rows, options.batches)
    ours(model, mode, items[:TRIAL], [])
    mine: Times = []
    other: Times = []
    facts: dict[str, Any] = {}
    for _ in range(options.rounds):
        outputs = ours(model, mode, items, mine)
        facts = compare(mode, items, outputs, theirs(lm, mode, rows, batch, other))
    timing = {"gnomon": summary(mine), f"lm-eval, batch {batch}": summary(other)}
    for key in ("seconds", "cpu_seconds"):
        facts[f"ours / lm-eval's, {key}"] = summary(mine)[key] / summary(other)[key]
    print(f"{mode}: {json.dumps(facts, indent=1)}")
    for name, row in timing.items():
        print(f"  {name:22} {row['seconds']:7.2f} s  {row['cpu_seconds']:7.2f} s of processor"
              f"  {len(items) / row['seconds']:6.1f} items/s")  # fmt: skip
    return facts | {"timing": timing}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8, 16, 32])
    parser.add_argument("--modes", nargs="+", choices=tuple(TASKS), default=list(TASKS))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if not QUESTIONS.is_file():
        print(f"{QUESTIONS} is not here.", file=sys.stderr)
        return 2
    logging.disable(logging.WARNING)
    report = measure(options)
    if options.out:
        options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
