"""Completing: the same beginning continued by several of the expert's models, and where they part.

The same text, settings and seed for each: what differs is what they have learned. Two write at a time, so that a reader
sees them grow beside each other. Base models continue texts; what they write is no fact.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from difflib import SequenceMatcher
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.errors import ConfigError
from gnomon.core.text import unspaced_share
from gnomon.core.wording import language, say
from gnomon.llm.client import Generation
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.checking import Frozen
from gnomon.serving.facts.freshness import documents_in_brief
from gnomon.serving.facts.kept import kept
from gnomon.serving.facts.models import ModelFacts, model_facts, models
from gnomon.serving.facts.writing import Piece, continued
from gnomon.serving.texts import Words

AT_ONCE = 2
"""Models that write at the same time."""
MOST_MODELS = 12
SPACED, UNSPACED = 6, 12
"""Words of a beginning that is offered; characters where words are not spaced."""
COMPARED = 400
"""Words of a continuation that are compared; finding what long texts share takes the square of their length."""
_WORD = re.compile(r"\s*(?:[^\W_\u3040-\u30ff\u3400-\u9fff]+|.)|\s+", re.S)


class Completing(BaseModel):
    """A text to be continued, by whom, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    text: Words = Field(description="The beginning.", examples=["We report the discovery of"])
    models: tuple[Words, ...] = Field(
        default=(), max_length=MOST_MODELS, description="Roles of the expert's models; all of them when none is named."
    )
    max_tokens: int = Field(default=128, ge=1, le=4_096, description="Most tokens that each writes.")
    temperature: float = Field(default=0.3, ge=0, le=2, description="0 takes the most probable word every time.")
    top_p: float = Field(default=1.0, gt=0, le=1, description="Nucleus sampling.")
    seed: int = Field(default=0, ge=-(2**63), lt=2**63, description="Another seed, another text; the same, the same.")
    stream: bool = Field(default=False, description="Server-sent events instead of one answer; so does"
                         " `Accept: text/event-stream`.")  # fmt: skip

    @property
    def options(self) -> Generation:
        """The settings, as models take them."""
        return Generation(max_tokens=self.max_tokens, temperature=self.temperature, top_p=self.top_p, seed=self.seed)


class Stretch(Frozen):
    """A stretch of a continuation."""

    text: str = Field(description="Its characters.")
    shared: bool = Field(description=f"Whether the first model wrote the same words, within the first {COMPARED}.")


class More(Frozen):
    """More of a continuation."""

    model: str = Field(description="Whose.")
    text: str = Field(description="What was written since.")


class Continuation(Frozen):
    """What one model wrote."""

    model: str = Field(description="Its role.")
    also: tuple[str, ...] = Field(description="Other roles of the same weights.")
    name: str = Field(description="What the model is called.")
    revision: str = Field(description="Hash of its weights, or its commit on the hub.")
    text: str = Field(description="What comes after the beginning.")
    tokens: int = Field(description="Tokens it wrote.")
    tokens_in: int = Field(description="Tokens it read.")
    finish: str = Field(description="`stop` when it ended by itself, `length` when the limit ended it.")
    stretches: tuple[Stretch, ...] = Field(description="The text again, cut where it parts from the first model's.")


class Continuations(Frozen):
    """What several models wrote after the same beginning."""

    text: str = Field(description="The beginning.")
    continuations: tuple[Continuation, ...] = Field(description="One a model, in the order asked for.")
    caution: str = Field(description="What these words are not, in the reader's language.")


Event = More | Continuation | Continuations
NAMES: dict[type, str] = {More: "more", Continuation: "continuation", Continuations: "continuations"}
"""The name of each kind of event."""


def caution() -> str:
    """What models' words are not."""
    return say(
        "These are likely words, not facts: a base model continues a text and looks nothing up.",
        "これは事実ではなく、ありそうな言葉の続きである。ベースモデルは何も調べない。",
    )


def readable(asking: Completing, characters: int, tokens: int) -> Completing:
    """A text that can be continued, within a server's bounds.

    Args:
        asking: What is asked for.
        characters: Longest text.
        tokens: Most tokens that are written.

    Raises:
        ConfigError: The text is empty or too long.
    """
    if not asking.text.strip():
        raise ConfigError(say("There is no text to continue.", "続きを書く文章がない。"),
                          say("Write a beginning.", "書き出しを入力する。"))  # fmt: skip
    if len(asking.text) > characters:
        raise ConfigError(
            say(f"The text has {len(asking.text):,} characters; {characters:,} are read here.",
                f"文章が {len(asking.text):,} 文字ある。ここで読めるのは {characters:,} 文字まで。"),
            say("Give its end only.", "末尾だけにする。"),
        )  # fmt: skip
    return asking.model_copy(update={"max_tokens": min(asking.max_tokens, tokens)})


def completed(opened: OpenExpert, asking: Completing) -> Continuations:
    """The whole texts.

    Raises:
        NotFound: The expert has no such model.
        TooLong: The beginning is longer than a model reads.
    """
    *_, last = completing(opened, asking)
    if not isinstance(last, Continuations):
        raise AssertionError("the last event is the whole")
    return last


def completing(opened: OpenExpert, asking: Completing) -> Iterator[Event]:
    """The same while they are written: more and more of each, each when it is whole, all at the end."""
    asked = chosen(opened, asking.models)
    done: dict[str, Continuation] = {}
    for facts, piece, said in _in_turn(opened, asked, asking):
        if piece.text:
            yield More(model=facts.id, text=piece.text)
        if piece.finish:
            done[facts.id] = _continuation(facts, said, piece)
            yield done[facts.id]
    yield Continuations(text=asking.text, continuations=compared([done[f.id] for f in asked]), caution=caution())


def _in_turn(
    opened: OpenExpert, asked: Sequence[ModelFacts], asking: Completing
) -> Iterator[tuple[ModelFacts, Piece, str]]:
    """Pieces of so many models at once, in turn, with what each has written so far; closed, it ends all of them."""
    waiting, writing = deque(asked), deque[tuple[ModelFacts, Iterator[Piece], str]]()
    with ExitStack() as ending:
        while waiting or writing:
            while waiting and len(writing) < AT_ONCE:
                facts = waiting.popleft()
                pieces = continued(opened, facts.id, [asking.text], asking.options)
                ending.enter_context(closing(cast("Any", pieces)))
                writing.append((facts, pieces, ""))
            facts, pieces, said = writing.popleft()
            piece = next(pieces)
            said += piece.text
            yield facts, piece, said
            if not piece.finish:
                writing.append((facts, pieces, said))


def beginnings(opened: OpenExpert, most: int = 4) -> tuple[str, ...]:
    """The first words of some documents of the library, in the reader's language where it has any."""
    return kept(opened, f"beginnings {language()} {most}", lambda: _beginnings(opened, most))


def _beginnings(opened: OpenExpert, most: int) -> tuple[str, ...]:
    every = documents_in_brief(opened)
    own = [one for one in every if one.lang == language()] or list(every)
    some = [one.id for one in own[len(own) // (2 * most) :: max(1, len(own) // most)]][:most]
    texts = [document.text for document in opened.library.documents(some).values()] if some else []
    return tuple("".join(_words(text)[: SPACED if unspaced_share(text) < 0.5 else UNSPACED]) for text in texts)


def chosen(opened: OpenExpert, names: Sequence[str]) -> tuple[ModelFacts, ...]:
    """The models of names, each once; all of the expert's when none is named.

    Raises:
        NotFound: The expert has no such model, or none at all.
    """
    if not names:
        return models(opened) or (model_facts(opened, ""),)
    return tuple({facts.id: facts for facts in (model_facts(opened, name) for name in names)}.values())


def _continuation(facts: ModelFacts, text: str, last: Piece) -> Continuation:
    return Continuation(
        model=facts.id, also=facts.also, name=facts.name, revision=facts.revision, text=text, tokens=last.tokens[1],
        tokens_in=last.tokens[0], finish=last.finish, stretches=(),
    )  # fmt: skip


def compared(made: Sequence[Continuation]) -> tuple[Continuation, ...]:
    """Continuations with the stretches that they share with the first; the first shares all of its own."""
    first = _words(made[0].text)
    return tuple(one.model_copy(update={"stretches": _stretches(first, _words(one.text))}) for one in made)


def _words(text: str) -> list[str]:
    """A text in words with the space before each, or single characters where words are not spaced."""
    return _WORD.findall(text)


def _stretches(first: Sequence[str], own: Sequence[str]) -> tuple[Stretch, ...]:
    found, at = list[Stretch](), 0
    matcher = SequenceMatcher(None, first[:COMPARED], own[:COMPARED], autojunk=False)
    for block in matcher.get_matching_blocks():
        end = block.b + block.size
        parts = (("".join(own[at : block.b]), False), ("".join(own[block.b : end]), True))
        found += [Stretch(text=text, shared=shared) for text, shared in parts if text]
        at = end
    rest = "".join(own[COMPARED:])
    return (*found, Stretch(text=rest, shared=list(own) == list(first))) if rest else tuple(found)
