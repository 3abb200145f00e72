"""Curves of training, thinned for a page: equal runs of steps, each with its mean and its extremes.

A run's extremes are kept so that thinning hides no spike.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gnomon.core.tables import read_batches

COLUMNS = ["step", "tokens", "loss", "learning_rate", "gradient_norm"]
POINT = (
    "step",
    "tokens",
    "loss",
    "loss_low",
    "loss_high",
    "learning_rate",
    "gradient_norm",
    "gradient_norm_low",
    "gradient_norm_high",
)
DIGITS = 5


def thinned(path: Path, points: int) -> dict[str, Any]:
    """A curve in at most so many points.

    Args:
        path: ``curve.parquet``.
        points: Most points.

    Returns:
        ``steps``, ``tokens`` (targets seen), and ``rows`` of ``POINT``: last step and tokens of a run of steps, mean,
        least and greatest loss (nats a token), last learning rate, mean, least and greatest norm of the gradient.
    """
    batches = list(read_batches(path, COLUMNS))
    table = pa.Table.from_batches(batches) if batches else None
    if table is None or not table.num_rows:
        return {"steps": 0, "tokens": 0, "a_point": 0, "rows": []}
    columns = {name: np.asarray(table[name].to_numpy(), dtype=np.float64) for name in COLUMNS}
    size = math.ceil(table.num_rows / max(1, points))
    rows = [_point(columns, slice(at, at + size)) for at in range(0, table.num_rows, size)]
    return {"steps": int(columns["step"][-1]), "tokens": int(columns["tokens"][-1]), "a_point": size, "rows": rows}


def _point(columns: dict[str, npt.NDArray[np.float64]], run: slice) -> list[float]:
    part = {name: values[run] for name, values in columns.items()}
    loss, norm = part["loss"], part["gradient_norm"]
    measured = [loss.mean(), loss.min(), loss.max(), part["learning_rate"][-1], norm.mean(), norm.min(), norm.max()]
    return [int(part["step"][-1]), int(part["tokens"][-1]), *_rounded(measured)]


def _rounded(values: Sequence[float]) -> list[float]:
    """To five significant digits: what a drawing can show."""
    return [float(f"{value:.{DIGITS}g}") for value in values]
