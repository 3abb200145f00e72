"""The work of one process: open the model and the rows, train, and write the result."""

import os
from pathlib import Path
from typing import Any

from gnomon.core.memory import kept_memory
from gnomon.runs.output import Meter, SilentMeter
from gnomon.training.loop import checkpoints, sharding
from gnomon.training.loop.arguments import arguments
from gnomon.training.loop.batches import Collator, RowNumbers
from gnomon.training.loop.guard import Guard
from gnomon.training.loop.job import Job
from gnomon.training.loop.opening import open_model, share_router_loss
from gnomon.training.loop.result import write_result
from gnomon.training.loop.trainer import trainer_class
from gnomon.training.loop.watching import watcher
from gnomon.training.packed import PackedTokens


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
    if torch.cuda.is_available():
        _work(job, "cuda", meter or SilentMeter())
        return
    torch.set_num_threads(job.threads)
    with kept_memory():
        _work(job, "cpu", meter or SilentMeter())


def _work(job: Job, device: str, meter: Meter) -> None:
    tokens = PackedTokens(job.tokens)
    trainer, resume = _trainer(job, tokens, (int(os.environ.get("WORLD_SIZE", "1")), device), meter)
    trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    write_result(job, trainer, tokens.context)


def hush() -> None:
    """No bars and no advice from transformers: the meter tells how it goes."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def _trainer(job: Job, tokens: PackedTokens, where: tuple[int, str], meter: Meter) -> tuple[Any, Path | None]:
    """The Trainer, ready, and the checkpoint to go on from."""
    from transformers import PrinterCallback

    processes, device = where
    ours = sharding.shards_itself(processes, device)
    numbers = RowNumbers(len(tokens), job.config.batch, job.config.steps)
    settings = arguments(job, tokens.context, numbers.steps, processes, device)
    here = settings.device  # asking for it makes the processes find each other
    resume = newest(job, processes)
    model = open_model(job, device, resume)
    share_router_loss(model, settings.gradient_accumulation_steps * processes)
    if ours:
        model = sharding.shard(model, here.type, mixed=here.type == "cuda" and job.config.precision != "float32")
    pad = tokens.facts["pad"] if tokens.facts["pad"] is not None else 0
    trainer = trainer_class()(
        model=model, args=settings, train_dataset=numbers, callbacks=[watcher(job, meter, processes)],
        data_collator=Collator(tokens, pad, padded=job.place.compile), job=job, shared_out=ours,
        guard=Guard(tokens, job.config.batch, job.config.spike),
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    return trainer, resume


def newest(job: Job, processes: int) -> Path | None:
    """The checkpoint to go on from: found and checked by the first process, taken over by the others.

    Raises:
        CorruptArtifact: It is damaged.
    """
    if processes == 1:
        return checkpoints.newest(job.checkpoints)
    import torch.distributed as dist

    found = [checkpoints.newest(job.checkpoints)] if dist.get_rank() == 0 else [None]
    dist.broadcast_object_list(found, src=0)
    return found[0]
