"""Overlap with a reference answer: what can be said of an answer without a judge.

*ROUGE-L* (Lin 2004) is the F1 of the longest common subsequence of terms; terms are words where words are spaced and
single characters where they are not, so that Japanese needs no dictionary. *Figures* are the numbers and quantities of
the reference that stand in the answer, however they are written. Neither knows whether an answer is right: an answer
in other words scores low, a fluent wrong one can score high. The *floor* says what overlap is worth nothing: that of
another question's reference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gnomon.core.checks import facts
from gnomon.core.hashing import combined_hash
from gnomon.core.records import Item
from gnomon.core.text import terms


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlap:
    """What an answer shares with its reference."""

    rouge_l: float
    """ROUGE-L F1, 0 to 1."""
    figures: int
    """Figures of the reference."""
    figures_found: int
    """Those of them that stand in the answer."""


def overlap(answer: str, reference: str) -> Overlap:
    """What an answer shares with its reference."""
    own = [fact for fact in facts(reference, answer) if fact.kind != "name"]
    return Overlap(
        rouge_l=rouge_l(answer, reference), figures=len(own), figures_found=sum(fact.supported for fact in own)
    )


def rouge_l(answer: str, reference: str) -> float:
    """ROUGE-L F1 of two texts, 0 to 1; the same as ``rouge-score`` without a stemmer where both find the same words."""
    said, wanted = terms(answer), terms(reference)
    common = common_length(said, wanted)
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def common_length(a: Sequence[str], b: Sequence[str]) -> int:
    """The length of the longest common subsequence, a word of bits at a time (Crochemore et al. 2001)."""
    places: dict[str, int] = {}
    for place, term in enumerate(a):
        places[term] = places.get(term, 0) | 1 << place
    whole = (1 << len(a)) - 1
    row = whole
    for term in b:
        met = row & places.get(term, 0)
        row = (row + met | row - met) & whole
    return len(a) - row.bit_count()


def floors(items: Sequence[Item]) -> list[float]:
    """ROUGE-L of each item's reference with that of another item of its language, chosen by hash of their ids."""
    found = {item.id: 0.0 for item in items}
    for lang in sorted({item.lang for item in items}):
        ring = sorted((item for item in items if item.lang == lang), key=lambda item: combined_hash([item.id]))
        for this, other in zip(ring, [*ring[1:], *ring[:1]], strict=True):
            found[this.id] = rouge_l(other.reference, this.reference) if this is not other else 0.0
    return [found[item.id] for item in items]
