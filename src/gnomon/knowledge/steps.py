"""The door of the knowledge room: one function per step."""

from typing import Any

from gnomon.core.records import ModelRef
from gnomon.knowledge.chunk import ChunkConfig
from gnomon.knowledge.index import IndexConfig
from gnomon.knowledge.trace import TraceConfig
from gnomon.knowledge.vectors import EMBEDDER, VectorsConfig
from gnomon.runs.step import Step


def chunk(documents: Step, **settings: Any) -> Step:
    """Cut documents into passages.

    Args:
        documents: A step that leaves documents.
        settings: Fields of ``ChunkConfig``.
    """
    return Step(
        name="knowledge/chunk",
        entry="gnomon.knowledge.chunk:run",
        version=1,
        config=ChunkConfig(**settings),
        inputs={"documents": documents},
    )


def index(documents: Step, chunks: Step, *, library: str = "main", **settings: Any) -> Step:
    """Make passages searchable by their words.

    Args:
        documents: A step that leaves documents.
        chunks: Their chunks.
        library: The library's name; several stand side by side.
        settings: Other fields of ``IndexConfig``.
    """
    return Step(
        name="knowledge/index",
        entry="gnomon.knowledge.index:run",
        version=2,
        config=IndexConfig(library=library, **settings),
        inputs={"documents": documents, "chunks": chunks},
    )


def vectors(documents: Step, chunks: Step, index: Step, *, embedder: ModelRef | Step, **settings: Any) -> Step:
    """Give passages dense vectors.

    Args:
        documents: A step that leaves documents.
        chunks: Their chunks.
        index: Their full-text index, which is made first, so that it can be read while vectors fill in.
        embedder: The model, or a step that leaves one (``training.tune_embedder``).
        settings: Other fields of ``VectorsConfig``; ``library`` is that of the index unless given.
    """
    chosen: dict[str, Any] = {"library": index.config.library, **settings}
    inputs = {"documents": documents, "chunks": chunks, "index": index}
    if isinstance(embedder, Step):
        inputs[EMBEDDER] = embedder
    else:
        chosen["embedder"] = embedder
    return Step(
        name="knowledge/vectors",
        entry="gnomon.knowledge.vectors:run",
        version=2,
        config=VectorsConfig(**chosen),
        inputs=inputs,
        estimate="gnomon.knowledge.vectors:estimate",
    )


def trace(documents: Step, **settings: Any) -> Step:
    """Index what models are shown, so that any text can be traced to it.

    Args:
        documents: A step that leaves documents.
        settings: Fields of ``TraceConfig``.
    """
    return Step(
        name="knowledge/trace",
        entry="gnomon.knowledge.trace:run",
        version=1,
        config=TraceConfig(**settings),
        inputs={"documents": documents},
    )
