"""What agents are told: the same facts as pages and API, in as few words as a context window deserves.

Every document is a resource, every passage a span: characters of exactly one version of the document's text.
"""

from pydantic import Field

from gnomon.serving.facts.answers import AnswerFacts
from gnomon.serving.facts.checking import Frozen
from gnomon.serving.facts.search import Found, Results
from gnomon.serving.facts.traces import Traced, TracedDocument, TracedSpan

SCHEME = "gnomon://document/"


def uri(doc_id: str) -> str:
    """The resource that is a document's text."""
    return f"{SCHEME}{doc_id}"


class Span(Frozen):
    """Characters of exactly one version of a document's text."""

    doc_id: str = Field(description="The document's id.")
    start: int = Field(description="First character.")
    end: int = Field(description="One past the last.")
    text_hash: str = Field(description="The version of the text; with another one the offsets mean nothing.")
    uri: str = Field(description="The document as a resource.")


class PassageFound(Frozen):
    """A passage that speaks for a query."""

    text: str = Field(description="Its words, verbatim.")
    span: Span = Field(description="Where they stand.")


class DocumentFound(Frozen):
    """A document that was found."""

    id: str = Field(description="Its id.")
    title: str = Field(description="Its title.")
    authors: tuple[str, ...] = Field(description="Its authors.")
    year: int | None = Field(description="Its year.")
    uri: str = Field(description="Its text as a resource.")
    passages: tuple[PassageFound, ...] = Field(description="Its best passages.")


class SearchResult(Frozen):
    """What a search found."""

    found: int = Field(description="Documents found in all.")
    documents: tuple[DocumentFound, ...] = Field(description="The best of them, best first.")


class CitationGiven(Frozen):
    """A quote that an answer cites."""

    id: str = Field(description="Its id in the text: `R1`, `R2`…")
    title: str = Field(description="The work.")
    authors: tuple[str, ...] = Field(description="Its authors.")
    year: int | None = Field(description="Its year.")
    quote: str = Field(description="The words, verbatim.")
    span: Span = Field(description="Where they stand.")


class Doubted(Frozen):
    """A sentence that its evidence does not bear out."""

    text: str = Field(description="The sentence.")
    why: str = Field(description="Why it is not believed.")


class NearestWork(Frozen):
    """A work near to a question that was refused."""

    id: str = Field(description="Its id.")
    title: str = Field(description="Its title.")
    uri: str = Field(description="Its text as a resource.")


class CitedAnswer(Frozen):
    """An answer, or a refusal that says so."""

    text: str = Field(description="The answer; ids such as `[R1]` are citations, `[?]` marks a doubted sentence.")
    refused: bool = Field(description="Whether the evidence was too weak; then `text` says so.")
    voice: str = Field(description="`extractive`, or the name of the model that wrote.")
    citations: tuple[CitationGiven, ...] = Field(description="What the ids stand for.")
    doubts: tuple[Doubted, ...] = Field(description="Sentences that are marked.")
    quotes_verbatim: float | None = Field(description="Share of quotes that stand in their document, word for word.")
    numbers_supported: float | None = Field(description="Share of numbers, units, years and names in the evidence.")
    nearest: tuple[NearestWork, ...] = Field(description="The nearest works, when refused.")
    id: str = Field(description="The answer's id; `gnomon lineage ID` walks it back.")


class PlaceTraced(Frozen):
    """A document that holds a stretch of a text."""

    title: str = Field(description="The work; empty when the library does not hold it.")
    span: Span = Field(description="Where the stretch stands.")


class StretchTraced(Frozen):
    """A stretch of a text that stands verbatim in the corpus."""

    text: str = Field(description="Its characters.")
    start: int = Field(description="First character in the text that was traced.")
    end: int = Field(description="One past its last.")
    count: int = Field(description="How often it stands in the corpus.")
    documents: tuple[PlaceTraced, ...] = Field(description="Documents that hold it.")


class TraceResult(Frozen):
    """Where the words of a text come from."""

    coverage: float = Field(description="Share of the text that stands in the corpus verbatim.")
    stretches: tuple[StretchTraced, ...] = Field(description="The most unusual stretches, rarest first.")
    caveat: str = Field(description="What a trace does and does not show.")


class DocumentText(Frozen):
    """A part of a document's text."""

    id: str = Field(description="The document's id.")
    title: str = Field(description="Its title.")
    authors: tuple[str, ...] = Field(description="Its authors.")
    year: int | None = Field(description="Its year.")
    licence: str = Field(description="The licence as its source states it; empty when it states none.")
    text: str = Field(description="The characters from `span.start` to `span.end`.")
    span: Span = Field(description="Which characters these are.")
    characters: int = Field(description="Characters of the whole text.")


def found(results: Results) -> SearchResult:
    """A search as an agent is told of it."""
    return SearchResult(found=results.found, documents=tuple(_document(one) for one in results.documents))


def _document(one: Found) -> DocumentFound:
    passages = (
        PassageFound(text=p.text, span=Span(doc_id=one.id, start=p.start, end=p.end, text_hash=p.text_hash,
                                            uri=uri(one.id)))
        for p in one.passages
    )  # fmt: skip
    return DocumentFound(id=one.id, title=one.title, authors=one.authors, year=one.year, uri=uri(one.id),
                         passages=tuple(passages))  # fmt: skip


def answered(given: AnswerFacts) -> CitedAnswer:
    """An answer as an agent is told of it."""
    citations = (
        CitationGiven(
            id=one.id, title=one.title, authors=one.authors, year=one.year, quote=one.quote,
            span=Span(doc_id=one.doc_id, start=one.start, end=one.end, text_hash=one.text_hash, uri=uri(one.doc_id)),
        )
        for one in given.evidence
    )  # fmt: skip
    return CitedAnswer(
        text=given.text, refused=given.refused, voice=given.voice, citations=tuple(citations), id=given.id,
        doubts=tuple(Doubted(text=one.text, why=one.doubt) for one in given.sentences if one.doubt),
        quotes_verbatim=given.checks.quotes_verbatim, numbers_supported=given.checks.numbers_supported,
        nearest=tuple(NearestWork(id=one.doc_id, title=one.title, uri=uri(one.doc_id)) for one in given.nearest),
    )  # fmt: skip


def traced(result: Traced) -> TraceResult:
    """A trace as an agent is told of it."""
    stretches = tuple(_stretch(span) for span in result.spans)
    return TraceResult(coverage=result.coverage, stretches=stretches, caveat=result.caveat)


def _stretch(span: TracedSpan) -> StretchTraced:
    return StretchTraced(text=span.text, start=span.start, end=span.end, count=span.count,
                         documents=tuple(_place(one) for one in span.documents))  # fmt: skip


def _place(one: TracedDocument) -> PlaceTraced:
    span = Span(doc_id=one.doc_id, start=one.start, end=one.end, text_hash=one.text_hash, uri=uri(one.doc_id))
    return PlaceTraced(title=one.title, span=span)
