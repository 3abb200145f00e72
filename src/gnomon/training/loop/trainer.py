"""The Trainer of transformers over packed rows.

Changed are: rows come in the order of the token artifact; checkpoints are sealed; weights are read by
``open_model`` on resuming too; a bad step stops the run; models that ``sharding`` has shared out are saved whole.
Everything else (accumulation, clipping, schedules, mixed precision, trackers) is theirs.
"""

import contextlib
from pathlib import Path
from typing import Any

from gnomon.training.loop import checkpoints, sharding
from gnomon.training.loop.guard import Guard
from gnomon.training.loop.job import Job

OPTIMIZER, SCHEDULER = "optimizer.pt", "scheduler.pt"
"""Names of these files in a checkpoint of transformers."""
_made: list[Any] = []
_Base: Any = object
"""Stands for the Trainer, which is put below when transformers is there."""


def trainer_class() -> Any:
    """The class, made on first use because transformers is imported late."""
    if not _made:
        from transformers import Trainer

        _made.append(type("PackedTrainer", (_Packed, Trainer), {}))
    return _made[0]


class Sealed(_Base):  # type: ignore[misc]
    """A part of a Trainer: checkpoints are sealed, and ``keep`` of them stay in ``folder``."""

    folder: Path
    keep: int

    def _get_output_dir(self, trial: Any) -> str:
        return str(self.folder / f"{checkpoints.PARTIAL}{self.state.global_step}")

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        step = self.state.global_step
        with checkpoints.partial(self.folder, step) as place:
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                _unfold(place)
                checkpoints.seal(place, self.folder, step, self.keep)
        self.accelerator.wait_for_everyone()

    def floating_point_ops(self, inputs: Any) -> int:
        return 0  # nobody reads them, and counting the parameters anew takes time in every micro-batch


class _Packed(Sealed):
    """Trains on a token artifact; made by ``gnomon.training.loop.work``."""

    def __init__(self, *args: Any, job: Job, guard: Guard, shared_out: bool, **more: Any) -> None:
        self.shared_out = shared_out
        super().__init__(*args, **more)
        self.folder, self.keep, self.guard = job.checkpoints, job.place.checkpoints, guard
        self.model_accepts_loss_kwargs = True  # the loss is a sum over targets, divided by their number
        self.targets = 0
        if shared_out:  # the Trainer's word for a model that is in its place, and not to be wrapped
            self.is_distributed_loading_by_transformers = True

    def _move_model_to_device(self, model: Any, device: Any) -> None:
        if not self.shared_out:
            super()._move_model_to_device(model, device)

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        from torch.utils.data import SequentialSampler

        return SequentialSampler(train_dataset or self.train_dataset)

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> Any:
        count = super()._get_num_items_in_batch(batch_samples, device)
        self.targets = int(count)
        return count

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs:
            logs = {**logs, "targets": self.targets}
            self.guard.look(self.state.global_step, logs, self.state.log_history)
        super().log(logs, start_time)

    def _defer_fsdp_gradient_reduction(self) -> Any:
        return contextlib.nullcontext()  # gradients stay shared out between the micro-batches of a step

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        if self.shared_out:
            state_dict = sharding.whole_weights(self.model)
            if not self.args.should_save:
                return
        super()._save(output_dir, state_dict)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self.shared_out:
            super()._save_optimizer_and_scheduler(output_dir)
            return
        import torch

        state = sharding.whole_optimizer(self.optimizer)
        if self.args.should_save:
            torch.save(state, Path(output_dir) / OPTIMIZER)
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / SCHEDULER)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if self.is_fsdp_enabled:  # accelerate's own sharding; otherwise ``open_model`` has read the weights
            super()._load_from_checkpoint(resume_from_checkpoint, model)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if not self.shared_out or checkpoint is None:
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        import torch

        state = torch.load(Path(checkpoint) / OPTIMIZER, map_location="cpu", weights_only=True, mmap=True)
        sharding.take_up_optimizer(self.optimizer, state)
        self.lr_scheduler.load_state_dict(torch.load(Path(checkpoint) / SCHEDULER, weights_only=True))


def _unfold(place: Path) -> None:
    """Move the files that the Trainer wrote into ``place/checkpoint-N`` up to ``place``."""
    for inner in place.glob(checkpoints.PREFIX + "*"):
        for path in inner.iterdir():
            path.rename(place / path.name)
        inner.rmdir()
