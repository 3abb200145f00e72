"""The next-word table: what follows a phrase, counted at every one of its places.

Where words are not spaced, the next word is the next run of one script, up to eight
characters: 宇宙 is followed by 膨張, not by 膨. That is a rule of thumb, not a dictionary.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gnomon.knowledge.tracing.codes import FIRST_LEAD, FIRST_TRAIL, SINGLES, TRAILS, Vocabulary
from gnomon.knowledge.tracing.table import Shard
from gnomon.knowledge.tracing.words import Kind

_AT_ONCE = 1_000_000
_LONGEST_RUN = 8
_NONE = -1
Rows = npt.NDArray[np.int64]


def following_words(
    vocabulary: Vocabulary, ranges: Sequence[tuple[Shard, int, int]], units: int
) -> tuple[Counter[str], int]:
    """How often each word follows, and how often the phrase occurs.

    Args:
        vocabulary: Of the index.
        ranges: The ranks of the phrase in every shard.
        units: Its length; 0 counts every word of the corpus.
    """
    if not units:
        every = {vocabulary.word(n): int(count) for n, count in enumerate(vocabulary.counts.tolist())}
        return Counter(every), sum(every.values())
    counts: Counter[tuple[int, ...]] = Counter()
    for shard, low, high in ranges:
        for start in range(low, high, _AT_ONCE):
            _count(vocabulary, shard, shard.places(start, min(start + _AT_ONCE, high)) + units, counts)
    named: Counter[str] = Counter()
    for run, count in counts.items():
        named["".join(map(vocabulary.word, run))] += count
    return named, sum(high - low for _, low, high in ranges)


def _count(vocabulary: Vocabulary, shard: Shard, places: Rows, counts: Counter[tuple[int, ...]]) -> None:
    first, after = _words_at(shard, places)
    kinds = _kinds(vocabulary, first)
    alone = (first != _NONE) & (kinds < Kind.HAN)
    words, often = np.unique(first[alone], return_counts=True)
    counts.update({(int(word),): int(count) for word, count in zip(words, often, strict=True)})
    runs = kinds >= Kind.HAN
    columns, kinds, after = [first[runs]], kinds[runs], after[runs]
    for _ in range(_LONGEST_RUN - 1):
        word, after = _words_at(shard, after)
        same = (columns[-1] != _NONE) & (_kinds(vocabulary, word) == kinds)
        columns.append(np.where(same, word, _NONE))
    rows, often = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
    for row, count in zip(rows.tolist(), often.tolist(), strict=True):
        counts[tuple(word for word in row if word != _NONE)] += count


def _words_at(shard: Shard, places: Rows) -> tuple[Rows, Rows]:
    """The word id at every place (``_NONE`` at a document's end), and the place after it."""
    last = len(shard.units) - 1
    unit = shard.units[np.minimum(places, last)].astype(np.int64)
    trail = shard.units[np.minimum(places + 1, last)].astype(np.int64)
    lead = (unit >= FIRST_LEAD) & (unit < FIRST_TRAIL)
    word = np.where(lead, SINGLES + (unit - FIRST_LEAD) * TRAILS + trail - FIRST_TRAIL, unit - 1)
    word[(places > last) | (unit >= FIRST_TRAIL)] = _NONE
    return word, places + 1 + lead


def _kinds(vocabulary: Vocabulary, words: Rows) -> npt.NDArray[np.uint8]:
    kinds = np.zeros(len(words), dtype=np.uint8)
    inside = words != _NONE
    kinds[inside] = vocabulary.kinds[words[inside]]
    return kinds
