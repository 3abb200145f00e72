"""The step ``evaluation/lm_eval``: any task of lm-evaluation-harness (Gao et al.), with its own prompts and metrics.

For figures that others can hold beside theirs; ``evaluation/exam`` asks the same kind of question in balanced orders,
open book and with paired tests. A model is one shard. ``lm_eval.json`` holds every metric with its standard error, the
version of its task and of the harness; ``samples.parquet`` every question with the response and its scores.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json, write_json
from gnomon.core.tables import write_table
from gnomon.evaluation.exam.statistics import Z
from gnomon.evaluation.harness import running
from gnomon.evaluation.harness.config import LmEvalConfig
from gnomon.evaluation.harness.running import include, request, weights_for
from gnomon.evaluation.roles import PREFIX, facts_of
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.sources import FileSet

INCLUDE, ROWS, FACTS = "include", "samples.parquet", "lm_eval.json"
HOW = tuple("tasks shots limit batch chat bootstrap seed dtype".split())


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One question of one task, answered by one model."""

    model: str
    """The role."""
    task: str
    """The task."""
    doc_id: int
    """The question's place in its split."""
    filter: str
    """lm-eval's filter of responses."""
    doc_hash: str
    """lm-eval's hash of the question."""
    target: str
    """What is right."""
    response: str
    """The filtered responses, as JSON."""
    metrics: str
    """Scores by metric, as JSON."""


def run(config: LmEvalConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Let every model sit every task.

    Args:
        config: Which models and tasks.
        inputs: ``model:ROLE`` for every model without a ``ref``; ``include``, a listing of task files.
        out: Receives ``lm_eval.json`` and ``samples.parquet``.

    Raises:
        MissingExtra: lm-eval is not installed.
        ConfigError: There is no such task, or a model is an endpoint.
        RunError: The harness failed.
    """
    running.check_installed()
    files = FileSet.from_row(read_json(inputs[INCLUDE])) if INCLUDE in inputs else None
    tasks = include(files, out.shards / INCLUDE)
    keys = {role.name: f"{place:02d}" for place, role in enumerate(config.models)}
    missing = set(out.pending(list(keys.values())))
    out.meter.total(len(keys), "models")
    for role in config.models:
        if keys[role.name] in missing:
            weights = weights_for(role.ref or inputs[PREFIX + role.name], out.settings)
            running.run_child(
                request(weights, config, tasks, out.settings), _result(out, keys[role.name]), out.settings
            )
            out.done(keys[role.name], Counts(taken=0, kept=0))
        out.meter.advance(1)
    found = {name: read_json(_result(out, key)) for name, key in keys.items()}
    made = write_table(out.path / ROWS, Sample, _samples(found))
    _write_facts(config, inputs, found, out)
    return Counts(taken=made, kept=made)


def _result(out: Output, key: str) -> Path:
    return out.shards / "results" / f"{key}.json"


def _samples(found: Mapping[str, dict[str, Any]]) -> Iterator[Sample]:
    for name, result in found.items():
        rows = sorted(result["samples"], key=lambda row: (row["task"], row["filter"], row["doc_id"]))
        yield from (Sample(model=name, **row) for row in rows)


def _write_facts(config: LmEvalConfig, inputs: Mapping[str, Path], found: Mapping[str, Any], out: Output) -> None:
    rows = [row for name, result in found.items() for row in result_rows(name, result)]
    first = next(iter(found.values()))
    how = {name: list(v) if isinstance(v := getattr(config, name), tuple) else v for name in HOW}
    versions = {name: first.get(name, "") for name in ("lm_eval_version", "transformers_version")}
    about = {role.name: facts_of(role, inputs) for role in config.models}
    write_json(out.path / FACTS, {"how": how, "versions": versions, "order": list(found), "models": about,
                                  "results": rows})  # fmt: skip
    out.metrics["lm_eval"] = {f"{r['model']}/{r['task']}/{r['metric']},{r['filter']}": r["value"] for r in rows}


def result_rows(model: str, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a task and metric, with lm-eval's standard error and the normal interval it gives.

    Args:
        model: The role.
        result: What the harness found.
    """
    rows = []
    for kind in ("groups", "results"):
        for task, metrics in sorted(result.get(kind, {}).items()):
            if kind == "results" and task in result.get("groups", {}):
                continue
            for key, value in sorted(metrics.items()):
                metric, comma, filtered = key.partition(",")
                if comma and not metric.endswith("_stderr") and isinstance(value, int | float):
                    error = metrics.get(f"{metric}_stderr,{filtered}")
                    rows.append(_row(model, task, metric, filtered, result) | _spread(value, error)
                                | {"group": kind == "groups"})  # fmt: skip
    return rows


def _row(model: str, task: str, metric: str, filtered: str, result: Mapping[str, Any]) -> dict[str, Any]:
    better = result.get("higher_is_better", {}).get(task, {})
    return {
        "model": model, "task": task, "metric": metric, "filter": filtered,
        "n": result.get("n-samples", {}).get(task, {}).get("effective"), "shots": result.get("n-shot", {}).get(task),
        "version": result.get("versions", {}).get(task), "higher_is_better": better.get(metric),
        "task_hash": result.get("task_hashes", {}).get(task, ""),
    }  # fmt: skip


def _spread(value: float, error: Any) -> dict[str, float | None]:
    """The value with its error; NaN, which JSON has no word for, is no value."""
    sound = error if isinstance(error, int | float) and math.isfinite(error) else None
    known = value if math.isfinite(value) else None
    low, high = (None, None) if sound is None or known is None else (known - Z * sound, known + Z * sound)
    return {"value": known, "stderr": sound, "low": low, "high": high}
