"""The door of the corpus room: one function per step."""

from typing import Any

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
