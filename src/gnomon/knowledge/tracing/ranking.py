"""Ranking: which of the documents that hold a span is nearest to the whole traced text.

BM25 (Robertson and Zaragoza 2009) over the words around the occurrence, with document
frequencies of the whole corpus, so that one shared phrase does not outrank a shared subject.
"""

import math
from collections.abc import Iterable

import numpy as np

from gnomon.knowledge.tracing.codes import Vocabulary, ids_of
from gnomon.knowledge.tracing.table import Shard

REACH = 500
"""Units looked at on each side of an occurrence; a document's own border ends the look."""
_K1, _B = 1.2, 0.75


class Ranking:
    """Scores occurrences against one text.

    Args:
        vocabulary: Of the index.
        documents: Documents in the index.
        query: Word ids of the text.
    """

    def __init__(self, vocabulary: Vocabulary, documents: int, query: Iterable[int]) -> None:
        self._query = np.array(sorted({word for word in query if vocabulary.kinds[word]}), dtype=np.int64)
        holders = np.array([int(vocabulary.documents[word]) for word in self._query], dtype=np.float64)
        self._idf = np.log1p((documents - holders + 0.5) / (holders + 0.5))
        words = int(vocabulary.counts.sum()) if len(vocabulary) else 0
        self._usual = max(1.0, min(2.0 * REACH, words / max(1, documents)))
        self._scores: dict[tuple[int, int], float] = {}

    def score(self, shard: Shard, place: int) -> float:
        """BM25 of what stands around a place; looked up once a document."""
        key = (id(shard), shard.document_of(place))
        if key not in self._scores:
            self._scores[key] = self._score(ids_of(shard.window(place, REACH)))
        return self._scores[key]

    def _score(self, words: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
        if not len(self._query) or not len(words):
            return 0.0
        spots = np.searchsorted(self._query, words)
        spots[spots == len(self._query)] = 0
        often = np.bincount(spots[self._query[spots] == words], minlength=len(self._query))
        norm = _K1 * (1 - _B + _B * len(words) / self._usual)
        return math.fsum((self._idf * often * (_K1 + 1) / (often + norm)).tolist())
