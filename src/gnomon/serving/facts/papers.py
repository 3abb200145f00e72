"""Papers: everything that is known of one document: its record, its text, what became of it, and what is like it.

A document that was left out on the way to the library is told as well, with where and why.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.errors import NotFound
from gnomon.core.records import Document
from gnomon.core.wording import language, say
from gnomon.knowledge.alike import alike
from gnomon.knowledge.analysis import plain_name
from gnomon.knowledge.counting import OTHERS
from gnomon.research.opened import OpenExpert
from gnomon.runs.documents import document_lineage
from gnomon.serving.facts.briefs import Brief, brief_of, briefs
from gnomon.serving.facts.kept import Recent, kept
from gnomon.serving.facts.lineages import Node, node_of
from gnomon.serving.facts.provenance import Provenance, chain_behind, last_version, provenance

SIMILAR, MOST_SIMILAR = 6, 50
WAYS_KEPT = 100


class Person(BaseModel):
    """An author."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Surname first; Japanese names as printed.")
    orcid: str = Field(description="The ORCID iD, when known.")
    affiliations: tuple[str, ...] = Field(description="As printed.")


class Heading(BaseModel):
    """A section of the text."""

    model_config = ConfigDict(frozen=True)

    title: str = Field(description="The heading; empty before the first.")
    level: int = Field(description="1 for a section, 2 for a subsection; 0 before the first heading.")
    start: int = Field(description="Its first character, heading included.")
    end: int = Field(description="One past its last.")


class Origin(BaseModel):
    """Where a text was read from."""

    model_config = ConfigDict(frozen=True)

    kind: str = Field(description="What it was read as.", examples=["pdf"])
    key: str = Field(description="The file, or the record's id at its origin.")
    sha256: str = Field(description="Of the bytes that were read.")
    url: str = Field(description="A public address of the same text, when one is known.")
    licence: str = Field(description="As stated; empty when nothing is.")
    retrieved: str = Field(description="When a remote source was read.")


class Text(BaseModel):
    """A document's record and its words."""

    model_config = ConfigDict(frozen=True)

    record: Brief = Field(description="Its record.")
    people: tuple[Person, ...] = Field(description="Its authors, all of them.")
    bibcode: str = Field(description="Its ADS bibcode, when known.")
    keywords: tuple[str, ...] = Field(description="As printed.")
    source: Origin = Field(description="Where it was read from.")
    text: str = Field(description="Its words, into which spans point.")
    text_hash: str = Field(description="Hash of the text: the version that spans point into.")
    sections: tuple[Heading, ...] = Field(description="Its sections; none for a text without headings.")
    in_library: bool = Field(description="Whether readers find it; if not, `way` tells where it was left out.")


class Similar(Brief):
    """A document like another."""

    likeness: float = Field(description="Cosine similarity of vectors, or a score of words: see `by`.")


class SimilarPapers(BaseModel):
    """Documents like one."""

    model_config = ConfigDict(frozen=True)

    by: str = Field(description="`vectors`, or `text` where no model of the library has read the document.")
    documents: tuple[Similar, ...] = Field(description="The most alike first.")


class Behind(Provenance):
    """What became of a document, and how it got here."""

    way: Node = Field(description="Every step that it met, the latest first, down to its file.")


class Paper(Text, Behind):
    """Everything that is known of a document."""

    similar: SimilarPapers = Field(description="Documents like it.")


def text_of(opened: OpenExpert, doc_id: str) -> Text:
    """A document's record and text; of one that was left out, as the last step had it.

    Raises:
        NotFound: Nothing here has this id.
    """
    document, in_library = _document(opened, doc_id)
    return Text(**_told(document, in_library=in_library))


def paper(opened: OpenExpert, doc_id: str) -> Paper:
    """Everything that is known of a document.

    Raises:
        NotFound: Nothing here has this id.
    """
    document, in_library = _document(opened, doc_id)
    near = similar(opened, doc_id, SIMILAR) if in_library else SimilarPapers(by="vectors", documents=())
    return Paper(**_told(document, in_library=in_library), **dict(_behind(opened, document)), similar=near)


def behind(opened: OpenExpert, doc_id: str) -> Behind:
    """What became of a document, and how it got here.

    Raises:
        NotFound: Nothing here has this id.
    """
    return _behind(opened, _document(opened, doc_id)[0])


def similar(opened: OpenExpert, doc_id: str, k: int) -> SimilarPapers:
    """Documents like one of the library.

    Args:
        opened: The expert.
        doc_id: The document.
        k: How many.

    Raises:
        NotFound: The library has no such document.
    """
    resembling = alike(opened.library, opened.library.document(doc_id))
    scores: dict[str, float] = {}
    for key, score in resembling.ranked:
        scores.setdefault(key.rpartition("#")[0], score)
    found = briefs(opened, list(scores)[: k + 5]).values()
    documents = [Similar(**brief.model_dump(), likeness=round(scores[brief.id], 4)) for brief in found]
    return SimilarPapers(by=resembling.by, documents=tuple(documents[:k]))


def _document(opened: OpenExpert, doc_id: str) -> tuple[Document, bool]:
    found = opened.library.documents([doc_id])
    if doc_id in found:
        return found[doc_id], True
    lost = last_version(chain_behind(opened), doc_id)
    if lost is None:
        raise NotFound(
            say(f"There is no paper {doc_id[:200]!r} here.", f"{doc_id[:200]!r} という文献はない。"),
            say("Search for its title, or its author and year.", "題名、または著者と年で検索する。"),
        )
    return lost, False


def _behind(opened: OpenExpert, document: Document) -> Behind:
    """What became of a document and how it got here; read once, for a while."""
    known: Recent[Behind] = kept(opened, "provenance", lambda: Recent(WAYS_KEPT))
    name = f"{language()} {document.id}"
    if name in known:
        return known[name]
    link = document_lineage(chain_behind(opened), document.id)
    if link is None:
        raise NotFound(say(f"No step here has met {document.id!r}.", f"{document.id!r} を扱ったステップはない。"))
    return known.put(name, Behind(**dict(provenance(opened, document)), way=node_of(link)))


def _told(document: Document, *, in_library: bool) -> dict[str, Any]:
    source = document.source
    return {
        "record": brief_of(document), "bibcode": document.biblio.bibcode, "keywords": document.biblio.keywords,
        "people": tuple(
            Person(name=author.name, orcid=author.orcid, affiliations=author.affiliations)
            for author in document.biblio.authors if plain_name(author.name) not in OTHERS
        ),
        "source": Origin(kind=source.kind, key=source.key, sha256=source.sha256, url=source.url,
                         licence=source.licence, retrieved=source.retrieved),
        "text": document.text, "text_hash": document.text_hash, "in_library": in_library,
        "sections": tuple(Heading(title=s.title, level=s.level, start=s.start, end=s.end) for s in document.sections),
    }  # fmt: skip
