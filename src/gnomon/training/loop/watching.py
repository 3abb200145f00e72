"""Watching a run: progress for people, and when a checkpoint is due."""

import json
import time
from typing import Any

from gnomon.core.files import write_atomic
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
            if state.is_world_process_zero:
                take_back(self.job, state.global_step)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            if not logs or "loss" not in logs or not state.is_world_process_zero:
                return
            self.targets += int(logs["targets"])
            rate = self.targets / max(time.monotonic() - self.began, 1e-9)
            row = {"step": state.global_step, "of": state.max_steps, "loss": logs["loss"], "rate": round(rate)}
            self.meter.advance(1)
            self.meter.note(note(row))
            with self.job.progress.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
            place = self.job.place
            by_count = place.checkpoint_steps > 0 and state.global_step % place.checkpoint_steps == 0
            late = time.monotonic() - self.saved > place.checkpoint_minutes * 60
            if state.global_step < state.max_steps and (by_count or agreed(late, self.processes, args.device)):
                control.should_save = True
            return control

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.saved = time.monotonic()

    return Watcher


def note(row: dict[str, Any]) -> str:
    """A step in a few words, for the meter."""
    return f"loss {row['loss']:.3f} · {row['rate']:,.0f} tokens/s"


def take_back(job: Job, step: int) -> None:
    """Leave in the progress file what a checkpoint of ``step`` knows: the steps after it are done again."""
    if not job.progress.is_file():
        return
    kept = []
    for line in job.progress.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:  # the end of a process that was killed
            continue
        if row["step"] <= step:
            kept.append(line + "\n")
    write_atomic(job.progress, "".join(kept))


def agreed(late: Any, processes: int, device: Any) -> bool:
    """What the first process thinks: clocks differ, and all have to save at once or none.

    Args:
        late: What this process thinks.
        processes: Number of processes.
        device: Where its messages are sent from.
    """
    if processes == 1:
        return bool(late)
    import torch
    import torch.distributed as dist

    word = torch.tensor([int(late)], device=device)
    dist.broadcast(word, src=0)
    return bool(word.item())
