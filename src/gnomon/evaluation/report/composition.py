"""What a library is made of: counts by year, language, subject, source and licence, and sizes."""

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gnomon.core.tables import read_batches
from gnomon.runs.output import Meter

COLUMNS = ["id", "text", "lang", "source", "biblio"]
UNSPACED = ("ja", "zh")
YEARS = range(1500, 2200)
"""Years that are believed; others are counted as unknown."""
BINS_PER_DOUBLING = 4


def composition(documents: Path | None, meter: Meter) -> tuple[dict[str, Any], dict[str, int]]:
    """Counts by kind, and sizes, of the documents in a folder."""
    counts: dict[str, Counter[Any]] = {
        name: Counter() for name in ("year", "language", "subject", "source", "licence", "length")
    }
    size = {"documents": 0, "words": 0, "characters": 0}
    for batch in read_batches(documents, COLUMNS) if documents is not None else ():
        for row in batch.to_pylist():
            words = word_count(row["text"], row["lang"])
            _count(counts, row, words)
            size["documents"] += 1
            size["words"] += words
            size["characters"] += len(row["text"])
        meter.advance(batch.num_rows)
    listed: dict[str, Any] = {name: _ranked(counts[name]) for name in ("language", "subject", "source", "licence")}
    listed["year"] = sorted([year, n] for year, n in counts["year"].items() if year is not None)
    listed["length"] = [[number, n] for number, n in sorted(counts["length"].items())]
    listed["year_unknown"] = counts["year"][None]
    return listed, size


def word_count(text: str, lang: str) -> int:
    """Words of a text; characters where words are not spaced."""
    return sum(not c.isspace() for c in text) if lang in UNSPACED else len(text.split())


def length_bin(words: int) -> int:
    """The number of the bin a length falls into: four bins to a doubling; -1 for no words at all."""
    return math.ceil(BINS_PER_DOUBLING * math.log2(words) - 1e-9) if words else -1


def bin_top(number: int) -> int:
    """The greatest length in a bin."""
    return math.floor(2 ** (number / BINS_PER_DOUBLING) + 1e-9) if number >= 0 else 0


def _count(counts: dict[str, Counter[Any]], row: dict[str, Any], words: int) -> None:
    year = row["biblio"]["year"]
    counts["year"][year if year in YEARS else None] += 1
    counts["language"][row["lang"] or "und"] += 1
    counts["subject"][(row["biblio"]["categories"] or [""])[0]] += 1
    counts["source"][row["source"]["kind"]] += 1
    counts["licence"][row["source"]["licence"]] += 1
    counts["length"][length_bin(words)] += 1


def _ranked(counts: Iterable[Any]) -> list[Any]:
    rows = Counter(counts).items()
    return [[name, n] for name, n in sorted(rows, key=lambda pair: (-pair[1], str(pair[0])))]
