"""Sharding a model with FSDP2: each process holds a part of every weight and of its optimizer state.

``fully_shard`` of PyTorch is called here, because ``accelerate`` reads ``cpu=True`` as DDP whatever FSDP
settings it is given; the Trainer is told that the model manages its own placement. What is written is always
whole and looks as one process would have written it, so a run may go on with another number of processes.
"""

import os
from collections.abc import Mapping
from typing import Any

from gnomon.core.errors import TrainingError
from gnomon.core.wording import say

_OTHERS = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED", "ACCELERATE_USE_MEGATRON_LM")
"""What ``accelerate launch`` sets when its own configuration says how to share a model out."""


def shards_itself(processes: int, device: str) -> bool:
    """Whether this module shares the model out, and not accelerate by its configuration file.

    Args:
        processes: Number of processes.
        device: ``"cpu"`` or ``"cuda"``; on processors accelerate's configuration is set aside, for it would do nothing.
    """
    if device == "cpu":
        for name in _OTHERS:
            os.environ.pop(name, None)
    return processes > 1 and not any(os.environ.get(name, "").lower() == "true" for name in _OTHERS)


def shard(model: Any, device: str = "cpu", *, mixed: bool = False) -> Any:
    """Share each block and the rest of a model out over all processes, in place.

    Args:
        model: The whole model, the same in every process.
        device: ``"cpu"`` (gloo) or ``"cuda"`` (NCCL).
        mixed: Gather weights in bfloat16; gradients are summed in float32.

    Raises:
        TrainingError: A parameter is not distributed afterwards.
    """
    import torch
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
    from torch.distributed.tensor import DTensor

    mesh = init_device_mesh(device, (dist.get_world_size(),))
    halves = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    policy = halves if mixed else MixedPrecisionPolicy()
    for block in _blocks(model):
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)
    whole = [name for name, p in model.named_parameters() if not isinstance(p, DTensor)]
    if whole:
        raise TrainingError(
            say(f"{len(whole)} parameters were not sharded, {whole[0]} among them.",
                f"{len(whole)} 個のパラメータが分割されていない(例: {whole[0]})。"),
            say("Train in one process, or report this model.", "1 プロセスで学習するか、このモデルを報告する。"),
        )  # fmt: skip
    return model


def _blocks(model: Any) -> Any:
    names = set(getattr(model, "_no_split_modules", None) or ())
    return [module for module in model.modules() if type(module).__name__ in names]


def _gathered(value: Any, *, keep: bool) -> Any:
    """A whole tensor on the processor; every process has to ask, those that do not keep it get None."""
    from torch.distributed.tensor import DTensor

    whole = value.full_tensor() if isinstance(value, DTensor) else value
    return whole.detach().cpu() if keep else None


def whole_weights(model: Any) -> dict[str, Any]:
    """The weights, gathered: all of them, or an adapter's. To be called by all processes; empty but in the first.

    Args:
        model: A model that ``shard`` has shared out.
    """
    import torch.distributed as dist

    keep, frozen = dist.get_rank() == 0, {name for name, p in model.named_parameters() if not p.requires_grad}
    named = {name: value for name, value in model.state_dict(keep_vars=True).items() if name not in frozen}
    gathered: dict[int, Any] = {}  # tied weights are one tensor, and stay one
    for value in named.values():
        if id(value) not in gathered:
            gathered[id(value)] = _gathered(value.detach(), keep=keep)
    return {name: gathered[id(value)] for name, value in named.items()} if keep else {}


def whole_optimizer(optimizer: Any) -> dict[str, Any]:
    """An optimizer's state as one process would have it, gathered; to be called by all processes.

    Returns:
        What ``state_dict`` gives for a model that is not shared out; without tensors but in the first process.
    """
    import torch
    import torch.distributed as dist

    keep, state = dist.get_rank() == 0, optimizer.state_dict()
    states = {
        number: {name: _gathered(v, keep=keep) if torch.is_tensor(v) else v for name, v in values.items()}
        for number, values in state["state"].items()
    }
    return {**state, "state": states}


def take_up_optimizer(optimizer: Any, state: Mapping[str, Any]) -> None:
    """Load a whole state into the optimizer of a model that is shared out: each process takes its part.

    Args:
        optimizer: The optimizer.
        state: A state that ``whole_optimizer`` or one process alone has written.
    """
    import torch
    from torch.distributed.tensor import DTensor, distribute_tensor

    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    numbers = [n for group in state["param_groups"] for n in group["params"]]
    of = dict(zip(numbers, parameters, strict=True))

    def part(number: int, value: Any) -> Any:
        like = of[number]
        if not (torch.is_tensor(value) and isinstance(like, DTensor) and value.shape == like.shape):
            return value
        return distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)

    parts = {n: {name: part(n, v) for name, v in values.items()} for n, values in state["state"].items()}
    optimizer.load_state_dict({**state, "state": parts})
