"""The plan: what a run would do, why, and at what cost."""

from dataclasses import dataclass

from gnomon.core.estimates import Estimate
from gnomon.core.protocols import resolve
from gnomon.runs.code import entry_hash
from gnomon.runs.drift import drifted
from gnomon.runs.known import Known
from gnomon.runs.step import Recipe, Step
from gnomon.runs.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One line of a plan."""

    step: Step
    """The step."""
    state: str
    """``made``, ``resume``, ``run`` or ``drift``."""
    why: str
    """The reason, in words."""
    estimate: Estimate | None = None
    """What it would take, None when it is made or has no estimate."""


def plan(recipe: Recipe, workspace: Workspace) -> list[PlannedStep]:
    """Say what ``run`` would do, without doing any of it."""
    lines: list[PlannedStep] = []
    to_run: set[str] = set()
    documents = 0
    for step in recipe.steps():
        record = workspace.record(step.address)
        if record is not None:
            documents = max(documents, record.counts.kept)
        state, why = _state(step, workspace, to_run)
        if state in {"run", "resume"}:
            to_run.add(step.identity)
        lines.append(
            PlannedStep(step=step, state=state, why=why, estimate=_estimate(step, state, documents, workspace))
        )
    return lines


def _state(step: Step, workspace: Workspace, to_run: set[str]) -> tuple[str, str]:
    record = workspace.record(step.address)
    if record is not None:
        changes = drifted(step, record)
        if changes:
            return "drift", "defaults changed: " + ", ".join(sorted(changes))
        if record.entry_hash and record.entry_hash != entry_hash(step.entry):
            return "made", "its code changed since, with no new version"
        return "made", ""
    if (workspace.local / "runs" / step.address / "shards").exists():
        return "resume", "a run was cut short; finished shards are kept"
    waiting = [name for name, source in step.inputs.items() if source.identity in to_run]
    return "run", f"after {', '.join(waiting)}" if waiting else "not made yet"


def _estimate(step: Step, state: str, documents: int, workspace: Workspace) -> Estimate | None:
    if state not in {"run", "resume"}:
        return None
    if step.asks:
        asked: Estimate | None = resolve(step.asks)(step.config, Known(step=step, workspace=workspace))
        return asked
    if not step.estimate:
        return None
    size = sum(f.bytes for files in step.sources.values() for f in files.files)
    result: Estimate = resolve(step.estimate)(step.config, documents, size)
    return result
