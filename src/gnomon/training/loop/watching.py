"""Watching a run: progress for people, and checkpoints by the clock."""

import json
import time
from typing import Any

from gnomon.runs.output import Meter
from gnomon.training.loop.job import Job

_made: list[Any] = []


def watcher(job: Job, meter: Meter, processes: int) -> Any:
    """A callback of the Trainer that reports each step and asks for a checkpoint when it is time."""
    if not _made:
        _made.append(_make())
    return _made[0](job, meter, processes)


def _make() -> Any:
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):  # type: ignore[misc, unused-ignore]
        """Tells the meter and the progress file how it goes."""

        def __init__(self, job: Job, meter: Meter, processes: int) -> None:
            self.job, self.meter, self.processes = job, meter, processes
            self.saved = self.began = time.monotonic()
            self.targets = 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.saved = self.began = time.monotonic()
            self.meter.total(state.max_steps, "steps")
            if state.global_step:
                self.meter.advance(state.global_step)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            if not logs or "loss" not in logs or not state.is_world_process_zero:
                return
            self.targets += int(logs["targets"])
            rate = self.targets / max(time.monotonic() - self.began, 1e-9)
            self.meter.advance(1)
            self.meter.note(f"loss {logs['loss']:.3f} · {rate:,.0f} tokens/s")
            with self.job.progress.open("a", encoding="utf-8") as file:
                row = {"step": state.global_step, "of": state.max_steps, "loss": logs["loss"], "rate": round(rate)}
                file.write(json.dumps(row) + "\n")

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
            late = time.monotonic() - self.saved > self.job.place.checkpoint_minutes * 60
            # Processes have different clocks, and must agree: many of them save by steps alone.
            if late and self.processes == 1 and state.global_step < state.max_steps:
                control.should_save = True
            return control

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.saved = time.monotonic()

    return Watcher
