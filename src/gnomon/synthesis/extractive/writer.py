"""The extractive writer: from a document to proposals, with options where they are wanted."""

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gnomon.core.records import Document, Drop
from gnomon.synthesis.extractive import english, japanese
from gnomon.synthesis.extractive.candidates import Candidate
from gnomon.synthesis.extractive.entities import Entity, entities, surnames_of
from gnomon.synthesis.extractive.options import Pool, field_of, options
from gnomon.synthesis.extractive.sentences import Sentence, anchor, read_sentences
from gnomon.synthesis.proposals import EXCERPT, Proposal, drop
from gnomon.synthesis.selfcontained import unnamed

RULE = "extractive"
PER_SENTENCE = 3
"""Most pairs about one sentence."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a document's sentences hold."""

    document: Document
    """The document."""
    lang: str
    """``en`` or ``ja``."""
    entities: dict[Sentence, list[Entity]]
    """Its usable sentences in order, with what can be asked for in each."""
    drops: list[Drop] = field(default_factory=list)
    """Sentences with facts that cannot be asked about."""


@lru_cache(maxsize=512)
def look(document: Document, lang: str) -> Found:
    """Read a document's sentences; remembered, since a small corpus is read for its options and again for its pairs."""
    usable, left = read_sentences(document, lang)
    surnames = surnames_of(document)
    drops = [
        Drop(doc_id=document.id, reason="not_self_contained", detail=one.why[:EXCERPT], excerpt=one.text[:EXCERPT])
        for one in left
    ]
    return Found(document=document, lang=lang, drops=drops,
                 entities={sentence: entities(sentence.text, surnames) for sentence in usable})  # fmt: skip


def propose(
    found: Found, kinds: Sequence[str], amount: int, pool: Pool, seed: int
) -> tuple[list[Proposal], list[Drop]]:
    """The proposals of a document, and what was thought of and left out.

    Args:
        found: What its sentences hold.
        kinds: Kinds wanted; those of other writers are passed over.
        amount: How many pairs are wanted.
        pool: Entities of the corpus, for options.
        seed: Decides between candidates.
    """
    ranked = sorted(_candidates(found), key=lambda c: _place(seed, found.document.id, c))
    wanted = [kind for kind in kinds if kind in {"definition", "relation", "numeric", "choice", "cloze"}]
    made: list[Proposal] = []
    drops: list[Drop] = []
    used: set[tuple[Sentence, str]] = set()
    about: Counter[Sentence] = Counter()
    waiting = {kind: [c for c in ranked if _serves(c, kind)] for kind in wanted}
    while len(made) < amount and any(waiting.values()):
        for kind in wanted:
            candidate = _next(waiting[kind], used, about)
            if candidate is None or len(made) >= amount:
                continue
            proposal = _proposal(found, candidate, kind, pool, seed)
            if isinstance(proposal, Drop):
                drops.append(proposal)
                continue
            made.append(proposal)
            used.add((candidate.sentence, candidate.answer.casefold()))
            about[candidate.sentence] += 1
    return made, drops


def _next(waiting: list[Candidate], used: set[tuple[Sentence, str]], about: Counter[Sentence]) -> Candidate | None:
    """The next candidate about something not asked yet."""
    while waiting:
        candidate = waiting.pop(0)
        if (candidate.sentence, candidate.answer.casefold()) not in used and about[candidate.sentence] < PER_SENTENCE:
            return candidate
    return None


def _candidates(found: Found) -> list[Candidate]:
    """Every question, but for those that two sentences answer in two ways, or their words do not answer."""
    ask = japanese.ask if found.lang == "ja" else english.ask
    every = [
        candidate
        for sentence, known in found.entities.items()
        for candidate in ask(sentence, known)
        if candidate.answer != sentence.named
    ]
    answers: dict[str, set[str]] = {}
    for candidate in every:
        answers.setdefault(candidate.question, set()).add(candidate.answer)
    return [candidate for candidate in every if len(answers[candidate.question]) == 1]


def _serves(candidate: Candidate, kind: str) -> bool:
    """Whether a candidate can become a pair of a kind; options need a typed answer."""
    return candidate.entity is not None if kind == "choice" else candidate.kind == kind


def _place(seed: int, doc_id: str, candidate: Candidate) -> tuple[bool, bytes]:
    """Natural questions before gaps, then by hash."""
    key = f"{seed}\0{doc_id}\0{candidate.question}\0{candidate.answer}"
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return candidate.kind == "cloze", digest


def _proposal(found: Found, candidate: Candidate, kind: str, pool: Pool, seed: int) -> Proposal | Drop:
    document, sentence = found.document, candidate.sentence
    question = _introduced(document, candidate)
    plain = Proposal(
        kind=kind, lang=found.lang, question=question, answer=candidate.answer, writer=RULE,
        quotes=(document.text[sentence.start : sentence.end],), start=sentence.start, end=sentence.end,
    )  # fmt: skip
    if not question:
        return drop(document, plain, "not_self_contained", "the work has no title to name it by")
    if _asks_person(candidate) and _named_again(candidate, question):
        return drop(document, plain, "leaks_answer", candidate.answer)
    if kind != "choice" or candidate.entity is None:
        return plain
    chance = random.Random(f"{seed}\0options\0{document.id}\0{question}")
    near = [e for other, known in found.entities.items() if other != sentence for e in known]
    others = pool.of(found.lang, field_of(document), candidate.entity.kind)
    people = " ".join(author.name.split(",")[0] for author in document.biblio.authors)
    made = options(candidate.answer, candidate.entity, f"{question} {sentence.text} {people}", near, others, chance)
    if not made:
        return drop(document, plain, "no_distractors", candidate.entity.kind)
    return Proposal(
        kind=kind, lang=found.lang, question=question, answer=candidate.answer, choices=made, writer=RULE,
        quotes=plain.quotes, start=plain.start, end=plain.end,
    )  # fmt: skip


def _introduced(document: Document, candidate: Candidate) -> str:
    """The question with its work named where it needs one; empty when it needs one that has no title."""
    lang = candidate.sentence.lang
    people = [author.name for author in document.biblio.authors] if _asks_person(candidate) and lang == "ja" else []
    head = anchor(document, lang, hidden=" ".join((candidate.answer, *people)))
    if "{work}" in candidate.question:
        return candidate.question.replace("{work}", _work(document)) if head else ""
    needed = candidate.sentence.anchored or unnamed(candidate.question, lang)
    if needed and not head:
        return ""
    return head + candidate.question if needed or candidate.titled else candidate.question


def _asks_person(candidate: Candidate) -> bool:
    return candidate.entity is not None and candidate.entity.kind == "person"


def _work(document: Document) -> str:
    """``Smith et al. (“Title”, 2019)``."""
    people = [a.name.split(",")[0].strip() for a in document.biblio.authors if a.name.strip() != "et al."]
    who = "the authors" if not people else people[0] + (" et al." if len(document.biblio.authors) > 1 else "")
    year = f", {document.biblio.year}" if document.biblio.year else ""
    return f"{who} (“{' '.join(document.title.split())}”{year})"


def _named_again(candidate: Candidate, question: str) -> bool:
    """Whether a person's surname stands in the question all the same, in the title's bracket for instance."""
    surname = candidate.answer.split()[-1].casefold()
    return surname in question.casefold()
