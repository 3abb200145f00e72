"""Sharding a model with FSDP2 where accelerate does not: processes on processors.

``accelerate`` reads ``cpu=True`` as DDP, whatever FSDP settings it is given; so ``fully_shard`` of
PyTorch is called here, and the Trainer is told that the model manages its own placement.
"""

from typing import Any

from gnomon.core.errors import TrainingError
from gnomon.core.wording import say


def shard(model: Any) -> Any:
    """Shard each block and the whole of a model over all processes (gloo), in place.

    Raises:
        TrainingError: A parameter is not distributed afterwards.
    """
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor import DTensor

    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    for block in _blocks(model):
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    model.is_distributed_loading_by_transformers = True
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
