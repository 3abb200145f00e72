"""Memory: how much a training holds at its fullest, part by part.

A device holds *weights*, *gradients* and *optimizer states* (a multiple of the parameters), *activations* (what the
forward pass keeps for the backward pass, a multiple of the tokens in a micro-batch), and the *logits* (tokens times
vocabulary, which for a small model with a large vocabulary is the largest part). With FSDP2 the first three are cut
among the ranks, and each rank gathers a layer at a time. The sum is what is there when the loss is computed with
gradients already in place: the fullest moment of gradient accumulation, and on the safe side without.

What a layer keeps was counted from the operations of transformers' Llama, and is tested against torch's saved tensors;
``docs/design/training-capacity.md`` has the formulas and compares the sums with published runs.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from gnomon.capacity.decoder import Decoder
from gnomon.core.errors import ConfigError
from gnomon.core.wording import say

CHECKPOINTING = ("none", "selective", "full")
LOSSES = ("whole", "compiled", "chunked")
CHUNK = 1_024
"""Tokens whose logits exist at once when the loss is computed in chunks."""
LORA_MATRICES = 7
"""Matrices a layer that get an adapter: query, key, value, output, gate, up, down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Precision:
    """Bytes a parameter."""

    compute: int
    """Of weights and activations in matrix products."""
    weights: int
    """Of the weights that are kept, a second, more precise copy included."""
    gradients: int
    """Of the gradients."""
    states: int
    """Of the optimizer's two moments together."""
    stream: int
    """Of what runs from layer to layer, a value: autocast leaves it in float32."""

    @property
    def each(self) -> int:
        """Bytes a trained parameter takes while nothing runs."""
        return self.weights + self.gradients + self.states


PRECISIONS = {
    "float32": Precision(compute=4, weights=4, gradients=4, states=8, stream=4),
    "autocast": Precision(compute=2, weights=6, gradients=4, states=8, stream=4),
    "mixed": Precision(compute=2, weights=4, gradients=4, states=8, stream=2),
    "mixed_adam8bit": Precision(compute=2, weights=6, gradients=2, states=2, stream=2),
    "bf16": Precision(compute=2, weights=2, gradients=2, states=4, stream=2),
    "bf16_adam8bit": Precision(compute=2, weights=2, gradients=2, states=2, stream=2),
}
"""By name: all float32; float32 with products in bf16, whose cast weights are kept (``torch.autocast``); float32 shards
gathered in bf16 (FSDP2's mixed precision); bf16 beside a float32 copy of the weights, with 8-bit states; all bf16, best
rounded stochastically; bf16 with 8-bit states."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training as memory sees it."""

    decoder: Decoder
    """The model's dimensions."""
    context: int
    """Tokens a sequence."""
    micro_batch: int = 1
    """Sequences a device holds at once."""
    precision: str = "float32"
    """A name of ``PRECISIONS``."""
    checkpointing: str = "none"
    """``none``; ``selective`` keeps about every second product of a layer; ``full`` keeps a layer's input only."""
    compiled: bool = False
    """Whether torch.compile fuses what lies between products."""
    loss: str = "whole"
    """``whole`` logits in float32; ``compiled``: logits and their gradient in the precision of products; ``chunked``: a
    thousand tokens at a time, never all kept."""
    scores: float = 0.0
    """Positions whose scores attention keeps for each token: 0 with flash kernels; Gnomon's own attention on processors
    keeps half a document's length and half a block more."""
    lora_rank: int = 0
    """Rank of adapters on every matrix; 0 trains all parameters."""
    ranks: int = 1
    """Devices that share weights, gradients and states (FSDP2)."""

    def __post_init__(self) -> None:
        choices = {"precision": tuple(PRECISIONS), "checkpointing": CHECKPOINTING, "loss": LOSSES}
        for name, known in choices.items():
            value = getattr(self, name)
            if value not in known:
                raise ConfigError(
                    say(f"No memory figures for {name} {value!r}.", f"{name} {value!r}のメモリー数値がありません。"),
                    say(f"Known: {', '.join(known)}.", f"使えるもの: {', '.join(known)}。"),
                )

    @property
    def tokens(self) -> int:
        """Tokens a device holds at once."""
        return self.context * self.micro_batch

    @property
    def bytes_per(self) -> Precision:
        """Bytes a parameter."""
        return PRECISIONS[self.precision]

    @cached_property
    def trained(self) -> int:
        """Parameters that change."""
        return lora_parameters(self.decoder, self.lora_rank) if self.lora_rank else self.decoder.total


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Bytes one device holds, by what for."""

    weights: int
    """Weights, copies included, and gathered layers."""
    gradients: int
    """Gradients."""
    states: int
    """Optimizer states."""
    activations: int
    """What layers keep for the backward pass."""
    logits: int
    """Logits, their logarithms and their gradients."""

    @property
    def total(self) -> int:
        """All together."""
        return self.weights + self.gradients + self.states + self.activations + self.logits


def lora_parameters(decoder: Decoder, rank: int) -> int:
    """Parameters of adapters of a rank on every matrix inside blocks (arXiv 2106.09685), as PEFT makes them.

    In a mixture PEFT adapts the router and each expert, whose fused gate and up it gives twice the rank.
    """
    h, q, k, i = decoder.hidden, decoder.queries, decoder.keys, decoder.intermediate
    feed_forward = 3 * (h + i)
    if decoder.experts:
        feed_forward = decoder.experts * (2 * (h + 2 * i) + (h + i)) + h + decoder.experts
    return rank * decoder.layers * (2 * (h + q) + 2 * (h + k) + feed_forward)


def memory(training: Training) -> Memory:
    """What one device holds at the fullest moment, without what the process itself takes."""
    each, decoder = training.bytes_per, training.decoder
    frozen = decoder.total * each.compute if training.lora_rank else 0
    kept = -(-(frozen + training.trained * each.weights) // training.ranks)
    return Memory(
        weights=kept + _gathered(training),
        gradients=-(-training.trained * each.gradients // training.ranks),
        states=-(-training.trained * each.states // training.ranks),
        activations=int(training.tokens * activation_bytes(training)),
        logits=_logit_bytes(training),
    )


def _gathered(training: Training) -> int:
    """Whole layers beside the shards: two, for one is fetched while another works, and the embeddings."""
    if training.ranks == 1:
        return 0
    decoder = training.decoder
    layer = decoder.attention + decoder.gated * max(1, decoder.experts)
    return training.bytes_per.compute * (2 * layer + (1 if decoder.tied else 2) * decoder.embedding)


def activation_bytes(training: Training) -> float:
    """Bytes a token that the model keeps between its embedding and its logits."""
    decoder, each = training.decoder, training.bytes_per
    inside = _layer_bytes(training) + each.compute * training.lora_rank * LORA_MATRICES
    boundary, last = each.stream * decoder.hidden, _norm_bytes(decoder.hidden, each)
    if training.checkpointing == "full":
        return decoder.layers * boundary + inside + last
    if training.checkpointing == "selective":
        kept = each.compute * (2 * decoder.queries + decoder.keys + _fed(decoder) + decoder.hidden)
        return decoder.layers * (kept + boundary) + last
    return decoder.layers * inside + last


def _fed(decoder: Decoder) -> int:
    """Width of a token's path through the feed-forward layer."""
    return decoder.intermediate * max(1, decoder.experts_per_token)


def _layer_bytes(training: Training) -> float:
    """Bytes a token that one layer keeps when nothing is computed again on purpose.

    Both ways: queries, keys, values, what attention gives, and a logarithm a head. Compiled (as torch's partitioner
    decides): the layer's input, four more values of its width, and gate, up and their product. Not compiled: the
    feed-forward also keeps what its activation gives, and norms what ``_norm_bytes`` says; autocast keeps a cast input
    for each of five products.
    """
    decoder, each = training.decoder, training.bytes_per
    attention = each.compute * (2 * decoder.queries + 2 * decoder.keys) + 4 * decoder.heads
    if training.scores:  # keys and values are repeated for every query head
        attention = int(each.compute * (4 * decoder.queries + decoder.heads * training.scores))
    extra = _extra_bytes(decoder, each)
    if training.compiled:
        return (
            attention + extra + each.stream * decoder.hidden + each.compute * (4 * decoder.hidden + 3 * _fed(decoder))
        )
    norms = 2 * _norm_bytes(decoder.hidden, each) + (10 * decoder.hidden if each.stream > each.compute else 0)
    return attention + extra + norms + 4 * each.compute * _fed(decoder)


def _norm_bytes(width: int, each: Precision) -> int:
    """An RMSNorm keeps its input in float32, and its normalised and its scaled output; cast ones are counted apart."""
    if each.stream > each.compute:
        return 8 * width
    return (4 + 2 * each.compute) * width


def _extra_bytes(decoder: Decoder, each: Precision) -> int:
    """What normalised queries and keys keep, and a router with its experts' inputs and outputs."""
    heads = (4 + each.compute) * (decoder.queries + decoder.keys) if decoder.qk_norm else 0
    each_expert = 2 * each.compute + (4 if each.stream > each.compute else 0)
    routed = each_expert * decoder.experts_per_token * decoder.hidden + 16 * decoder.experts
    return heads + (routed if decoder.experts else 0)


def _logit_bytes(training: Training) -> int:
    """Logits and their gradient in the precision of products, and in float32 their copy, logarithms and gradient.

    Transformers' loss works in float32 and makes no copy of what is float32 already; compiled, that part is fused.
    """
    size = training.bytes_per.compute
    if training.loss == "compiled":
        return training.tokens * training.decoder.vocab_size * 2 * size
    at_once = min(training.tokens, CHUNK) if training.loss == "chunked" else training.tokens
    return at_once * training.decoder.vocab_size * (16 if size == 4 else 2 * size + 12)


def largest_micro_batch(training: Training, available: int) -> int:
    """The largest micro-batch whose memory stays within ``available`` bytes; 0 if not even one sequence does."""
    if memory(replace(training, micro_batch=1)).total > available:
        return 0
    low, high = 1, 2
    while memory(replace(training, micro_batch=high)).total <= available:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        fits = memory(replace(training, micro_batch=middle)).total <= available
        low, high = (middle, high) if fits else (low, middle)
    return low
