"""How like two texts are, and how much one repeats itself, in terms that need no model.

*Overlap* is ROUGE-L (Lin 2004): the F1 of the longest common subsequence of terms, so order counts
and gaps do not. *Repetition* is the share of 4-grams seen before in the same text, the plain sign of a
model that goes in circles (Welleck et al. 2020).
"""

from collections.abc import Sequence

from gnomon.core.text import ngrams, terms

REPEATED = 4


def overlap(text: str, truth: str) -> float | None:
    """ROUGE-L F1 of two texts, 0 to 1; None when there is no truth to be like."""
    own, wanted = terms(text), terms(truth)
    if not wanted:
        return None
    common = common_length(own, wanted)
    return 2 * common / (len(own) + len(wanted))


def common_length(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence, bit-parallel (Hyyrö 2004): one integer operation a term of ``b``."""
    places: dict[str, int] = {}
    for i, term in enumerate(a):
        places[term] = places.get(term, 0) | 1 << i
    full = (1 << len(a)) - 1
    row = full
    for term in b:
        hit = row & places.get(term, 0)
        row = ((row + hit) | (row - hit)) & full
    return len(a) - row.bit_count()


def repetition(text: str) -> float | None:
    """Share of 4-grams of terms that stood in the text before, 0 to 1; None for a text too short to have one."""
    grams = list(ngrams(terms(text), REPEATED))
    return 1 - len(set(grams)) / len(grams) if grams else None
