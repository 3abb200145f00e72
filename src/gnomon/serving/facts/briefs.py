"""Briefs: what a list says of a document, without its text."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.records import Document
from gnomon.knowledge.analysis import plain_name
from gnomon.knowledge.counting import OTHERS
from gnomon.research.opened import OpenExpert
from gnomon.research.references import arxiv_of, doi_of
from gnomon.serving.facts.kept import Recent, kept

MOST_KEPT = 20_000
"""Briefs in memory: of a kilobyte each, at most."""
AUTHORS_KEPT = 40
"""Authors of a document that a list may show: collaborations have thousands."""


class Brief(BaseModel):
    """A document as it stands in a list."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="Its id, stable in every version of the library.", examples=["arxiv:1602.03837"])
    title: str = Field(
        description="Its title; empty when its source has none.",
        examples=["A relation between distance and radial velocity"],
    )
    authors: tuple[str, ...] = Field(description=f"Its authors in order, the first {AUTHORS_KEPT}.",
                                     examples=[("Hubble, E.",)])  # fmt: skip
    more_authors: int = Field(description="How many more there are; -1 when its source says there are, not how many.",
                              examples=[0])  # fmt: skip
    year: int | None = Field(description="Its year.", examples=[1929])
    date: str = Field(description="The ISO date of the same event, as precise as known.", examples=["1929"])
    venue: str = Field(description="Journal, volume and page, as printed.",
                       examples=["Proceedings of the National Academy of Sciences, 15, 168"])  # fmt: skip
    subjects: tuple[str, ...] = Field(description="Subject codes, the main one first.", examples=[("astro-ph.GA",)])
    lang: str = Field(description="ISO 639-1 code of its language.", examples=["en"])
    doi: str = Field(description="Its DOI, when it is well formed.", examples=["10.1073/pnas.15.3.168"])
    arxiv: str = Field(description="Its arXiv identifier, when it is well formed.", examples=["1602.03837"])
    licence: str = Field(description="The licence as its source states it; empty when it states none.",
                         examples=["CC0-1.0"])  # fmt: skip


def brief_of(document: Document) -> Brief:
    """The brief of a document."""
    biblio = document.biblio
    people = [author.name for author in biblio.authors if plain_name(author.name) not in OTHERS]
    untold = len(people) < len(biblio.authors) and len(people) <= AUTHORS_KEPT
    return Brief(
        id=document.id, title=document.title, authors=tuple(people[:AUTHORS_KEPT]),
        more_authors=-1 if untold else max(0, len(people) - AUTHORS_KEPT), year=biblio.year, date=biblio.date,
        venue=biblio.venue, subjects=biblio.categories, lang=document.lang, doi=doi_of(biblio.doi),
        arxiv=arxiv_of(biblio.arxiv or document.id.removeprefix("arxiv:")), licence=document.source.licence,
    )  # fmt: skip


def briefs(opened: OpenExpert, doc_ids: Iterable[str]) -> dict[str, Brief]:
    """The briefs of documents by id, in the order asked for; ids that are not in the library are left out.

    Args:
        opened: The expert.
        doc_ids: The documents.
    """
    known: Recent[Brief] = kept(opened, "briefs", lambda: Recent(MOST_KEPT))
    ids = list(dict.fromkeys(doc_ids))
    found = {doc_id: known[doc_id] for doc_id in ids if doc_id in known}
    missing = [doc_id for doc_id in ids if doc_id not in found]
    if missing:
        found |= {key: known.put(key, brief_of(document)) for key, document in
                  opened.library.documents(missing).items()}  # fmt: skip
    return {doc_id: found[doc_id] for doc_id in ids if doc_id in found}
