"""Traces: what of a text stands verbatim in what the expert's models were shown, how often, and where.

Positions are characters as Python counts them (Unicode code points); a text is therefore also given in *pieces*, so
that nobody has to count: a browser counts some characters twice.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal

from pydantic import Field

from gnomon.core.errors import ConfigError
from gnomon.core.text import unspaced_share
from gnomon.core.wording import say
from gnomon.knowledge.tracing.results import TraceDocument, TraceResult, TraceSpan, caveat
from gnomon.knowledge.tracing.words import Forms, words
from gnomon.research.opened import OpenExpert
from gnomon.serving import addresses
from gnomon.serving.facts.briefs import Brief, briefs
from gnomon.serving.facts.checking import Frozen

Rank = Literal["once", "few", "some", "many", "verbatim", ""]
WORDS_LISTED, MOST_NEXT = 20, 1_000
LONGEST_PHRASE = 1_000
RANKS: tuple[tuple[Rank, int], ...] = (("once", 1), ("few", 9), ("some", 99))
"""Up to how many occurrences each rank reaches; beyond, a span stands there *many* times."""


class TracedDocument(Frozen):
    """A document that holds a stretch of the text."""

    doc_id: str = Field(description="The document.")
    title: str = Field(description="Its title; empty when it is not in the library, or has none.")
    year: int | None = Field(description="Its year, when it is in the library.")
    start: int = Field(description="First character of the stretch in the document's text.")
    end: int = Field(description="One past its last character.")
    text_hash: str = Field(description="Hash of the version of the text that these positions point into.")
    address: str = Field(description="Its page on this server, at the stretch; empty when it is not in the library.")


class TracedSpan(Frozen):
    """A stretch that stands verbatim in the corpus and cannot be made longer."""

    start: int = Field(description="First character in the text.")
    end: int = Field(description="One past its last character.")
    text: str = Field(description="Its characters.")
    count: int = Field(description="How often it occurs in the corpus.")
    rank: Rank = Field(description="The count as a word: `once`, `few` (2–9), `some` (10–99) or `many`.")
    log_probability: float = Field(description="Logarithm of the product of its words' shares: low means unusual.")
    documents: tuple[TracedDocument, ...] = Field(description="Documents that hold it, nearest to the text first.")


class Piece(Frozen):
    """A part of the text between two borders of spans."""

    text: str = Field(description="Its characters.")
    rank: Rank = Field(description="That of the rarest listed span over it; `verbatim` when it stands in the corpus"
                                   " without being listed; empty when it does not.")  # fmt: skip
    spans: tuple[int, ...] = Field(description="The listed spans it lies in, as places in `spans`.")


class Traced(Frozen):
    """A traced text."""

    coverage: float = Field(description="Share of the text's characters that stand in the corpus verbatim.")
    words: int = Field(description="Words of the text.")
    min_words: float = Field(description="Shortest stretch that counted, in words.")
    spans: tuple[TracedSpan, ...] = Field(description="The most unusual stretches, rarest first.")
    stretches: tuple[tuple[int, int], ...] = Field(description="Every verbatim stretch, first and one past last.")
    pieces: tuple[Piece, ...] = Field(description="The whole text in order, cut at every border.")
    corpus_words: int = Field(description="Words of the corpus that is searched.")
    corpus_documents: int = Field(description="Documents of the corpus.")
    caveat: str = Field(description="What a trace does and does not show, in the reader's language.")


class Next(Frozen):
    """A word that follows."""

    word: str = Field(description="In the form that is compared.")
    count: int = Field(description="How often it follows.")
    probability: float = Field(description="Its share of what follows.")
    phrase: str = Field(description="The phrase with this word at its end.")


class Continued(Frozen):
    """How a phrase goes on in the corpus."""

    phrase: str = Field(description="As it was asked for.")
    count: int = Field(description="How often it occurs.")
    next: tuple[Next, ...] = Field(description="The words that follow it most often, the commonest first.")


class Counted(Frozen):
    """How often a phrase occurs."""

    phrase: str = Field(description="As it was asked for.")
    count: int = Field(description="How often it occurs, in whole words.")
    documents: tuple[TracedDocument, ...] = Field(description="The first documents that hold it.")


def traced(opened: OpenExpert, text: str, characters: int) -> Traced:
    """Trace a text.

    Args:
        opened: The expert.
        text: The text.
        characters: Longest text that is traced.

    Raises:
        NotFound: The expert has no trace.
        ConfigError: The text is empty or too long.
    """
    if not text.strip():
        raise ConfigError(say("There is no text to trace.", "調べる文章がない。"))
    _refuse_long(text, characters)
    trace = opened.trace
    found = trace.attribute(text)
    known = briefs(opened, (d.doc_id for span in found.spans for d in span.documents))
    spans = tuple(_span(span, known) for span in found.spans)
    return Traced(
        coverage=found.coverage, words=found.words, min_words=found.min_words, stretches=found.stretches, spans=spans,
        pieces=tuple(_pieces(found, spans)), corpus_words=trace.total, corpus_documents=trace.documents,
        caveat=caveat(),
    )  # fmt: skip


def continued(opened: OpenExpert, phrase: str, k: int = WORDS_LISTED) -> Continued:
    """What follows a phrase in the corpus, with counts; of an empty phrase its commonest words.

    Raises:
        NotFound: The expert has no trace.
        ConfigError: The phrase is too long.
    """
    _refuse_long(phrase, LONGEST_PHRASE)
    trace = opened.trace
    found = [
        Next(word=n.word, count=n.count, probability=n.probability, phrase=_with(phrase, n.word))
        for n in trace.next_words(phrase, k)
    ]
    return Continued(phrase=phrase, count=trace.count(phrase), next=tuple(found))


def counted(opened: OpenExpert, phrase: str, documents: int = 10) -> Counted:
    """How often a phrase occurs, and where; errors as ``continued``."""
    _refuse_long(phrase, LONGEST_PHRASE)
    found = opened.trace.find(phrase, documents)
    known = briefs(opened, (document.doc_id for document in found))
    return Counted(phrase=phrase, count=opened.trace.count(phrase), documents=tuple(_document(d, known) for d in found))


def places_of_words(phrase: str) -> list[tuple[int, int]]:
    """First character, and one past the last, of each word of a phrase as a trace reads it."""
    return [(word.start, word.end) for word in words(phrase, Forms(fold_case=False))]


def _refuse_long(text: str, characters: int) -> None:
    if len(text) > characters:
        raise ConfigError(
            say(f"The text has {len(text):,} characters; {characters:,} are read here.",
                f"文章が {len(text):,} 文字ある。ここで読めるのは {characters:,} 文字まで。"),
            say("Trace it part by part.", "分けて調べる。"),
        )  # fmt: skip


def _with(phrase: str, word: str) -> str:
    """A phrase with one more word, as it would be written."""
    before, first = phrase.rstrip()[-1:], word[:1]
    apart = before and unspaced_share(before + first) < 1 and first not in ".,;:!?)]}%'’"
    return f"{phrase.rstrip()} {word}" if apart else f"{phrase.rstrip()}{word}"


def _rank(count: int) -> Rank:
    return next((rank for rank, most in RANKS if count <= most), "many")


def _span(span: TraceSpan, known: Mapping[str, Brief]) -> TracedSpan:
    return TracedSpan(
        start=span.start, end=span.end, text=span.text, count=span.count, rank=_rank(span.count),
        log_probability=span.log_probability, documents=tuple(_document(d, known) for d in span.documents),
    )  # fmt: skip


def _document(document: TraceDocument, known: Mapping[str, Brief]) -> TracedDocument:
    brief, span = known.get(document.doc_id), document.span
    return TracedDocument(
        doc_id=document.doc_id, title=brief.title if brief else "", year=brief.year if brief else None,
        start=span.start, end=span.end, text_hash=span.text_hash,
        address=addresses.paper(document.doc_id, (span.start, span.end)) if brief else "",
    )  # fmt: skip


def _pieces(found: TraceResult, spans: Sequence[TracedSpan]) -> Iterator[Piece]:
    """The text cut at every border of a stretch or span, in order."""
    ends = {border for span in spans for border in (span.start, span.end)}
    borders = sorted({0, len(found.text), *ends, *(border for stretch in found.stretches for border in stretch)})
    opened: list[list[int]] = [[] for _ in borders]
    for place, span in enumerate(spans):
        for number in range(bisect_left(borders, span.start), bisect_left(borders, span.end)):
            opened[number].append(place)
    verbatim = [False] * len(borders)
    for start, end in found.stretches:
        first, last = bisect_left(borders, start), bisect_left(borders, end)
        verbatim[first:last] = [True] * (last - first)
    for number, (start, end) in enumerate(pairwise(borders)):
        rarest = min((spans[place].count for place in opened[number]), default=0)
        rank: Rank = _rank(rarest) if rarest else "verbatim" if verbatim[number] else ""
        yield Piece(text=found.text[start:end], rank=rank, spans=tuple(opened[number]))
