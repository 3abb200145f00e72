"""The Trainer of transformers over packed rows.

Changed are: rows come in the order of the token artifact; checkpoints are sealed; a bad step stops the
run; models sharded by ``fully_shard`` on the processor are left as they are (accelerate would wrap them
in DDP). Everything else (accumulation, clipping, schedules, mixed precision, FSDP2 on GPUs, trackers) is theirs.
"""

import statistics
from pathlib import Path
from typing import Any

from gnomon.core.errors import TrainingError
from gnomon.core.wording import say
from gnomon.training.loop import checkpoints

RECENT = 50
"""Steps whose median a spike is measured against."""
SETTLED = 20
"""Steps before which nothing is called a spike."""
NAMED = 12
"""Documents of a bad batch that are named."""
_made: list[Any] = []


def trainer_class() -> Any:
    """The class, made on first use because transformers is imported late."""
    if not _made:
        _made.append(_make())
    return _made[0]


def _make() -> Any:
    import torch
    from transformers import Trainer

    class PackedTrainer(Trainer):  # type: ignore[misc, unused-ignore]
        """Trains on a token artifact; made by ``gnomon.training.loop.work``."""

        def __init__(self, *args: Any, folder: Path, keep: int, guard: "Guard", **more: Any) -> None:
            super().__init__(*args, **more)
            self.folder, self.keep, self.guard = folder, keep, guard
            self.model_accepts_loss_kwargs = True  # the loss is a sum over targets, divided by their number
            self.targets = 0

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return torch.utils.data.SequentialSampler(train_dataset or self.train_dataset)

        def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> Any:
            count = super()._get_num_items_in_batch(batch_samples, device)
            self.targets = int(count)
            return count

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            if "loss" in logs:
                logs = {**logs, "targets": self.targets}
                self.guard.look(self.state.global_step, logs["loss"], self.state.log_history)
            super().log(logs, start_time)

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

    return PackedTrainer


def _unfold(place: Path) -> None:
    """Move the files that the Trainer wrote into ``place/checkpoint-N`` up to ``place``."""
    for inner in place.glob(checkpoints.PREFIX + "*"):
        for path in inner.iterdir():
            path.rename(place / path.name)
        inner.rmdir()


class Guard:
    """Stops a run whose loss is not a number or leaps up, and names the documents of the step.

    Args:
        tokens: The packed rows, to name documents.
        batch: Rows of a step.
        spike: Nats above the recent median that are too many; 0 for any number.
    """

    def __init__(self, tokens: Any, batch: int, spike: float) -> None:
        self.tokens, self.batch, self.spike = tokens, batch, spike

    def look(self, step: int, loss: float, history: list[dict[str, float]]) -> None:
        """Look at the loss of step ``step`` (from 1), given the rows of the curve before it.

        Raises:
            TrainingError: It is no number, or a spike.
        """
        recent = [row["loss"] for row in history[-RECENT:] if "loss" in row]
        median = statistics.median(recent) if recent else loss
        if loss == loss and abs(loss) != float("inf"):
            settled = len(recent) >= SETTLED and self.spike > 0
            if not (settled and loss > median + self.spike):
                return
        raise self._stopped(step, loss, median)

    def _stopped(self, step: int, loss: float, median: float) -> TrainingError:
        rows = range((step - 1) * self.batch, min(step * self.batch, len(self.tokens)))
        documents = self.tokens.documents(list(rows))
        names = ", ".join(documents[:NAMED]) + (" …" if len(documents) > NAMED else "")
        return TrainingError(
            say(f"Training stopped at step {step}: the loss is {loss:.3f}, the median before it {median:.3f}."
                f" The step's rows {rows.start} to {rows.stop - 1} hold {len(documents)} documents: {names}.",
                f"ステップ {step} で学習を停止: 損失 {loss:.3f}、直前の中央値 {median:.3f}。"
                f"行 {rows.start} から {rows.stop - 1} の文書は {len(documents)} 件: {names}。"),
            say("Look at these documents; leave out bad ones, or lower learning_rate, lengthen warmup or raise spike."
                " The last checkpoint is kept.",
                "これらの文書を確かめ、不良なら除外する。または learning_rate を下げ、warmup を延ばし、"
                "spike を上げる。最後のチェックポイントは残っている。"),
        )  # fmt: skip
