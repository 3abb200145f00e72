"""Shapes: what a model is built like, before it has learnt anything.

A *shape* is a model's dimensions as a recipe states them; ``model_config`` turns one into the configuration of a
transformers model, ``build`` into a freshly initialised one, ``parameters`` into two numbers. Four architectures, all
of which transformers, vLLM and llama.cpp run: Llama, Qwen3 (Llama with normalised queries and keys), and the mixtures
of experts Qwen3-MoE and Mixtral. The shapes of LLM-jp-4 and of the bases that recipes continue are named, with small
twins that train on a laptop. The choices are explained in ``docs/design/shapes.md``.
"""

import math
from dataclasses import dataclass
from typing import Any

from gnomon.capacity.decoder import Decoder
from gnomon.core.errors import ConfigError
from gnomon.core.wording import say

MIXTURES = ("qwen3_moe", "mixtral")
ARCHITECTURES = ("llama", "qwen3", *MIXTURES)
_RESIDUAL = ("o_proj.weight", "down_proj.weight", "experts.down_proj")
"""Ends of the names of the matrices that write into the residual stream."""


@dataclass(frozen=True, kw_only=True)
class TokenIds:
    """What a model has to know of its tokenizer."""

    vocab_size: int
    """Number of tokens, added ones included."""
    eos: int
    """Id that ends a document."""
    bos: int | None = None
    """Id that begins a document, if there is one."""
    pad: int | None = None
    """Id that fills up a row, if there is one."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The dimensions of a model. Raises ConfigError for those that no model can have."""

    architecture: str = "llama"
    """``llama``, ``qwen3``, ``qwen3_moe`` or ``mixtral``."""
    layers: int
    """Transformer blocks."""
    hidden: int
    """Width of the residual stream; a multiple of ``heads``."""
    intermediate: int
    """Width inside the feed-forward layer, or inside one expert."""
    heads: int
    """Query heads; a multiple of ``kv_heads``."""
    kv_heads: int
    """Key and value heads (grouped-query attention; arXiv 2305.13245)."""
    head_dim: int = 0
    """Width of a head, even; 0 for ``hidden / heads``."""
    context: int = 1_024
    """Longest sequence, in tokens."""
    rope_theta: float = 10_000.0
    """Base of the rotary position embedding's frequencies (arXiv 2104.09864)."""
    tie_embeddings: bool = False
    """Whether input and output embeddings are one matrix: saves much of a small model."""
    experts: int = 0
    """Experts a layer, for a mixture."""
    experts_per_token: int = 0
    """Experts a token passes through, for a mixture."""
    router_loss: float = 0.001
    """Weight of the loss that keeps experts equally busy (arXiv 2101.03961), for a mixture."""
    norm_epsilon: float = 1e-5
    """Added to the variance in RMSNorm."""
    initializer_range: float = 0.02
    """Standard deviation of fresh weights."""
    vocab_multiple: int = 1
    """The embedding's rows are rounded up to a multiple of this; 64 or 128 makes GPU kernels faster."""

    def __post_init__(self) -> None:
        for problem, wrong in _problems(self).items():
            if wrong:
                raise ConfigError(
                    say(f"No model has this shape: {problem}.", f"この形状のモデルは作れません: {problem}"),
                    say("Mend the shape in the recipe.", "レシピの形状を直してください。"),
                )

    @property
    def head_width(self) -> int:
        """Width of a head."""
        return self.head_dim or self.hidden // self.heads

    @property
    def mixture(self) -> bool:
        """Whether this is a mixture of experts."""
        return self.architecture in MIXTURES

    def rows(self, vocab_size: int) -> int:
        """Rows of the embedding for a vocabulary of ``vocab_size`` tokens."""
        return -(-vocab_size // self.vocab_multiple) * self.vocab_multiple

    def decoder(self, vocab_size: int) -> Decoder:
        """The shape as the numbers that capacity estimates ask for."""
        return Decoder(
            vocab_size=self.rows(vocab_size),
            layers=self.layers,
            hidden=self.hidden,
            intermediate=self.intermediate,
            heads=self.heads,
            kv_heads=self.kv_heads,
            head_dim=self.head_width,
            tied=self.tie_embeddings,
            experts=self.experts,
            experts_per_token=self.experts_per_token,
            qk_norm=self.architecture.startswith("qwen3"),
        )


def _problems(shape: Shape) -> dict[str, bool]:
    sizes = (shape.layers, shape.hidden, shape.intermediate, shape.heads, shape.kv_heads, shape.context)
    if shape.architecture not in ARCHITECTURES:
        return {f"architecture {shape.architecture!r}, known are {', '.join(ARCHITECTURES)}": True}
    if min(sizes) < 1 or shape.vocab_multiple < 1:
        return {"every dimension must be at least 1": True}
    return {
        f"hidden {shape.hidden} is not a multiple of {shape.heads} heads": shape.hidden % shape.heads != 0,
        f"{shape.heads} heads is not a multiple of {shape.kv_heads} kv_heads": shape.heads % shape.kv_heads != 0,
        f"a head of width {shape.head_width} cannot be rotated, it must be even": shape.head_width % 2 != 0,
        f"rope_theta {shape.rope_theta} must be above 1": shape.rope_theta <= 1,
        f"initializer_range {shape.initializer_range} must lie in (0, 1]": not 0 < shape.initializer_range <= 1,
        f"experts_per_token {shape.experts_per_token} must lie in 1…{shape.experts} experts": shape.mixture
        and not 1 <= shape.experts_per_token <= shape.experts,
        f"architecture {shape.architecture} has no experts": not shape.mixture and shape.experts > 0,
    }


def parameters(shape: Shape, vocab_size: int) -> tuple[int, int]:
    """Number of parameters: (all, those active for one token). Equal to what torch counts."""
    decoder = shape.decoder(vocab_size)
    return decoder.total, decoder.active


def model_config(shape: Shape, tokens: TokenIds) -> Any:
    """The transformers configuration (a ``PreTrainedConfig``) of a shape over a vocabulary.

    A pad id that is also the end of documents is left out: an embedding row named as padding never learns.

    Raises:
        ConfigError: A token id lies outside the vocabulary.
    """
    import transformers

    _check_ids(tokens)
    classes = {
        "llama": "LlamaConfig",
        "qwen3": "Qwen3Config",
        "qwen3_moe": "Qwen3MoeConfig",
        "mixtral": "MixtralConfig",
    }
    return getattr(transformers, classes[shape.architecture])(
        vocab_size=shape.rows(tokens.vocab_size),
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_width,
        max_position_embeddings=shape.context,
        rope_parameters={"rope_type": "default", "rope_theta": float(shape.rope_theta)},
        rms_norm_eps=shape.norm_epsilon,
        initializer_range=shape.initializer_range,
        tie_word_embeddings=shape.tie_embeddings,
        bos_token_id=tokens.bos,
        eos_token_id=tokens.eos,
        pad_token_id=None if tokens.pad == tokens.eos else tokens.pad,
        **_mixture_settings(shape),
    )


def _check_ids(tokens: TokenIds) -> None:
    for name, token in (("eos", tokens.eos), ("bos", tokens.bos), ("pad", tokens.pad)):
        if token is not None and not 0 <= token < tokens.vocab_size:
            raise ConfigError(
                say(
                    f"The tokenizer's {name} id {token} lies outside its {tokens.vocab_size} tokens.",
                    f"トークナイザーの{name} id {token}が語彙（{tokens.vocab_size}語）の外にあります。",
                ),
                say("Train or adopt the tokenizer again.", "トークナイザーを作り直してください。"),
            )


def _mixture_settings(shape: Shape) -> dict[str, Any]:
    if not shape.mixture:
        return {}
    shared = {
        "num_experts_per_tok": shape.experts_per_token,
        "router_aux_loss_coef": shape.router_loss,
        "output_router_logits": shape.router_loss > 0,
    }
    if shape.architecture == "mixtral":
        return {**shared, "num_local_experts": shape.experts}
    own = {"num_experts": shape.experts, "moe_intermediate_size": shape.intermediate, "norm_topk_prob": True}
    return {**shared, **own}


def build(shape: Shape, tokens: TokenIds, *, seed: int) -> Any:
    """A freshly initialised model: a transformers causal language model in float32, on the processor.

    Equal seeds give equal weights, whatever was drawn from torch's global generator before; that generator is left
    as it was.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng(devices=[]):
        model = AutoModelForCausalLM.from_config(model_config(shape, tokens), dtype=torch.float32)
    initialise(model, std=shape.initializer_range, generator=torch.Generator().manual_seed(seed))
    model.generation_config.pad_token_id = tokens.eos if tokens.pad is None else tokens.pad
    return model


def initialise(model: Any, *, std: float, generator: Any) -> None:
    """Draws fresh weights in place: normal, and narrower where a layer writes into the residual stream.

    The output matrices of attention and feed-forward get ``std / sqrt(2 layers)``, so that the sum of all layers'
    contributions starts with the same spread at any depth (Radford et al. 2019, "Language Models are Unsupervised
    Multitask Learners", section 2.3). Norms stay at one, biases at zero, the padding row at zero.
    """
    import torch

    residual = std / math.sqrt(2 * model.config.num_hidden_layers)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.dim() >= 2:
                weights.normal_(0.0, residual if name.endswith(_RESIDUAL) else std, generator=generator)
        if model.config.pad_token_id is not None:
            model.get_input_embeddings().weight[model.config.pad_token_id].zero_()


LLAMA_2_7B = Shape(layers=32, hidden=4_096, intermediate=11_008, heads=32, kv_heads=32, context=4_096)
"""AstroLLaMA's base (arXiv 2307.09288); vocabulary 32,000."""
LLAMA_3_8B = Shape(
    layers=32, hidden=4_096, intermediate=14_336, heads=32, kv_heads=8, context=8_192, rope_theta=500_000.0
)
"""AstroSage's base (arXiv 2407.21783), before its context was extended; vocabulary 128,256."""
LLMJP_4_8B = Shape(
    layers=32, hidden=4_096, intermediate=14_336, heads=32, kv_heads=8, context=4_096, rope_theta=500_000.0
)
"""LLM-jp-4 8B while it is pre-trained; with its 196,608 tokens exactly the 8,590,200,832 parameters on its card."""
LLMJP_4_32B_A3B = Shape(
    architecture="qwen3_moe",
    layers=32,
    hidden=2_560,
    intermediate=960,
    heads=40,
    kv_heads=4,
    head_dim=128,
    context=4_096,
    rope_theta=500_000.0,
    experts=128,
    experts_per_token=8,
)
"""LLM-jp-4 32B-A3B: the card gives layers, width, heads, experts; intermediate and kv_heads follow from its counts."""
LLMJP_4_8B_TWIN = Shape(
    layers=4, hidden=256, intermediate=704, heads=8, kv_heads=2, rope_theta=10_000.0, tie_embeddings=True
)
"""The dense shape in small: 4.9 M parameters over 8,192 tokens, four queries to a key as in the large one."""
LLMJP_4_32B_A3B_TWIN = Shape(
    architecture="qwen3_moe",
    layers=4,
    hidden=192,
    intermediate=96,
    heads=6,
    kv_heads=1,
    tie_embeddings=True,
    experts=16,
    experts_per_token=2,
    router_loss=0.01,
)
"""The mixture in small: 5.5 M parameters over 8,192 tokens, 2.4 M of them active."""
NAMED = {
    "llama_2_7b": LLAMA_2_7B,
    "llama_3_8b": LLAMA_3_8B,
    "llmjp_4_8b": LLMJP_4_8B,
    "llmjp_4_32b_a3b": LLMJP_4_32B_A3B,
    "llmjp_4_8b_twin": LLMJP_4_8B_TWIN,
    "llmjp_4_32b_a3b_twin": LLMJP_4_32B_A3B_TWIN,
}
"""Shapes by the names a recipe may use."""
