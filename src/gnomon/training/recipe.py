"""What is trained: the settings of pre-training, mid-training, continued pre-training and supervised fine-tuning.

They differ in what they start from, what they are shown and in these values, not in code. Everything here is part of a
model's identity; where and on how many devices it runs is in ``gnomon.toml`` (``[training]``).
"""

from dataclasses import dataclass

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.training.context import ExtendConfig
from gnomon.training.shapes import Shape

SCHEDULES = ("cosine", "wsd", "constant")
PRECISIONS = ("float32", "bfloat16", "float8")


@dataclass(frozen=True, kw_only=True)
class LoRA:
    """Low-rank adaptation (Hu et al., arXiv 2106.09685), through PEFT."""

    rank: int = 16
    """Rank of the update."""
    alpha: float = 32.0
    """Scale of the update, divided by the rank."""
    dropout: float = 0.0
    """Dropout on the adapter's input."""
    targets: tuple[str, ...] = ()
    """Names of the layers that are adapted; empty for every linear layer but the output."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a model is trained."""

    name: str
    """Name of the model that comes out."""
    learning_rate: float = 3e-4
    """Peak learning rate."""
    schedule: str = "cosine"
    """``cosine``, ``wsd`` (warm-up, stable, decay; arXiv 2404.06395) or ``constant``."""
    warmup: float = 0.02
    """Share of the steps in which the rate rises from 0."""
    decay: float = 0.2
    """``wsd``: share of the steps in which it falls again."""
    final: float = 0.1
    """Learning rate at the end, as a share of the peak."""
    batch: int = 32
    """Rows of one optimizer step, over all devices."""
    steps: int = 0
    """Optimizer steps; 0 for every row once."""
    betas: tuple[float, float] = (0.9, 0.95)
    """AdamW's averages."""
    epsilon: float = 1e-8
    """AdamW's epsilon."""
    weight_decay: float = 0.1
    """Decoupled weight decay; norms and biases have none."""
    clip: float = 1.0
    """Greatest norm of the gradient."""
    precision: str = "float32"
    """Of the matrix products: ``float32``, ``bfloat16`` or ``float8`` (torchao, H100 and later). Weights and optimizer
    states are float32 throughout."""
    saved_precision: str = "bfloat16"
    """Of the weights in the result: ``bfloat16`` or ``float32``."""
    shape: Shape | None = None
    """Pre-training: what the fresh model is built like."""
    extend: ExtendConfig | None = None
    """Mid-training: give the model a longer context first."""
    lora: LoRA | None = None
    """Train an adapter only; None for all weights."""
    spike: float = 2.0
    """Stop when a step's loss is this many nats above the median of the last 50; 0 for never."""
    chat: bool = False
    """Whether the model that comes out answers conversations: it then carries its chat template and ends at the end of
    a turn."""
    licence: str = ""
    """Licence the model is to carry; empty for its parent's."""
    use: str = "research"
    """What it is for: ``research`` or ``commercial``; licences are held against it."""
    seed: int = 0
    """Seed of fresh weights, adapters and dropout."""

    def __post_init__(self) -> None:
        for problem, wrong in _problems(self).items():
            if wrong:
                raise ConfigError(
                    say(f"training {self.name!r}: {problem}.", f"学習 {self.name!r} の設定: {problem}。"),
                    say("Mend the recipe.", "レシピを直す。"),
                )


def _problems(config: TrainConfig) -> dict[str, bool]:
    return {
        "the name is empty": not config.name,
        f"schedule {config.schedule!r}, known are {', '.join(SCHEDULES)}": config.schedule not in SCHEDULES,
        f"precision {config.precision!r}, known are {', '.join(PRECISIONS)}": config.precision not in PRECISIONS,
        f"saved_precision {config.saved_precision!r}, known are float32, bfloat16": config.saved_precision
        not in ("float32", "bfloat16"),
        f"learning_rate {config.learning_rate} must be above 0": not config.learning_rate > 0,
        f"batch {config.batch} and steps {config.steps}: at least one row a step": config.batch < 1 or config.steps < 0,
        f"clip {config.clip} and spike {config.spike} must not be negative": config.clip < 0 or config.spike < 0,
        f"warmup {config.warmup}, decay {config.decay}, final {config.final}: shares between 0 and 1": not all(
            0 <= share <= 1 for share in (config.warmup, config.decay, config.final)
        ),
    }
