"""A small retriever for tests: BM25 over whole documents, held in memory."""

import math
from collections import Counter
from collections.abc import Sequence

from gnomon.core.errors import NotFound
from gnomon.core.protocols import Filters, Hit
from gnomon.core.records import Document
from gnomon.core.text import terms
from gnomon.research.asked import telling_terms

NO_FILTERS = Filters()


def _units(text: str) -> list[str]:
    telling = telling_terms(text)
    return [t for t in terms(text) if t.isascii()] + sorted(telling)


class Shelf:
    """Documents searched by BM25; one chunk a document."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = {d.id: d for d in documents}
        self.counts = {d.id: Counter(_units(f"{d.title} {d.text}")) for d in documents}
        self.frequency = Counter(t for c in self.counts.values() for t in c)
        self.mean = sum(c.total() for c in self.counts.values()) / max(1, len(self.counts))
        self.queries: list[str] = []

    def search(self, query: str, *, k: int = 10, mode: str = "hybrid", filters: Filters = NO_FILTERS) -> list[Hit]:
        self.queries.append(query)
        wanted = set(_units(query))
        scored = [(self._score(wanted, i), i) for i in self.documents]
        best = sorted((s, i) for s, i in ((-s, i) for s, i in scored if s > 0))[:k]
        return [self._hit(self.documents[i], -score) for score, i in best]

    def _score(self, wanted: set[str], doc_id: str) -> float:
        counts, n = self.counts[doc_id], len(self.documents)
        length = 0.25 + 0.75 * counts.total() / self.mean
        return sum(
            math.log(1 + (n - self.frequency[t] + 0.5) / (self.frequency[t] + 0.5))
            * counts[t]
            * 2.2
            / (counts[t] + 1.2 * length)
            for t in wanted
            if t in counts
        )

    def _hit(self, document: Document, score: float) -> Hit:
        span = document.span(0, len(document.text))
        return Hit(chunk_id=f"{document.id}#0", doc_id=document.id, score=score, text=document.text, span=span,
                   title=document.title, year=document.biblio.year, lang=document.lang)  # fmt: skip

    def document(self, doc_id: str) -> Document:
        if doc_id not in self.documents:
            raise NotFound(f"No document {doc_id!r}.")
        return self.documents[doc_id]
