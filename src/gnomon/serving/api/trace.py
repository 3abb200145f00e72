"""Trace over HTTP: where a text's words stand in the corpus, and what follows a phrase."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field

from gnomon.serving.api.refusals import refusals
from gnomon.serving.facts import traces
from gnomon.serving.facts.traces import Continued, Counted, Traced
from gnomon.serving.house import Housed
from gnomon.serving.texts import Words

router = APIRouter(prefix="/api/trace", tags=["trace"])
SHORT = {"a sentence": {"value": {"text": "The universe began in a hot, dense state and has been expanding since."}}}
Phrase = Annotated[str, Query(max_length=traces.LONGEST_PHRASE, description="Words in a row.",
                              examples=["the Milky Way"])]  # fmt: skip


class Text(BaseModel):
    """A text to trace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Words = Field(description="Any text.")


@router.post("", summary="Trace a text", responses=refusals(404))
async def post_trace(house: Housed, asked: Annotated[Text, Body(openapi_examples=SHORT)]) -> Traced:
    """The longest stretches of a text that stand verbatim in what the expert's models were shown.

    Spans are found as in OLMoTrace (arXiv 2504.07096): maximal, on word borders, within a sentence; the most unusual
    are listed with their count and the documents that hold them. Positions are Unicode code points.
    """
    return await house.readers.run(traces.traced, house.opened, asked.text, house.limits.text_characters)


@router.get("/next", summary="What follows a phrase", responses=refusals(404))
async def get_next(
    house: Housed,
    phrase: Phrase = "",
    k: Annotated[int, Query(ge=1, le=traces.MOST_NEXT, description="How many words.")] = traces.WORDS_LISTED,
) -> Continued:
    """The words that most often follow a phrase in the corpus, with exact counts; of no phrase, the commonest."""
    return await house.readers.run(traces.continued, house.opened, phrase, k)


@router.get("/count", summary="How often a phrase occurs", responses=refusals(404))
async def get_count(house: Housed, phrase: Phrase) -> Counted:
    """The exact count of a phrase in whole words, and the first documents that hold it."""
    return await house.readers.run(traces.counted, house.opened, phrase)
