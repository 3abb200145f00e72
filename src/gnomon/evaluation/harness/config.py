"""Settings of the step ``evaluation/lm_eval``."""

import re
from dataclasses import dataclass

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.evaluation.open.config import check_ranges
from gnomon.evaluation.roles import Role

_NAME = re.compile(r"[\w.*?+-]+")


@dataclass(frozen=True, kw_only=True)
class LmEvalConfig:
    """Settings of the step.

    Raises:
        ConfigError: A value is outside its range, or a task's name is none.
    """

    models: tuple[Role, ...]
    """The models, by role."""
    tasks: tuple[str, ...]
    """Tasks, groups or tags by name, as ``lm-eval ls tasks`` lists them, or of the included folder."""
    shots: int = -1
    """Examples before a question; -1 for what each task says."""
    limit: int = 0
    """Most questions a task; 0 takes all."""
    batch: int = 8
    """Questions scored at once."""
    chat: bool = False
    """Whether questions are put through the model's chat template."""
    bootstrap: int = 100_000
    """Resamples with which lm-eval estimates standard errors it has no formula for."""
    seed: int = 0
    """Of every generator that lm-eval seeds."""
    dtype: str = "float32"
    """Precision of the weights."""

    def __post_init__(self) -> None:
        least = {"shots": -1, "limit": 0, "batch": 1, "bootstrap": 0}
        check_ranges("lm_eval", self, least)
        wrong = [task for task in self.tasks if not _NAME.fullmatch(task)]
        if wrong or not self.tasks or not self.models:
            raise ConfigError(
                say(f"lm_eval: tasks = {self.tasks}, {len(self.models)} models.",
                    f"lm_eval: tasks = {self.tasks}、モデル {len(self.models)} 個。"),
                say("Name at least one model and one task: ('arc_easy', 'mmlu_astronomy').",
                    "モデルとタスクを一つ以上指定する: ('arc_easy', 'mmlu_astronomy')。"),
            )  # fmt: skip
