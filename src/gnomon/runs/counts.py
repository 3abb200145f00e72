"""Counts: what went into a step, what came out, and why the rest did not.

They have to add up: ``taken == kept + sum(dropped)``. The runner refuses a step whose counts do not.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many records a step took, kept, and dropped by reason."""

    taken: int
    """Records that came in."""
    kept: int
    """Records that are in the artifact, changed or not."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Records left out, by reason."""
    made: Mapping[str, int] = field(default_factory=dict)
    """Records of other kinds that the step made (``{"chunks": 812}``)."""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            taken=self.taken + other.taken,
            kept=self.kept + other.kept,
            dropped=dict(Counter(self.dropped) + Counter(other.dropped)),
            made=dict(Counter(self.made) + Counter(other.made)),
        )

    @property
    def add_up(self) -> bool:
        """Whether nothing was lost without a reason."""
        return self.taken == self.kept + sum(self.dropped.values())

    @staticmethod
    def from_row(row: Mapping[str, Any]) -> "Counts":
        """Counts as read from JSON."""
        return Counts(**row)


NO_COUNTS = Counts(taken=0, kept=0)
