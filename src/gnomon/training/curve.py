"""The curve of a training run: one row an optimizer step."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class CurveRow:
    """One optimizer step."""

    step: int
    """From 1."""
    tokens: int
    """Targets seen up to and with this step."""
    loss: float
    """Mean negative log-likelihood of the step's targets, in nats a token, before the update."""
    learning_rate: float
    """Learning rate of the update."""
    gradient_norm: float
    """Norm of the gradient before clipping."""
