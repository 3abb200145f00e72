"""What the library is made of, and what became of everything that was read: the facts behind ``/corpus``."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.wording import say
from gnomon.evaluation.report.composition import bin_top
from gnomon.evaluation.report.words import KINDS, LANGUAGES, REASONS, STEPS, SUBJECTS
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.gathered import report_facts

Words = Mapping[str, tuple[str, str]]


class Frozen(BaseModel):
    """Facts do not change once they are told."""

    model_config = ConfigDict(frozen=True)


class Counted(Frozen):
    """How many documents have something in common."""

    code: str = Field(description="The code, empty where the source states none.", examples=["astro-ph.CO"])
    name: str = Field(description="The code in words, in the reader's language.", examples=["Cosmology"])
    n: int = Field(description="Documents.", examples=[49])


class Length(Frozen):
    """How many documents have about so many words."""

    low: int = Field(description="Fewest words of the bin; characters where words are not spaced.")
    high: int = Field(description="Most words of the bin.")
    n: int = Field(description="Documents.")


class Composition(Frozen):
    """Documents of the library by kind."""

    years: tuple[tuple[int, int], ...] = Field(description="(year, documents), in order.")
    year_unknown: int = Field(description="Documents without a year.")
    languages: tuple[Counted, ...] = Field(description="By language, the commonest first.")
    subjects: tuple[Counted, ...] = Field(description="By first subject code.")
    sources: tuple[Counted, ...] = Field(description="By kind of source.")
    licences: tuple[Counted, ...] = Field(description="By licence as stated.")
    lengths: tuple[Length, ...] = Field(description="By length, the shortest first.")


class Passed(Frozen):
    """What one step took, kept and left out."""

    name: str = Field(description="The step's role.", examples=["dedup"])
    words: str = Field(description="Its name in the reader's language.", examples=["Deduplicate"])
    step: str = Field(description="Which step it is.", examples=["corpus/dedup"])
    identity: str = Field(description="Its identity: the address of its artifact.")
    taken: int = Field(description="What came in.")
    kept: int = Field(description="What went on.")
    dropped: dict[str, int] = Field(description="What was left out, by reason; with `kept` it adds up to `taken`.")
    made: dict[str, int] = Field(description="What was made besides.")


class Sample(Frozen):
    """One record that was left out or mended."""

    doc_id: str = Field(description="The document, or `file:NAME` of a file that could not be read.")
    detail: str = Field(description="The measured value and its limit, or the error's words.")
    excerpt: str = Field(description="Its first characters.")


class Reason(Frozen):
    """Why records were left out at a step, with a few of them."""

    step: str = Field(description="The step's role.")
    step_words: str = Field(description="The same in the reader's language.")
    reason: str = Field(description="The reason's code.", examples=["too_short"])
    words: str = Field(description="The reason in the reader's language.", examples=["too short"])
    n: int = Field(description="Records.")
    samples: tuple[Sample, ...] = Field(description="A few, spread over the corpus.")


class Rule(Frozen):
    """What a rule of cleaning did."""

    rule: str = Field(description="The rule's code.")
    words: str = Field(description="The same in the reader's language.")
    kind: str = Field(description="`drop` leaves out, `change` mends.")
    kind_words: str = Field(description="The same in the reader's language.")
    n: int = Field(description="Documents it touched.")
    samples: tuple[Sample, ...] = Field(description="A few of them.")


class Copies(Frozen):
    """How much of the corpus was there twice."""

    pairs: int = Field(description="Pairs of documents found alike.")
    clusters: int = Field(description="Groups of copies.")
    left_out: int = Field(description="Copies that were left out.")
    kept_apart: dict[str, int] = Field(description="Pairs that stayed as different works, by the reason.")
    sizes: tuple[tuple[int, int], ...] = Field(description="(documents in a group, groups).")


class Leaked(Frozen):
    """Exam questions that documents give away."""

    items: int = Field(description="Questions that were looked for.")
    items_leaked: int = Field(description="Questions found.")
    documents: int = Field(description="Documents that models do not see because of them; readers do.")
    too_short: int = Field(description="Questions too short to be looked for.")


class Corpus(Frozen):
    """The library, and the way to it."""

    documents: int = Field(description="Documents of the library.")
    words: int = Field(description="Their words; characters where words are not spaced.")
    characters: int = Field(description="Their characters.")
    files: int | None = Field(description="Files that were read; null when the steps' records do not tell.")
    passages: int | None = Field(description="Passages that are searched; null when they are not cut.")
    flow: tuple[Passed, ...] = Field(description="The steps in order.")
    composition: Composition = Field(description="Documents by kind.")
    dropped: tuple[Reason, ...] = Field(description="Why records were left out, in order of steps.")
    rules: tuple[Rule, ...] = Field(description="What each rule and repair of cleaning did.")
    duplicates: Copies = Field(description="How much was there twice.")
    contamination: Leaked | None = Field(description="Exam questions in documents; null when none were looked for.")


def corpus(opened: OpenExpert) -> Corpus:
    """The facts of an expert's corpus."""
    facts = report_facts(opened)
    size, leaked, copies = facts["size"], facts["contamination"], facts["duplicates"]
    flow = (Passed(**row, words=worded(row["name"], STEPS)) for row in facts["flow"])
    return Corpus(
        documents=size["documents"], words=size["words"], characters=size["characters"], files=size.get("files"),
        passages=size.get("passages"), flow=tuple(flow),
        composition=_composition(facts["composition"]), dropped=tuple(_reason(row) for row in facts["dropped"]),
        rules=tuple(_rule(row) for row in facts["rules"] if row["count"]),
        duplicates=Copies(**{name: copies[name] for name in Copies.model_fields}),
        contamination=None if leaked is None else Leaked(**{name: leaked[name] for name in Leaked.model_fields}),
    )  # fmt: skip


def worded(code: str, words: Words) -> str:
    """A code in the reader's language; the code itself where it has no words."""
    return say(*words.get(code, (code.replace("_", " "),) * 2))


def language_name(code: str) -> str:
    """A language in the reader's."""
    return worded(code, LANGUAGES)


def subject_name(code: str) -> str:
    """A subject in the reader's language, empty for one without a name."""
    return say(*SUBJECTS[code]) if code in SUBJECTS else ""


def _composition(made: Mapping[str, Any]) -> Composition:
    return Composition(
        years=tuple((year, n) for year, n in made["year"]), year_unknown=made["year_unknown"],
        languages=tuple(Counted(code=code, name=language_name(code), n=n) for code, n in made["language"]),
        subjects=tuple(Counted(code=code, name=subject_name(code), n=n) for code, n in made["subject"]),
        sources=tuple(Counted(code=code, name=code, n=n) for code, n in made["source"]),
        licences=tuple(Counted(code=code, name=code or _untold(), n=n) for code, n in made["licence"]),
        lengths=tuple(Length(low=bin_top(at - 1) + 1 if at > 0 else bin_top(at), high=bin_top(at), n=n)
                      for at, n in made["length"]),
    )  # fmt: skip


def _untold() -> str:
    return say("none stated", "記載なし")


def _reason(row: Mapping[str, Any]) -> Reason:
    return Reason(
        step=row["step"], step_words=worded(row["step"], STEPS), reason=row["reason"],
        words=worded(row["reason"], REASONS), n=row["count"], samples=_samples(row["samples"]),
    )  # fmt: skip


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(
        rule=row["rule"], words=worded(row["rule"], REASONS), kind=row["kind"], n=row["count"],
        kind_words=worded(row["kind"], KINDS), samples=_samples(row["samples"]),
    )  # fmt: skip


def _samples(rows: Sequence[Mapping[str, Any]]) -> tuple[Sample, ...]:
    return tuple(
        Sample(doc_id=row.get("doc_id", ""), detail=str(row.get("detail", "")), excerpt=row.get("excerpt", ""))
        for row in rows
    )
