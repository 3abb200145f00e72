"""Settings of the step ``evaluation/open_questions``, and who answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.records import ModelRef
from gnomon.core.wording import say
from gnomon.evaluation.exam.arms import OPEN, Arm, Paper, check_exam
from gnomon.evaluation.roles import Models, Role, role_of
from gnomon.llm.models import refuse_self
from gnomon.runs.step import Step

ITEMS = "items"
CHATS = ("training/sft/", "training/dpo/", "training/merge/", "training/choose/")
"""Steps whose models were taught to chat."""
GRADES = 5
"""A judge gives 1 to this many points."""


@dataclass(frozen=True, kw_only=True)
class OpenConfig:
    """Settings of the step.

    Raises:
        ConfigError: A value is outside its range, an arm does not write, or a judge would judge itself.
    """

    arms: tuple[Arm, ...]
    """Who answers, in the order of the tables; every one writes (``generate``)."""
    models: tuple[Role, ...]
    """The models that arms name."""
    judge: ModelRef | None = None
    """Who judges; None for overlap with the reference alone."""
    prompt: str = "1"
    """Version of the judge's prompt files."""
    passing: int = 4
    """Points from which an answer counts as right, of 5."""
    max_items: int = 0
    """Most questions, chosen by seed; 0 takes all."""
    max_tokens: int = 1024
    """Most tokens of an answer, thinking included."""
    judge_tokens: int = 1024
    """Most tokens of a judgement, thinking included."""
    thinking: str = "auto"
    """Whether chats think first: ``on``, ``off`` or ``auto``; judges as they are used to."""
    passages: int = 5
    """Most passages before a question of an open-book arm."""
    passage_characters: int = 8_000
    """Most characters of those passages together; 0 for no bound but the model's context."""
    seed: int = 0
    """Of the choice of items, the sampling and the bootstrap."""
    draws: int = 2_000
    """Resamples of the bootstrap."""
    block: int = 16
    """Items answered or judged between two savings."""
    dtype: str = "float32"
    """Precision of local models."""
    book: str = "gnomon.research.solve:book"
    """Entry of a function ``(inputs, out) -> Book`` for open-book arms."""
    loader: str = "gnomon.llm.models:load_model"
    """Entry of a function ``(artifact or ModelRef, Settings, *, log, dtype)`` that gives a ``Client``, a ``Chat`` or
    both."""

    def __post_init__(self) -> None:
        check_exam(self.models, self.arms, (Paper(name=ITEMS),))
        for arm in self.arms:
            if arm.kind != "model" or arm.mode != "generate":
                raise ConfigError(
                    say(f"open_questions: the arm {arm.name!r} has kind = {arm.kind!r}, mode = {arm.mode!r}.",
                        f"open_questions: アーム {arm.name!r} は kind = {arm.kind!r}, mode = {arm.mode!r} である。"),
                    say("Open questions are answered by models in mode generate.",
                        "自由記述には kind = model, mode = generate のアームを使う。"),
                )  # fmt: skip
        check_ranges("open_questions", self, {
            "max_items": 0, "max_tokens": 1, "judge_tokens": 1, "passages": 1, "passage_characters": 0, "draws": 1,
            "block": 1, "passing": 1,
        })  # fmt: skip
        check_judge(self.judge, self.models)


def check_ranges(step: str, config: Any, least: Mapping[str, int]) -> None:
    """Refuse settings below what makes sense.

    Args:
        step: Whose settings they are, for the message.
        config: The settings.
        least: The smallest value of each.

    Raises:
        ConfigError: One is smaller.
    """
    for name, number in least.items():
        if getattr(config, name) < number:
            raise ConfigError(
                say(f"{step}: {name} = {getattr(config, name)}.", f"{step}: {name} = {getattr(config, name)}。"),
                say(f"Give at least {number}.", f"{number} 以上とする。"),
            )


def check_judge(judge: ModelRef | None, roles: tuple[Role, ...]) -> None:
    """Refuse a judge that is one of the models under test.

    Raises:
        ConfigError: It is one of them.
    """
    for role in roles:
        if judge is not None and role.ref is not None:
            refuse_self(judge, role.ref)


def answering_arms(models: Models, *, library: bool = False) -> tuple[Arm, ...]:
    """Every model closed book and, with a library, with it at hand; models that were not taught to chat continue text.

    Args:
        models: Steps or references, as a door of this room takes them.
        library: Whether there is one.
    """
    arms = []
    for key, model in models.items():
        name, chat = role_of(key).name, chats(model)
        arms.append(Arm(name=name, model=name, mode="generate", chat=chat))
        if library:
            arms.append(Arm(name=name + OPEN, model=name, mode="generate", chat=chat, open_book=True))
    return tuple(arms)


def chats(model: Step | ModelRef) -> bool:
    """Whether a model is spoken to in turns: a reference unless its kind is ``base``, a step if it taught that."""
    if isinstance(model, ModelRef):
        return model.kind != "base"
    return getattr(model.config, "kind", "") == "instruct" or model.address.startswith(CHATS)
