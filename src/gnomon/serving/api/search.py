"""Search over HTTP: documents with their passages and what they have in common, and the same list as a file."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from gnomon.research.reference_files import FORMS
from gnomon.serving.api.refusals import refusals
from gnomon.serving.facts import asking, export
from gnomon.serving.facts.search import Results, search
from gnomon.serving.house import Housed

router = APIRouter(prefix="/api", tags=["search"])
FILES = {form.media_type: {"schema": {"type": "string"}} for form in FORMS.values()}
"""How OpenAPI describes reference files."""


class SearchQuery(asking.Query):
    """What is asked for."""

    facets: bool = Field(default=False, description="Whether to count what the documents found have in common.")


class ExportQuery(asking.Query):
    """What is asked for, as a file."""

    format: export.FormName = Field(default="bib", description="BibTeX, RIS or CSV.")
    k: int = Field(default=100, ge=1, description="How many documents, from the first.")


@router.get("/search", summary="Search the library", responses=refusals(404))
async def search_library(house: Housed, asked: Annotated[SearchQuery, Query()]) -> Results:
    """Documents for a query, each once, with the passages that speak for it.

    Words and vectors each rank their best passages; the two rankings are fused. Without `q` the library itself is
    listed, newest first, within the filters. With `like` the list is what resembles a document.
    """
    query = asking.checked(asked, results=house.limits.results, characters=house.limits.query_characters)
    plain = asking.Query(**query.model_dump(exclude={"facets"}))
    return await house.readers.run(search, house.opened, plain, facets=asked.facets)


@router.get("/export", summary="A search's documents as a reference file", response_class=Response,
            responses={200: {"content": FILES, "description": "The file."}, **refusals(404)})  # fmt: skip
async def export_found(house: Housed, asked: Annotated[ExportQuery, Query()]) -> Response:
    """The first documents that a search finds, in its order, as BibTeX, RIS or CSV."""
    query = asking.checked(asked, results=house.limits.results, characters=house.limits.query_characters)
    text = await house.readers.run(export.found_as, house.opened, query, asked.format, query.k)
    return file(text, asked.format, "search")


def file(text: str, form: export.FormName, name: str) -> Response:
    """A reference file as a response that a browser saves.

    Args:
        text: What it holds.
        form: Its kind.
        name: Its name, in letters, digits and dashes, without an ending.
    """
    kind = FORMS[form]
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind.ending}"'}
    return Response(text, media_type=f"{kind.media_type}; charset=utf-8", headers=headers)
