"""Colours: which words of an answer stand verbatim in its evidence, which elsewhere in the corpus, which in neither.

A stretch is of the *evidence* when at least three of its words in a row (five characters of Japanese) stand in a quote
of the answer, as the check of wording counts; of the *corpus* when it is a verbatim stretch of the trace, six words or
more. Evidence comes first: most of it stands in the corpus too.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Literal

from pydantic import Field

from gnomon.core.answers import Answer
from gnomon.core.checks import CHARACTER_GRAM, WORD_GRAM
from gnomon.core.text import unspaced_share
from gnomon.knowledge.tracing.results import caveat
from gnomon.knowledge.tracing.words import Forms, Word, weight, words
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.checking import Frozen

Kind = Literal["evidence", "corpus", "neither"]
KINDS: tuple[Kind, ...] = ("evidence", "corpus", "neither")


class Stretch(Frozen):
    """Neighbouring words of one kind."""

    start: int = Field(description="First character in its sentence (Unicode code points).")
    end: int = Field(description="One past its last character.")
    text: str = Field(description="Its characters.")
    kind: Kind = Field(description="Where its words stand verbatim.")
    count: int = Field(description="How often a stretch of the corpus occurs there; 0 for other kinds.")


class Coloured(Frozen):
    """One sentence in stretches, which give all of its characters in order."""

    number: int = Field(description="The sentence, from 1.")
    stretches: tuple[Stretch, ...] = Field(description="All of it.")


class Colours(Frozen):
    """Where the words of an answer come from."""

    sentences: tuple[Coloured, ...] = Field(description="In order; none when the question was refused.")
    evidence: float = Field(description="Share of the answer's letters that stand verbatim in its evidence.")
    corpus: float = Field(description="Share that stands elsewhere in the corpus.")
    neither: float = Field(description="Share that stands in neither.")
    traced: bool = Field(description="Whether the expert has a trace; without one nothing is found in the corpus.")
    caveat: str = Field(description="What this does and does not show, in the reader's language.")


def colours(opened: OpenExpert, given: Answer) -> Colours:
    """The colours of an answer.

    Args:
        opened: The expert.
        given: The answer.
    """
    traced = "trace" in dict(opened.expert.parts)
    quotes = [citation.quote for citation in given.citations]
    found = [
        Coloured(number=n, stretches=tuple(_stretches(opened, claim.text, quotes, traced=traced)))
        for n, claim in enumerate(given.claims, 1)
    ]
    shares = _shares([stretch for sentence in found for stretch in sentence.stretches])
    return Colours(
        sentences=tuple(found), evidence=shares[0], corpus=shares[1], neither=shares[2], traced=traced, caveat=caveat()
    )


def _stretches(opened: OpenExpert, text: str, quotes: Sequence[str], *, traced: bool) -> Iterator[Stretch]:
    forms = Forms(fold_case=True)
    found = words(text, forms)
    if not found:
        yield Stretch(start=0, end=len(text), text=text, kind="neither", count=0)
        return
    kinds: list[tuple[Kind, int]] = [("neither", 0)] * len(found)
    for number, (start, end) in enumerate(opened.trace.attribute(text, density=0.0).stretches if traced else (), 1):
        kinds = [
            ("corpus", number) if start <= w.start and w.end <= end else k for w, k in zip(found, kinds, strict=True)
        ]
    cited = _cited([word.form for word in found], [[w.form for w in words(q, forms)] for q in quotes], text)
    kinds = [("evidence", 0) if own else kind for own, kind in zip(cited, kinds, strict=True)]
    yield from _joined(opened, text, found, kinds)


def _cited(own: Sequence[str], quotes: Sequence[Sequence[str]], text: str) -> list[bool]:
    """Which words lie in a run of a quote that is long enough, signs not counted; a short text is one run."""
    n, each = (CHARACTER_GRAM, 0.5) if unspaced_share(text) > 0.3 else (WORD_GRAM, 1.0)
    least = min(n * each, sum(map(weight, own)))
    n = min(n, len(own))
    there = {tuple(quote[i : i + n]) for quote in quotes for i in range(len(quote) - n + 1)}
    inside = [False] * len(own)
    for i in range(len(own) - n + 1):
        if tuple(own[i : i + n]) in there:
            inside[i : i + n] = [True] * n
    for held, run in groupby(range(len(own)), key=inside.__getitem__):
        places = list(run)
        if held and sum(weight(own[i]) for i in places) < least:
            inside[places[0] : places[-1] + 1] = [False] * len(places)
    return inside


def _joined(
    opened: OpenExpert, text: str, found: Sequence[Word], kinds: Sequence[tuple[Kind, int]]
) -> Iterator[Stretch]:
    """Runs of words of one kind; what stands between two runs belongs to the first."""
    runs = [list(run) for _, run in groupby(zip(found, kinds, strict=True), key=lambda pair: pair[1])]
    borders = [0, *(run[0][0].start for run in runs[1:]), len(text)]
    for run, (start, end) in zip(runs, pairwise(borders), strict=True):
        kind = run[0][1][0]
        count = opened.trace.count(text[run[0][0].start : run[-1][0].end]) if kind == "corpus" else 0
        yield Stretch(start=start, end=end, text=text[start:end], kind=kind, count=count)


def _shares(stretches: Sequence[Stretch]) -> list[float]:
    letters = {kind: sum(sum(c.isalnum() for c in s.text) for s in stretches if s.kind == kind) for kind in KINDS}
    total = sum(letters.values())
    return [letters[kind] / total if total else 0.0 for kind in KINDS]
