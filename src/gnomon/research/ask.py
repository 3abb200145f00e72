"""Ask: a question in, an answer of verbatim, cited sentences out, or a plain refusal.

The *extractive voice* writes nothing: it finds passages, chooses sentences, and shows each with the
id of a citation whose span points at exactly these characters. What it shows is judged by the same
always-on checks that will judge a language model. Retrieved text is data: nothing in it is ever
followed, and what looks like a citation id in it is taken out of the answer and counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gnomon.core.answers import Answer, Checks, Citation, Claim
from gnomon.core.checks import check, keep_known_ids
from gnomon.core.errors import NotFound
from gnomon.core.hashing import HASH_PREFIX, canonical_json, combined_hash, plain
from gnomon.core.protocols import Embedder, Filters, Hit, Retriever
from gnomon.core.records import Document, Span
from gnomon.core.tables import to_row
from gnomon.core.text import sentences
from gnomon.research import refusal
from gnomon.research.asked import Question, read_question
from gnomon.research.events import Event, Evidence, whole
from gnomon.research.selection import LONGEST, Candidate, candidates, choose

VOICE = "extractive"
NO_FILTERS = Filters()
AROUND = 300
"""Characters on either side of a span in which its quote is checked."""
Parts = tuple[tuple[str, str], ...]
Stretch = tuple[str, int, int]
"""A document's id, and the first character and one past the last of what is quoted."""


@dataclass(frozen=True, kw_only=True)
class AskConfig:
    """How a question is answered."""

    passages: int = 8
    """Passages looked at."""
    sentences: int = 5
    """Sentences shown at most."""
    floor: float = 0.7
    """A sentence is shown when its score is at least this share of the best one's, rank apart."""
    diversity: float = 0.05
    """How much likeness to the sentences already chosen costs, in shares of the best score."""
    threshold: float = refusal.THRESHOLD
    """Refuse below this probability that the library holds an answer."""
    mode: str = "hybrid"
    """Mode of the search: ``hybrid``, ``text`` or ``vector``."""
    filters: Filters = NO_FILTERS
    """What the search is limited to."""


DEFAULT = AskConfig()


def answer(
    question: str,
    retriever: Retriever,
    *,
    config: AskConfig = DEFAULT,
    embedder: Embedder | None = None,
    parts: Parts = (),
) -> Answer:
    """Answer a question with sentences of the library.

    Args:
        question: Any text, in English or Japanese.
        retriever: The library.
        config: How to answer.
        embedder: Compares the best sentences with the question by their vectors, in the languages it reads; None
            compares words only.
        parts: The expert's parts that answer, as in ``Expert.parts``; they are in the answer's id.

    Returns:
        The answer; ``refused`` when the evidence is too weak.
    """
    return whole(events(question, retriever, config=config, embedder=embedder, parts=parts))


def events(
    question: str,
    retriever: Retriever,
    *,
    config: AskConfig = DEFAULT,
    embedder: Embedder | None = None,
    parts: Parts = (),
) -> Iterator[Event]:
    """The same answer as it comes to be: evidence, sentences, checks, answer; arguments as those of ``answer``."""
    asked, hits, chosen = evidence_for(question, retriever, config, embedder)
    made = answer_id(question, parts, VOICE, config.filters)
    yield Evidence(passages=tuple(chosen))
    if not chosen:
        near = refusal.nearest(hits)
        nothing = Checks(unknown_ids=0, quotes_verbatim=None, numbers_supported=None, coverage=None)
        yield nothing
        yield Answer(id=made, question=question, text=refusal.words_of_refusal(asked, near), voice=VOICE,
                     refused=True, claims=(), citations=(), checks=nothing, nearest=near, parts=parts)  # fmt: skip
        return
    claims, removed = _claims([citation for citation, _ in chosen])
    yield from claims
    citations = tuple(citation for citation, _ in chosen)
    checks = check(claims, citations, {citation.id: passage for citation, passage in chosen}, removed)
    yield checks
    yield Answer(id=made, question=question, text=_compose(claims, asked), voice=VOICE, refused=False,
                 claims=claims, citations=citations, checks=checks, parts=parts)  # fmt: skip


def evidence_for(
    question: str, retriever: Retriever, config: AskConfig, embedder: Embedder | None
) -> tuple[Question, list[Hit], list[tuple[Citation, str]]]:
    """What a question is answered from, by every voice.

    Returns:
        (the question as read, the passages found, the quotes chosen with the text around each); no quotes when the
        evidence is too weak.
    """
    asked = read_question(question)
    hits: list[Hit] = []
    if asked.terms:
        hits = retriever.search(asked.text, k=config.passages, mode=config.mode, filters=config.filters)
    reads = embedder is not None and (not embedder.languages or asked.lang in embedder.languages)
    found = candidates(asked, hits, embedder if reads else None)
    if found and refusal.answerable(refusal.strength(asked, found, hits)) >= config.threshold:
        return asked, hits, _cite(found, retriever, config)
    return asked, hits, []


def answer_id(question: str, parts: Parts, voice: str, filters: Filters = NO_FILTERS) -> str:
    """The id of an answer: the same question to the same expert in the same voice and limits has the same."""
    limits = [] if filters == NO_FILTERS else [canonical_json(plain(filters))]
    return "answer:" + combined_hash([question, canonical_json(parts), voice, *limits]).removeprefix(HASH_PREFIX)


def to_json(made: Answer) -> dict[str, Any]:
    """An answer as ``gnomon ask --json`` prints it."""
    return {
        "id": made.id,
        "answer": made.text,
        "voice": made.voice,
        "refused": made.refused,
        "citations": [{**to_row(c), "authors": list(c.authors)} for c in made.citations],
        "checks": to_row(made.checks),
        **({} if made.voice == VOICE else {"doubts": [{"text": c.text, "why": c.doubt} for c in made.doubts]}),
    }


def _cite(found: list[Candidate], retriever: Retriever, config: AskConfig) -> list[tuple[Citation, str]]:
    """Citations of the chosen sentences with the text around each; documents that changed since are passed over."""
    documents: dict[str, Document | None] = {}
    while True:
        chosen = choose(found, config.sentences, config.floor, config.diversity) if found else []
        for candidate in chosen:
            if candidate.hit.doc_id not in documents:
                documents[candidate.hit.doc_id] = _current(candidate, retriever)
        stale = {doc_id for doc_id, document in documents.items() if document is None}
        if not any(c.hit.doc_id in stale for c in chosen):
            break
        found = [c for c in found if c.hit.doc_id not in stale]
    return _quotes(chosen, {doc_id: d for doc_id, d in documents.items() if d is not None}, config.sentences)


def _current(candidate: Candidate, retriever: Retriever) -> Document | None:
    """The document a sentence stands in, None when it no longer has the text that was indexed."""
    span = candidate.hit.span
    try:
        document = retriever.document(candidate.hit.doc_id)
    except NotFound:
        return None
    same = document.text_hash == span.text_hash and document.text[span.start : span.end] == candidate.hit.text
    return document if same else None


def _quotes(chosen: Sequence[Candidate], documents: dict[str, Document], most: int) -> list[tuple[Citation, str]]:
    """One citation a stretch of text, of at most ``most`` sentences in all.

    A sentence that points back brings the one before it, unless that would make them too many.
    """
    stretches: list[Stretch] = []
    for candidate in chosen:
        leads = [candidate.before, candidate.start] if candidate.leans else [candidate.start]
        for start in leads:
            grown = _joined(stretches, candidate, start)
            if sum(_count(documents[doc_id], start, end) for doc_id, start, end in grown) <= most:
                stretches = grown
                break
    return [_quote(n, documents[doc_id], start, end) for n, (doc_id, start, end) in enumerate(stretches, 1)]


def _joined(stretches: list[Stretch], candidate: Candidate, start: int) -> list[Stretch]:
    """The stretches with a candidate's from ``start`` on, joined with those it overlaps."""
    doc_id, base = candidate.hit.doc_id, candidate.hit.span.start
    if candidate.end - start > LONGEST:
        start = candidate.start
    start, end = base + start, base + candidate.end
    met = [s for s in stretches if s[0] == doc_id and s[1] < end and start < s[2]]
    whole = (doc_id, min([start, *(s[1] for s in met)]), max([end, *(s[2] for s in met)]))
    place = stretches.index(met[0]) if met else len(stretches)
    rest = [s for s in stretches if s not in met]
    return [*rest[:place], whole, *rest[place:]]


def _count(document: Document, start: int, end: int) -> int:
    return len(sentences(document.text[start:end], document.lang))


def _quote(number: int, document: Document, start: int, end: int) -> tuple[Citation, str]:
    return _citation(f"R{number}", document, document.span(start, end)), _around(document, start, end)


def _citation(name: str, document: Document, span: Span) -> Citation:
    return Citation(
        id=name,
        doc_id=document.id,
        title=document.title,
        authors=tuple(author.name for author in document.biblio.authors),
        year=document.biblio.year,
        quote=document.text[span.start : span.end],
        span=span,
    )


def _around(document: Document, start: int, end: int) -> str:
    return document.text[max(0, start - AROUND) : end + AROUND]


def _claims(citations: Sequence[Citation]) -> tuple[tuple[Claim, ...], int]:
    """One claim a citation: its quote on one line, without anything that looks like a citation id."""
    claims, removed = [], 0
    for citation in citations:
        text, unknown = keep_known_ids(" ".join(citation.quote.split()), ())
        removed += unknown
        claims.append(Claim(text=text, citations=(citation.id,)))
    return tuple(claims), removed


def _compose(claims: Sequence[Claim], asked: Question) -> str:
    gap = "" if asked.lang == "ja" else " "
    return "".join(f"{gap if i else ''}{claim.text}{gap}[{claim.citations[0]}]" for i, claim in enumerate(claims))
