"""The runner: makes what a recipe asks for, and nothing that is already made.

A step's files are written to ``<address>/work``; only when it has returned and its counts add
up is that folder made the artifact and the record written. A killed run therefore leaves shards
that the next run keeps, and never something that looks finished.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from gnomon.core.errors import GnomonError, StepFailed
from gnomon.core.files import read_json, write_json
from gnomon.core.hashing import plain
from gnomon.core.protocols import resolve
from gnomon.core.wording import say
from gnomon.runs.code import code_version, entry_hash, package_versions
from gnomon.runs.counts import Counts
from gnomon.runs.drift import refuse_drift
from gnomon.runs.experts import publish_expert
from gnomon.runs.output import Meter, Output, SilentMeter
from gnomon.runs.record import Record, describe_files, now
from gnomon.runs.step import Recipe, Step
from gnomon.runs.workspace import Workspace


class Progress(Protocol):
    """Shows a person how a run goes."""

    def start(self, step: Step, number: int, of: int) -> Meter:
        """A step begins; returns the meter it reports to."""
        ...

    def tell(self, step: Step, text: str) -> None:
        """Something a person should know about a step, in a line that stays."""
        ...

    def finish(self, step: Step, record: Record, *, fresh: bool) -> None:
        """A step is done: ``fresh`` when it ran, not when it was found made."""
        ...


class SilentProgress:
    """Shows nothing."""

    def start(self, step: Step, number: int, of: int) -> Meter:
        """Return a meter nobody looks at."""
        return SilentMeter()

    def tell(self, step: Step, text: str) -> None:
        """Do nothing."""

    def finish(self, step: Step, record: Record, *, fresh: bool) -> None:
        """Do nothing."""


def run(recipe: Recipe, workspace: Workspace, progress: Progress | None = None) -> dict[str, Record]:
    """Make every step of a recipe that is not made yet, and publish its expert.

    Args:
        recipe: What is wanted.
        workspace: Where it is kept.
        progress: Shows how it goes.

    Returns:
        The record of every step, by address.

    Raises:
        DriftError: An artifact exists that was made with another default.
        StepFailed: A step raised; what it finished is kept.
    """
    shown = progress or SilentProgress()
    steps = recipe.steps()
    records: dict[str, Record] = {}
    for number, step in enumerate(steps, 1):
        meter = shown.start(step, number, len(steps))
        record, fresh = _ensure(step, workspace, meter, shown)
        records[record.address] = record
        shown.finish(step, record, fresh=fresh)
        if recipe.serve is not None:
            publish_expert(recipe, workspace, records)
    return records


def _ensure(step: Step, workspace: Workspace, meter: Meter, shown: Progress) -> tuple[Record, bool]:
    found = workspace.record(step.address)
    if found is None:
        with workspace.lock(step.address):
            found = workspace.record(step.address)
            if found is None:
                return _make(step, workspace, meter, shown), True
    refuse_drift(step, found)
    return found, False


def _make(step: Step, workspace: Workspace, meter: Meter, shown: Progress) -> Record:
    started, clock = now(), time.monotonic()
    folder = workspace.local / "runs" / step.address
    workspace.reclaim(step.address, folder / "work")
    if _forget_other_code(folder, step):
        shown.tell(step, say("begins anew: what an interrupted run left was made by other code",
                             "最初から実行する: 中断した実行の途中結果は、別のコードによるもの"))  # fmt: skip
    out = _output(step, workspace, folder, meter)
    inputs = {name: workspace.artifact(s.address) for name, s in step.inputs.items()}
    for name, files in step.sources.items():
        inputs[name] = folder / f"{name}.files.json"
        write_json(inputs[name], files.to_row())
    counts = _call(step, inputs, out)
    record = Record(
        name=step.name, identity=step.identity, version=step.version, entry=step.entry,
        entry_hash=entry_hash(step.entry), config=plain(step.config),
        inputs={name: s.address for name, s in step.inputs.items()},
        sources={name: _manifest(files.to_row()) for name, files in step.sources.items()},
        counts=counts, metrics=out.metrics, files=describe_files(out.path),
        stores=tuple(out.stores), folder=workspace.folder_name(), cost_usd=out.cost_usd,
        code=code_version(), packages=package_versions(), started=started,
        seconds=round(time.monotonic() - clock, 3),
    )  # fmt: skip
    record = workspace.publish(record, out.path)
    shutil.rmtree(out.shards, ignore_errors=True)
    for name in step.sources:
        inputs[name].unlink(missing_ok=True)
    return record


def _manifest(row: dict[str, Any]) -> dict[str, Any]:
    """A file set without its places: what may be kept for ever."""
    return {"files": [entry[:3] for entry in row["files"]], "left_out": row["left_out"]}


def _forget_other_code(folder: Path, step: Step) -> bool:
    """Throw away what another version of the step's code left unfinished; says whether there was anything."""
    stamp, left = folder / "code.json", (folder / "work", folder / "shards")
    current = {"entry": step.entry, "hash": entry_hash(step.entry)}
    other = stamp.exists() and read_json(stamp) != current
    found = other and any(part.is_dir() and any(part.iterdir()) for part in left)
    if other:
        for part in left:
            shutil.rmtree(part, ignore_errors=True)
    write_json(stamp, current)
    return found


def _output(step: Step, workspace: Workspace, folder: Path, meter: Meter) -> Output:
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    cache = workspace.local / "cache" / step.name / f"{step.settings_key}.sqlite"
    return Output(
        path=work, shards=folder / "shards", identity=step.identity, settings=workspace.settings,
        place=workspace.place, cache_path=cache, locks=workspace.local / "locks",
        logs=workspace.local / "logs" / step.address, meter=meter,
        records={n: r for n, s in step.inputs.items() if (r := workspace.record(s.address)) is not None},
        artifact=workspace.artifact,
    )  # fmt: skip


def _call(step: Step, inputs: Mapping[str, Path], out: Output) -> Counts:
    entry: Callable[[Any, Mapping[str, Path], Output], Counts] = resolve(step.entry)
    try:
        counts = entry(step.config, inputs, out)
    except GnomonError:
        raise
    except Exception as error:
        raise StepFailed(
            say(f"Step {step.name} failed: {type(error).__name__}: {error}.",
                f"ステップ {step.name} が失敗した: {type(error).__name__}: {error}。"),
            say("What it finished is kept; run the same command again, with --debug for the traceback.",
                "終わった分は残っている。同じコマンドを再実行する（--debug で詳細を表示）。"),
        ) from error  # fmt: skip
    if not counts.add_up:
        raise StepFailed(
            f"Step {step.name} took {counts.taken} records, kept {counts.kept} and dropped"
            f" {sum(counts.dropped.values())}: these do not add up.",
            "This is a fault of the step's code; nothing was published.",
        )
    return counts
