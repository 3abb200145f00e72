"""Batches: the rows of a token artifact as one long sequence a micro-batch.

The transformers collators of this shape are ``DataCollatorWithFlattening`` and TRL's padding-free one;
this one reads packed rows from disk and keeps every border. Rows of a step are those that
``training/pack`` put there, in that order; a last step that is not full is filled with blank rows,
so that all processes take part in it and nothing is dropped or shown twice. Padding at the ends of rows is
left out of the sequence: nothing looks at it, and it would cost as much as text.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gnomon.training.packed import NO_TARGET, PackedTokens

BLANK = -1
"""The number of a row that holds only padding."""
FEWEST = 8
"""Tokens of a micro-batch at least."""


class RowNumbers:
    """The data set: the numbers of the rows, in order, and blanks up to a whole step."""

    def __init__(self, rows: int, batch: int, steps: int) -> None:
        whole = -(-rows // batch)
        self.steps = min(steps, whole) if steps else whole
        """Optimizer steps."""
        self._rows, self._length = rows, self.steps * batch

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> int:
        return number if number < self._rows else BLANK


class Collator:
    """Turns row numbers into the tensors of one micro-batch.

    Args:
        tokens: The rows.
        pad: Token id that fills blank rows.
        padded: Whether padding stays, so that all micro-batches have one length, as compiled models want it.
    """

    def __init__(self, tokens: PackedTokens, pad: int, *, padded: bool = False) -> None:
        self.tokens, self.pad, self.padded = tokens, pad, padded

    def __call__(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Tensors of shape (1, tokens), and the borders of the pieces as ``cu_seq_lens``."""
        import torch

        rows = self.tokens.rows([n for n in numbers if n != BLANK])
        kept = np.ones(rows.ids.shape, bool) if self.padded else rows.held
        blanks = self._blanks(len(numbers) - len(rows.ids), int(kept.sum()))
        ids = np.concatenate([rows.ids[kept], np.full(blanks, self.pad, np.int64)])
        positions = np.concatenate([rows.positions[kept], np.arange(blanks) % self.tokens.context])
        labels = np.concatenate([rows.labels[kept], np.full(blanks + 1, NO_TARGET)])
        begins = np.append(np.flatnonzero(positions == 0), len(positions)).astype(np.int32)
        longest = int(np.diff(begins).max())
        borders = torch.from_numpy(begins)
        sequences = {"input_ids": ids, "position_ids": positions, "labels": labels[:-1], "shift_labels": labels[1:]}
        return {name: torch.from_numpy(np.ascontiguousarray(values))[None] for name, values in sequences.items()} | {
            "cu_seq_lens_q": borders, "cu_seq_lens_k": borders, "max_length_q": longest, "max_length_k": longest,
        }  # fmt: skip

    def _blanks(self, rows: int, tokens: int) -> int:
        """Tokens that stand for blank rows: a few where there is nothing else, since a model cannot see nothing."""
        if self.padded:
            return rows * self.tokens.context
        return 0 if tokens else FEWEST
