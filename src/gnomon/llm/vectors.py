"""What every embedder does at its two ends: make a text safe to read, make rows unit length."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gnomon.core.protocols import Vectors


def well_formed(text: str, limit: int) -> str:
    """The first ``limit`` characters, with every lone surrogate replaced by a question mark.

    Tokenisers and endpoints speak UTF-8, which has no lone surrogates; the limit makes a text of
    any length cost the same.
    """
    return text[:limit].encode("utf-8", "replace").decode("utf-8")


def unit_rows(rows: npt.ArrayLike) -> Vectors:
    """Rows of unit length, float32; a row of zeros (nothing known in the text) becomes the diagonal.

    Args:
        rows: Finite numbers, shape (n, dimensions).
    """
    matrix = np.array(rows, dtype=np.float64)
    matrix[~matrix.any(axis=1)] = 1.0
    if matrix.size:
        matrix /= np.abs(matrix).max(axis=1, keepdims=True)  # else tiny numbers would square to zero
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    rows_of_one: Vectors = (matrix / lengths).astype(np.float32)
    return rows_of_one


class Reading(NamedTuple):
    """What an embedder says of a text, as a whole and token by token."""

    whole: Vectors
    """Shape (dimensions,), of unit length, what stands before the text included."""
    tokens: Vectors
    """Shape (tokens, dimensions), rows of unit length, of the text alone; none when the window was full before."""
    starts: list[int]
    """First character of each token, in the text."""
