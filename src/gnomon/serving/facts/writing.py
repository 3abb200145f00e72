"""What models write, as pieces that may be sent as soon as they are there.

Whoever streams cannot take back what was sent. What may still change is therefore held back: half a character, the
beginning of a stop string, or of the marks around thinking.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

from gnomon.core.answers import Answer, Claim
from gnomon.core.errors import ConfigError
from gnomon.core.messages import Message
from gnomon.core.wording import say
from gnomon.llm.chat import ChatOptions, Conversation, Reply
from gnomon.llm.client import Completion, Generation, ScoredToken
from gnomon.llm.local import LocalModel
from gnomon.llm.thinking import CLOSE, OPEN
from gnomon.research.ask import VOICE as EXTRACTIVE
from gnomon.research.asked import read_question
from gnomon.research.opened import OpenExpert
from gnomon.research.voice import MARK
from gnomon.serving.facts.answers import AnswerFacts, answer_facts

THINKING_MARKS = (OPEN, CLOSE, "<|channel|>", "<|message|>", "<|end|>", "<|start|>")
_BROKEN = "\ufffd"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What was written since the piece before; the last one of a choice says how it ended."""

    text: str = ""
    """More of the text."""
    thinking: str = ""
    """More of what stands before the answer."""
    index: int = 0
    """Which choice it belongs to."""
    finish: str = ""
    """Why the choice ended; empty while it goes on."""
    tokens: tuple[int, int] = (0, 0)
    """Tokens read and written for the choice, with its last piece."""
    answer: AnswerFacts | None = None
    """The cited answer, with the last piece of one."""
    scores: tuple[ScoredToken, ...] = ()
    """The tokens of the text, where they were asked for."""


class Growing:
    """A text that grows, told piece by piece.

    Args:
        marks: Strings that will vanish from the text, or change what it is.
    """

    def __init__(self, marks: Sequence[str]) -> None:
        self._marks, self.told = marks, ""

    def more(self, text: str, *, whole: bool = False) -> str:
        """What is new and settled in the text so far; all of it when it is whole."""
        settled = text if whole else self._settled(text)
        if len(settled) <= len(self.told) or not settled.startswith(self.told):
            return ""
        more, self.told = settled[len(self.told) :], settled
        return more

    def _settled(self, text: str) -> str:
        text = text.rstrip(_BROKEN)
        ends = [len(text) - n for mark in self._marks for n in range(1, len(mark)) if text.endswith(mark[:n])]
        return text[: min(ends, default=None)]


def chatted(opened: OpenExpert, name: str, turns: Conversation, options: ChatOptions) -> Iterator[Piece]:
    """A reply of one of the expert's models.

    Args:
        opened: The expert.
        name: The model's role.
        turns: The conversation.
        options: How to answer.

    Raises:
        TooLong: The conversation is longer than the model reads.
        ConfigError: The model cannot read it.
    """
    said, thought = Growing((*options.stop, *THINKING_MARKS)), Growing(THINKING_MARKS)
    model, last = opened.model(name), Reply(text="")
    with closing(cast("Any", model.stream(turns, options))) as replies:
        for last in replies:
            piece = Piece(text=said.more(last.text), thinking=thought.more(last.thinking))
            if piece.text or piece.thinking:
                yield piece
    yield Piece(
        text=said.more(last.text, whole=True), thinking=thought.more(last.thinking, whole=True),
        finish="content_filter" if last.finish == "refused" else last.finish, tokens=(last.tokens_in, last.tokens_out),
    )  # fmt: skip


def continued(
    opened: OpenExpert, name: str, prompts: Sequence[str], options: Generation, *, echo: bool = False
) -> Iterator[Piece]:
    """Texts continued one after another by one of the expert's models.

    Args:
        opened: The expert.
        name: The model's role.
        prompts: The texts.
        options: How to continue them.
        echo: Begin each with its prompt.

    Raises:
        TooLong: A text is longer than the model reads.
    """
    model = opened.model(name)
    for index, prompt in enumerate(prompts):
        grown, last = Growing(options.stop), Completion(text="", tokens=0, finish="stop")
        begun = not echo
        with closing(cast("Any", model.stream_complete(prompt, options))) as texts:
            for last in texts:
                more = ("" if begun else prompt) + grown.more(last.text)
                begun = True
                if more:
                    yield Piece(index=index, text=more)
        rest = ("" if begun else prompt) + grown.more(last.text, whole=True)
        yield Piece(index=index, text=rest, finish=last.finish, tokens=(last.tokens_in, last.tokens))


def scored(
    opened: OpenExpert, name: str, prompts: Sequence[str], options: Generation | None, *, tops: int, echo: bool
) -> Iterator[Piece]:
    """Texts continued as ``continued`` does, each whole, with how probable each of its tokens was.

    Args:
        opened: The expert.
        name: The model's role.
        prompts: The texts.
        options: How to continue them; not at all when None.
        tops: How many of the most probable tokens are told of each place.
        echo: Begin each with its prompt, and tell of its tokens, too.

    Raises:
        TooLong: A text is longer than the model reads.
        ConfigError: The model does not tell how probable its tokens are.
    """
    model = opened.model(name)
    if not isinstance(model, LocalModel):
        raise ConfigError(
            say(f"{name} runs elsewhere and tells no probabilities of tokens here.",
                f"{name} は別の場所で動いており、ここではトークンの確率を示さない。"),
            say("Leave logprobs out.", "logprobs を外す。"),
        )  # fmt: skip
    for index, prompt in enumerate(prompts):
        found = model.score(prompt, options, tops)
        made = found.completion
        yield Piece(
            index=index, text=(prompt if echo else "") + made.text, finish=made.finish,
            tokens=(made.tokens_in, made.tokens), scores=(*(found.prompt if echo else ()), *found.written),
        )  # fmt: skip


# Cited answers ---------------------------------------------------------------------------------


class Counted:
    """What writes, and how many tokens it read and wrote.

    Args:
        model: A model that holds conversations.
    """

    def __init__(self, model: Any) -> None:
        self.ref, self._model = model.ref, model
        self.tokens = (0, 0)

    def stream(self, conversation: Conversation, options: ChatOptions) -> Iterator[Reply]:
        """The reply as it grows, the whole last."""
        with closing(self._model.stream(conversation, options)) as replies:
            for reply in replies:
                self.tokens = (reply.tokens_in, reply.tokens_out)
                yield reply


def answered(opened: OpenExpert, question: str, voice: str, history: Sequence[Message]) -> Iterator[Piece]:
    """A cited answer, sentence by sentence; it is kept.

    Args:
        opened: The expert.
        question: What is asked.
        voice: Who answers: ``extractive``, or the name of a model.
        history: Earlier turns.

    Raises:
        TooLong: The conversation is longer than the model reads.
    """
    writer = None if voice == EXTRACTIVE else Counted(opened.model(voice))
    gap = "" if read_question(question).lang == "ja" else " "
    told = ""
    with closing(cast("Any", opened.events(question, writer or EXTRACTIVE, history))) as events:
        for event in events:
            if isinstance(event, Claim):
                more = (gap if told else "") + _said(event, gap)
                told += more
                yield Piece(text=more)
            elif isinstance(event, Answer):
                opened.keep(event)
                yield Piece(
                    text=_rest(told, event.text), finish="stop", tokens=writer.tokens if writer else (0, 0),
                    answer=answer_facts(opened, event),
                )  # fmt: skip


def _said(claim: Claim, gap: str) -> str:
    """A sentence with its ids and its mark, as it stands in the answer's text."""
    ids = "".join(f"[{name}]" for name in claim.citations)
    return f"{claim.text}{gap if ids else ''}{ids}{f' {MARK}' if claim.doubt else ''}"


def _rest(told: str, text: str) -> str:
    """What is left to say; should the finished answer differ from what was told of it, all of it, and that it does."""
    if text.startswith(told):
        return text[len(told) :]
    return f"\n\n{say('The answer, whole:', '回答の全文:')} {text}"
