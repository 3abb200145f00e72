"""Passages: evidence as a page shows it, each document once, quotes that stand near each other in one passage."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gnomon.serving.facts.answers import AFTER, BEFORE, Evidence


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a passage."""

    text: str
    """Its characters."""
    ids: tuple[str, ...] = ()
    """The quotes that hold it; none around and between quotes."""
    first: tuple[Evidence, ...] = ()
    """The quotes that begin with it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document and what is quoted from it."""

    head: Evidence
    """Its first quote, which says what the document is."""
    passages: tuple[tuple[Piece, ...], ...]
    """Its passages, in the order of the text."""


@dataclass(slots=True)
class _Window:
    """A stretch of a text, and the quotes in it."""

    start: int
    """Its first character in the document."""
    text: str
    """Its characters."""
    quotes: list[Evidence] = field(default_factory=list)
    """What is quoted of it."""
    cut: tuple[bool, bool] = (False, False)
    """Whether the document goes on before and after it."""

    @property
    def end(self) -> int:
        """One past its last character."""
        return self.start + len(self.text)


def sources(evidence: Iterable[Evidence]) -> tuple[Source, ...]:
    """The documents that are quoted, in order of their first quote."""
    found: dict[tuple[str, str], list[Evidence]] = {}
    for one in evidence:
        found.setdefault((one.doc_id, one.text_hash), []).append(one)
    return tuple(
        Source(head=own[0], passages=tuple(tuple(_pieces(window)) for window in _windows(own)))
        for own in found.values()
    )


def _windows(quotes: Sequence[Evidence]) -> list[_Window]:
    """Passages around quotes of one document; those that touch are one."""
    made: list[_Window] = []
    for one in sorted(quotes, key=lambda quote: (quote.start, quote.end)):
        before, after = one.before.removeprefix(BEFORE), one.after.removesuffix(AFTER)
        window = _Window(one.start - len(before), f"{before}{one.quote}{after}", [one],
                         (one.before != before, one.after != after))  # fmt: skip
        last = made[-1] if made else None
        if last is None or window.start > last.end:
            made.append(window)
            continue
        if window.end >= last.end:
            last.text, last.cut = last.text + window.text[last.end - window.start :], (last.cut[0], window.cut[1])
        last.quotes.append(one)
    return made


def _pieces(window: _Window) -> Iterator[Piece]:
    """A passage cut where quotes begin and end."""
    ends = {border - window.start for quote in window.quotes for border in (quote.start, quote.end)}
    borders = sorted({0, len(window.text), *ends})
    if window.cut[0]:
        yield Piece(BEFORE)
    for start, end in pairwise(borders):
        inside = [q for q in window.quotes if q.start - window.start <= start and end <= q.end - window.start]
        first = tuple(quote for quote in inside if quote.start - window.start == start)
        yield Piece(window.text[start:end], tuple(quote.id for quote in inside), first)
    if window.cut[1]:
        yield Piece(AFTER)
