"""The pages of what the library is made of, and of what was left out of it, one by one."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from gnomon.core.wording import say
from gnomon.evaluation.report.plots import lengths, years
from gnomon.evaluation.report.sections import flow
from gnomon.evaluation.report.words import REASONS, share
from gnomon.research.opened import OpenExpert
from gnomon.serving.api.corpus import Page, ReasonCode, StepCode
from gnomon.serving.facts.contamination import contamination
from gnomon.serving.facts.corpus import Reason, corpus, worded
from gnomon.serving.facts.dropped import DroppedPage, dropped
from gnomon.serving.facts.duplicates import Kind, compared, duplicates
from gnomon.serving.facts.gathered import report_facts
from gnomon.serving.house import Housed
from gnomon.serving.web.drawings import drawn, place, rules_address
from gnomon.serving.web.pages import page

router = APIRouter(include_in_schema=False)
MOST_BARS = 12
"""Kinds that are shown at once; the others are folded below them."""
DocId = Annotated[str, Query(max_length=500)]


@router.get("/corpus")
async def show(request: Request, house: Housed) -> Response:
    """The library and the way to it."""
    told = await house.readers.run(_told, house.opened)
    return page(
        request,
        "corpus.html",
        place=place,
        drawings=rules_address(),
        reason_name=_reason_name,
        part=share,
        most_bars=MOST_BARS,
        **told,
    )


@router.get("/corpus/dropped")
async def show_dropped(
    request: Request,
    house: Housed,
    step: StepCode = "",
    reason: ReasonCode = "",
    page_: Annotated[Page, Query(alias="page")] = 1,
) -> Response:
    """Records that were left out."""
    found, every = await house.readers.run(_dropped, house.opened, step, reason, page_)
    return page(request, "corpus_dropped.html", found=found, reasons=every)


@router.get("/corpus/duplicates")
async def show_duplicates(
    request: Request, house: Housed, kind: Kind = "", page_: Annotated[Page, Query(alias="page")] = 1,
    a: DocId = "", b: DocId = "",
) -> Response:  # fmt: skip
    """Pairs found alike, and one pair side by side when it is asked for."""
    if a and b:
        beside = await house.readers.run(compared, house.opened, a, b)
        return page(request, "corpus_compared.html", beside=beside)
    found = await house.readers.run(duplicates, house.opened, kind, page_)
    return page(request, "corpus_duplicates.html", found=found)


@router.get("/corpus/contamination")
async def show_contamination(
    request: Request, house: Housed, page_: Annotated[Page, Query(alias="page")] = 1
) -> Response:
    """Exam questions that documents give away."""
    found = await house.readers.run(contamination, house.opened, page_)
    return page(request, "corpus_contamination.html", found=found)


def _reason_name(code: str) -> str:
    """Why something was left out, in the reader's language."""
    return worded(code, REASONS)


def _dropped(opened: OpenExpert, step: str, reason: str, at: int) -> tuple[DroppedPage, tuple[Reason, ...]]:
    """A page of records, and every reason to choose from."""
    return dropped(opened, step, reason, at), corpus(opened).dropped


def _told(opened: OpenExpert) -> dict[str, Any]:
    facts = report_facts(opened)
    made = facts["composition"]
    return {
        "corpus": corpus(opened), "flow": drawn(flow, facts),
        "by_year": drawn(years, made["year"], say("documents by year", "年別の文書数")),
        "by_length": drawn(lengths, made["length"], say("documents by length", "長さ別の文書数")),
    }  # fmt: skip
