"""Ask over HTTP: a cited answer, whole or as it grows (server-sent events), and kept answers again."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse

from gnomon.research.ask import VOICE as EXTRACTIVE
from gnomon.serving import events
from gnomon.serving.api.refusals import refusals
from gnomon.serving.facts import answers, questions
from gnomon.serving.facts.answers import AnswerFacts
from gnomon.serving.facts.colours import Colours, colours
from gnomon.serving.facts.questions import Asking
from gnomon.serving.facts.voices import Voice, voices
from gnomon.serving.house import House, Housed
from gnomon.serving.work import Workers

router = APIRouter(prefix="/api", tags=["ask"])
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; or events: `evidence` first, then `sentence` by sentence (`writing` while a model"
        " is at work), `checks`, `answer`; `problem` ends a stream that failed.",
        "content": {
            events.MEDIA_TYPE: {
                "schema": {"type": "string"},
                "example": 'event: evidence\ndata: {"evidence": [{"id": "R1", "doc_id": "local:hubble-1929"}]}\n\n'
                'event: sentence\ndata: {"number": 1, "text": "The velocities grow with the distances.",'
                ' "citations": ["R1"], "doubt": "", "verbatim": true}\n\n'
                'event: checks\ndata: {"unknown_ids": 0, "quotes_verbatim": 1.0}\n\n'
                'event: answer\ndata: {"id": "answer:0123456789abcdef0123456789abcdef", "refused": false}\n\n',
            }
        },
    }
}
EXAMPLES = {
    "extractive": {
        "summary": "Verbatim sentences",
        "value": {"question": "How does the speed of a galaxy depend on its distance?"},
    },
    "a model, in context": {
        "summary": "A follow-up to a model, as events",
        "value": {
            "question": "And who measured it first?",
            "voice": "final",
            "history": [
                {"role": "user", "text": "What is the Hubble constant?"},
                {"role": "assistant", "text": "The ratio of speed and distance of galaxies [R1]."},
            ],
            "stream": True,
        },
    },
}
AnswerId = Annotated[
    str, Path(max_length=answers.LONGEST_ID, description="The id of an answer, with or without `answer:`.",
              examples=["answer:0123456789abcdef0123456789abcdef"])
]  # fmt: skip


@router.get("/voices", summary="Who can be asked", responses=refusals())
async def get_voices(house: Housed) -> list[Voice]:
    """The extractive voice, each model of the expert that can chat, each endpoint of `gnomon.toml`."""
    return list(await house.readers.run(voices, house.opened))


@router.post("/ask", summary="Ask a question", response_model=AnswerFacts, responses=EVENTS | refusals(404))
async def post_ask(
    request: Request,
    house: Housed,
    asking: Annotated[Asking, Body(openapi_examples=EXAMPLES)],
) -> Any:
    """Answer from the library, every sentence cited and checked, or refuse and name the nearest works.

    The answer is kept under its id, so that `/api/answers/{id}` gives it again and `/lineage/{id}` walks it back.
    """
    return await _answer(request, house, asking)


@router.get("/ask", summary="Ask a question by address", response_model=AnswerFacts, responses=EVENTS | refusals(404))
async def get_ask(
    request: Request,
    house: Housed,
    question: Annotated[str, Query(description="In English or Japanese.", examples=["What is a Cepheid?"])],
    voice: Annotated[str, Query(max_length=300, description="Who answers.")] = EXTRACTIVE,
    after: Annotated[list[str] | None, Query(max_length=questions.MOST_TURNS, description="Ids of earlier answers."),
    ] = None,
    stream: Annotated[bool, Query(description="Events instead of one answer.")] = False,
) -> Any:  # fmt: skip
    """The same for clients that can only follow an address, such as a browser's `EventSource`."""
    asking = Asking(question=question, voice=voice, after=tuple(after or ()), stream=stream)
    return await _answer(request, house, asking)


async def _answer(request: Request, house: House, asking: Asking) -> Any:
    questions.readable(asking, house.limits.query_characters)
    workers, opened = workers_for(house, asking), house.opened
    if asking.stream or events.wants_events(request):
        return await events.respond(request, workers, partial(questions.telling, opened, asking), _told)
    return await workers.run(questions.answered, opened, asking)


def workers_for(house: House, asking: Asking) -> Workers:
    """Who does the work of a question: models have workers of their own."""
    return house.readers if asking.voice == EXTRACTIVE else house.writers


def _told(event: questions.Event) -> tuple[str, str]:
    return questions.NAMES[type(event)], event.model_dump_json()


# Kept answers ----------------------------------------------------------------------------------


def _text(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string"}}}, "description": "The file."}}


@router.get("/answers/{answer_id}.md", summary="A kept answer as Markdown", response_class=PlainTextResponse,
            responses={**_text("text/markdown"), **refusals(404)})  # fmt: skip
async def get_markdown(house: Housed, answer_id: AnswerId) -> Response:
    """Question, sentences with their ids, and references; characters that Markdown would read are escaped."""
    text = await house.readers.run(answers.markdown, house.opened, answer_id)
    return PlainTextResponse(text, media_type="text/markdown; charset=utf-8", headers=_file("answer.md"))


@router.get("/answers/{answer_id}.bib", summary="References of a kept answer as BibTeX",
            response_class=PlainTextResponse, responses={**_text("application/x-bibtex"), **refusals(404)})  # fmt: skip
async def get_bibtex(house: Housed, answer_id: AnswerId) -> Response:
    """One entry a document."""
    text = await house.readers.run(answers.bibtex, house.opened, answer_id)
    return PlainTextResponse(text, media_type="application/x-bibtex; charset=utf-8", headers=_file("answer.bib"))


@router.get("/answers/{answer_id}/colours", summary="Where an answer's words come from", responses=refusals(404))
async def get_colours(house: Housed, answer_id: AnswerId) -> Colours:
    """For every stretch: whether it stands verbatim in the evidence, elsewhere in the corpus, or in neither."""
    opened = house.opened
    return await house.readers.run(lambda: colours(opened, answers.kept_answer(opened, answer_id)))


@router.get("/answers/{answer_id}", summary="A kept answer", responses=refusals(404))
async def get_answer(house: Housed, answer_id: AnswerId) -> AnswerFacts:
    """An answer as it was given, told in the reader's language."""
    opened = house.opened
    return await house.readers.run(lambda: answers.answer_facts(opened, answers.kept_answer(opened, answer_id)))


def _file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'inline; filename="{name}"'}
