"""Completion over HTTP: a text continued by the expert's models side by side, whole or while it is written."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from gnomon.serving import events
from gnomon.serving.api.refusals import refusals
from gnomon.serving.facts import completing
from gnomon.serving.facts.completing import Completing, Continuations
from gnomon.serving.facts.models import ModelFacts, models
from gnomon.serving.house import Housed

router = APIRouter(prefix="/api", tags=["complete"])
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What each model wrote; or events: `more` and more of each text, a `continuation` when one is"
        " whole, `continuations` at the end; `problem` ends a stream that failed.",
        "content": {
            "application/json": {
                "example": {
                    "text": "We report the discovery of",
                    "continuations": [{
                        "model": "base", "also": [], "name": "gnomon/nano-base", "revision": "sha256:af3bbfcc",
                        "text": " a new class", "tokens": 3, "tokens_in": 6, "finish": "length",
                        "stretches": [{"text": " a new class", "shared": True}],
                    }],
                    "caution": "These are likely words, not facts.",
                }
            },
            events.MEDIA_TYPE: {
                "schema": {"type": "string"},
                "example": 'event: more\ndata: {"model": "base", "text": " a new class of"}\n\n'
                'event: continuation\ndata: {"model": "base", "text": " a new class of stars", "tokens": 6}\n\n',
            }
        },
    }
}  # fmt: skip
EXAMPLES: dict[str, Any] = {
    "before and after": {
        "summary": "What a model wrote before and after it was specialised",
        "value": {"text": "We report the discovery of", "models": ["base", "specialised"], "max_tokens": 60},
    },
    "everybody": {"summary": "Every model, most probable words", "value": {"text": "The survey", "temperature": 0}},
}


@router.get("/models", summary="The expert's models", responses=refusals())
async def get_models(house: Housed) -> list[ModelFacts]:
    """What each is, what it was made from, whether it can chat, and how it did in the exam."""
    return list(await house.readers.run(models, house.opened))


@router.post("/complete", summary="Continue a text", response_model=Continuations, responses=EVENTS | refusals(404))
async def post_complete(
    request: Request, house: Housed, asking: Annotated[Completing, Body(openapi_examples=EXAMPLES)]
) -> Any:
    """The same text, settings and seed for every model: what differs is what they have learned. Their words are likely
    ones, not facts; `/api/trace` shows which of them stand in the corpus.
    """  # noqa: D205 -- one paragraph, as OpenAPI shows it
    limits, opened = house.limits, house.opened
    asked = completing.readable(asking, limits.text_characters, limits.written_tokens)
    make = partial(completing.completing, opened, asked)
    if asked.stream or events.wants_events(request):
        return await events.respond(request, house.writers, make, _told)
    *_, last = await events.gathered(request, house.writers, make)
    return last if isinstance(last, Continuations) else Response(status_code=204)  # nobody is there to read it


def _told(event: completing.Event) -> tuple[str, str]:
    return completing.NAMES[type(event)], event.model_dump_json()
