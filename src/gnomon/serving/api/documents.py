"""Documents over HTTP: a record with its text, what is like it, what became of it, and its reference."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.serving.api.refusals import refusals
from gnomon.serving.api.search import FILES, file
from gnomon.serving.facts import export, papers
from gnomon.serving.house import Housed

router = APIRouter(prefix="/api", tags=["documents"])
DocumentId = Annotated[str, Path(description="The document's id, slashes and colons as they are.",
                                 examples=["arxiv:astro-ph/9805201"], max_length=1_000)]  # fmt: skip


@router.get("/documents/{doc_id:path}/similar", summary="Documents like one", responses=refusals(404))
async def similar_documents(
    house: Housed, doc_id: DocumentId, k: Annotated[int, Query(ge=1, description="How many.")] = 10
) -> papers.SimilarPapers:
    """Documents like one, by the mean of its passages' vectors; by its words where no model has read it."""
    if k > house.limits.results:
        raise ConfigError(
            say(f"k = {k}: at most {house.limits.results} documents are given at once.",
                f"k = {k}。一度に返せるのは {house.limits.results} 件まで。"),
            say("Ask for fewer.", "件数を減らす。"),
        )  # fmt: skip
    return await house.readers.run(papers.similar, house.opened, doc_id, k)


@router.get("/documents/{doc_id:path}/provenance", summary="What became of a document", responses=refusals(404))
async def document_provenance(house: Housed, doc_id: DocumentId) -> papers.Behind:
    """Its copies, its questions and exam questions, the training stages that saw it, and how it got here.

    The way begins with the latest step that the document met and ends with the file it was read from.
    """
    return await house.readers.run(papers.behind, house.opened, doc_id)


@router.get("/documents/{doc_id:path}/reference", summary="A document's reference", response_class=Response,
            responses={200: {"content": FILES, "description": "The file."}, **refusals(404)})  # fmt: skip
async def document_reference(
    house: Housed, doc_id: DocumentId,
    format: Annotated[export.FormName, Query(description="BibTeX, RIS or CSV.")] = "bib",
) -> Response:  # fmt: skip
    """A document's entry for a reference manager or a spreadsheet."""
    text = await house.readers.run(export.document_as, house.opened, doc_id, format)
    return file(text, format, "reference")


@router.get("/documents/{doc_id:path}", summary="A document's record and text", responses=refusals(404))
async def document(house: Housed, doc_id: DocumentId) -> papers.Text:
    """Its bibliography, where it was read from, and the text that spans point into.

    One that was left out on the way to the library is told as well: ``in_library`` is false, and its provenance says
    where and why.
    """
    return await house.readers.run(papers.text_of, house.opened, doc_id)
