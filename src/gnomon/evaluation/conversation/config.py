"""Settings of the step ``evaluation/chat_exam``."""

from dataclasses import dataclass

from gnomon.core.errors import ConfigError
from gnomon.core.records import ModelRef
from gnomon.core.wording import say
from gnomon.evaluation.open.config import check_judge, check_ranges
from gnomon.evaluation.roles import Role

MT_BENCH = (
    ("coding", 0.0), ("extraction", 0.0), ("humanities", 0.1), ("math", 0.0), ("reasoning", 0.0), ("roleplay", 0.7),
    ("stem", 0.1), ("writing", 0.7),
)  # fmt: skip
"""Temperatures by category with which MT-Bench's answers are drawn (Zheng et al. 2023, FastChat's ``common.py``)."""
POINTS = 10


@dataclass(frozen=True, kw_only=True)
class ChatConfig:
    """Settings of the step.

    Raises:
        ConfigError: A value is outside its range, or the judge is one of the models.
    """

    models: tuple[Role, ...]
    """Who is talked to; each is an arm of its own name."""
    judge: ModelRef
    """Who judges."""
    prompt: str = "1"
    """Version of the judge's prompt files."""
    temperatures: tuple[tuple[str, float], ...] = ()
    """(category, temperature) where it is not 0; ``MT_BENCH`` for those of MT-Bench."""
    max_items: int = 0
    """Most questions, chosen by seed; 0 takes all."""
    max_tokens: int = 1024
    """Most tokens of an answer, thinking included."""
    judge_tokens: int = 2048
    """Most tokens of a judgement, thinking included."""
    thinking: str = "auto"
    """Whether models think first: ``on``, ``off`` or ``auto``; the judge as it is used to."""
    seed: int = 0
    """Of the choice of questions, the sampling and the bootstrap."""
    draws: int = 2_000
    """Resamples of the bootstrap."""
    block: int = 8
    """Conversations held or judged between two savings."""
    dtype: str = "float32"
    """Precision of local models."""
    loader: str = "gnomon.llm.models:load_model"
    """Entry of a function ``(artifact or ModelRef, Settings, *, log, dtype)`` that gives a ``Chat``."""

    def __post_init__(self) -> None:
        names = [role.name for role in self.models]
        if not names or len(set(names)) != len(names):
            raise ConfigError(
                say(f"chat_exam: models = {names}.", f"chat_exam: models = {names}。"),
                say("Give at least one, and every name once.", "一つ以上を、重複しない名前で指定する。"),
            )
        least = {"max_items": 0, "max_tokens": 1, "judge_tokens": 1, "draws": 1, "block": 1}
        check_ranges("chat_exam", self, least)
        check_judge(self.judge, self.models)

    def temperature(self, category: str) -> float:
        """The temperature of a category."""
        return dict(self.temperatures).get(category, 0.0)
