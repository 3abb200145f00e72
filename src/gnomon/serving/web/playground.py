"""The page where models write: the same beginning continued side by side, and a conversation with one of them.

Models take their time: the page comes at once and shows their words as they are written (``/api/complete``,
``/v1/chat/completions``); a browser without scripts is led to the page that waits for the whole. Every state has an
address, because the same words, settings and seed bring the same text.
"""

import json
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.wording import say
from gnomon.evaluation.report.models.names import MODELS, STAGES
from gnomon.llm.chat import ChatOptions
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts import chatting, completing
from gnomon.serving.facts.chatting import Replied
from gnomon.serving.facts.completing import Completing, Continuations, caution
from gnomon.serving.facts.models import ModelFacts, model_facts, models, side_by_side
from gnomon.serving.facts.questions import examples
from gnomon.serving.facts.voices import Voice, voice
from gnomon.serving.house import Housed, Limits
from gnomon.serving.texts import Words
from gnomon.serving.web.pages import page

router = APIRouter(include_in_schema=False)
PATH = "/playground"
TOKENS = 128


class PageQuery(BaseModel):
    """What an address of the page asks for."""

    model_config = ConfigDict(allow_inf_nan=False)

    do: Literal["complete", "chat"] = "complete"
    text: Words = ""
    """The beginning that is continued."""
    q: tuple[Words, ...] = Field(default=(), max_length=chatting.MOST_TURNS)
    """What is said to the model, in order."""
    model: tuple[Words, ...] = Field(default=(), max_length=completing.MOST_MODELS)
    """Who writes."""
    max_tokens: int = Field(default=TOKENS, ge=1, le=4_096)
    temperature: float = Field(default=0.3, ge=0, le=2)
    seed: int = Field(default=0, ge=-(2**63), lt=2**63)
    thinking: Literal["auto", "on", "off"] = "auto"
    whole: bool = False
    """Wait for the whole text."""

    @property
    def asks(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.text.strip() if self.do == "complete" else self.questions)

    @property
    def questions(self) -> tuple[str, ...]:
        """What is said, without empty fields."""
        return tuple(question for question in self.q if question.strip())

    def address(self, **changes: Any) -> str:
        """The address of this page with some of it changed; a value as by default is left out."""
        told = self.model_dump() | {"q": self.questions, "whole": False} | changes
        plain = {key: value for key, value in told.items() if value != type(self).model_fields[key].default}
        return f"{PATH}?{urlencode(plain, doseq=True)}" if plain else PATH


class _Shown(BaseModel):
    """What the page shows."""

    models: tuple[ModelFacts, ...]
    chosen: tuple[ModelFacts, ...]
    beginnings: tuple[str, ...] = ()
    """What a reader may begin with."""
    continued: Continuations | None = None
    chatters: tuple[ModelFacts, ...] = ()
    label: Voice | None = None
    """What to expect of who chats; none of a base model."""
    replies: tuple[Replied, ...] = ()


@router.get(PATH)
async def playground_page(request: Request, house: Housed, asked: Annotated[PageQuery, Query()]) -> Response:
    """The page, empty, with what is being written, or with what was written."""
    waits = asked.asks and asked.whole
    work = _completing if asked.do == "complete" else _chatting
    workers = house.writers if waits else house.readers
    shown = await workers.run(work, house.opened, asked, house.limits, waits=waits)
    streams = asked.asks and not waits and bool(shown.chosen)
    return page(request, f"playground_{asked.do}.html", asked=asked, shown=shown, streams=streams, caution=caution(),
                body=_body(asked, shown), role=role, origin=origin)  # fmt: skip


def _body(asked: PageQuery, shown: _Shown) -> str:
    """What the page's script asks the API, but for the words of a conversation."""
    sampled = {"temperature": asked.temperature, "seed": asked.seed, "max_tokens": asked.max_tokens}
    names = [facts.id for facts in shown.chosen]
    if asked.do == "complete":
        return json.dumps({"text": asked.text, "models": names, **sampled})
    effort = {"on": {"reasoning_effort": "medium"}, "off": {"reasoning_effort": "none"}}.get(asked.thinking, {})
    return json.dumps({"model": names[0] if names else "", **sampled, **effort})


def _completing(opened: OpenExpert, asked: PageQuery, limits: Limits, *, waits: bool) -> _Shown:
    chosen = completing.chosen(opened, asked.model or side_by_side(opened)) if opened.models else ()
    wanted = Completing(
        text=asked.text, models=tuple(facts.id for facts in chosen), max_tokens=asked.max_tokens,
        temperature=asked.temperature, seed=asked.seed,
    )  # fmt: skip
    if asked.asks:
        wanted = completing.readable(wanted, limits.text_characters, limits.written_tokens)
    return _Shown(
        models=models(opened), chosen=chosen,
        beginnings=() if asked.asks else completing.beginnings(opened),
        continued=completing.completed(opened, wanted) if waits and chosen else None,
    )  # fmt: skip


def _chatting(opened: OpenExpert, asked: PageQuery, limits: Limits, *, waits: bool) -> _Shown:
    found = chatting.chatters(opened)
    if not found:
        return _Shown(models=models(opened), chosen=())
    one = model_facts(opened, asked.model[0]) if asked.model else found[0]
    questions = chatting.readable(asked.questions, limits.text_characters)
    options = ChatOptions(
        max_tokens=min(asked.max_tokens, limits.written_tokens), temperature=asked.temperature, seed=asked.seed,
        thinking=asked.thinking,
    )  # fmt: skip
    return _Shown(
        models=models(opened),
        chosen=(one,),
        chatters=found,
        label=voice(opened, one.id) if one.chats else None,
        beginnings=() if asked.asks else examples(opened),
        replies=chatting.conversed(opened, one.id, questions, options) if waits else (),
    )


def role(name: str) -> str:
    """A model's role in the reader's language."""
    return say(*MODELS.get(name, (name, name)))


def origin(facts: ModelFacts) -> str:
    """In a few words how a model was made."""
    if facts.merged:
        shares = " + ".join(f"{share.role} {100 * share.weight:.0f}\u202f%" for share in facts.merged)
        return say(f"merged: {shares}", f"マージ: {shares}")
    stage = facts.made_by.rpartition("/")[2]
    made = say(*STAGES.get(stage, (stage, stage)))
    return (
        say(f"{made}, from {', '.join(facts.parents)}", f"{made}（元: {', '.join(facts.parents)}）")
        if facts.parents
        else made
    )
