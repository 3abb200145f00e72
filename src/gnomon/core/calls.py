"""Calls to models: one row each, so that work that was paid for is replayed, priced and audited."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One finished call to a model, so that it can be replayed, priced and audited."""

    key: str
    """Hash of the request: everything that can change the output, nothing else."""
    model: str
    """Name of the model, as in the recipe."""
    tokens_in: int = 0
    """Prompt tokens."""
    tokens_out: int = 0
    """Generated tokens."""
    cost_usd: float | None = None
    """Price paid in USD, None when the price is not known."""
    seconds: float = 0.0
    """Wall-clock time."""
