"""The work of one process: open the model and the rows, train, and write the result.

Rank 0 writes ``result/``: ``model/`` (weights, tokenizer), ``adapter/`` for LoRA, and the curve.
"""

import contextlib
import ctypes
import os
from pathlib import Path
from typing import Any

from gnomon.core.files import write_json
from gnomon.core.tables import write_table
from gnomon.runs.output import Meter, SilentMeter
from gnomon.training.context import extend, follow
from gnomon.training.curve import CurveRow
from gnomon.training.loop import attention, checkpoints
from gnomon.training.loop.arguments import arguments
from gnomon.training.loop.batches import Collator, RowNumbers
from gnomon.training.loop.job import Job
from gnomon.training.loop.sharding import shard
from gnomon.training.loop.trainer import Guard, trainer_class
from gnomon.training.loop.watching import watcher
from gnomon.training.packed import PackedTokens

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Parameters of ``mallopt``."""


def work(job: Job, meter: Meter | None = None) -> None:
    """Train as the job says, from its newest checkpoint if there is one.

    Raises:
        TrainingError: The loss is no number or leaps, or a checkpoint cannot be written.
        CorruptArtifact: The newest checkpoint is damaged.
    """
    import torch

    hush()
    job.checkpoints.mkdir(parents=True, exist_ok=True)
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(job.logs)
    resume = checkpoints.newest(job.checkpoints)
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        torch.set_num_threads(job.threads)
        keep_memory()
    tokens = PackedTokens(job.tokens)
    numbers = RowNumbers(len(tokens), job.config.batch, job.config.steps)
    trainer = _trainer(job, tokens, numbers, (processes, device), meter or SilentMeter())
    trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    _write_result(job, trainer, tokens)


def hush() -> None:
    """No bars and no advice from transformers: the meter tells how it goes."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def keep_memory() -> None:
    """Ask glibc not to give large blocks back to the system between steps.

    Each step asks for the same hundreds of megabytes; having them zeroed anew each time costs a third of the speed on
    a processor. Other C libraries have no such switch, and are left as they are.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(_MMAP_MAX, 0)
        library.mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def _trainer(job: Job, tokens: PackedTokens, numbers: RowNumbers, where: tuple[int, str], meter: Meter) -> Any:
    from transformers import PrinterCallback

    processes, device = where
    settings = arguments(job, tokens.context, numbers.steps, processes, device)  # sets the seed's device state up first
    model = open_model(job, device)
    if processes > 1 and device == "cpu":
        model = shard(model)
    pad = tokens.facts["pad"] if tokens.facts["pad"] is not None else 0
    trainer = trainer_class()(
        model=model, args=settings, train_dataset=numbers, data_collator=Collator(tokens, pad),
        callbacks=[watcher(job, meter, processes)], folder=job.checkpoints, keep=job.place.checkpoints,
        guard=Guard(tokens, job.config.batch, job.config.spike),
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    return trainer


def open_model(job: Job, device: str) -> Any:
    """The model of a job in float32, with attention that stays inside documents, and its adapter if it has one."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, set_seed

    set_seed(job.config.seed)
    config = AutoConfig.from_pretrained(job.start, local_files_only=True)
    if job.config.extend is not None:
        config = extend(config, job.config.extend)
    config._attn_implementation = attention.choose(config, device)
    model = AutoModelForCausalLM.from_pretrained(job.start, config=config, dtype=torch.float32, local_files_only=True)
    model.config.use_cache = False
    if job.config.precision == "float8":
        _to_float8(model)
    if job.place.compile:
        model.model.compile()
    return _adapted(model, job) if job.config.lora is not None else model


def _adapted(model: Any, job: Job) -> Any:
    import peft

    lora = job.config.lora
    if lora is None:
        return model
    targets = list(lora.targets) or "all-linear"
    settings = peft.LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=targets, task_type="CAUSAL_LM"
    )
    return peft.get_peft_model(model, settings)


def _to_float8(model: Any) -> None:
    from torchao.float8 import Float8LinearConfig, convert_to_float8_training

    settings = Float8LinearConfig.from_recipe_name("tensorwise")
    convert_to_float8_training(model, config=settings, module_filter_fn=_is_float8_layer)


def _is_float8_layer(module: Any, name: str) -> bool:
    """Linear layers inside blocks whose sides are multiples of 16, as the hardware wants them."""
    return "lm_head" not in name and module.in_features % 16 == 0 and module.out_features % 16 == 0


def _write_result(job: Job, trainer: Any, tokens: PackedTokens) -> None:
    state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    if not trainer.is_world_process_zero():
        return
    model = trainer.accelerator.unwrap_model(trainer.model_wrapped)
    if job.config.lora is not None:
        model.save_pretrained(job.result / "adapter", state_dict=None)
        model, state = model.merge_and_unload(), None
    save_model(model, state, job)
    rows = _curve(trainer.state.log_history)
    write_table(job.result / "curve.parquet", CurveRow, rows)
    write_json(
        job.result / "training.json",
        {
            "sequences_per_step": job.config.batch, "steps": trainer.state.max_steps, "context": tokens.context,
            "tokens": rows[-1].tokens if rows else 0, "loss": rows[-1].loss if rows else None,
        },
    )  # fmt: skip


def save_model(model: Any, state: Any, job: Job) -> None:
    """Write ``result/model``: weights in the precision asked for, configuration and tokenizer."""
    import torch
    from transformers import AutoTokenizer

    dtype = getattr(torch, job.config.saved_precision)
    whole = state if state is not None else model.state_dict()
    floats = {name: w.to(dtype) if w.is_floating_point() else w for name, w in whole.items()}
    model.config.dtype = dtype
    model.config.use_cache = True
    model.config._attn_implementation = None
    tokenizer = AutoTokenizer.from_pretrained(job.start, local_files_only=True)
    follow(model, tokenizer)
    model.save_pretrained(job.result / "model", state_dict=floats)
    tokenizer.save_pretrained(job.result / "model")


def _curve(history: list[dict[str, float]]) -> list[CurveRow]:
    rows, tokens = [], 0
    for row in history:
        if "loss" in row:
            tokens += int(row["targets"])
            rows.append(
                CurveRow(step=int(row["step"]), tokens=tokens, loss=row["loss"], learning_rate=row["learning_rate"],
                         gradient_norm=row.get("grad_norm", 0.0))
            )  # fmt: skip
    return rows


def main(path: str) -> None:
    """One rank of a launcher: ``python -m gnomon.training.loop JOB.json``."""
    from gnomon.training.loop.job import read_job

    work(read_job(Path(path)))
