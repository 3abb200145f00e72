"""The page that traces: a text with its verbatim stretches coloured, where they stand, and how a phrase goes on.

The form posts, because a text may be longer than an address; a short one is then led to its own address.
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from gnomon.research.opened import OpenExpert
from gnomon.serving.facts import traces
from gnomon.serving.facts.traces import Continued, Counted, Traced
from gnomon.serving.house import Housed
from gnomon.serving.texts import Words
from gnomon.serving.web.maths import runs
from gnomon.serving.web.pages import page

router = APIRouter(include_in_schema=False)
PATH = "/trace"
SHORT = 1_500
"""Characters of a text that has an address of its own."""
PLACES = 5
"""Documents shown of a phrase."""


class PageQuery(BaseModel):
    """What an address of the page asks for."""

    text: Words = ""
    phrase: Words = Field(default="", max_length=traces.LONGEST_PHRASE)

    @property
    def short(self) -> bool:
        """Whether the text fits into an address."""
        return len(self.text) <= SHORT

    def address(self, anchor: str = "", **changes: str) -> str:
        """The address of this page with some of it changed; a long text has none."""
        told = {"text": self.text if self.short else "", "phrase": self.phrase, **changes}
        plain = urlencode({key: value for key, value in told.items() if value})
        return f"{PATH}?{plain}{anchor}" if plain else f"{PATH}{anchor}"


class _Found(BaseModel):
    """What the page shows."""

    traced: Traced | None
    continued: Continued
    counted: Counted | None
    steps: tuple[tuple[str, str], ...]
    """(word, the phrase up to it) of the phrase."""


@router.get(PATH)
async def trace_page(request: Request, house: Housed, asked: Annotated[PageQuery, Query()]) -> Response:
    """The page of a short text, of a phrase, of both, or the empty one."""
    return await _page(request, house, asked)


@router.post(PATH)
async def trace_form(
    request: Request, house: Housed, text: Annotated[str, Form()] = "", phrase: Annotated[str, Form()] = ""
) -> Response:
    """The page of a long text; a short one has an address."""
    asked = PageQuery(text=text.replace("\r\n", "\n"), phrase=phrase[: traces.LONGEST_PHRASE])
    if asked.short:
        return RedirectResponse(asked.address(), 303)
    return await _page(request, house, asked)


async def _page(request: Request, house: Housed, asked: PageQuery) -> Response:
    found = await house.readers.run(_found, house.opened, asked, house.limits.text_characters)
    return page(request, "trace.html", asked=asked, found=found, traced=found.traced, runs=runs, places_shown=PLACES)


def _found(opened: OpenExpert, asked: PageQuery, characters: int) -> _Found:
    phrase = " ".join(asked.phrase.split())
    return _Found(
        traced=traces.traced(opened, asked.text, characters) if asked.text.strip() else None,
        continued=traces.continued(opened, phrase),
        counted=traces.counted(opened, phrase, PLACES) if phrase else None,
        steps=tuple(_steps(phrase)),
    )  # fmt: skip


def _steps(phrase: str) -> list[tuple[str, str]]:
    """The words of a phrase, each with the phrase that ends with it."""
    found = traces.places_of_words(phrase)
    return [(phrase[start:end], phrase[:end]) for start, end in found]
