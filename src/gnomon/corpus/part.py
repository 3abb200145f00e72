"""The step ``corpus/part``: one part of a split, as documents that any other step reads.

The files are the split's own (linked where the file system can, else copied), so a part costs no room.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.tables import parquet_files
from gnomon.core.wording import say
from gnomon.corpus.split import PARTS
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

OTHER_PART = "other_part"


@dataclass(frozen=True, kw_only=True)
class PartConfig:
    """Which part."""

    part: str
    """``"train"``, ``"development"`` or ``"test"``."""
    least: int = 0
    """Fewest documents; fewer are an error, so that what cannot be measured is known before anything is trained."""


def run(config: PartConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Pass on the documents of one part of ``inputs["split"]``; the others are counted as ``other_part``.

    Raises:
        ConfigError: There is no such part.
        DataError: It has fewer documents than ``least``.
    """
    if config.part not in PARTS:
        raise ConfigError(f"part: {config.part!r} is no part of a split.", f"Parts: {', '.join(PARTS)}.")
    sizes = {part: _rows(inputs["split"] / part / "documents") for part in PARTS}
    _check_size(config, sizes)
    for file in parquet_files(inputs["split"] / config.part / "documents"):
        _place(file, out.path / "documents" / file.name)
    kept, taken = sizes[config.part], sum(sizes.values())
    dropped = {OTHER_PART: taken - kept} if taken > kept else {}
    return Counts(taken=taken, kept=kept, dropped=dropped)


def _check_size(config: PartConfig, sizes: Mapping[str, int]) -> None:
    here, all_parts = sizes[config.part], sum(sizes.values())
    if here < config.least:
        raise DataError(
            say(f"The part {config.part!r} has {here} of {all_parts} documents, wanted are at least {config.least}.",
                f"{all_parts} 件のうち {config.part!r} は {here} 件で、{config.least} 件に満たない。"),
            say("Give more documents, hold out a larger share, or set another date.",
                "文書を増やすか、取り分ける割合を上げるか、日付を変える。"),
        )  # fmt: skip


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
