"""Context: makes a model read longer texts than it was trained on.

Positions enter a model as rotations of queries and keys (RoPE, arXiv 2104.09864); positions beyond the trained ones
are angles it has never met. *Extending* changes the frequencies so that long texts stay within known angles, and then
trains on: the recipes do it as mid-training on long documents, since without training on only YaRN keeps much of the
quality. Three methods, all of which transformers computes:

* ``base``: raises RoPE's base (adjusted base frequency, arXiv 2309.16039), by the stated value or by the NTK-aware
  rule ``base * factor ** (d / (d - 2))``, which stretches the slowest rotation by just the factor;
* ``yarn``: stretches slow rotations, keeps fast ones, sharpens attention (arXiv 2309.00071);
* ``linear``: stretches all alike (position interpolation, arXiv 2306.15595).
"""

import copy
from dataclasses import dataclass
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say

METHODS = ("base", "yarn", "linear")
_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class ExtendConfig:
    """How far a context is extended, and how."""

    context: int
    """The new longest sequence, in tokens."""
    method: str = "base"
    """``base``, ``yarn`` or ``linear``."""
    rope_theta: float = 0.0
    """The new base, for method ``base``; 0 for the NTK-aware rule."""
    factor: float = 0.0
    """New context over old, when the recipe wants it checked; 0 for whatever it is."""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise _refusal(
                f"method {self.method!r} is not known, only {', '.join(METHODS)}",
                f"方法{self.method!r}は使えません（{'、'.join(METHODS)}のいずれか）",
            )
        if self.rope_theta and self.method != "base":
            raise _refusal(
                f"rope_theta = {self.rope_theta} has no meaning for method {self.method!r}",
                f"rope_theta = {self.rope_theta}は方法{self.method!r}では使いません",
            )
        if self.context < 1 or self.factor < 0 or self.rope_theta < 0:
            raise _refusal(
                f"context {self.context}, factor {self.factor} and rope_theta {self.rope_theta} must be positive",
                f"context {self.context}、factor {self.factor}、rope_theta {self.rope_theta}は正の数が必要です",
            )


def extend(model_config: Any, config: ExtendConfig) -> Any:
    """The configuration of the same model with a longer context; the given one stays as it is.

    Load the weights under it with ``from_pretrained(folder, config=extended)``: frequencies are no weights.

    Args:
        model_config: A transformers ``PreTrainedConfig`` with rotary positions, not yet stretched.
        config: How far, and how.

    Raises:
        ConfigError: The model has no plain rotary positions, the new context is no longer than the old one, or the
            factor or the base contradicts it.
    """
    old, rope = _length_of(model_config), _rope_of(model_config)
    factor = _factor(old, config)
    extended = copy.deepcopy(model_config)
    extended.max_position_embeddings = config.context
    extended.rope_parameters = _parameters(rope, factor, old, config, _rotated(model_config, rope))
    extended.validate_rope()
    return extended


def _length_of(model_config: Any) -> int:
    length = getattr(model_config, "max_position_embeddings", None)
    if not isinstance(length, int):
        kind = getattr(model_config, "model_type", type(model_config).__name__)
        raise _refusal(f"{kind!r} states no longest sequence", f"{kind!r}には最大長の記述がありません")
    return length


def _rope_of(model_config: Any) -> dict[str, Any]:
    kind = getattr(model_config, "model_type", type(model_config).__name__)
    rope = getattr(model_config, "rope_parameters", None) or {}
    if "rope_theta" not in rope:
        raise _refusal(
            f"{kind!r} has no rotary positions of one kind for all layers",
            f"{kind!r}は全層共通の回転位置埋め込みを持ちません",
        )
    if rope.get("rope_type", "default") != "default":
        raise _refusal(
            f"its positions are already stretched by {rope['rope_type']!r}; extend the base it was made from",
            f"位置はすでに{rope['rope_type']!r}で伸ばされています。元のモデルを拡張してください",
        )
    return dict(rope)


def _factor(old: int, config: ExtendConfig) -> float:
    if config.context <= old:
        raise _refusal(
            f"the new context {config.context:,} is not longer than the {old:,} tokens of the base",
            f"新しい文脈長{config.context:,}は元の{old:,}トークンより長くありません",
        )
    factor = config.context / old
    if config.factor and abs(config.factor - factor) > _TOLERANCE * factor:
        raise _refusal(
            f"factor {config.factor:g} does not fit {old:,} -> {config.context:,} tokens, which is {factor:g}",
            f"factor {config.factor:g}は{old:,}→{config.context:,}トークン（{factor:g}倍）と合いません",
        )
    return factor


def _rotated(model_config: Any, rope: dict[str, Any]) -> int:
    """How many dimensions of a head are rotated."""
    width = getattr(model_config, "head_dim", None) or model_config.hidden_size // model_config.num_attention_heads
    return int(width * rope.get("partial_rotary_factor", 1.0))


def _parameters(rope: dict[str, Any], factor: float, old: int, config: ExtendConfig, rotated: int) -> dict[str, Any]:
    if config.method == "linear":
        return {**rope, "rope_type": "linear", "factor": factor}
    if config.method == "yarn":
        return {**rope, "rope_type": "yarn", "factor": factor, "original_max_position_embeddings": old}
    if config.rope_theta and config.rope_theta <= rope["rope_theta"]:
        raise _refusal(
            f"rope_theta {config.rope_theta:g} is not above the base's {rope['rope_theta']:g}",
            f"rope_theta {config.rope_theta:g}は元の{rope['rope_theta']:g}より大きくありません",
        )
    return {**rope, "rope_theta": config.rope_theta or adjusted_base(rope["rope_theta"], factor, rotated)}


def adjusted_base(rope_theta: float, factor: float, rotated: int) -> float:
    """The base that makes the slowest of ``rotated`` dimensions turn ``factor`` times slower (NTK-aware rule).

    Its frequency is ``base ** -((d - 2) / d)``, so the base grows by ``factor ** (d / (d - 2))``; the fastest is kept.
    With two dimensions there is only the fastest, and only the factor is left.
    """
    exponent = rotated / (rotated - 2) if rotated > 2 else 1.0
    return float(rope_theta * factor**exponent)


def follow(model: Any, tokenizer: Any = None) -> None:
    """Makes generation settings and tokenizer agree with the model's context, in place."""
    length = model.config.max_position_embeddings
    if tokenizer is not None:
        tokenizer.model_max_length = length
    settings = getattr(model, "generation_config", None)
    if settings is not None and settings.max_length is not None:
        settings.max_length = length


def _refusal(en: str, ja: str) -> ConfigError:
    return ConfigError(
        say(f"The context cannot be extended: {en}.", f"文脈長を拡張できません: {ja}。"),
        say("Mend the context extension in the recipe.", "レシピの文脈長の拡張を直してください。"),
    )
