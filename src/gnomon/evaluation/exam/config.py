"""Settings of the step ``evaluation/exam``."""

from dataclasses import dataclass

from gnomon.core.errors import ConfigError
from gnomon.evaluation.exam.arms import Arm, Paper, check_exam
from gnomon.evaluation.exam.likeliest import check_normalise
from gnomon.evaluation.roles import Role


@dataclass(frozen=True, kw_only=True)
class ExamConfig:
    """Settings of the step.

    Raises:
        ConfigError: A value is outside its range, or the arms do not fit the models.
    """

    arms: tuple[Arm, ...]
    """Who sits the exam, in the order of the tables."""
    exams: tuple[Paper, ...]
    """The papers, in the order of the tables."""
    models: tuple[Role, ...] = ()
    """The models that arms name."""
    orders: int = 0
    """Orders of its options in which a question is asked; 0 for as many as it has options, which balances places."""
    shots: int = 0
    """Examples before a question, of the paper's dev split."""
    normalise: str = "characters"
    """What the log-likelihood of an option's text is divided by: ``sum`` (nothing), ``characters`` or ``tokens``."""
    max_tokens: int = 1024
    """Most tokens of a written answer, thinking included."""
    thinking: str = "auto"
    """Whether chats think first: ``on``, ``off`` or ``auto``."""
    passages: int = 5
    """Most passages before a question of an open-book exam."""
    passage_characters: int = 8_000
    """Most characters of those passages together; 0 for no bound but the model's context."""
    seed: int = 0
    """Of the orders, the choice of items, the sampling and the bootstrap."""
    draws: int = 2_000
    """Resamples of the bootstrap."""
    block: int = 32
    """Items answered between two savings."""
    dtype: str = "float32"
    """Precision of local models."""
    solver: str = "gnomon.research.solve:solver"
    """Entry of a function ``(inputs, out) -> Solver`` for arms of kind ``solver``."""
    book: str = "gnomon.research.solve:book"
    """Entry of a function ``(inputs, out) -> Book`` for open-book arms."""
    loader: str = "gnomon.llm.models:load_model"
    """Entry of a function ``(artifact or ModelRef, Settings, *, log, dtype)`` that gives a ``Client``, a ``Chat`` or
    both."""

    def __post_init__(self) -> None:
        check_exam(self.models, self.arms, self.exams)
        check_normalise(self.normalise)
        least = {
            "orders": 0,
            "shots": 0,
            "max_tokens": 1,
            "passages": 1,
            "passage_characters": 0,
            "draws": 1,
            "block": 1,
        }
        for name, number in least.items():
            if getattr(self, name) < number:
                raise ConfigError(f"exam: {name} = {getattr(self, name)}.", f"Give at least {number}.")
