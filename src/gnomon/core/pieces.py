"""Pieces: where each stretch of a document stands in the rows that a model is trained on.

A row of a token artifact holds pieces of documents, one after another. A ``Piece`` names its
document, so each token a model was shown leads back to a text, and to the step that saw it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A stretch of one document's tokens in one row."""

    sequence: int
    """The row, from 0; rows stand in the order of training."""
    offset: int
    """Position of its first token in the row."""
    length: int
    """Tokens it takes up in the row, context included."""
    doc_id: str
    """The document."""
    text_hash: str
    """Which version of its text."""
    source: str
    """Name of the source in the mixture."""
    start: int
    """Index of its first new token in the document's token stream."""
    repeat: int
    """The pass over the document, from 0."""
    context: int
    """Leading tokens that were trained on before and are only context: 0 or 1."""
