"""Chatting: a conversation with one of the expert's models, each reply whole, with what it thought first.

No evidence supports what such a model says; ``ask`` is for answers that can be walked back. A conversation has an
address: the questions alone are enough, since the same questions, settings and seed bring the same replies.
"""

from collections.abc import Sequence

from pydantic import Field

from gnomon.core.errors import ConfigError
from gnomon.core.messages import Message
from gnomon.core.wording import say
from gnomon.llm.chat import ChatOptions
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.checking import Frozen
from gnomon.serving.facts.models import ModelFacts, models
from gnomon.serving.facts.writing import chatted

MOST_TURNS = 12


class Replied(Frozen):
    """A question with the model's reply."""

    question: str = Field(description="What was said.")
    text: str = Field(description="The reply, without thinking; empty when there is none.")
    thinking: str = Field(description="What the model wrote first; empty when it did not think.")
    finish: str = Field(description="`stop` when it ended by itself, `length` when the limit ended it.")
    tokens: int = Field(description="Tokens it wrote, thinking included.")


def chatters(opened: OpenExpert) -> tuple[ModelFacts, ...]:
    """The models that can hold a conversation, the last-made first."""
    return tuple(facts for facts in reversed(models(opened)) if facts.chats)


def readable(questions: Sequence[str], characters: int) -> Sequence[str]:
    """Questions that a model can be asked one after another.

    Raises:
        ConfigError: They are too many or too long together.
    """
    if len(questions) > MOST_TURNS:
        raise ConfigError(
            say(f"The conversation has {len(questions)} turns; {MOST_TURNS} are read here.",
                f"会話が {len(questions)} 回続いている。ここで読めるのは {MOST_TURNS} 回まで。"),
            say("Begin a new one.", "新しく始める。"),
        )  # fmt: skip
    if sum(map(len, questions)) > characters:
        raise ConfigError(
            say(f"The conversation has {sum(map(len, questions)):,} characters; {characters:,} are read here.",
                f"会話が {sum(map(len, questions)):,} 文字ある。ここで読めるのは {characters:,} 文字まで。"),
            say("Shorten it.", "短くする。"),
        )  # fmt: skip
    return questions


def conversed(opened: OpenExpert, name: str, questions: Sequence[str], options: ChatOptions) -> tuple[Replied, ...]:
    """A conversation, from its first question to the reply to its last.

    Args:
        opened: The expert.
        name: The model's role.
        questions: What is said, in order.
        options: How the model replies.

    Raises:
        NotFound: The expert has no such model.
        ConfigError: It cannot chat.
        TooLong: The conversation is longer than it reads.
    """
    turns, found = list[Message](), list[Replied]()
    for question in questions:
        turns.append(Message(role="user", text=question))
        pieces = list(chatted(opened, name, turns, options))
        text, thinking = "".join(p.text for p in pieces), "".join(p.thinking for p in pieces)
        turns.append(Message(role="assistant", text=text))
        last = pieces[-1]
        found.append(Replied(question=question, text=text, thinking=thinking, finish=last.finish,
                             tokens=last.tokens[1]))  # fmt: skip
    return tuple(found)
