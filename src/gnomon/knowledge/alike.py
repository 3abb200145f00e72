"""Alike: documents that resemble one of the library.

By the mean of its passages' vectors where a model has read it, else by its own first words: a library may hold
documents in a language that none of its models reads.
"""

from dataclasses import dataclass

from gnomon.core.records import Document
from gnomon.knowledge.library import Library, Ranked

DEPTH = 100
"""Passages that are looked at."""
WORDS_ASKED = 300
"""Characters of a document's text that stand for it where it has no vectors."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alike:
    """What resembles a document."""

    by: str
    """``vectors``, or ``text`` for a document that no model of the library has read."""
    ranked: Ranked
    """Ids of other documents' passages and their likeness, best first."""


def alike(library: Library, document: Document) -> Alike:
    """Passages of other documents that resemble a document.

    Args:
        library: Where to look.
        document: One of its documents.
    """
    for side in library.sides:
        found = side.like(document.id, DEPTH)
        if found:
            return Alike(by="vectors", ranked=_others(found, document.id))
    words = f"{document.title} {document.text[:WORDS_ASKED]}"
    return Alike(by="text", ranked=_others(library.rank(words, depth=DEPTH, mode="text").ranked, document.id))


def _others(ranked: Ranked, doc_id: str) -> Ranked:
    return [(key, score) for key, score in ranked if not key.startswith(doc_id + "#")]
