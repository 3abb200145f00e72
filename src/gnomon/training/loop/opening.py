"""Opening the model of a job: its weights, its attention, its adapter.

The same on resuming, with the weights of the checkpoint: ``from_pretrained`` knows how models lie on disk
(mixtures of experts otherwise than in memory), which loading a state dict does not.
"""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gnomon.training.context import extend
from gnomon.training.loop import attention
from gnomon.training.loop.job import Job
from gnomon.training.recipe import LoRA


def open_model(job: Job, device: str, resume: Path | None = None) -> Any:
    """The model of a job in float32, with attention that stays inside documents, and its adapter if it has one.

    Args:
        job: The job.
        device: ``"cpu"`` or ``"cuda"``: what its attention is computed by. The weights are on the processor.
        resume: A checkpoint to take the weights from, or the adapter's.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, set_seed

    set_seed(job.config.seed)
    config = AutoConfig.from_pretrained(job.start, local_files_only=True)
    if job.config.extend is not None:
        config = extend(config, job.config.extend)
    config._attn_implementation = attention.choose(config, device)
    place = resume if resume is not None and (resume / "config.json").is_file() else job.start
    model = AutoModelForCausalLM.from_pretrained(place, config=config, dtype=torch.float32, local_files_only=True)
    model.config.use_cache = False
    if job.config.precision == "float8":
        _to_float8(model)
    if job.place.compile:
        model.model.compile()
    return model if job.config.lora is None else _adapted(model, job.config.lora, resume)


def adapter_settings(lora: LoRA) -> Any:
    """An adapter in PEFT's words."""
    import peft

    targets = list(lora.targets) or "all-linear"
    alpha: Any = lora.alpha  # declared a whole number there, used as any
    return peft.LoraConfig(
        r=lora.rank, lora_alpha=alpha, lora_dropout=lora.dropout, target_modules=targets, task_type="CAUSAL_LM"
    )


@contextlib.contextmanager
def without_future_warnings() -> Iterator[None]:
    """Silence for PEFT and TRL, which call transformers by names that it will drop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def take_up_adapter(model: Any, resume: Path | None) -> None:
    """Give an adapter the weights of a checkpoint, if it is one of an adapter."""
    import peft

    if resume is not None and (resume / "adapter_config.json").is_file():
        peft.set_peft_model_state_dict(model, peft.load_peft_weights(str(resume), device="cpu"))


def _adapted(model: Any, lora: LoRA, resume: Path | None) -> Any:
    import peft

    with without_future_warnings():
        adapted = peft.get_peft_model(model, adapter_settings(lora))
    take_up_adapter(adapted, resume)
    return adapted


def share_router_loss(model: Any, parts: int) -> None:
    """Make a mixture's router loss of all micro-batches of a step add up to what one batch would give.

    transformers adds it to each micro-batch's loss whole, while the loss of the tokens is divided by the number of
    targets of the whole step.

    Args:
        model: The model; one without experts is left as it is.
        parts: Micro-batches a step, over all processes.
    """
    bare = model.get_base_model() if hasattr(model, "get_base_model") else model
    if hasattr(bare, "router_aux_loss_coef"):
        bare.router_aux_loss_coef = bare.config.router_aux_loss_coef / parts


def _to_float8(model: Any) -> None:
    from torchao.float8 import (  # type: ignore[import-not-found, unused-ignore]
        Float8LinearConfig,
        convert_to_float8_training,
    )

    settings = Float8LinearConfig.from_recipe_name("tensorwise")
    convert_to_float8_training(model, config=settings, module_filter_fn=_is_float8_layer)


def _is_float8_layer(module: Any, name: str) -> bool:
    """Linear layers inside blocks whose sides are multiples of 16, as the hardware wants them."""
    return "lm_head" not in name and module.in_features % 16 == 0 and module.out_features % 16 == 0
