"""The door of the corpus room: one function per step."""

import dataclasses
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.corpus.dedup import PRESETS, DedupConfig
from gnomon.corpus.ingest import IngestConfig
from gnomon.runs.sources import FileSet
from gnomon.runs.step import Step


def ingest(files: FileSet, **settings: Any) -> Step:
    """Read files into documents.

    Args:
        files: What to read.
        settings: Fields of ``IngestConfig``.
    """
    return Step(
        name="corpus/ingest",
        entry="gnomon.corpus.ingest:run",
        version=1,
        config=IngestConfig(**settings),
        sources={"files": files},
    )


def dedup(documents: Step, preset: str = "papers", **settings: Any) -> Step:
    """Keep one of several copies.

    Args:
        documents: A step that leaves documents.
        preset: A name of ``gnomon.corpus.dedup.PRESETS``: ``papers``, ``llm-jp``, ``fineweb``, ``questions``.
        settings: Fields of ``DedupConfig``; they overrule the preset.

    Raises:
        ConfigError: There is no such preset.
    """
    if preset not in PRESETS:
        raise ConfigError(f"dedup: there is no preset {preset!r}.", f"Presets: {', '.join(PRESETS)}.")
    return Step(
        name="corpus/dedup",
        entry="gnomon.corpus.dedup:run",
        version=1,
        config=DedupConfig(**{**dataclasses.asdict(PRESETS[preset]), **settings}),
        inputs={"documents": documents},
    )
