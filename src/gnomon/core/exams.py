"""Exams: what a solver is asked, what it says, and what that is worth.

A *solver* sees blinded items: question and options, in an order that the exam chose, never the right answer. An answer
that could not be had is a state with a reason, never a wrong answer and never zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gnomon.core.records import Item

REASONS = ("truncated", "refused", "unreadable", "no_answer", "one_answer_only", "too_long")
"""Why an item is not scored: cut by the limit of tokens, not answered by the endpoint, not parsed, nothing said, a
question with several right options asked of a solver that can name only one, or longer than the model can read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """What a solver said of one item."""

    chosen: tuple[int, ...] = ()
    """Indices of the options it takes; empty when it takes none."""
    log_probs: tuple[float, ...] = ()
    """Natural-log score of every option, comparable within the item; empty when the solver gives none."""
    text: str = ""
    """Its words, raw."""
    reason: str = ""
    """Why there is no choice, one of ``REASONS``; empty when there is."""
    tokens_in: int = 0
    """Prompt tokens."""
    tokens_out: int = 0
    """Generated tokens."""
    cost_usd: float | None = None
    """Price in USD, None when not known."""
    seconds: float = 0.0
    """Time it took; that of a batch is spread evenly."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One item, answered by one arm in one order of its options."""

    item_id: str
    """The item."""
    arm: str
    """The arm: ``base``, ``final · open book``…"""
    order: tuple[int, ...]
    """Which option stood at each place; empty for an open question."""
    output: Output
    """What was said; indices are those of the item as it was read, whatever the order."""
    score: float | None
    """1 right, 0 wrong, or a judge's share of it; None when it cannot be scored."""
    reason: str = ""
    """Why it is not scored."""


class Solver(Protocol):
    """Answers items: a model in one of its modes, retrieval with a rule, chance."""

    def solve(self, items: Sequence[Item]) -> list[Output]:
        """One output an item, in order.

        Args:
            items: Blinded: without targets, reference and evidence.
        """
        ...


class Book(Protocol):
    """What may be looked up in an open-book exam."""

    def passages(self, items: Sequence[Item]) -> list[tuple[str, ...]]:
        """Texts for each item, best first.

        Args:
            items: Blinded, as a solver sees them.
        """
        ...
