"""The result of a run: ``result/`` with ``model/`` (weights, tokenizer), ``adapter/`` for LoRA, and the curve.

Written by the first process; weights that are shared out over many are gathered first.
"""

from typing import Any

from gnomon.core.files import read_json, write_json
from gnomon.core.tables import write_table
from gnomon.training.chat import write_chat
from gnomon.training.context import follow
from gnomon.training.curve import CurveRow
from gnomon.training.encoding import copy_tokenizer
from gnomon.training.loop import checkpoints, sharding
from gnomon.training.loop.job import Job
from gnomon.training.loop.opening import open_model


def write_result(job: Job, trainer: Any, context: int) -> None:
    """Write the result; to be called by all processes.

    Args:
        job: The job.
        trainer: The Trainer, done.
        context: Tokens a row.

    Raises:
        TrainingError: It cannot be written; the checkpoints are untouched.
    """
    with checkpoints.written(job.result, trainer.state.max_steps):
        if write_weights(job, trainer):
            _write_curve(job, trainer.state, context)


def write_weights(job: Job, trainer: Any) -> bool:
    """Write ``model/``, and ``adapter/`` where one was trained; whether this is the process that writes."""
    if trainer.shared_out:
        state = sharding.whole_weights(trainer.model)
    else:
        state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    if not trainer.is_world_process_zero():
        return False
    model = trainer.accelerator.unwrap_model(trainer.model_wrapped)
    if job.config.lora is not None:
        if trainer.shared_out or trainer.is_fsdp_enabled:
            model = open_model(job, "cpu")
            model.load_state_dict(state, strict=False)
        model.save_pretrained(job.result / "adapter")
        model = model.merge_and_unload()
        state = model.state_dict()
    save_model(model, state, job)
    return True


def save_model(model: Any, state: dict[str, Any], job: Job) -> None:
    """Write ``result/model``: weights in the precision asked for, configuration and tokenizer."""
    import torch

    dtype = getattr(torch, job.config.saved_precision)
    cast: dict[int, Any] = {}  # tied weights stay one tensor, which is written once
    for weight in state.values():
        if weight.data_ptr() not in cast:
            cast[weight.data_ptr()] = weight.to(dtype) if weight.is_floating_point() else weight
    floats = {name: cast[weight.data_ptr()] for name, weight in state.items()}
    model.config.use_cache = True
    model.config._attn_implementation = None
    follow(model)
    model.save_pretrained(job.result / "model", state_dict=floats)
    model.config.dtype = dtype  # save_pretrained names that of the weights in memory
    model.config.save_pretrained(job.result / "model")
    _copy_tokenizer(job, model.config.max_position_embeddings)


def _copy_tokenizer(job: Job, context: int) -> None:
    """The tokenizer as it was, but for the length that texts are cut to."""
    copy_tokenizer(job.start, job.result / "model")
    file = job.result / "model" / "tokenizer_config.json"
    write_json(file, read_json(file) | {"model_max_length": context})
    if job.config.chat:
        write_chat(job.result / "model")


def _write_curve(job: Job, state: Any, context: int) -> None:
    rows = curve(state.log_history)
    write_table(job.result / "curve.parquet", CurveRow, rows)
    write_json(
        job.result / "training.json",
        {
            "sequences_per_step": job.config.batch, "steps": state.max_steps, "context": context,
            "tokens": rows[-1].tokens if rows else 0, "loss": rows[-1].loss if rows else None,
        },
    )  # fmt: skip


def curve(history: list[dict[str, float]]) -> list[CurveRow]:
    """One row an optimizer step, from the Trainer's log."""
    rows, tokens = [], 0
    for row in history:
        if "loss" in row:
            tokens += int(row["targets"])
            rows.append(
                CurveRow(step=int(row["step"]), tokens=tokens, loss=row["loss"], learning_rate=row["learning_rate"],
                         gradient_norm=row.get("grad_norm", 0.0))
            )  # fmt: skip
    return rows
