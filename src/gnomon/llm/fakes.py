"""Fakes: models that cost nothing and always say the same, for tests of the library and of its users."""

import hashlib
from collections.abc import Sequence

import numpy as np

from gnomon.core.protocols import Vectors
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.text import ngrams, terms
from gnomon.llm.vectors import unit_rows


class HashEmbedder:
    """Vectors made of hashed terms: texts that share words are near, and nothing is learned.

    Args:
        dimensions: Length of a vector.
    """

    languages: tuple[str, ...] = ()

    def __init__(self, dimensions: int = 64) -> None:
        self.dimensions = dimensions
        self.ref = ModelRef(name=f"fake-hash-{dimensions}", revision="2", kind="embedder/fake", licence="Apache-2.0")

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            words = terms(text)
            for gram in [*ngrams(words, 1), *ngrams(words, 2)]:
                digest = hashlib.blake2b(" ".join(gram).encode("utf-8", "surrogatepass"), digest_size=8).digest()
                row[int.from_bytes(digest, "little") % self.dimensions] += 1  # no signs: shared words never cancel
        return unit_rows(vectors)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, made as those of passages."""
        return self.embed(texts)


def load_hash_embedder(ref: ModelRef, settings: Settings) -> HashEmbedder:
    """A ``HashEmbedder``, whatever is asked for: a loader for tests and offline trials."""
    return HashEmbedder()
