"""Agreement: how far two judges give the same marks beyond what chance would give them (Cohen's kappa).

Marks from 1 to 5 are ordered, so a disagreement counts by the square of its distance (quadratic weights, Cohen 1968).
Tables of counts add up, so shards of a step can be summed.
"""

from collections import Counter
from collections.abc import Mapping

MARKS = 5
Table = Mapping[tuple[int, int], int]
"""How often the first judge gave the first mark and the second the second."""


def kappa(table: Table, marks: int = MARKS) -> float | None:
    """Cohen's kappa with quadratic weights; None without pairs, or when both gave one and the same mark throughout.

    Args:
        table: Counts by (mark of the first, mark of the second), marks from 1.
        marks: How many marks there are.
    """
    total = sum(table.values())
    rows, columns = Counter[int](), Counter[int]()
    for (one, other), count in table.items():
        rows[one] += count
        columns[other] += count
    span = range(1, marks + 1)
    expected = sum((i - j) ** 2 * rows[i] * columns[j] for i in span for j in span)
    if not expected:
        return None
    observed = sum((one - other) ** 2 * count for (one, other), count in table.items())
    return 1 - observed * total / expected
