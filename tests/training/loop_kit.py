"""Small jobs for the tests of the training loop: rows, models to start from, and processes that train."""

import hashlib
import os
import random
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import packs

from gnomon.core.settings import TrainingPlace
from gnomon.core.tables import read_table
from gnomon.training.curve import CurveRow
from gnomon.training.loop.job import Job
from gnomon.training.recipe import TrainConfig
from gnomon.training.shapes import Shape, TokenIds, build

WORDS = "star galaxy dust gas orbit mass light spin cold bright".split()
CONTEXT = 64
DENSE = Shape(layers=2, hidden=16, intermediate=32, heads=2, kv_heads=1, context=CONTEXT, tie_embeddings=True)
SHAPES = {
    "llama": DENSE,
    "qwen3": replace(DENSE, architecture="qwen3"),
    "qwen3_moe": replace(DENSE, architecture="qwen3_moe", experts=4, experts_per_token=2, tie_embeddings=False),
}


def rows(folder: Path, documents: int = 40, seed: int = 0) -> Path:
    """A token artifact of 64-token rows, and beside it the tokenizer."""
    rng = random.Random(seed)
    texts = [" ".join(rng.choice(WORDS) for _ in range(rng.randint(2, 25))) for _ in range(documents)]
    shelf = packs.shelf(folder / "documents", [packs.document(i, text) for i, text in enumerate(texts)])
    tokenizer = packs.letters(folder / "tokenizer")
    return packs.pack(folder / "pack", tokenizer, {"toy": shelf}, context=CONTEXT)[0]


def start(folder: Path, tokenizer: Path, shape: Shape = DENSE) -> Path:
    """A fresh model with a tokenizer."""
    import shutil

    ids = TokenIds(vocab_size=261, eos=1, bos=0, pad=2)
    build(shape, ids, seed=0).save_pretrained(folder)
    for file in (tokenizer / "tokenizer").iterdir():
        shutil.copyfile(file, folder / file.name)
    return folder


def job(folder: Path, ground: Path, *, shape: str = "llama", place: dict[str, Any] | None = None, **config: Any) -> Job:
    """A job of 6 steps of 4 rows on the ground that ``ground`` made."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"name": "toy", "batch": 4, "steps": 6, "learning_rate": 3e-3, "saved_precision": "float32"} | config
    where = TrainingPlace(**{"checkpoints": 2, "checkpoint_minutes": 1e6} | (place or {}))
    return Job(
        config=TrainConfig(**settings), place=where, start=ground / shape, tokens=ground / "pack" / "work",
        folder=folder, logs=folder / "logs", threads=1,
    )  # fmt: skip


def ground(folder: Path) -> Path:
    """Rows and one model of each shape."""
    rows(folder)
    for name, shape in SHAPES.items():
        start(folder / name, folder / "tokenizer", shape)
    return folder


def curve(job: Job) -> list[CurveRow]:
    return list(read_table(job.result / "curve.parquet", CurveRow))


def weights(job: Job) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(job.result / "model" / "model.safetensors")


def digest(job: Job) -> str:
    """Of the weights' bytes and of the curve."""
    state = hashlib.sha256((job.result / "model" / "model.safetensors").read_bytes())
    return state.hexdigest() + hashlib.sha256(repr(curve(job)).encode()).hexdigest()


def train(job: Job) -> None:
    """What a child process does: the job, in this process."""
    from gnomon.training.loop.work import work

    work(job)


def train_and_die_writing(job: Job, files: int) -> None:
    """Train until the ``files``-th file of a checkpoint is being written, and be killed with half of it on disk."""
    import torch

    whole, written = torch.save, []

    def half(value: Any, path: Any) -> None:
        written.append(path)
        if len(written) == files:
            Path(path).write_bytes(b"half a file")
            os.kill(os.getpid(), signal.SIGKILL)
        whole(value, path)

    torch.save = half
    train(job)


def train_with_little_room(job: Job, file_bytes: int) -> None:
    """Train where no file may grow beyond ``file_bytes``, and leave the error beside the job."""
    import resource

    from gnomon.core.errors import GnomonError

    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    try:
        train(job)
    except GnomonError as error:
        (job.folder / "error.txt").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
