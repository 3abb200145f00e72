"""Rewards: how much likelier an answer has become than the model one started from finds it.

Computed here from plain logits, one pair at a time, apart from the trainer's own arithmetic: what a run is judged by
should not be what it optimised by.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gnomon.training.preference.pairs import Pair

Logits = Callable[[list[int]], Any]
"""From token ids to logits, shape (tokens, vocabulary)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reward:
    """One pair, measured."""

    id: str
    """The preference."""
    chosen: float
    """Reward of the answer that is wanted."""
    rejected: float
    """Reward of the other."""

    @property
    def margin(self) -> float:
        """By how much the wanted answer is rewarded more."""
        return self.chosen - self.rejected

    @property
    def loss(self) -> float:
        """The loss of direct preference optimisation, minus the logarithm of the margin's logistic (eq. 7)."""
        return math.log1p(math.exp(-abs(self.margin))) + max(-self.margin, 0.0)


def log_probability(logits: Logits, prompt: Sequence[int], answer: Sequence[int]) -> float:
    """Logarithm of the probability of an answer after a question, in nats."""
    import torch

    ids = [*prompt, *answer]
    values = torch.log_softmax(logits(ids)[len(prompt) - 1 : -1].double(), dim=-1)
    wanted = torch.tensor(list(answer), device=values.device)
    return float(values.gather(1, wanted[:, None]).sum())


def rewards(policy: Logits, reference: Logits, pairs: Sequence[Pair], beta: float) -> list[Reward]:
    """The reward of both answers of each pair, ``beta * (log p - log p_reference)``.

    Args:
        policy: The model that was trained.
        reference: The model it was made from.
        pairs: What is measured.
        beta: As in training.
    """

    def reward(pair: Pair, answer: list[int]) -> float:
        models = (log_probability(model, pair.prompt, answer) for model in (policy, reference))
        return beta * (next(models) - next(models))

    return [Reward(id=p.id, chosen=reward(p, p.chosen), rejected=reward(p, p.rejected)) for p in pairs]


def summary(measured: Sequence[Reward]) -> dict[str, float | int]:
    """Mean loss, mean margin, and the share of pairs whose wanted answer is rewarded more."""
    n = len(measured)
    return {
        "n": n, "loss": sum(m.loss for m in measured) / n, "margin": sum(m.margin for m in measured) / n,
        "accuracy": sum(m.margin > 0 for m in measured) / n,
    }  # fmt: skip


def logits_of(model: Any) -> Logits:
    """A model of transformers as a function from ids to logits."""
    import torch

    def logits(ids: list[int]) -> Any:
        with torch.inference_mode():
            return model(torch.tensor([ids], device=model.device)).logits[0]

    return logits
