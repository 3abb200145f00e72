"""Answers: what research returns, made so that every sentence can be walked back.

An ``Answer`` is claims; a claim is a sentence with the ids of its citations; a citation is a
verbatim quote and the span it stands at. ``Checks`` are computed by code from these three.
"""

from dataclasses import dataclass, field

from gnomon.core.records import Span


@dataclass(frozen=True, kw_only=True, slots=True)
class Citation:
    """One piece of evidence, under an id that code handed out."""

    id: str
    """``R1``, ``R2``…"""
    doc_id: str
    """The cited document."""
    title: str
    """Its title, from the record."""
    authors: tuple[str, ...]
    """Its authors, from the record."""
    year: int | None
    """Its year, from the record."""
    quote: str
    """The words cited, verbatim."""
    span: Span
    """Where they stand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One sentence of an answer and what it rests on."""

    text: str
    """The sentence, without its citation ids."""
    citations: tuple[str, ...]
    """Ids of its citations."""
    doubt: str = ""
    """Why the checks do not believe it on its evidence; empty when nothing speaks against it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checks:
    """The always-on checks of an answer: no model takes part in them."""

    unknown_ids: int
    """Citation ids in the text that were never handed out (they are removed)."""
    quotes_verbatim: float | None
    """Share of quotes found in their passage after NFKC and white-space folding; None without quotes."""
    numbers_supported: float | None
    """Share of numbers, units, years and names of cited sentences that stand in their evidence; None
    when there is none."""
    coverage: float | None
    """Share of the answer's n-grams that stand in its evidence (words; characters for Japanese)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Nearby:
    """A document near to a question that was refused."""

    doc_id: str
    """The document."""
    title: str
    """Its title."""
    year: int | None
    """Its year."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer, or a refusal, with everything needed to doubt it."""

    id: str
    """``answer:HASH`` of question, expert and voice."""
    question: str
    """The question as asked."""
    text: str
    """The answer with its ids (``[R1]``), or the words of the refusal."""
    voice: str
    """``"extractive"``, or the name of the model that wrote."""
    refused: bool
    """True when the evidence was too weak."""
    claims: tuple[Claim, ...]
    """The sentences of the answer, in order."""
    citations: tuple[Citation, ...]
    """The references, in order of first use."""
    checks: Checks
    """What the always-on checks found."""
    nearest: tuple[Nearby, ...] = ()
    """The nearest documents, when refused."""
    parts: tuple[tuple[str, str], ...] = field(default=())
    """The expert's parts that answered, as in ``Expert.parts``."""

    @property
    def doubts(self) -> tuple[Claim, ...]:
        """The sentences that are marked, because their evidence does not bear them out."""
        return tuple(claim for claim in self.claims if claim.doubt)
