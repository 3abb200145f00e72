"""The process in which lm-evaluation-harness runs.

Apart from Gnomon's own, because the harness seeds every global generator, reads whether the hub may be asked while it
is imported, resolves a task's files against the working folder, and never gives memory back. Called as
``python -m gnomon.evaluation.harness.child REQUEST RESULT``; what it prints is its log.
"""

import json
import sys
from pathlib import Path
from typing import Any

KEPT = ("results", "groups", "group_subtasks", "versions", "n-shot", "n-samples", "higher_is_better",
        "lm_eval_version", "transformers_version", "chat_template_sha", "task_hashes")  # fmt: skip
UNKNOWN = "unknown_tasks"


def main(request: Path, result: Path) -> int:
    """Run one model through some tasks.

    Args:
        request: JSON: ``model`` (arguments of ``HFLM``), ``tasks``, ``include`` (a folder or null), ``how``.
        result: Receives what lm-eval found, or ``{"unknown_tasks": […], "near": […]}``.
    """
    asked = json.loads(request.read_text(encoding="utf-8"))
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=asked["include"])
    unknown = [task for task in asked["tasks"] if not manager.match_tasks([task])]
    if unknown:
        near = [name for name in manager.all_tasks if any(task[:4] in name for task in unknown)][:20]
        answer: dict[str, Any] = {UNKNOWN: unknown, "near": near}
    else:
        answer = evaluate(asked, manager)
    part = result.with_suffix(".part")
    part.write_text(json.dumps(answer, ensure_ascii=False, default=_plain), encoding="utf-8")
    part.replace(result)
    return 0


def evaluate(asked: dict[str, Any], manager: Any) -> dict[str, Any]:
    """What lm-eval finds, without what hangs on the machine or the time."""
    import torch
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    if asked["threads"]:
        torch.set_num_threads(asked["threads"])
    how = asked["how"]
    model = HFLM(**asked["model"], device="cuda" if torch.cuda.is_available() else "cpu", batch_size=how["batch"])
    found: dict[str, Any] = simple_evaluate(
        model=model, tasks=sorted({name for task in asked["tasks"] for name in manager.match_tasks([task])}),
        task_manager=manager, num_fewshot=None if how["shots"] < 0 else how["shots"], limit=how["limit"] or None,
        apply_chat_template=how["chat"], bootstrap_iters=how["bootstrap"], log_samples=True, random_seed=how["seed"],
        numpy_random_seed=how["seed"], torch_random_seed=how["seed"], fewshot_random_seed=how["seed"],
    )  # fmt: skip
    samples = [_sample(task, row) for task, rows in found.get("samples", {}).items() for row in rows]
    return {name: found[name] for name in KEPT if name in found} | {"samples": samples}


def _sample(task: str, row: dict[str, Any]) -> dict[str, Any]:
    """One question with its answer and its scores."""
    metrics = {name: row[name] for name in row.get("metrics", ()) if name in row}
    return {
        "task": task, "doc_id": int(row["doc_id"]), "filter": row.get("filter", "none"),
        "doc_hash": row.get("doc_hash", ""), "target": str(row.get("target", "")),
        "response": json.dumps(row.get("filtered_resps"), ensure_ascii=False, default=_plain),
        "metrics": json.dumps(metrics, ensure_ascii=False, default=_plain),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's; whatever else there is as text."""
    return value.item() if hasattr(value, "item") else str(value)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
