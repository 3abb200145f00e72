"""Recovery: the round trip. Does somebody who has only the question and the document come back to the answer?

The document's sentences are ranked by the question's words, each weighed by how rare it is among them, with half the
weight of the sentences beside them (openings name what later sentences only point at). Then the answer is looked for in
the first sentences, among what the question did not say.
"""

import math
from collections import Counter
from functools import lru_cache

from gnomon.core.checks import facts
from gnomon.core.synthetic import QA
from gnomon.synthesis.judging.evidence import NONE, Suspicion
from gnomon.synthesis.judging.passages import Passage
from gnomon.synthesis.judging.words import vocabulary, words

FIRST = 2
"""Sentences that an answer is looked for in."""
_BESIDE = 0.5


def ranked(question: str, passage: Passage, lang: str) -> list[int]:
    """The sentences of a document, by number, those that the question leads to first."""
    table = _stems(passage, lang)
    counts = Counter(stem for stems in table for stem in stems)
    asked = {word.stem for word in words(question, lang, units=True)}
    weigh = {stem: math.log(1 + len(table) / counts[stem]) for stem in asked if counts[stem]}
    own = [sum(weigh[stem] for stem in stems & weigh.keys()) for stems in table]
    worth = [
        own[i] + _BESIDE * max(own[i - 1] if i else 0.0, own[i + 1] if i + 1 < len(own) else 0.0)
        for i in range(len(own))
    ]
    return sorted(range(len(own)), key=lambda i: (-worth[i], i))


def lost(pair: QA, passage: Passage) -> Suspicion:
    """How far down the sentence of the evidence stands among those that the question leads to."""
    order = ranked(pair.question, passage, pair.lang)
    spans = [evidence.span for evidence in pair.evidence]
    held = [
        rank
        for rank, number in enumerate(order)
        if any(s.start < passage.sentences[number][1] and passage.sentences[number][0] < s.end for s in spans)
    ]
    if not held or not held[0]:
        return NONE
    return Suspicion(1 - 1 / (1 + held[0]), f"the question leads to {held[0]} other sentences first")


def unrecovered(pair: QA, passage: Passage) -> Suspicion:
    """The share of the answer's new words and facts that the first sentences found do not have."""
    order = ranked(pair.question, passage, pair.lang)[:FIRST]
    found = " ".join(passage.text[slice(*passage.sentences[number])] for number in order)
    there, asked = vocabulary(found, pair.lang), vocabulary(pair.question, pair.lang)
    new = [word for word in words(pair.answer, pair.lang) if word.text not in asked]
    missing = [word.text for word in new if word.text not in there]
    figures = [fact for fact in facts(pair.answer, found) if fact.kind != "name"]
    missing += [fact.text for fact in figures if not fact.supported]
    total = len(new) + len(figures)
    if not missing or not total:
        return NONE
    return Suspicion(len(missing) / total, "not recovered: " + ", ".join(missing[:5]))


@lru_cache(maxsize=256)
def _stems(passage: Passage, lang: str) -> tuple[frozenset[str], ...]:
    return tuple(
        frozenset(word.stem for word in words(passage.text[start:end], lang, units=True))
        for start, end in passage.sentences
    )
