"""Talking: conversations held turn after turn, every answer in the context of those before it.

A turn that could not be answered ends its conversation: what the user would have said next hangs on it. The turns left
are *not reached*, which is counted and is no bad mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gnomon.core.exams import Output
from gnomon.core.messages import Message
from gnomon.evaluation.conversation.config import ChatConfig
from gnomon.evaluation.conversation.questions import Question
from gnomon.evaluation.exam.asking import each
from gnomon.evaluation.open.answering import said
from gnomon.evaluation.open.judging import Case
from gnomon.llm.chat import Chat, ChatOptions

NOT_REACHED = "not_reached"


@dataclass(kw_only=True, slots=True)
class _Talk:
    """One conversation so far."""

    question: Question
    """Whose."""
    turns: list[Message] = field(default_factory=list)
    """What was said."""
    outputs: list[Output] = field(default_factory=list)
    """The answers, one a turn of the user."""


def talk(model: Chat, questions: Sequence[Question], config: ChatConfig) -> list[list[Output]]:
    """The answers of a model to some questions, one a turn.

    Args:
        model: Who answers.
        questions: What the user says.
        config: Temperatures and limits.

    Raises:
        ConfigError: The model cannot chat, or the endpoint refuses everything.
        RunError: It stays busy or broken; finished calls are in its log.
    """
    talks = [_Talk(question=question) for question in questions]
    for turn in range(max((len(question.turns) for question in questions), default=0)):
        for talking in talks:
            if turn < len(talking.question.turns) and any(one.reason for one in talking.outputs):
                talking.outputs.append(Output(reason=NOT_REACHED))
        open_ones = [one for one in talks if len(one.outputs) == turn < len(one.question.turns)]
        # Calls of one temperature together: it is an option of the call, not of the conversation.
        for temperature in sorted({config.temperature(one.question.category) for one in open_ones}):
            own = [one for one in open_ones if config.temperature(one.question.category) == temperature]
            _take_turn(model, own, turn, temperature, config)
    return [one.outputs for one in talks]


def _take_turn(model: Chat, talks: Sequence[_Talk], turn: int, temperature: float, config: ChatConfig) -> None:
    how = ChatOptions(max_tokens=config.max_tokens, temperature=temperature, thinking=config.thinking, seed=config.seed)
    for one in talks:
        one.turns.append(Message(role="user", text=one.question.turns[turn]))
    replies = each(lambda some: model.chat(some, how), [one.turns for one in talks])
    for one, reply in zip(talks, replies, strict=True):
        output = replace(said(reply), seconds=0.0)
        one.outputs.append(output)
        one.turns.append(Message(role="assistant", text=output.text))


def case(question: Question, turn: int, answers: Sequence[str]) -> Case:
    """What a judge sees of a turn: all that was said before, the answer, and the reference where there is one.

    Args:
        question: Whose conversation.
        turn: Which of the user's turns, from 0.
        answers: The model's answers up to this one.
    """
    spoken = [f"[user]\n{question.turns[0]}"]
    for place in range(turn):
        spoken += [f"[assistant]\n{answers[place]}", f"[user]\n{question.turns[place + 1]}"]
    parts = [("conversation", "\n\n".join(spoken)), ("answer", answers[turn])]
    if question.reference(turn):
        parts.insert(1, ("reference", question.reference(turn)))
    return Case(lang=question.lang, parts=tuple(parts))
