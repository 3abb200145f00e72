"""The work of preference training: open the models, train, measure, write the result.

One process on one device. The model one starts from (the *reference*) is held beside the one that is trained; with an
adapter it is the same weights with the adapter switched off.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.files import write_json
from gnomon.core.memory import kept_memory
from gnomon.core.tables import write_table
from gnomon.runs.output import Meter
from gnomon.training.loop import checkpoints
from gnomon.training.loop.arguments import settings
from gnomon.training.loop.guard import Guard
from gnomon.training.loop.job import Job
from gnomon.training.loop.opening import adapter_settings, take_up_adapter, without_future_warnings
from gnomon.training.loop.result import write_weights
from gnomon.training.loop.watching import watcher
from gnomon.training.loop.work import hush
from gnomon.training.preference.config import PreferenceConfig
from gnomon.training.preference.pairs import Pair, Shown, columns, order
from gnomon.training.preference.rewards import Reward, logits_of, rewards, summary
from gnomon.training.preference.trainer import trainer_class, trl

CURVE, MEASURED, FACTS = "preference_curve.parquet", "held_out.parquet", "training.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class PreferenceRow:
    """One optimizer step; means over its pairs, before the update."""

    step: int
    """From 1."""
    tokens: int
    """Tokens of answers seen up to and with this step."""
    loss: float
    """The loss of direct preference optimisation; ln 2 where nothing is preferred yet."""
    margin: float
    """Reward of the wanted answer less that of the other."""
    accuracy: float
    """Share of the pairs whose wanted answer is rewarded more."""
    chosen: float
    """Log-probability of the wanted answer, in nats."""
    rejected: float
    """Log-probability of the other."""
    learning_rate: float
    """Learning rate of the update."""
    gradient_norm: float
    """Norm of the gradient before clipping."""


def work(config: PreferenceConfig, job: Job, learnt: list[Pair], held: list[Pair], meter: Meter) -> None:
    """Train as the job says, from its newest checkpoint if there is one, and write ``job.result``.

    Args:
        config: What is trained.
        job: Where, and from what.
        learnt: Pairs to learn from.
        held: Pairs that are measured at the end.
        meter: Is told how it goes.

    Raises:
        TrainingError: The loss is no number, or a checkpoint cannot be written.
        CorruptArtifact: The newest checkpoint is damaged.
        MissingExtra: TRL is not installed.
    """
    import torch

    hush()
    job.checkpoints.mkdir(parents=True, exist_ok=True)
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(job.logs)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        torch.set_num_threads(job.threads)
    with kept_memory() if device == "cpu" else contextlib.nullcontext(), without_future_warnings():
        numbers = order(len(learnt), config.batch, config.epochs, config.seed)
        shown = [learnt[number] for number in numbers]
        resume = checkpoints.newest(job.checkpoints)
        trainer = _trainer(config, job, shown, (device, resume), meter)
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
        _write(config, job, trainer, shown, held)


def _trainer(
    config: PreferenceConfig, job: Job, shown: list[Pair], where: tuple[str, Path | None], meter: Meter
) -> Any:
    """TRL's trainer, ready."""
    from datasets import Dataset
    from transformers import PrinterCallback

    device, resume = where
    steps = len(shown) // config.batch
    targets = [sum(pair.answers for pair in shown[at : at + config.batch]) for at in range(0, len(shown), config.batch)]
    tokenizer = _tokenizer(job.start)
    trainer = trainer_class()(
        model=_open(job.start if config.lora or resume is None else resume),
        ref_model=None if config.lora else _open(job.start),
        args=_arguments(config, job, steps, device), train_dataset=Dataset.from_dict(columns(shown)),
        processing_class=tokenizer, callbacks=[watcher(job, meter, 1)], job=job, targets=targets,
        peft_config=adapter_settings(config.lora) if config.lora else None,
        guard=Guard(Shown(shown), config.batch, 0.0),
    )  # fmt: skip
    if config.lora:
        take_up_adapter(trainer.model, resume)
    trainer.remove_callback(PrinterCallback)
    return trainer


def _tokenizer(folder: Path) -> Any:
    """The tokenizer, with a token to pad with: nothing looks at padding, so any will do."""
    from gnomon.training.encoding import open_tokenizer

    tokenizer = open_tokenizer(folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return tokenizer


def _open(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, attn_implementation="sdpa"
    )
    model.config.use_cache = False
    return model


def _arguments(config: PreferenceConfig, job: Job, steps: int, device: str) -> Any:
    """A pair is two sequences, so a micro-batch holds half as many of them as of rows."""
    common = settings(job, 2 * config.max_length, steps, 1, device)
    common |= {"use_liger_kernel": False, "gradient_checkpointing": job.place.gradient_checkpointing}
    arguments = trl().DPOConfig(**common, beta=config.beta, max_length=config.max_length)
    arguments._n_gpu = min(arguments.n_gpu, 1)  # one device: with more the Trainer would copy the model to each
    return arguments


# The result ----------------------------------------------------------------------------------


def _write(config: PreferenceConfig, job: Job, trainer: Any, shown: list[Pair], held: list[Pair]) -> None:
    measured = _measured(config, job, trainer, held) if held else []
    _restore_pad(trainer, job.start)
    with checkpoints.written(job.result, trainer.state.max_steps):
        write_weights(job, trainer)
        rows = curve(trainer.state.log_history)
        write_table(job.result / CURVE, PreferenceRow, rows)
        write_table(job.result / MEASURED, Reward, measured)
        write_json(job.result / FACTS, _facts(config, rows, shown, measured))


def _measured(config: PreferenceConfig, job: Job, trainer: Any, held: list[Pair]) -> list[Reward]:
    """Rewards of the pairs that were held out."""
    policy = trainer.accelerator.unwrap_model(trainer.model).eval()
    if config.lora is None:
        return rewards(logits_of(policy), logits_of(trainer.ref_model.eval()), held, config.beta)
    plain = logits_of(policy)

    def reference(ids: list[int]) -> Any:
        with policy.disable_adapter():
            return plain(ids)

    return rewards(plain, reference, held, config.beta)


def _restore_pad(trainer: Any, start: Path) -> None:
    """Say of padding what the model said before: TRL writes its own choice into the configuration."""
    from transformers import AutoConfig

    model = trainer.accelerator.unwrap_model(trainer.model)
    pad = AutoConfig.from_pretrained(start, local_files_only=True).get_text_config().pad_token_id
    model.config.get_text_config().pad_token_id = model.generation_config.pad_token_id = pad


def curve(history: list[dict[str, float]]) -> list[PreferenceRow]:
    """One row an optimizer step, from the trainer's log."""
    rows, tokens = [], 0
    for row in history:
        if "loss" in row:
            tokens += int(row["targets"])
            rows.append(PreferenceRow(
                step=int(row["step"]), tokens=tokens, loss=row["loss"], margin=row["rewards/margins"],
                accuracy=row["rewards/accuracies"], chosen=row["logps/chosen"], rejected=row["logps/rejected"],
                learning_rate=row["learning_rate"], gradient_norm=row.get("grad_norm", 0.0),
            ))  # fmt: skip
    return rows


def _facts(
    config: PreferenceConfig, rows: list[PreferenceRow], shown: list[Pair], measured: list[Reward]
) -> dict[str, object]:
    """What ``training.json`` says. The figures of training are means over the last tenth of the steps."""
    last = rows[-max(1, len(rows) // 10) :]
    means = {name: sum(getattr(row, name) for row in last) / len(last) for name in ("loss", "margin", "accuracy")}
    return {
        "objective": "dpo", "beta": config.beta, "sequences_per_step": config.batch, "steps": len(rows),
        "context": config.max_length, "pairs": len({pair.id for pair in shown}), "tokens": rows[-1].tokens,
        **means, "first_margin": rows[0].margin, "held_out": summary(measured) if measured else None,
    }  # fmt: skip
