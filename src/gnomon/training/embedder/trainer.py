"""Training: sentence-transformers over pairs in a settled order, with sealed checkpoints.

The loss is *multiple negatives ranking* (Henderson et al. 2017; in both directions): of all texts of a step,
a work's partner has to be the most like it. The lower layers and the word embeddings stay frozen: they
know the language already, cost half of the time, and a few thousand pairs would rather spoil them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import TrainingError
from gnomon.core.wording import say
from gnomon.runs.output import Meter
from gnomon.training.curve import CurveRow
from gnomon.training.loop import checkpoints
from gnomon.training.loop.work import hush

Texts = Sequence[tuple[str, str]]
"""The pairs of one step: a query and the passage it belongs to."""
TOGETHER = 16
"""Texts that run through the model at once."""
CHECKPOINTS = 2
"""Checkpoints kept."""
_made: list[Any] = []


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Everything a training needs beside the model and the texts."""

    learning_rate: float
    """Its highest value; it falls in a line to zero."""
    warmup: float
    """Share of steps in which it rises."""
    weight_decay: float
    """Of AdamW."""
    scale: float
    """What similarities are multiplied by before the softmax."""
    batch: int
    """Pairs a step."""
    frozen: int
    """Lower layers that stay as they are, with the word embeddings; -1 to train all, word embeddings too."""
    precision: str
    """``bfloat16`` or ``float32``."""
    seed: int
    """For dropout."""
    every: int
    """Steps between checkpoints."""


def open_model(folder: Path, window: int) -> Any:
    """A sentence-transformers model (mean over tokens, unit length) of a folder of weights.

    Args:
        folder: ``config.json``, ``model.safetensors`` and the tokeniser.
        window: Tokens read of a text.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    body = Transformer(str(folder), max_seq_length=window, model_kwargs={"local_files_only": True})
    pooling = Pooling(body.get_embedding_dimension(), pooling_mode="mean")
    return SentenceTransformer(modules=[body, pooling, Normalize()], device="cpu")


def train(model: Any, steps: Sequence[Texts], lesson: Lesson, folder: Path, meter: Meter) -> list[CurveRow]:
    """Train in place, from the newest checkpoint if there is one.

    Args:
        model: As ``open_model`` gives it.
        steps: The texts of each step: (query, passage) pairs that belong together.
        lesson: How.
        folder: For checkpoints.
        meter: Receives progress.

    Returns:
        The curve; ``tokens`` are those read, of both texts.

    Raises:
        TrainingError: The loss is no number, or a checkpoint cannot be written.
        CorruptArtifact: The newest checkpoint is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hush()
    _freeze(model, lesson.frozen)
    if not _made:
        _made.append(_make())
    trainer = _made[0](model, steps, lesson, folder, meter)
    resume = checkpoints.newest(folder)
    trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    model.eval()
    tokens, rows = _tokens(model, steps), [row for row in trainer.state.log_history if "loss" in row]
    return [
        CurveRow(
            step=row["step"], tokens=tokens[row["step"] - 1], loss=row["loss"], learning_rate=row["learning_rate"],
            gradient_norm=row["grad_norm"],
        )
        for row in rows
    ]  # fmt: skip


def _tokens(model: Any, steps: Sequence[Texts]) -> list[int]:
    """Tokens read up to and with each step."""
    seen, found = 0, []
    for texts in steps:
        flat = [text for pair in texts for text in pair]
        ids = model.tokenizer(flat, truncation=True, max_length=model.max_seq_length, padding=False)["input_ids"]
        seen += sum(map(len, ids))
        found.append(seen)
    return found


def _freeze(model: Any, layers: int) -> None:
    if layers < 0:
        return
    body = model[0].model
    for part in (body.embeddings, *body.encoder.layer[:layers]):
        part.requires_grad_(False)
    if body.pooler is not None:  # no part of the mean over tokens
        body.pooler.requires_grad_(False)


def _arguments(lesson: Lesson, folder: Path, steps: int) -> Any:
    from sentence_transformers import SentenceTransformerTrainingArguments

    return SentenceTransformerTrainingArguments(
        output_dir=str(folder), max_steps=steps, per_device_train_batch_size=lesson.batch, use_cpu=True,
        learning_rate=lesson.learning_rate, warmup_steps=round(lesson.warmup * steps), lr_scheduler_type="linear",
        weight_decay=lesson.weight_decay, max_grad_norm=1.0, bf16=lesson.precision == "bfloat16", seed=lesson.seed,
        data_seed=lesson.seed, logging_strategy="steps", logging_steps=1, logging_nan_inf_filter=False, report_to=[],
        save_strategy="steps", save_steps=lesson.every, disable_tqdm=True, log_level="error",
        dataloader_pin_memory=False, optim="adamw_torch",
    )  # fmt: skip


class Settled:
    """A batch sampler that gives the rows of each step, one after another.

    Args:
        sizes: Pairs of each step.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes, self.batch_size, self.drop_last = list(sizes), max(sizes), False

    def __iter__(self) -> Iterator[list[int]]:
        start = 0
        for size in self.sizes:
            yield list(range(start, start + size))
            start += size

    def __len__(self) -> int:
        return len(self.sizes)


def _make() -> Any:
    """The trainer's class, made on first use because sentence-transformers is imported late."""
    from sentence_transformers import SentenceTransformerTrainer
    from transformers import PrinterCallback

    class PairTrainer(SentenceTransformerTrainer):  # type: ignore[misc, unused-ignore]
        """Takes the steps as they are given, and seals its checkpoints."""

        def __init__(self, model: Any, steps: Sequence[Texts], lesson: Lesson, folder: Path, meter: Meter) -> None:
            self.sampler, self.folder = Settled([len(texts) for texts in steps]), folder
            super().__init__(
                model=model, args=_arguments(lesson, folder, len(steps)), train_dataset=_dataset(steps),
                loss=_loss(model, lesson.scale), callbacks=[_watcher(meter)],
            )  # fmt: skip
            self.remove_callback(PrinterCallback)

        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            """The record is the card."""

        def get_batch_sampler(self, *_: Any, **__: Any) -> Any:
            return self.sampler

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            loss = logs.get("loss", 0.0)
            if loss != loss or abs(loss) == float("inf"):
                raise _no_number(self.state.global_step)
            super().log(logs, start_time)

        def _get_output_dir(self, trial: Any) -> str:
            return str(self.folder / f"{checkpoints.PARTIAL}{self.state.global_step}")

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            step = self.state.global_step
            with checkpoints.partial(self.folder, step) as place:
                super()._save_checkpoint(model, trial)
                for inner in place.glob(checkpoints.PREFIX + "*"):  # the trainer's own folder inside ours
                    for path in inner.iterdir():
                        path.rename(place / path.name)
                    inner.rmdir()
                checkpoints.seal(place, self.folder, step, CHECKPOINTS)

    return PairTrainer


def _dataset(steps: Sequence[Texts]) -> Any:
    from datasets import Dataset

    flat = [pair for texts in steps for pair in texts]
    return Dataset.from_dict({"query": [query for query, _ in flat], "passage": [passage for _, passage in flat]})


def _loss(model: Any, scale: float) -> Any:
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    class Ranking(MultipleNegativesRankingLoss):  # type: ignore[misc, unused-ignore]
        """Runs texts of like length together: half of them are bare titles, beside texts of a full window."""

        def forward(self, sentence_features: Any, labels: Any) -> Any:
            vectors = [_by_length(self.model, features) for features in sentence_features]
            return self.compute_loss_from_embeddings(vectors, labels)

    return Ranking(model, scale=scale, directions=("query_to_doc", "doc_to_query"), partition_mode="per_direction")


def _by_length(model: Any, features: dict[str, Any]) -> Any:
    """The vectors of a padded batch, in its order; each part is padded to its own longest text only."""
    import torch

    lengths = features["attention_mask"].sum(dim=1)
    order = torch.argsort(lengths, stable=True)
    parts = []
    for rows in order.split(TOGETHER):
        width = int(lengths[rows].max())
        cut = {k: v[rows, :width] if torch.is_tensor(v) and v.ndim == 2 else v for k, v in features.items()}
        parts.append(model(cut)["sentence_embedding"])
    return torch.cat(parts)[torch.argsort(order)]


def _watcher(meter: Meter) -> Any:
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):  # type: ignore[misc, unused-ignore]
        """Tells the meter how it goes."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            meter.total(state.max_steps, "steps")
            meter.advance(state.global_step)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            if logs and "loss" in logs:
                meter.advance(1)
                meter.note(f"loss {logs['loss']:.3f}")

    return Watcher()


def _no_number(step: int) -> TrainingError:
    return TrainingError(
        say(f"Embedder tuning stopped at step {step}: the loss is no number.",
            f"埋め込みモデルの調整をステップ {step} で停止: 損失が数値でない。"),
        say("Lower learning_rate, or set precision = 'float32'.",
            "learning_rate を下げるか precision = 'float32' にする。"),
    )  # fmt: skip
