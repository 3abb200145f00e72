"""Hashed character vectors: for languages the models at hand cannot read, Japanese first.

A text becomes its single characters and pairs of neighbours (folded, letters and digits only);
each is *hashed* to one place of the vector with a sign (Weinberger et al. 2009), and counts as
``1 + log(times)``. Pairs and characters that are hiragana only count less, since they are mostly
grammar. Nothing is fitted, so the vectors of two libraries can be compared, and nothing is
learned: texts are near when they share characters.
"""

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from math import log

import numpy as np

from gnomon.core.errors import ConfigError
from gnomon.core.protocols import Vectors
from gnomon.core.records import ModelRef
from gnomon.core.wording import say
from gnomon.llm.vectors import unit_rows

KIND = "embedder/characters"
HIRAGANA_WEIGHT = 0.3
"""Weight of hiragana-only pairs and characters; chosen on half of JaQuAD's questions."""
_HIRAGANA = re.compile(r"[\u3041-\u309f]+")
_NAME = re.compile(r"characters-(\d+)")
DEFAULT = ModelRef(name="characters-1024", revision="1", kind=KIND, licence="Apache-2.0")
"""The reference to use; the number in the name is the length of a vector."""


class CharacterEmbedder:
    """Hashed character vectors as an ``Embedder``; the whole text counts.

    Raises:
        ConfigError: The name is not ``characters-N`` with N of at least 16, or the revision is not known.
    """

    languages: tuple[str, ...] = ()

    def __init__(self, ref: ModelRef = DEFAULT) -> None:
        match = _NAME.fullmatch(ref.name)
        if match is None or int(match[1]) < 16 or ref.revision != DEFAULT.revision:
            raise ConfigError(
                say(
                    f"There are no character vectors {ref.name!r} of revision {ref.revision!r}.",
                    f"文字ベクトル {ref.name!r}(revision {ref.revision!r})はない。",
                ),
                say(
                    f"Write {DEFAULT.name!r} (or another length from 16) and revision {DEFAULT.revision!r}.",
                    f"{DEFAULT.name!r}(長さは 16 以上)と revision {DEFAULT.revision!r} を書く。",
                ),
            )
        self.ref, self.dimensions = ref, int(match[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages."""
        rows = np.zeros((len(texts), self.dimensions))
        for row, text in zip(rows, texts, strict=True):
            for unit, times in Counter(_units(text)).items():
                number = zlib.crc32(unit.encode("utf-8", "surrogatepass"))
                weight = HIRAGANA_WEIGHT if _HIRAGANA.fullmatch(unit) else 1.0
                row[(number >> 1) % self.dimensions] += weight * (1 + log(times)) * (1 if number & 1 else -1)
        return unit_rows(rows)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, made as those of passages."""
        return self.embed(texts)


def _units(text: str) -> Iterator[str]:
    letters = "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
    yield from letters
    yield from (letters[i : i + 2] for i in range(len(letters) - 1))
