"""What a trace returns. Verbatim means: the same words in the same order, white space aside.

A match shows that the words stand in the corpus. It does not show that a model wrote them
because of it, and it is no check of facts.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from gnomon.core.records import Span
from gnomon.core.wording import say


def caveat(lang: str | None = None) -> str:
    """The sentence to show beside every trace."""
    return say(
        "Verbatim matches only: they show where the same words stand,"
        " not what caused a model to write them, and not that they are true.",
        "一致は逐語的なものだけである。同じ語句がどこにあるかを示すだけで、"
        "モデルがそれを書いた原因も、内容の正しさも示さない。",
        lang,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceDocument:
    """A document that holds a stretch of the traced text."""

    doc_id: str
    """The document."""
    span: Span
    """Where the stretch stands in it; its first place there."""
    score: float = 0.0
    """BM25 of the document's surroundings against the whole traced text; higher is nearer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceSpan:
    """A stretch of the traced text that stands verbatim in the corpus and cannot be made longer."""

    start: int
    """Its first character in the traced text."""
    end: int
    """One past its last character."""
    text: str
    """Its characters."""
    count: int
    """How often it occurs in the corpus."""
    log_probability: float
    """Natural logarithm of the product of its words' shares of the corpus: low means unusual."""
    documents: tuple[TraceDocument, ...]
    """Documents that hold it, nearest to the traced text first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceResult:
    """What of a text stands verbatim in the corpus."""

    text: str
    """The traced text."""
    coverage: float
    """Share of the text's characters, white space aside, that lie in a verbatim stretch of at least
    ``min_words`` words, whether it is listed below or not."""
    words: int
    """Words of the text: its length L in OLMoTrace's K = 0.05 L."""
    min_words: float
    """Shortest stretch that counted, in words; a character of an unspaced script is half a word."""
    stretches: tuple[tuple[int, int], ...]
    """Every maximal verbatim stretch that counted, as characters of the text, in order."""
    spans: tuple[TraceSpan, ...]
    """The most unusual of them, rarest first."""

    @property
    def highlights(self) -> tuple[tuple[int, int], ...]:
        """The listed spans with overlapping ones merged, in order: what to colour."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted((span.start, span.end) for span in self.spans):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return tuple(merged)

    @property
    def documents(self) -> tuple[tuple[str, float, tuple[Span, ...]], ...]:
        """Every document listed, once: id, score, its spans; nearest first."""
        found: dict[str, tuple[float, set[Span]]] = {}
        for document in (d for span in self.spans for d in span.documents):
            score, places = found.setdefault(document.doc_id, (document.score, set()))
            places.add(document.span)
            found[document.doc_id] = (max(score, document.score), places)
        rows = ((doc_id, score, tuple(sorted(places))) for doc_id, (score, places) in found.items())
        return tuple(sorted(rows, key=lambda row: (-row[1], row[0])))

    def to_row(self) -> dict[str, Any]:
        """As JSON types, in the shape that ``gnomon trace`` prints."""
        spans = [
            {
                "start": span.start,
                "end": span.end,
                "text": span.text,
                "count": span.count,
                "documents": [{"doc_id": d.doc_id, "span": dataclasses.asdict(d.span)} for d in span.documents],
            }
            for span in self.spans
        ]
        return {"coverage": self.coverage, "spans": spans}


@dataclass(frozen=True, kw_only=True, slots=True)
class NextWord:
    """A word that follows a phrase in the corpus."""

    word: str
    """The word in its compared form; a whole run of one script where words are not spaced."""
    count: int
    """How often it follows the phrase."""
    probability: float
    """``count`` over the occurrences of the phrase; what is missing to 1 are ends of documents."""
