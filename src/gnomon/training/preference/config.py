"""The settings of preference training."""

from dataclasses import dataclass

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.training.recipe import LoRA, TrainConfig

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class PreferenceConfig:
    """How a model learns what is preferred, by direct preference optimisation (Rafailov et al., arXiv 2305.18290).

    Raises:
        ConfigError: A value cannot be used.
    """

    name: str
    """Name of the model that comes out."""
    beta: float = 0.1
    """How dear it is to leave the model one starts from: the reward of an answer is ``beta`` times how much likelier it
    has become."""
    learning_rate: float = 1e-6
    """Peak learning rate; TRL's. Adapters and small models want more."""
    schedule: str = "cosine"
    """``cosine``, ``wsd`` or ``constant``."""
    warmup: float = 0.1
    """Share of the steps in which the rate rises from 0."""
    final: float = 0.1
    """Learning rate at the end, as a share of the peak."""
    batch: int = 16
    """Pairs of answers of one optimizer step."""
    epochs: int = 1
    """How often each pair is shown, every time in another order."""
    max_length: int = 1024
    """Most tokens of a question with an answer; longer pairs are left out, not cut: a cut answer has no end."""
    held_out: float = 0.0
    """Share of the pairs that are not learnt from but measured at the end, chosen by the hash of their document."""
    weight_decay: float = 0.0
    """Decoupled weight decay."""
    clip: float = 1.0
    """Greatest norm of the gradient."""
    precision: str = "float32"
    """Of the matrix products: ``float32`` or ``bfloat16``."""
    saved_precision: str = "bfloat16"
    """Of the weights in the result: ``bfloat16`` or ``float32``."""
    lora: LoRA | None = None
    """Train an adapter only; None for all weights, with the model one starts from beside them in memory."""
    licence: str = ""
    """Licence the model is to carry; empty for its parent's."""
    use: str = "research"
    """What it is for: ``research`` or ``commercial``; licences are held against it."""
    seed: int = 0
    """Of the order of the pairs, of fresh adapters and of dropout."""

    def __post_init__(self) -> None:
        problems = {
            f"beta {self.beta} must be above 0": not self.beta > 0,
            f"epochs {self.epochs} and max_length {self.max_length}: at least 1 and 2": self.epochs < 1
            or self.max_length < 2,
            f"held_out {self.held_out}: a share below 1": not 0 <= self.held_out < 1,
            f"precision {self.precision!r}, known are {', '.join(PRECISIONS)}": self.precision not in PRECISIONS,
        }
        for problem, wrong in problems.items():
            if wrong:
                raise ConfigError(
                    say(f"training {self.name!r}: {problem}.", f"学習 {self.name!r} の設定: {problem}。"),
                    say("Mend the recipe.", "レシピを直す。"),
                )
        self.training()

    def training(self) -> TrainConfig:
        """What it has in common with all training.

        Raises:
            ConfigError: A value cannot be used.
        """
        return TrainConfig(
            name=self.name, learning_rate=self.learning_rate, schedule=self.schedule, warmup=self.warmup,
            final=self.final, batch=self.batch, betas=(0.9, 0.999), weight_decay=self.weight_decay, clip=self.clip,
            precision=self.precision, saved_precision=self.saved_precision, lora=self.lora, spike=0.0, chat=True,
            licence=self.licence, use=self.use, seed=self.seed,
        )  # fmt: skip
