"""Selection: which sentences of the passages found answer a question.

Every sentence of every passage is a *candidate* with *features*, numbers between about 0 and 1: how much of
the question it covers by itself, with its neighbours and with its whole passage (each term weighed by how
rare it is among the candidates), the rank of its passage, whether it holds the kind of answer asked for,
its likeness by vectors, whether it opens the passage (openings set the scene) or is itself a question, how
long it is. A linear score orders them; the weights were fitted on the development half of the starter
questions (``bench/refusal.py``, ``docs/design/answering.md``). The best are taken one by one, each weighed
against those taken already (maximal marginal relevance, Carbonell and Goldstein 1998).
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gnomon.core.figures import figures
from gnomon.core.names import names
from gnomon.core.protocols import Embedder, Hit
from gnomon.core.text import sentences
from gnomon.research.asked import Question, telling_terms

MOST_SENTENCES = 400
"""Candidates looked at for one question."""
SHORTEST, LONGEST = 12, 1_200
"""Characters of a sentence that can be an answer."""
EMBEDDED = 16
"""Candidates whose vectors are made: the best by words alone."""
HEADING = 100
"""A stretch shorter than this that does not end as a sentence does is taken for a heading, and answers nothing."""
NEAR_REPEAT = 0.7
"""Share of terms in common (of the shorter) from which two sentences say the same."""

FEATURES = ("own", "near", "passage", "rank", "cue", "vector", "opens", "length", "asks")
WEIGHTS: Mapping[str, float] = {
    "own": 1.54, "near": 0.57, "passage": 1.67, "rank": 3.3, "cue": 1.13, "vector": 2.38, "opens": -1.03,
    "length": 1.2, "asks": -1.0,
}  # fmt: skip
_REASONS = re.compile(
    r"\b(?:because|since|so that|owing to|due to|therefore|thus|caus\w+|explain\w*|as a result|in order to)\b"
    r"|ため|から|ので|よって|理由|原因"
)
_COUNTS = re.compile(r"\bhow many\b|いくつ|何(?:個|本|台|枚|人|回|倍)", re.IGNORECASE)
_ENDS = re.compile(r"[.!?;:…。！？．｡][\"'”’)\]」』）]*$")
_ASKS = re.compile(r"[?？][\"'”’)」』]*$|[かだろう]か。?$")
_LEANS = re.compile(
    r"(?:this|that|these|those|it|its|he|she|his|her|they|their|such|both|the (?:former|latter|other|same|authors)|here"
    r"|there|however|but|yet|so|thus|therefore|hence|also|moreover|furthermore|instead|then|later|nevertheless"
    r"|by contrast|in contrast|in addition|as a result|consequently|another|other)\b",
    re.IGNORECASE,
)
_LEANS_JA = re.compile(
    r"(?:これ|それ|あれ|この|その|あの|ここ|そこ|こう|そう|彼|彼女|また|さらに|しかし|だが|ただし|そして|一方|なお|すなわち"
    r"|つまり|したがって|よって|同|後に|とくに|特に|しかも|ところが|両者|後者|前者|のち)"
)


@dataclass(slots=True)
class Candidate:
    """A sentence that may answer."""

    hit: Hit
    """The passage it stands in."""
    rank: int
    """Rank of the passage, from 0."""
    start: int
    """First character, in the passage."""
    end: int
    """One past the last."""
    before: int
    """Where the sentence before it starts, or ``start`` when there is none."""
    terms: frozenset[str]
    """Its telling terms."""
    features: dict[str, float] = field(default_factory=dict)
    """By name, as in ``FEATURES``."""
    score: float = 0.0
    """The weighted sum."""

    @property
    def text(self) -> str:
        """The sentence."""
        return self.hit.text[self.start : self.end]

    @property
    def worth(self) -> float:
        """The score without the rank of the passage: what the sentence and its passage say for themselves."""
        return self.score - WEIGHTS["rank"] * self.features["rank"]

    @property
    def leans(self) -> bool:
        """Whether it begins with a word that points back."""
        return bool((_LEANS_JA if self.hit.lang == "ja" else _LEANS).match(self.text))


def candidates(question: Question, hits: Sequence[Hit], embedder: Embedder | None = None) -> list[Candidate]:
    """The sentences of the passages, scored, best first.

    Args:
        question: What is asked.
        hits: The passages, best first.
        embedder: Makes the vector feature for the best few; None leaves it 0.
    """
    found = _all_sentences(hits)
    weigh = rarity(question, found)
    for here, candidate in enumerate(found):
        _describe(question, candidate, _neighbours(found, here), weigh)
    _score(found)
    if embedder is not None and found:
        best = found[:EMBEDDED]
        asked = embedder.embed_queries([question.text])[0]
        likenesses = embedder.embed([f"{c.hit.title}. {c.text}" for c in best]) @ asked
        for candidate, likeness in zip(best, likenesses.tolist(), strict=True):
            candidate.features["vector"] = max(0.0, likeness)
        _score(found)
    return found


def _score(found: list[Candidate]) -> None:
    for candidate in found:
        candidate.score = sum(WEIGHTS[name] * candidate.features[name] for name in FEATURES)
    found.sort(key=lambda c: (-c.score, c.rank, c.start))


def _all_sentences(hits: Sequence[Hit]) -> list[Candidate]:
    found: list[Candidate] = []
    seen: set[tuple[str, int, int]] = set()
    for rank, hit in enumerate(hits):
        before = -1
        for start, end in sentences(hit.text, hit.lang):
            place = (hit.doc_id, hit.span.start + start, hit.span.start + end)
            told = end - start >= HEADING or _ENDS.search(hit.text, start, end)
            if told and SHORTEST <= end - start <= LONGEST and place not in seen and len(found) < MOST_SENTENCES:
                seen.add(place)
                terms = telling_terms(hit.text[start:end])
                found.append(Candidate(hit, rank, start, end, start if before < 0 else before, terms))
            before = start
    return found


def _neighbours(found: list[Candidate], here: int) -> frozenset[str]:
    near = [c for c in found[max(0, here - 1) : here + 2] if c.hit is found[here].hit]
    return frozenset().union(*(c.terms for c in near))


def rarity(question: Question, found: Sequence[Candidate]) -> dict[str, float]:
    """The weight of each term of the question: its rarity among the candidates, summing to 1."""
    counts = Counter(term for c in found for term in c.terms & question.terms)
    total = len(found)
    raw = {t: math.log(1 + (total - counts[t] + 0.5) / (counts[t] + 0.5)) for t in sorted(question.terms)}
    whole = sum(raw.values())
    return {term: weight / whole for term, weight in raw.items()} if whole else raw


def covered(weigh: Mapping[str, float], terms: frozenset[str]) -> float:
    """Share of the question, by weight, that some terms cover."""
    return sum(weight for term, weight in weigh.items() if term in terms)


def _describe(question: Question, candidate: Candidate, near: frozenset[str], weigh: Mapping[str, float]) -> None:
    hit = candidate.hit
    passage = telling_terms(hit.text) | telling_terms(f"{hit.title} {hit.year or ''}")
    candidate.features = {
        "own": covered(weigh, candidate.terms),
        "near": covered(weigh, near),
        "passage": covered(weigh, passage),
        "rank": 1 / (1 + candidate.rank),
        "cue": _cue(question, candidate.text),
        "vector": 0.0,
        "opens": float(candidate.start == 0 and hit.span.start == 0),
        "length": math.log(1 + len(candidate.terms)) / 4,
        "asks": float(bool(_ASKS.search(candidate.text))),
    }


def _cue(question: Question, sentence: str) -> float:
    """Share of the kinds of answer asked for that the sentence holds, beyond what the question says itself.

    A number without a unit is half an answer, unless things are to be counted.
    """
    if not question.cues:
        return 0.0
    asked = {f.quantity for f in figures(question.text)} if question.cues & {"number", "year"} else set()
    new = [f for f in figures(sentence) if f.quantity not in asked] if question.cues & {"number", "year"} else []
    counted = bool(_COUNTS.search(question.text))
    held = {
        "number": max((1.0 if counted or f.unit else 0.5 for f in new), default=0.0),
        "year": any(not f.unit and 1000 <= f.value <= 2100 for f in new),
        "name": any(name not in question.text for name in names(sentence)) if "name" in question.cues else False,
        "reason": bool(_REASONS.search(sentence)),
    }
    return sum(held[cue] for cue in question.cues) / len(question.cues)


def choose(ordered: Sequence[Candidate], most: int, floor: float, trade: float) -> list[Candidate]:
    """The sentences to show, best first: relevant, different from each other, no near-repeats.

    Args:
        ordered: Candidates, best first.
        most: How many at most.
        floor: A sentence needs this share of the best one's worth, so that one document which happens to be
            found first cannot keep out another that says as much.
        trade: Weight of likeness to what is chosen already, against the score.
    """
    chosen: list[Candidate] = []
    pool = [c for c in ordered if c.worth >= floor * ordered[0].worth]
    while pool and len(chosen) < most:
        worth = [c.score - trade * ordered[0].score * max((_alike(c, d) for d in chosen), default=0.0) for c in pool]
        best = pool.pop(max(range(len(pool)), key=lambda i: (worth[i], -i)))
        if all(_alike(best, d) < NEAR_REPEAT for d in chosen):
            chosen.append(best)
    return chosen


def _alike(one: Candidate, other: Candidate) -> float:
    shorter = min(len(one.terms), len(other.terms))
    return len(one.terms & other.terms) / shorter if shorter else 0.0
