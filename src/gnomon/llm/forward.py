"""Running a causal model over batches, within a bound of memory, with the same answer for any batch.

Sequences to be scored are padded on the **right** and run without a mask: a causal model never looks right, so
padding cannot change a number, and the fast causal kernels apply. Only a prefix that will be continued from its
KV cache is padded on the left. *Logits* of a large vocabulary are the biggest tensor of all (128,000 x 8,192
positions are 4 GB), so they are made for the positions that are scored, a block at a time, and summed in float32.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import RunError
from gnomon.core.wording import say

Floats = npt.NDArray[np.float32]
Truths = npt.NDArray[np.bool_]
BLOCK = {"cpu": 1 << 24, "cuda": 1 << 27}
"""Logits made at once: 64 MB as float32 on a CPU, 512 MB on a GPU."""
BATCH = {"cpu": 1024, "cuda": 65_536}
"""Most tokens run at once, padding included: on a CPU more only pads more."""
HELD = {"cpu": 4096, "cuda": 65_536}
"""Most tokens in the KV cache of texts being generated, where a step runs one token a row."""
SHARE = 0.4
"""Share of a GPU's free memory that the KV cache of a batch may take."""
STRETCHED = ("dynamic", "longrope")
"""Kinds of rotary embedding whose frequencies depend on the longest row of a batch: such rows run alone."""
CACHED = ("DynamicLayer", "DynamicSlidingWindowLayer")
"""Layers of a cache that can be copied row by row; recurrent layers would read the padding."""


class Forward:
    """A model and the ways it is run.

    Args:
        model: A causal language model of transformers, in evaluation mode.
        batch_tokens: Most tokens in a batch, padding included; 0 chooses by device and free memory.
    """

    def __init__(self, model: Any, batch_tokens: int = 0) -> None:
        import torch

        self.model, self.device = model, model.device
        config = model.config.get_text_config()
        rope = getattr(config, "rope_parameters", None) or {}
        self.alone = any(kind in str(rope) for kind in STRETCHED)
        self.block = BLOCK.get(self.device.type, BLOCK["cpu"])
        with torch.inference_mode():
            self._probe()
        self.budget = batch_tokens or self._room(config, BATCH)
        self.held = batch_tokens or self._room(config, HELD)

    def _probe(self) -> None:
        """Find out on two tokens whether our ``head`` is the model's own, and whether its cache can be shared."""
        import torch

        ids = torch.tensor([[1, 0]], device=self.device)
        whole = self.model(input_ids=ids, use_cache=True)
        states = self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state
        self.apart = torch.allclose(self._head(states).float(), whole.logits.float(), rtol=1e-3, atol=1e-3)
        layers = getattr(whole.past_key_values, "layers", ())
        self.shares = not self.alone and bool(layers) and all(type(layer).__name__ in CACHED for layer in layers)

    def _room(self, config: Any, most: dict[str, int]) -> int:
        import torch

        budget = most.get(self.device.type, most["cpu"])
        if self.device.type == "cuda":
            heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
            size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
            cached = 2 * config.num_hidden_layers * heads * size * self.model.dtype.itemsize
            budget = min(budget, max(2048, int(SHARE * torch.cuda.mem_get_info(self.device)[0]) // cached))
        return budget if self.apart else min(budget, max(1, self.block // config.vocab_size))

    def _head(self, states: Any) -> Any:
        """Logits of hidden states, with the scale and the soft cap that some architectures put after the matrix."""
        config = self.model.config.get_text_config()
        logits = self.model.get_output_embeddings()(states)
        if scaling := getattr(config, "logits_scaling", None):  # Granite
            logits = logits / scaling
        if scale := getattr(config, "logit_scale", None):  # Cohere
            logits = logits * scale
        if cap := getattr(config, "final_logit_softcapping", None):  # Gemma
            logits = cap * (logits / cap).tanh()
        return logits

    def batches(
        self, sizes: Sequence[int], groups: Sequence[Hashable] | None = None, budget: int = 0
    ) -> Iterator[list[int]]:
        """Indices of sequences to run together: of like size, largest first, one group a batch.

        Args:
            sizes: Tokens of each sequence.
            groups: What must not be mixed; nothing when None.
            budget: Most tokens of a batch, padding included; ``self.budget`` when 0.
        """
        kinds, most = groups or [0] * len(sizes), budget or self.budget
        order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
        for kind in dict.fromkeys(kinds[i] for i in order):
            batch: list[int] = []
            for index in (i for i in order if kinds[i] == kind):
                if batch and (self.alone or sizes[batch[0]] * (len(batch) + 1) > most):
                    yield batch
                    batch = []
                batch.append(index)
            yield batch

    def right_padded(self, rows: Sequence[Sequence[int]]) -> Any:
        """Ids as a tensor, shape (rows, longest)."""
        import torch

        longest = max(map(len, rows))
        return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=self.device)

    def left_padded(self, rows: Sequence[Sequence[int]], pad: int = 0) -> tuple[Any, Any]:
        """Ids and mask as tensors, shape (rows, longest)."""
        import torch

        longest = max(map(len, rows))
        ids = [[*[pad] * (longest - len(row)), *row] for row in rows]
        mask = [[*[0] * (longest - len(row)), *[1] * len(row)] for row in rows]
        return torch.tensor(ids, device=self.device), torch.tensor(mask, device=self.device)

    def hidden(self, rows: Sequence[Sequence[int]]) -> Any:
        """Last-layer hidden states (after the final norm), shape (rows, longest, width); right-padded."""
        return self.model.base_model(input_ids=self.right_padded(rows), use_cache=False).last_hidden_state

    def states(self, rows: Sequence[Sequence[int]]) -> Any:
        """What ``log_probs`` reads: hidden states, or logits of a model whose head is not ours to repeat."""
        return self.hidden(rows) if self.apart else self.model(self.right_padded(rows), use_cache=False).logits

    def continued(self, ids: Any, mask: Any, positions: Any, cache: Any) -> tuple[Any, Any]:
        """``states`` and the cache after running ids behind a cache; the mask covers both."""
        given = {"attention_mask": mask, "position_ids": positions, "past_key_values": cache, "use_cache": True}
        if self.apart:
            out = self.model.base_model(input_ids=ids, **given)
            return out.last_hidden_state, out.past_key_values
        out = self.model(input_ids=ids, **given)
        return out.logits, out.past_key_values

    def log_probs(
        self, states: Any, targets: Sequence[int], owners: Sequence[int] | None = None
    ) -> tuple[Floats, Truths]:
        """Log-probabilities of tokens, and whether none was more probable.

        Args:
            states: Of the positions *before* the tokens, shape (positions, width or vocabulary).
            targets: The tokens' ids.
            owners: The position before each token, in rising order; one a token when None.

        Raises:
            RunError: The model gives something that is not a number.
        """
        import torch

        wanted = torch.tensor(targets, device=states.device)
        owner = torch.arange(len(targets)) if owners is None else torch.tensor(owners)
        step = max(1, self.block // self.model.config.get_text_config().vocab_size)
        found: list[Any] = []
        best: list[Any] = []
        for start in range(0, len(states) if len(targets) else 0, step):
            first, last = torch.searchsorted(owner, torch.tensor([start, start + step])).tolist()
            scores, top = self._scored(states[start : start + step], (owner[first:last] - start), wanted[first:last])
            found.append(scores)
            best.append(top)
        if not found:
            return np.zeros(0, np.float32), np.zeros(0, np.bool_)
        values: Floats = torch.cat(found).cpu().numpy()
        if not np.isfinite(values).all():
            raise _no_number(self.model.name_or_path)
        return values, torch.cat(best).cpu().numpy()

    def top_log_probs(self, states: Any, tops: int) -> list[list[tuple[int, float]]]:
        """The most probable tokens after each position, each with its log-probability, most probable first.

        Args:
            states: Of the positions, as ``log_probs`` reads them.
            tops: How many tokens.
        """
        found: list[list[tuple[int, float]]] = []
        step = max(1, self.block // self.model.config.get_text_config().vocab_size)
        for start in range(0, len(states) if tops else 0, step):
            part = states[start : start + step]
            logits = (self._head(part) if self.apart else part).float()
            values, ids = logits.log_softmax(-1).topk(tops)
            rows = zip(ids.tolist(), values.tolist(), strict=True)
            found += [list(zip(own, scores, strict=True)) for own, scores in rows]
        return found or [[] for _ in range(len(states))]

    def _scored(self, states: Any, owner: Any, wanted: Any) -> tuple[Any, Any]:
        """One block of ``log_probs``; the vocabulary is passed over three times and no more."""
        logits = (self._head(states) if self.apart else states).float()
        rows = owner.to(logits.device)
        chosen, top = logits[rows, wanted], logits.amax(1)
        whole = (logits - top[:, None]).exp_().sum(1).log_()
        return chosen - (top + whole)[rows], chosen >= top[rows]


def _no_number(name: str) -> RunError:
    return RunError(
        say(f"The model {name} gives a log-probability that is no number.", f"モデル {name} の対数確率が数でない。"),
        say(
            "Its weights hold NaN or overflow: load it as float32, or train it again.",
            "重みに NaN があるか桁があふれた。float32 で読むか学習し直す。",
        ),
    )
