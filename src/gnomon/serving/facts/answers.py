"""Answers: an answer with everything needed to doubt it, told whole or as it comes to be.

What research returns is told in the reader's language, with each quote in its surroundings, the checks of every
sentence, and the addresses at which all of it is walked back.
"""

from collections.abc import Iterable, Mapping

from pydantic import Field

from gnomon.core.answers import Answer, Citation, Claim
from gnomon.core.checks import covered_ngrams, quote_stands
from gnomon.core.errors import NotFound
from gnomon.core.records import Document
from gnomon.core.wording import say
from gnomon.research.asked import read_question
from gnomon.research.doubts import told as told_doubt
from gnomon.research.opened import OpenExpert
from gnomon.research.references import Reference, as_bibtex, as_markdown, references
from gnomon.research.refusal import reason, words_of_refusal
from gnomon.runs.walk import load_answer
from gnomon.serving import addresses
from gnomon.serving.facts.checking import Checked, Fact, Frozen, checked, facts_of

AROUND = 260
"""Characters shown before and after a quote."""
BEFORE, AFTER = "… ", " …"
"""What shows that a passage was cut."""
LONGEST_ID = 120


class Evidence(Frozen):
    """A quote of the library that an answer may cite, and where it stands."""

    id: str = Field(description="Its id in the answer: `R1`, `R2`…", examples=["R1"])
    doc_id: str = Field(description="The document it is quoted from.", examples=["local:hubble-1929"])
    title: str = Field(description="The document's title; empty when its source has none.")
    authors: tuple[str, ...] = Field(description="Its authors.")
    year: int | None = Field(description="Its year.")
    lang: str = Field(description="ISO 639-1 code of its language; empty when it is not in the library any more.")
    quote: str = Field(description="The words, exactly as they stand in the document.")
    start: int = Field(description="First character of the quote in the document's text (Unicode code points).")
    end: int = Field(description="One past its last character.")
    text_hash: str = Field(description="Hash of the version of the text that these positions point into.")
    before: str = Field(description="What stands before the quote; empty when the document has changed since.")
    after: str = Field(description="What stands after it.")
    current: bool = Field(description="Whether the library still holds this version of the document.")
    address: str = Field(description="The document's page on this server, at the quote.")


class Sentence(Frozen):
    """One sentence of an answer, checked by code against what it cites."""

    number: int = Field(description="From 1.")
    text: str = Field(description="The sentence, without ids.")
    citations: tuple[str, ...] = Field(description="Ids of the evidence it cites.")
    doubt: str = Field(description="Why it is not believed on its evidence; empty when nothing speaks against it.")
    verbatim: bool = Field(description="Whether it stands word for word in the evidence it cites.")
    facts: tuple[Fact, ...] = Field(description="Its numbers, quantities, years and names; none without citations.")
    covered: float | None = Field(description="Share of its n-grams (3 words, 5 characters of Japanese) that stand in"
                                              " its evidence.")  # fmt: skip


class Near(Frozen):
    """A work near to a question that was refused."""

    doc_id: str = Field(description="The document.")
    title: str = Field(description="Its title.")
    year: int | None = Field(description="Its year.")
    address: str = Field(description="Its page on this server.")


class AnswerFacts(Frozen):
    """An answer, or a refusal that says so."""

    id: str = Field(description="The same for the same question to the same expert in the same voice.",
                    examples=["answer:0123456789abcdef0123456789abcdef"])  # fmt: skip
    question: str = Field(description="As it was asked.")
    lang: str = Field(description="Language of question and answer: `en` or `ja`.")
    voice: str = Field(description="`extractive` (verbatim sentences), or the name of the model that wrote.")
    refused: bool = Field(description="Whether the evidence was too weak, or what was written rested on none of it.")
    text: str = Field(description="The answer with its ids (`[R1]`) and marks (`[?]`), or why nothing is answered.")
    why: str = Field(description="Why nothing is answered, without the nearest works; empty when it is.")
    sentences: tuple[Sentence, ...] = Field(description="In order; none when refused.")
    evidence: tuple[Evidence, ...] = Field(description="What is cited, in order of its ids.")
    checks: Checked = Field(description="What code found.")
    nearest: tuple[Near, ...] = Field(description="The nearest works, when refused.")
    lineage: str = Field(description="The page on which the answer is walked back to its sources.")


class EvidenceFound(Frozen):
    """The first event of an answer: what it may cite."""

    evidence: tuple[Evidence, ...] = Field(description="None when the evidence is too weak.")


class Progress(Frozen):
    """A model is at work."""

    thinking: bool = Field(description="Whether it thinks, before it answers.")
    characters: int = Field(description="Characters written so far.")


def evidence(opened: OpenExpert, citations: Iterable[Citation]) -> tuple[Evidence, ...]:
    """Quotes in their surroundings.

    Args:
        opened: The expert whose library they are from.
        citations: The quotes.
    """
    cited = list(citations)
    documents = opened.library.documents(dict.fromkeys(c.doc_id for c in cited)) if cited else {}
    return tuple(_evidence(citation, documents.get(citation.doc_id)) for citation in cited)


def _evidence(citation: Citation, document: Document | None) -> Evidence:
    span = citation.span
    current = document is not None and document.text_hash == span.text_hash
    text = document.text if document is not None and current else ""
    before, after = text[max(0, span.start - AROUND) : span.start], text[span.end : span.end + AROUND]
    return Evidence(
        id=citation.id, doc_id=citation.doc_id, title=citation.title, authors=citation.authors, year=citation.year,
        lang=document.lang if document else "", quote=citation.quote, start=span.start, end=span.end,
        text_hash=span.text_hash, before=_from_word(before, span.start > AROUND),
        after=_to_word(after, len(text) > span.end + AROUND), current=current,
        address=addresses.paper(citation.doc_id, (span.start, span.end) if current else None),
    )  # fmt: skip


def _from_word(text: str, cut: bool) -> str:  # noqa: FBT001 -- private, two calls
    """A text that was cut at its beginning, from its first whole word."""
    space = text.find(" ", 0, 30) if cut else -1
    return f"{BEFORE}{text[space + 1 :]}" if cut else text


def _to_word(text: str, cut: bool) -> str:  # noqa: FBT001 -- private, two calls
    """A text that was cut at its end, to its last whole word."""
    space = text.rfind(" ", len(text) - 30) if cut else -1
    return f"{text[: space if space > 0 else None]}{AFTER}" if cut else text


def sentence(number: int, claim: Claim, quotes: Mapping[str, str]) -> Sentence:
    """A sentence with what the checks say of it.

    Args:
        number: Its place in the answer, from 1.
        claim: The sentence.
        quotes: The evidence by id.
    """
    cited = "\n\n".join(quotes[name] for name in claim.citations if name in quotes)
    covered, grams = covered_ngrams(claim.text, cited)
    return Sentence(
        number=number, text=claim.text, citations=claim.citations, doubt=told_doubt(claim.doubt),
        verbatim=any(quote_stands(claim.text, quotes.get(name, "")) for name in claim.citations),
        facts=facts_of(claim.text, cited) if claim.citations else (),
        covered=covered / grams if grams else None,
    )  # fmt: skip


def answer_facts(opened: OpenExpert, given: Answer) -> AnswerFacts:
    """An answer as it is told.

    Args:
        opened: The expert that gave it.
        given: The answer.
    """
    quotes = {citation.id: citation.quote for citation in given.citations}
    return AnswerFacts(
        id=given.id, question=given.question, lang=read_question(given.question).lang, voice=given.voice,
        refused=given.refused, text=given.text, why=_why(given), evidence=evidence(opened, given.citations),
        sentences=tuple(sentence(n, claim, quotes) for n, claim in enumerate(given.claims, 1)),
        checks=checked(given.checks, given.claims), lineage=addresses.lineage(given.id),
        nearest=tuple(
            Near(doc_id=n.doc_id, title=n.title, year=n.year, address=addresses.paper(n.doc_id)) for n in given.nearest
        ),
    )  # fmt: skip


def _why(given: Answer) -> str:
    asked = read_question(given.question)
    weak = given.refused and given.text == words_of_refusal(asked, given.nearest)
    return reason(asked, given.nearest) if weak else given.text if given.refused else ""


def kept_answer(opened: OpenExpert, name: str) -> Answer:
    """An answer that was kept.

    Args:
        opened: The expert.
        name: Its id.

    Raises:
        NotFound: There is none of this id.
    """
    found = load_answer(opened.workspace, name) if len(name) <= LONGEST_ID else None
    if found is None:
        raise NotFound(
            say(f"There is no answer {name[:LONGEST_ID]!r} here.", f"回答 {name[:LONGEST_ID]!r} はここにない。"),
            say("Ask the question again: answers are kept when they are given.",
                "質問し直す。回答はそのつど保存される。"),
        )  # fmt: skip
    return found


def markdown(opened: OpenExpert, name: str) -> str:
    """A kept answer as Markdown, with its references.

    Raises:
        NotFound: There is none of this id.
    """
    given = kept_answer(opened, name)
    return as_markdown(given, _references(opened, given))


def bibtex(opened: OpenExpert, name: str) -> str:
    """The references of a kept answer as BibTeX; errors as ``markdown``."""
    return as_bibtex(_references(opened, kept_answer(opened, name)))


def _references(opened: OpenExpert, given: Answer) -> tuple[Reference, ...]:
    return references(given.citations, opened.library.documents(dict.fromkeys(c.doc_id for c in given.citations)))
