"""The page that answers: a question, an answer whose every sentence shows what it rests on, and the evidence beside it.

What the extractive voice says is on the page when it comes. A model takes its time: its page comes at once and fetches
the answer as it grows (``/ask/events``: the same templates, sentence by sentence); a browser without scripts is led to
the page that waits for the whole.
"""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from gnomon.core.answers import Answer
from gnomon.research.ask import VOICE as EXTRACTIVE
from gnomon.research.opened import OpenExpert
from gnomon.serving import events
from gnomon.serving.facts import answers, questions
from gnomon.serving.facts.answers import AnswerFacts, EvidenceFound, Progress, Sentence
from gnomon.serving.facts.colours import Colours, colours
from gnomon.serving.facts.questions import Asking
from gnomon.serving.facts.voices import Voice, voice, voices
from gnomon.serving.house import Housed
from gnomon.serving.web.maths import runs
from gnomon.serving.web.pages import environment, page
from gnomon.serving.web.passages import sources

router = APIRouter(include_in_schema=False)
PATH = "/ask"


class PageQuery(BaseModel):
    """What an address of the page asks for."""

    q: str = ""
    voice: str = Field(default=EXTRACTIVE, max_length=300)
    after: tuple[str, ...] = Field(default=(), max_length=questions.MOST_TURNS)
    whole: bool = False
    """Wait for the whole answer."""
    colours: bool = False
    """Show where its words come from."""

    @property
    def asking(self) -> Asking:
        """The same question as the API has it."""
        return Asking(question=self.q, voice=self.voice or EXTRACTIVE, after=self.after)

    def address(self, path: str = PATH, **changes: Any) -> str:
        """The address of this page with some of it changed."""
        told = {"q": self.q, "voice": self.voice, "after": self.after, **changes}
        plain = {key: value for key, value in told.items() if value and (key, value) != ("voice", EXTRACTIVE)}
        return f"{path}?{urlencode(plain, doseq=True)}" if plain else path


class _Answered(BaseModel):
    """What a page of an answer shows."""

    voices: tuple[Voice, ...]
    chosen: Voice
    turns: tuple[AnswerFacts, ...] = ()
    examples: tuple[str, ...] = ()
    given: AnswerFacts | None = None
    colours: Colours | None = None


@router.get(PATH)
async def ask_page(request: Request, house: Housed, asked: Annotated[PageQuery, Query()]) -> Response:
    """The page of a question, or the empty one."""
    opened, asking = house.opened, asked.asking
    if asked.q.strip():
        questions.readable(asking, house.limits.query_characters)
    waits = bool(asked.q.strip()) and (asking.voice == EXTRACTIVE or asked.whole)
    workers = house.readers if asking.voice == EXTRACTIVE or not waits else house.writers
    told = await workers.run(_answered, opened, asked, waits=waits)
    streams = "" if waits or not asked.q.strip() else asked.address(f"{PATH}/events")
    quoted = sources(told.given.evidence if told.given else ())
    return page(request, "ask.html", asked=asked, told=told, given=told.given, colours=told.colours, runs=runs,
                chosen=told.chosen, streams=streams, sources=quoted)  # fmt: skip


def _answered(opened: OpenExpert, asked: PageQuery, *, waits: bool) -> _Answered:
    """What the page shows; the answer only where the page waits for it."""
    given = questions.answered(opened, asked.asking) if waits else None
    coloured = colours(opened, answers.kept_answer(opened, given.id)) if given and asked.colours else None
    return _Answered(
        voices=voices(opened), chosen=voice(opened, asked.asking.voice), given=given, colours=coloured,
        examples=() if asked.q.strip() else questions.examples(opened),
        turns=tuple(answers.answer_facts(opened, answers.kept_answer(opened, name)) for name in asked.after),
    )  # fmt: skip


@router.get(f"{PATH}/events")
async def ask_events(request: Request, house: Housed, asked: Annotated[PageQuery, Query()]) -> Response:
    """The parts of a page as they come to be."""
    asking = questions.readable(asked.asking, house.limits.query_characters)
    workers = house.readers if asking.voice == EXTRACTIVE else house.writers
    make = partial(_parts, house.opened, asked)
    return await events.respond(request, workers, make, lambda part: part)


def _parts(opened: OpenExpert, asked: PageQuery) -> Iterator[tuple[str, str]]:
    """(name, HTML) of each part, rendered where the work is done."""
    chosen = voice(opened, asked.asking.voice)
    for event in questions.telling(opened, asked.asking):
        match event:
            case EvidenceFound():
                yield "evidence", fragment("ask_evidence.html", sources=sources(event.evidence))
            case Progress():
                yield "writing", event.model_dump_json()
            case Sentence():
                yield "sentence", fragment("ask_sentence.html", sentence=event, stretches=())
            case AnswerFacts():
                yield "answer", fragment("ask_answer.html", given=event, colours=None, chosen=chosen, asked=asked)
                if not event.refused:
                    yield "evidence", fragment("ask_evidence.html", sources=sources(event.evidence))


@router.get(f"{PATH}/answers/{{answer_id}}")
async def answer_part(
    house: Housed, answer_id: Annotated[str, Path(max_length=answers.LONGEST_ID)],
    asked: Annotated[PageQuery, Query()],
) -> Response:  # fmt: skip
    """A kept answer as the page shows it, with its colours if they are asked for."""
    return HTMLResponse(await house.readers.run(_kept, house.opened, answer_id, asked))


def _kept(opened: OpenExpert, answer_id: str, asked: PageQuery) -> str:
    kept: Answer = answers.kept_answer(opened, answer_id)
    coloured = colours(opened, kept) if asked.colours else None
    return fragment("ask_answer.html", given=answers.answer_facts(opened, kept), colours=coloured, asked=asked,
                    chosen=voice(opened, asked.asking.voice))  # fmt: skip


def fragment(template: str, **told: Any) -> str:
    """A part of a page."""
    return environment().get_template(template).render(runs=runs, **told)
