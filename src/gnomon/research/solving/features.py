"""Features of an option: how well it fits the sentences that were found, compared with the other options.

What all options have in common decides nothing, so an option is read by its *own words*: terms that not every
option has, each weighed by how few have it. A sentence counts as much as it fits the question (the scores of ``ask``),
so that an option is looked for where the answer stands, and not merely anywhere in a passage on the subject:
distractors of a good exam come from the same passage.
"""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gnomon.core.figures import Figure, figures
from gnomon.core.protocols import Embedder, Hit
from gnomon.research.asked import Question, telling_terms
from gnomon.research.selection import Candidate

FEATURES = ("sentence", "around", "passage", "found", "figure", "no_figure", "vector", "absent")
"""In the order of a row."""
Table = npt.NDArray[np.float64]
"""Shape (options, features)."""
LOOKED_AT = 12
"""Sentences that an option is held against: those that fit the question best."""
SHARP = 2.0
"""How much more a sentence counts that fits the question better."""
_DENIES = re.compile(
    r"\b(?:not|except|false|incorrect|wrong|least likely|untrue|never)\b|n't\b"
    r"|誤っている|誤り|間違|正しくない|当てはまらない|適切でない|不適切|ではない(?:もの|の)|でないもの"
)


def denies(question: str) -> bool:
    """Whether a question asks for the option that does *not* fit."""
    last = re.split(r"(?<=[.。!])\s*", question.strip())[-1]
    emphasised = re.search(r"\b(?:NOT|EXCEPT|FALSE|INCORRECT)\b", question)
    asks = re.search(r"\b(?:which|what)\b|どれ|どの|何", last, re.IGNORECASE)
    return bool(emphasised) or bool(asks and _DENIES.search(last))


def own_words(options: Sequence[str]) -> list[dict[str, float]]:
    """The telling terms of each option with their weight: 1 for a word of one option only, 0 for one that all have."""
    terms = [telling_terms(option) for option in options]
    most = math.log(len(options)) if len(options) > 1 else 1.0
    counts = {term: sum(term in found for found in terms) for found in terms for term in found}
    return [{term: math.log(len(options) / counts[term]) / most for term in sorted(found)} for found in terms]


def share(words: Mapping[str, float], there: frozenset[str]) -> float:
    """The part of an option's own words that stand in a text, by weight; 0 for an option without any."""
    whole = sum(words.values())
    return sum(weight for term, weight in words.items() if term in there) / whole if whole else 0.0


def table(
    question: Question, options: Sequence[str], found: Sequence[Candidate], hits: Sequence[Sequence[Hit]],
    embedder: Embedder | None,
) -> Table:  # fmt: skip
    """The features of every option.

    Args:
        question: As it was read.
        options: The options.
        found: Sentences of what was found, best first (``selection.candidates``).
        hits: For every option, the passages found for the question together with it.
        embedder: Compares meanings; None leaves ``vector`` 0.

    Returns:
        Shape (options, features), columns as in ``FEATURES``.
    """
    best = list(found[:LOOKED_AT])
    weights = _weights(best)
    words, asked = own_words(options), figures(question.text)
    likeness = _likeness(question, options, best, weights, embedder)
    near = [_near(candidate, found) for candidate in best]
    rows = []
    for i, option in enumerate(options):
        shares = [share(words[i], candidate.terms - question.terms) for candidate in best]
        around = [share(words[i], terms) for terms in near]
        held = [share(words[i], telling_terms(hit.text)) for hit in hits[i]]
        fits, misses = _figures(option, asked, best, weights)
        rows.append((
            _sum(weights, shares), _sum(weights, around), _first(held, found), _found(hits, i), fits, misses,
            likeness[i], float(bool(words[i]) and not any(around)),
        ))  # fmt: skip
    return np.array(rows, dtype=np.float64).reshape(len(options), len(FEATURES))


def _weights(best: Sequence[Candidate]) -> Table:
    """How much each sentence counts; they sum to 1."""
    if not best:
        return np.zeros(0)
    scores = SHARP * np.array([candidate.score for candidate in best])
    raised = np.exp(scores - scores.max())
    shares: Table = raised / raised.sum()
    return shares


def _sum(weights: Table, values: Sequence[float]) -> float:
    return float(weights @ np.array(values)) if len(values) else 0.0


def _near(candidate: Candidate, found: Sequence[Candidate]) -> frozenset[str]:
    """The terms of a sentence and of those next to it in its passage."""
    close = [c.terms for c in found if c.hit is candidate.hit and abs(c.start - candidate.start) < 400]
    return frozenset().union(candidate.terms, *close)


def _first(held: Sequence[float], found: Sequence[Candidate]) -> float:
    """The option's share in the passages found with it, the first counting most."""
    if not held or not found:
        return 0.0
    fading = 0.5 ** np.arange(len(held))
    return float(fading @ np.array(held) / fading.sum())


def _found(hits: Sequence[Sequence[Hit]], option: int) -> float:
    """How high the best passage for question and option scores, beside that of the other options, -1 to 1."""
    tops = [rows[0].score if rows else 0.0 for rows in hits]
    spread = max(tops) - min(tops)
    return (tops[option] - sum(tops) / len(tops)) / spread if spread else 0.0


def _figures(option: str, asked: Sequence[Figure], best: Sequence[Candidate], weights: Table) -> tuple[float, float]:
    """(how far an option's figures stand in the sentences, whether they stand in none of them)."""
    own = [figure for figure in figures(option) if figure not in asked]
    if not own:
        return 0.0, 0.0
    shares = []
    for candidate in best:
        there = figures(candidate.text)
        shares.append(sum(any(_same(figure, other) for other in there) for figure in own) / len(own))
    return _sum(weights, shares), float(not any(shares))


def _same(one: Figure, other: Figure) -> bool:
    """Whether two figures are the same quantity; one without a unit may have the other's."""
    units = {str(one.unit), str(other.unit)}
    return one.quantity == other.quantity and (len(units) == 1 or not (one.unit and other.unit))


def _likeness(
    question: Question, options: Sequence[str], best: Sequence[Candidate], weights: Table, embedder: Embedder | None
) -> list[float]:
    """How like the sentences are to question and option together, beside the mean of the options."""
    if embedder is None or not best:
        return [0.0] * len(options)
    told = embedder.embed([f"{question.text} {option}" for option in options])
    alone = embedder.embed(list(options))
    there = embedder.embed([candidate.text for candidate in best])
    whole = (told @ there.T).max(axis=1) + (alone @ there.T) @ weights.astype(np.float32)
    return [float(value) for value in whole - whole.mean()]
