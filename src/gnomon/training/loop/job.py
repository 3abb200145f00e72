"""A training job: all that a worker process has to know, as one JSON file.

The step writes the job, one or many processes do it (``work``), and the step takes up the result. So
the same job runs in this process, under ``torchrun`` and under a scheduler.
"""

import dataclasses
import types
import typing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json, write_json
from gnomon.core.settings import TrainingPlace
from gnomon.training.recipe import TrainConfig

JOB_FILE = "job.json"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run of the loop."""

    config: TrainConfig
    """What is trained."""
    place: TrainingPlace
    """How this machine does it."""
    start: Path
    """A Hugging Face folder with the weights it starts from and the tokenizer."""
    tokens: Path
    """A token artifact."""
    folder: Path
    """Where checkpoints, progress and the result are kept; survives a kill."""
    logs: Path
    """Where TensorBoard files go."""
    threads: int
    """Threads of one process."""

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.folder / "checkpoints"

    @property
    def result(self) -> Path:
        """The folder that the finished model is written to."""
        return self.folder / "result"

    @property
    def progress(self) -> Path:
        """A file with one JSON line an optimizer step, for who watches from another process."""
        return self.folder / "progress.jsonl"

    def write(self) -> Path:
        """Write the job for other processes; returns the file."""
        row = asdict(self)
        places = {name: str(row[name]) for name in ("start", "tokens", "folder", "logs")}
        write_json(self.folder / JOB_FILE, row | places)
        return self.folder / JOB_FILE


def read_job(path: Path) -> Job:
    """A job from its file."""
    job: Job = _from_json(Job, read_json(path))
    return job


def _from_json(kind: Any, value: Any) -> Any:
    """A value of a declared type from JSON: dataclasses, tuples and paths come back as what they were."""
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return typing.cast(Any, kind)(**{name: _from_json(hints[name], item) for name, item in value.items()})
    if isinstance(kind, types.UnionType):
        inner = next(option for option in typing.get_args(kind) if option is not types.NoneType)
        return None if value is None else _from_json(inner, value)
    if typing.get_origin(kind) is tuple:
        return tuple(value)
    return Path(value) if kind is Path else value
