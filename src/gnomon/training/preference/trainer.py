"""TRL's trainer for direct preference optimisation, over pairs that are token ids already.

Changed are, as for packed rows: pairs come in an order that the seed fixes; checkpoints are sealed; weights are read by
ourselves on resuming, so that the model one started from is never taken from a checkpoint; a loss that is no number
stops the run. The loss is theirs.
"""

from typing import Any

from gnomon.core.errors import MissingExtra
from gnomon.core.wording import say
from gnomon.training.loop import trainer as loop
from gnomon.training.loop.guard import Guard
from gnomon.training.loop.job import Job

_made: list[Any] = []


def trl() -> Any:
    """The library.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import trl as library
    except ImportError as error:
        raise MissingExtra("trl", "train", say("Training on preferences", "選好による学習")) from error
    return library


def trainer_class() -> Any:
    """The class, made on first use because TRL is imported late."""
    if not _made:
        _made.append(type("PreferenceTrainer", (_Preferring, trl().DPOTrainer), {}))
    return _made[0]


class _Preferring(loop.Sealed):
    """Trains on pairs; made by ``gnomon.training.preference.work``."""

    shared_out = False

    def __init__(self, *args: Any, job: Job, guard: Guard, targets: list[int], **more: Any) -> None:
        super().__init__(*args, **more)
        self.folder, self.keep, self.guard, self.targets = job.checkpoints, job.place.checkpoints, guard, targets

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset  # token ids already

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        from torch.utils.data import SequentialSampler

        return SequentialSampler(train_dataset or self.train_dataset)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs:
            step = self.state.global_step
            logs = {**logs, "targets": self.targets[step - 1]}
            self.guard.look(step, logs, self.state.log_history)
        super().log(logs, start_time)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        pass  # ``work`` has read the weights

    def _send_telemetry(self) -> None:
        pass

    def create_model_card(self, *_: Any, **__: Any) -> None:
        pass  # a card is written when the model is exported
