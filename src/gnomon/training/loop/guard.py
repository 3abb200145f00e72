"""The guard: stops a run whose loss is not a number or leaps up, and names the documents of the step."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.core.errors import TrainingError
from gnomon.core.wording import say

RECENT = 50
"""Steps whose median a spike is measured against."""
SETTLED = 20
"""Steps before which nothing is called a spike."""
NAMED = 12
"""Documents of a bad batch that are named."""


class Guard:
    """Looks at every step.

    Args:
        tokens: The packed rows, to name documents.
        batch: Rows of a step.
        spike: Nats above the recent median that are too many; 0 for any number.
    """

    def __init__(self, tokens: Any, batch: int, spike: float) -> None:
        self.tokens, self.batch, self.spike = tokens, batch, spike

    def look(self, step: int, row: Mapping[str, float], history: Sequence[Mapping[str, float]]) -> None:
        """Look at a step before its checkpoint is written, so that no bad weights are kept.

        Args:
            step: Number of the step, from 1.
            row: Its ``loss``, and ``grad_norm`` where known: a gradient that is no number has spoilt the weights
                although this step's loss was still good.
            history: The rows of the curve before it.

        Raises:
            TrainingError: One is no number, or the loss is a spike.
        """
        loss, norm = row["loss"], row.get("grad_norm", 0.0)
        recent = [earlier["loss"] for earlier in history[-RECENT:] if "loss" in earlier]
        median = statistics.median(recent) if recent else loss
        if math.isfinite(loss) and math.isfinite(norm):
            settled = len(recent) >= SETTLED and self.spike > 0
            if not (settled and loss > median + self.spike):
                return
        raise self._stopped(step, f"{loss:.3f}", f"{median:.3f}", f"{norm:.3g}")

    def _stopped(self, step: int, loss: str, median: str, norm: str) -> TrainingError:
        rows = range((step - 1) * self.batch, min(step * self.batch, len(self.tokens)))
        documents = self.tokens.documents(list(rows))
        names = ", ".join(documents[:NAMED]) + (" …" if len(documents) > NAMED else "")
        return TrainingError(
            say(f"Training stopped at step {step}: the loss is {loss}, the median before it {median}, the gradient's"
                f" norm {norm}. Its rows {rows.start} to {rows.stop - 1} hold {len(documents)} documents: {names}.",
                f"ステップ {step} で学習を停止: 損失 {loss}、直前の中央値 {median}、勾配のノルム {norm}。"
                f"行 {rows.start} から {rows.stop - 1} の文書は {len(documents)} 件: {names}。"),
            say("Look at these documents; leave out bad ones, or lower learning_rate, lengthen warmup or raise spike."
                " The last checkpoint is kept.",
                "これらの文書を確かめ、不良なら除外する。または learning_rate を下げ、warmup を延ばし、"
                "spike を上げる。最後のチェックポイントは残っている。"),
        )  # fmt: skip
