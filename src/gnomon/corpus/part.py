"""The step ``corpus/part``: one part of a split, as documents that any other step reads.

The files are the split's own (linked where the file system can, else copied), so a part costs no room.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from gnomon.core.errors import ConfigError
from gnomon.core.tables import parquet_files
from gnomon.corpus.split import PARTS
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

OTHER_PART = "other_part"


@dataclass(frozen=True, kw_only=True)
class PartConfig:
    """Which part."""

    part: str
    """``"train"``, ``"development"`` or ``"test"``."""


def run(config: PartConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Pass on the documents of one part of ``inputs["split"]``; the others are counted as ``other_part``.

    Raises:
        ConfigError: There is no such part.
    """
    if config.part not in PARTS:
        raise ConfigError(f"part: {config.part!r} is no part of a split.", f"Parts: {', '.join(PARTS)}.")
    sizes = {part: _rows(inputs["split"] / part / "documents") for part in PARTS}
    for file in parquet_files(inputs["split"] / config.part / "documents"):
        _place(file, out.path / "documents" / file.name)
    kept, taken = sizes[config.part], sum(sizes.values())
    dropped = {OTHER_PART: taken - kept} if taken > kept else {}
    return Counts(taken=taken, kept=kept, dropped=dropped)


def _rows(folder: Path) -> int:
    return sum(pq.read_metadata(file).num_rows for file in parquet_files(folder)) if folder.is_dir() else 0


def _place(file: Path, target: Path) -> None:
    """A copy that nobody can tell apart: artifacts are never written to again, so a link will do."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)
