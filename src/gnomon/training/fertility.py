"""Fertility: how many tokens a tokenizer spends on a text, by source, language and field.

*Fertility* is tokens per word where words are spaced, and tokens per character where they are not
(Japanese, Chinese; compare Rust et al. 2021, arXiv 2012.15613). Tokens per UTF-8 byte are given for all,
since they alone compare scripts. A *field* is a document's first category. A figure that is high in
one field says for whom the tokenizer was not made.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnomon.core.text import unspaced_share
from gnomon.training.encoding import encode_texts, vocabulary_size
from gnomon.training.excerpts import Excerpt, excerpts, size_of

BATCH = 64
CELLS = 300
"""Languages and fields told apart; what comes later is counted as ``OTHER``."""
OTHER = "other"
UNSPACED_LANGUAGES = frozenset({"ja", "zh"})
UNSPACED_SHARE = 0.3
"""Share of unspaced letters from which a text of unknown language is counted by character."""
Z95 = 1.959964


@dataclass(kw_only=True)
class Ratio:
    """A ratio of two sums over samples, and how sure it is."""

    n: int = 0
    """Samples."""
    top: float = 0.0
    """Sum of the numerators."""
    bottom: float = 0.0
    """Sum of the denominators."""
    squares: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Sums of top squared, top times bottom, bottom squared."""

    def add(self, top: float, bottom: float) -> None:
        """Take in one sample."""
        self.n, self.top, self.bottom = self.n + 1, self.top + top, self.bottom + bottom
        tt, tb, bb = self.squares
        self.squares = (tt + top * top, tb + top * bottom, bb + bottom * bottom)

    def to_row(self) -> dict[str, Any] | None:
        """Value and 95 % interval (linearised variance, Cochran 1977, section 6.4); None without a sample."""
        if not self.bottom:
            return None
        value = self.top / self.bottom
        row = {"value": round(value, 5), "n": self.n}
        if self.n < 2:
            return row
        tt, tb, bb = self.squares
        spread = max(tt - 2 * value * tb + value * value * bb, 0.0)
        half = Z95 * math.sqrt(spread * self.n / (self.n - 1)) / self.bottom
        return row | {"low": round(value - half, 5), "high": round(value + half, 5)}


@dataclass(kw_only=True)
class Cell:
    """What was counted for one source, language or field."""

    seen: npt.NDArray[np.bool_]
    """Tokens of the vocabulary that occurred, shape (vocabulary,)."""
    per_byte: Ratio = field(default_factory=Ratio)
    """Tokens per UTF-8 byte."""
    per_word: Ratio = field(default_factory=Ratio)
    """Tokens per word, over texts whose words are spaced."""
    per_character: Ratio = field(default_factory=Ratio)
    """Tokens per character that is not white space, over texts whose words are not."""

    def add(self, excerpt: Excerpt, ids: list[int]) -> None:
        """Take in one text and its tokens."""
        self.seen[ids] = True
        self.per_byte.add(len(ids), len(excerpt.text.encode()))
        if _unspaced(excerpt):
            self.per_character.add(len(ids), sum(not c.isspace() for c in excerpt.text))
        else:
            self.per_word.add(len(ids), len(excerpt.text.split()))

    def to_row(self) -> dict[str, Any]:
        """As JSON types; counts of excerpts are ``n``."""
        return {
            "n": self.per_byte.n,
            "tokens": int(self.per_byte.top),
            "bytes": int(self.per_byte.bottom),
            "tokens_per_byte": self.per_byte.to_row(),
            "tokens_per_word": self.per_word.to_row(),
            "tokens_per_character": self.per_character.to_row(),
            "vocabulary_used": round(float(self.seen.mean()), 5),
        }


def _unspaced(excerpt: Excerpt) -> bool:
    if excerpt.lang == "und":
        return unspaced_share(excerpt.text[:2_000]) > UNSPACED_SHARE
    return excerpt.lang in UNSPACED_LANGUAGES


def fertility(tokenizer: Any, texts: Iterable[Excerpt]) -> dict[str, Any]:
    """Count the tokens of texts.

    Args:
        tokenizer: A ``transformers`` fast tokenizer.
        texts: What to count; streamed.

    Returns:
        ``{"vocabulary": size, "all": cell, "sources": {name: cell}, "languages": …, "fields": …}``; a cell
        is what ``Cell.to_row`` gives. BOS and EOS are not counted.
    """
    vocabulary = vocabulary_size(tokenizer)
    cells: dict[tuple[str, str], Cell] = {}
    stream = iter(texts)
    while batch := list(islice(stream, BATCH)):
        for excerpt, ids in zip(batch, encode_texts(tokenizer, [e.text for e in batch]), strict=True):
            for key in _keys(excerpt):
                known = key in cells or len(cells) < CELLS or key[0] in {"all", "sources"}
                place = key if known else (key[0], OTHER)
                cell = cells.setdefault(place, Cell(seen=np.zeros(vocabulary, dtype=np.bool_)))
                cell.add(excerpt, ids)
    table: dict[str, Any] = {"vocabulary": vocabulary, "all": None, "sources": {}, "languages": {}, "fields": {}}
    for (group, name), cell in sorted(cells.items()):
        if group == "all":
            table["all"] = cell.to_row()
        else:
            table[group][name] = cell.to_row()
    return table


def _keys(excerpt: Excerpt) -> list[tuple[str, str]]:
    keys = [("all", ""), ("sources", excerpt.source), ("languages", excerpt.lang)]
    return [*keys, ("fields", excerpt.field)] if excerpt.field else keys


def fertility_of(tokenizer: Any, sources: Mapping[str, Path], characters: int, seed: int) -> dict[str, Any]:
    """``fertility`` over a seeded choice of at most about ``characters`` characters from each source.

    Args:
        tokenizer: A ``transformers`` fast tokenizer.
        sources: Artifacts that hold ``documents/``, by name.
        characters: Characters of each source.
        seed: Decides which.
    """
    sizes = {name: size_of(folder) for name, folder in sources.items()}
    shares = {n: min(1.0, characters / size.characters) if size.characters else 0.0 for n, size in sizes.items()}
    return fertility(tokenizer, excerpts(sources, shares, f"fertility/{seed}"))
