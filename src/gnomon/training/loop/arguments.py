"""From our settings to transformers' ``TrainingArguments``."""

import importlib.util
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.training.loop.job import Job
from gnomon.training.recipe import TrainConfig

TOKENS_AT_A_TIME = 8_192
"""Tokens of a micro-batch when the machine's settings name none."""
_TRACKERS = {"mlflow": "mlflow", "wandb": "wandb", "trackio": "trackio"}


def micro_batch(batch: int, context: int, processes: int, wanted: int = 0) -> int:
    """Rows a device takes at a time: the greatest divisor of its share that is not above ``wanted``.

    Args:
        batch: Rows of one optimizer step, over all devices.
        context: Tokens a row.
        processes: Number of processes.
        wanted: Rows asked for; 0 for as many as 8,192 tokens hold.

    Raises:
        ConfigError: The batch cannot be shared equally.
    """
    if batch % processes:
        raise ConfigError(
            say(f"A batch of {batch} rows cannot be shared by {processes} processes.",
                f"{batch} 行のバッチを {processes} プロセスで等分できない。"),
            say("Start a number of processes that divides it.", "バッチを割り切るプロセス数にする。"),
        )  # fmt: skip
    share, most = batch // processes, wanted or max(1, TOKENS_AT_A_TIME // context)
    return max(n for n in range(1, min(share, most) + 1) if share % n == 0)


def arguments(job: Job, context: int, steps: int, processes: int, device: str) -> Any:
    """``TrainingArguments`` for a job; see ``settings``."""
    from transformers import TrainingArguments

    return TrainingArguments(**settings(job, context, steps, processes, device))


def settings(job: Job, context: int, steps: int, processes: int, device: str) -> dict[str, Any]:
    """A job in the words of ``TrainingArguments`` and of the classes made from it.

    Args:
        job: The job.
        context: Tokens a row.
        steps: Optimizer steps of the whole run.
        processes: Number of processes.
        device: ``"cpu"`` or ``"cuda"``.
    """
    config, place = job.config, job.place
    micro = micro_batch(config.batch, context, processes, place.micro_batch)
    return {
        "output_dir": str(job.checkpoints), "max_steps": steps,
        "per_device_train_batch_size": micro, "gradient_accumulation_steps": config.batch // processes // micro,
        "learning_rate": config.learning_rate, **schedule(config, steps),
        "adam_beta1": config.betas[0], "adam_beta2": config.betas[1], "adam_epsilon": config.epsilon,
        "weight_decay": config.weight_decay, "max_grad_norm": config.clip, "optim": "adamw_torch_fused",
        "bf16": config.precision != "float32", "use_cpu": device == "cpu", "seed": config.seed,
        "data_seed": config.seed, "activation_checkpointing": place.gradient_checkpointing, "torch_compile": False,
        "use_liger_kernel": device == "cuda" and importlib.util.find_spec("liger_kernel") is not None,
        "logging_strategy": "steps", "logging_steps": 1, "logging_nan_inf_filter": False,
        "report_to": trackers(place.trackers), "save_strategy": "no",  # ``watching`` says when
        "dataloader_pin_memory": device == "cuda", "dataloader_drop_last": False, "remove_unused_columns": False,
        "disable_tqdm": True, "average_tokens_across_devices": True, "log_level": "error",
    }  # fmt: skip


def schedule(config: TrainConfig, steps: int) -> dict[str, Any]:
    """The learning rate's course, in transformers' words."""
    warmup = round(config.warmup * steps)
    if config.schedule == "constant":
        return {"lr_scheduler_type": "constant_with_warmup", "warmup_steps": warmup}
    if config.schedule == "cosine":
        kind, more = "cosine_with_min_lr", {"min_lr_rate": config.final}
    else:
        falling = min(round(config.decay * steps), steps - warmup)
        kind = "warmup_stable_decay"
        more = {"num_decay_steps": falling, "min_lr_ratio": config.final}
    return {"lr_scheduler_type": kind, "lr_scheduler_kwargs": more, "warmup_steps": warmup}


def trackers(wanted: tuple[str, ...]) -> list[str]:
    """Who is told of each step: TensorBoard always, others when they are asked for and installed.

    Raises:
        ConfigError: One is unknown or not installed.
    """
    for name in wanted:
        if name not in _TRACKERS or importlib.util.find_spec(_TRACKERS[name]) is None:
            raise ConfigError(
                say(f"The tracker {name!r} is unknown or not installed.",
                    f"トラッカー {name!r} は未知か、インストールされていない。"),
                say(f"Known: {', '.join(_TRACKERS)}; install it, or mend training.trackers in gnomon.toml.",
                    f"使えるもの: {', '.join(_TRACKERS)}。導入するか gnomon.toml の training.trackers を直す。"),
            )  # fmt: skip
    return ["tensorboard", *wanted]
