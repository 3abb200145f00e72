"""Protocols: the doors between rooms of the same row.

A room that needs another's work takes it through one of these; a recipe names the
implementation by string, so neither imports the other.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import ConfigError
from gnomon.core.records import Document, ModelRef, Span

Vectors = npt.NDArray[np.float32]
"""Shape (n, dimensions), float32, rows of unit length."""


class Embedder(Protocol):
    """Turns texts into vectors whose dot product is their similarity."""

    ref: ModelRef
    """Which model it is, weights and all."""
    dimensions: int
    """Length of a vector."""
    languages: tuple[str, ...]
    """ISO 639-1 codes of the languages it reads; empty when it is not tied to any."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, shape (len(texts), dimensions)."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries; the same as ``embed`` unless the model tells them apart."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """What a search is limited to. Empty means no limit."""

    years: tuple[int | None, int | None] = (None, None)
    """First and last year, each inclusive or open."""
    author: str = ""
    """Part of an author's name, case-insensitive."""
    category: str = ""
    """Subject code or its beginning (``astro-ph``)."""
    lang: str = ""
    """ISO 639-1 code."""
    source: str = ""
    """Kind of source (``pdf``), or the beginning of a source's key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """One passage found."""

    chunk_id: str
    """The chunk."""
    doc_id: str
    """Its document."""
    score: float
    """Higher is better; comparable within one search only."""
    text: str
    """The chunk's text."""
    span: Span
    """Where it stands."""
    title: str
    """The document's title."""
    year: int | None
    """Its year."""
    lang: str
    """The chunk's language."""


class Retriever(Protocol):
    """Finds passages, and gives the documents they stand in."""

    def search(self, query: str, *, k: int = 10, mode: str = "hybrid", filters: Filters = ...) -> list[Hit]:
        """The k best passages, best first. ``mode``: ``hybrid``, ``text`` or ``vector``."""
        ...

    def document(self, doc_id: str) -> Document:
        """One document, with exactly the text that spans of hits point into.

        Raises:
            NotFound: The library has no such document.
        """
        ...


def resolve(entry: str) -> Any:
    """The object behind ``"package.module:name"``.

    Raises:
        ConfigError: There is no such module or name.
    """
    module, _, name = entry.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"The entry {entry!r} cannot be found: {error}.") from error
