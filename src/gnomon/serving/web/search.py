"""The page that finds: a form, the documents, and what they have in common to narrow the search by.

The form works by itself; the script beside it fetches the same page's results (``part=results``) as one types.
"""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from gnomon.core.wording import say
from gnomon.serving.facts import asking
from gnomon.serving.facts.asking import checked, year_range
from gnomon.serving.facts.corpus import language_name
from gnomon.serving.facts.search import Results, search
from gnomon.serving.house import Housed
from gnomon.serving.web.histogram import Bar, histogram
from gnomon.serving.web.maths import runs
from gnomon.serving.web.pages import page

router = APIRouter(include_in_schema=False)
PATH = "/search"
PAGES_SHOWN = 7
"""Numbers of pages that are links at once."""


class PageQuery(asking.Query):
    """What an address of the page asks for."""

    part: Literal["", "results"] = ""


@router.get(PATH)
async def search_page(request: Request, house: Housed, asked: Annotated[PageQuery, Query()]) -> Response:
    """The page, or only its results for the script that puts them there."""
    plain = asking.Query(**asked.model_dump(exclude={"part", "k"}))
    query = checked(plain, results=house.limits.results, characters=house.limits.query_characters)
    results = await house.readers.run(search, house.opened, query)
    template = "search_results.html" if asked.part else "search.html"
    return page(request, template, query=query, results=results, bars=_bars(results), pages=_pages(results),
                limits=_limits(query), runs=runs, to=_to(query))  # fmt: skip


def _to(query: asking.Query) -> Callable[..., str]:
    """A function from changes of a query to the address where it is asked."""

    def to(**changes: str | int) -> str:
        told = query.address(**changes)
        return f"{PATH}?{told}" if told else PATH

    return to


def _bars(results: Results) -> tuple[Bar, ...]:
    to, query = _to(results.query), results.query
    years = results.facets.years if results.facets else ()
    return histogram(years, year_range(query.year), lambda years: to(year=years))


def _pages(results: Results) -> tuple[int, ...]:
    """The numbers of pages around the one that is shown."""
    first = max(1, min(results.query.page - PAGES_SHOWN // 2, results.pages - PAGES_SHOWN + 1))
    return tuple(range(first, min(results.pages, first + PAGES_SHOWN - 1) + 1))


def _limits(query: asking.Query) -> tuple[tuple[str, str, str], ...]:
    """(name, its word, value) of each filter that is set."""
    words = {
        "year": say("years", "年"), "author": say("author", "著者"), "category": say("subject", "分野"),
        "language": say("language", "言語"), "source": say("source", "出典"),
    }  # fmt: skip
    return tuple(
        (name, words[name], language_name(value) if name == "language" else value) for name, value in query.limited
    )
