"""The corpus over HTTP: what it is made of, what was left out and why, what was there twice, what gives exams away."""

from typing import Annotated

from fastapi import APIRouter, Query

from gnomon.serving.api.refusals import refusals
from gnomon.serving.facts.contamination import ContaminationPage, contamination
from gnomon.serving.facts.corpus import Corpus, corpus
from gnomon.serving.facts.dropped import DroppedPage, dropped
from gnomon.serving.facts.duplicates import Compared, DuplicatesPage, Kind, compared, duplicates
from gnomon.serving.facts.paging import LAST_PAGE, MOST_ROWS, PAGE_SIZE
from gnomon.serving.house import Housed

router = APIRouter(prefix="/api/corpus", tags=["corpus"])
Page = Annotated[int, Query(ge=1, le=LAST_PAGE, description="Which page, from 1.")]
Rows = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows of a page.")]
StepCode = Annotated[str, Query(max_length=100, description="The step that left it out, by its role; empty for any.",
                            examples=["clean"])]  # fmt: skip
ReasonCode = Annotated[str, Query(max_length=100, description="Why, as a code; empty for any.", examples=["too_short"])]
Which = Annotated[Kind, Query(description="`copies`, `apart`, or empty for both.")]
DocId = Annotated[str, Query(min_length=1, max_length=500, description="A document.", examples=["arxiv:2401.01234"])]


@router.get("", summary="What the library is made of", responses=refusals())
async def describe_corpus(house: Housed) -> Corpus:
    """The library's composition, what every step kept and left out, how much was there twice, what gave exams away."""
    return await house.readers.run(corpus, house.opened)


@router.get("/dropped", summary="What was left out", responses=refusals(404))
async def list_dropped(
    house: Housed, step: StepCode = "", reason: ReasonCode = "", page: Page = 1, rows: Rows = PAGE_SIZE
) -> DroppedPage:
    """Records that steps left out, with the reason, the measured value and their first characters.

    `step` is a role such as `clean`, `reason` a code such as `too_short`; either may be left empty.
    """
    return await house.readers.run(dropped, house.opened, step, reason, page, rows)


@router.get("/duplicates", summary="Pairs found alike", responses=refusals(404))
async def list_duplicates(house: Housed, kind: Which = "", page: Page = 1, rows: Rows = PAGE_SIZE) -> DuplicatesPage:
    """Pairs of documents, the most alike first: copies, pairs that stayed apart as different works, or both."""
    return await house.readers.run(duplicates, house.opened, kind, page, rows)


@router.get("/duplicates/compared", summary="Two copies side by side", responses=refusals(404))
async def compare_duplicates(house: Housed, a: DocId, b: DocId) -> Compared:
    """The texts of a pair in stretches that both have and that only one has."""
    return await house.readers.run(compared, house.opened, a, b)


@router.get("/contamination", summary="Exam questions in documents", responses=refusals(404))
async def list_contamination(house: Housed, page: Page = 1, rows: Rows = PAGE_SIZE) -> ContaminationPage:
    """Exam questions that documents give away, with the passages, and whether models were shown those documents."""
    return await house.readers.run(contamination, house.opened, page, rows)
