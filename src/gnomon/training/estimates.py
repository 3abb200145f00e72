"""Estimates of training, in the form that ``plan`` asks for.

Before anything is made, tokens are guessed from documents, a shape is known only where the recipe states one, and the
device is the machine's. What a training refuses for lack of memory is decided later, with the real model and the real
rows (``room.py``).
"""

import os
import shutil

from gnomon.capacity.hardware import CPU_CORE, H100
from gnomon.capacity.memory import Training
from gnomon.capacity.training import Run, cost
from gnomon.core.estimates import Estimate
from gnomon.training.loop.arguments import micro_batch
from gnomon.training.recipe import TrainConfig

TOKENS_PER_DOCUMENT = 380
"""Of an abstract of 1,338 characters; whole papers have fifty times as many."""
VOCABULARY = 32_768
"""Where the tokenizer is not made yet."""
_ARITHMETIC = {"float32": "float32", "bfloat16": "bf16", "float8": "fp8"}


def train(config: TrainConfig, documents: int, size: int) -> Estimate | None:
    """What ``training/pretrain`` takes on this machine; None for a base whose shape is not known yet."""
    shape = config.shape
    if shape is None:
        return None
    tokens = config.steps * config.batch * shape.context or documents * TOKENS_PER_DOCUMENT
    gpu = shutil.which("nvidia-smi") is not None
    training = Training(
        decoder=shape.decoder(VOCABULARY),
        context=shape.context,
        micro_batch=micro_batch(config.batch, shape.context, 1, 0),
        precision="float32" if config.precision == "float32" else "autocast",
        scores=0.0 if gpu else shape.context / 2 + 128,
        lora_rank=config.lora.rank if config.lora else 0,
    )
    return cost(
        Run(
            training=training,
            tokens=tokens,
            hardware=H100 if gpu else CPU_CORE,
            devices=1 if gpu else os.cpu_count() or 1,
            arithmetic=_ARITHMETIC[config.precision],
        )
    )
