"""Attention inside documents only, over many documents laid end to end.

A step's rows reach the model as one long sequence with the borders of its pieces
(``cu_seq_lens``, the convention of FlashAttention). What computes it depends on the device:
FlashAttention where it is installed, PyTorch's own variable-length kernel on other CUDA devices, and
on the processor the blocks of this module, because no library has a variable-length kernel there.
Models whose attention has more to it than a causal mask (sliding windows, sinks, soft caps) are left
to transformers, which builds the block-diagonal mask from restarting position ids.
"""

import itertools
from typing import Any

BLOCKS = "gnomon_blocks"
VARLEN = "gnomon_varlen"
QUERIES = 256
"""Query rows taken at a time: the scores of a block stay in the processor's cache."""
PLAIN = frozenset({"llama", "qwen2", "qwen3", "qwen3_moe", "mixtral", "mistral", "olmo2", "granite"})
"""Model types whose attention is a causal softmax and nothing else."""


def choose(config: Any, device: str) -> str:
    """The attention implementation for a model on a device, registered and ready.

    Args:
        config: The model's transformers configuration.
        device: ``"cpu"`` or ``"cuda"``.

    Returns:
        A name for ``attn_implementation``.
    """
    if config.model_type not in PLAIN or getattr(config, "sliding_window", None):
        return "sdpa"
    if device == "cpu":
        return _register(BLOCKS, _blocks)
    from transformers.utils import is_flash_attn_2_available

    return "flash_attention_2" if is_flash_attn_2_available() else _register(VARLEN, _varlen)


def _register(name: str, function: Any) -> str:
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(name, function)
    ALL_MASK_ATTENTION_FUNCTIONS.register(name, _no_mask)
    return name


def _no_mask(*_: Any, **__: Any) -> None:
    """The borders say all that a mask would."""


def _blocks(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **more: Any) -> tuple[Any, None]:
    """Attention on the processor; shapes (1, heads, tokens, width), as transformers calls it."""
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    dtype = value.dtype
    borders = tuple(more["cu_seq_lens_q"].tolist())
    scale = more.get("scaling") or query.shape[-1] ** -0.5
    out = block_causal(query[0].to(dtype), key[0].to(dtype), value[0], borders, scale)
    return out.transpose(0, 1).unsqueeze(0).contiguous(), None


def block_causal(query: Any, key: Any, value: Any, borders: tuple[int, ...], scale: float) -> Any:
    """Causal attention within each piece.

    Dense products over blocks of queries, whose scores fit the processor's cache; the softmax of each
    block is kept for the backward pass. For pieces of a few hundred tokens this is faster than
    PyTorch's flash kernel on the processor, most of all in bfloat16 (``docs/design/training.md``).

    Args:
        query: Shape (heads, tokens, width).
        key: The same shape.
        value: The same shape.
        borders: Ascending token positions: piece i is ``borders[i]:borders[i + 1]``; the first is 0, the
            last the number of tokens.
        scale: Factor of the scores.

    Returns:
        Shape (heads, tokens, width).
    """
    return _function().apply(query.contiguous(), key.contiguous(), value.contiguous(), borders, scale)


def _stretches(borders: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """(begin of the piece, first query, end of queries) of every block."""
    return [
        (begin, first, min(first + QUERIES, end))
        for begin, end in itertools.pairwise(borders)
        for first in range(begin, end, QUERIES)
    ]


_made: list[Any] = []


def _function() -> Any:
    """The autograd function, made on first use because torch is imported late."""
    if not _made:
        _made.append(_make())
    return _made[0]


def _make() -> Any:
    import torch

    hidden = torch.ones(QUERIES, QUERIES, dtype=torch.bool).triu_(1)

    class BlockCausal(torch.autograd.Function):  # type: ignore[misc]
        """Forward and backward of ``block_causal``."""

        @staticmethod
        def forward(ctx: Any, query: Any, key: Any, value: Any, borders: tuple[int, ...], scale: float) -> Any:
            out, kept = torch.empty_like(query), []
            for begin, first, end in _stretches(borders):
                scores = torch.bmm(query[:, first:end] * scale, key[:, begin:end].transpose(1, 2))
                scores[:, :, first - begin :].masked_fill_(hidden[: end - first, : end - first], float("-inf"))
                weights = torch.softmax(scores, -1)
                out[:, first:end] = torch.bmm(weights, value[:, begin:end])
                kept.append(weights)
            ctx.save_for_backward(query, key, value, *kept)
            ctx.borders, ctx.scale = borders, scale
            return out

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            query, key, value, *kept = ctx.saved_tensors
            (gradient,) = gradients
            d_query = torch.empty_like(query)
            d_key, d_value = torch.zeros_like(key), torch.zeros_like(value)
            for (begin, first, end), weights in zip(_stretches(ctx.borders), kept, strict=True):
                above = gradient[:, first:end]
                d_value[:, begin:end] += torch.bmm(weights.transpose(1, 2), above)
                d_weights = torch.bmm(above, value[:, begin:end].transpose(1, 2))
                d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype).mul_(ctx.scale)
                d_query[:, first:end] = torch.bmm(d_scores, key[:, begin:end])
                d_key[:, begin:end] += torch.bmm(d_scores.transpose(1, 2), query[:, first:end])
            return d_query, d_key, d_value, None, None

    return BlockCausal


def _varlen(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **more: Any) -> tuple[Any, None]:
    """Attention on CUDA through ``torch.nn.attention.varlen``; shapes (1, heads, tokens, width)."""
    from torch.nn.attention.varlen import varlen_attn

    grouped = query.shape[1] != key.shape[1]
    packed = (part[0].transpose(0, 1).to(value.dtype).contiguous() for part in (query, key, value))
    borders, longest = more["cu_seq_lens_q"], int(more["max_length_q"])
    out = varlen_attn(
        *packed, borders, borders, longest, longest, scale=more.get("scaling"), window_size=(-1, 0), enable_gqa=grouped
    )
    return out.unsqueeze(0), None
