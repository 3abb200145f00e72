"""Decontamination: what models may see holds no exam question.

Documents are compared with every item of an exam in two passes: seeds find the few (document,
item) pairs worth a look (``seeds``), letters decide and give the passage (``passages``). A
document with a leak is left out as a whole: a cut passage leaves its context, which often gives
the answer away as well, and a text with a hole in it. The step's output is only for models; the
readers' library is made from what goes in, and loses nothing.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gnomon.core.errors import ConfigError
from gnomon.core.records import Item, Leak, Span
from gnomon.core.tables import count_rows, read_batches, read_table, write_table
from gnomon.corpus.letters import Codes, is_unspaced, joined_letters, letters_of, words
from gnomon.corpus.passages import Found, Rules, Target, find_passages, to_target
from gnomon.corpus.passing import document_files, pass_on
from gnomon.corpus.seeds import Windows, build_index, expand, scan, seeds_per_row
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

SPACED_SEED, SHORT_SEED = 20, 8
"""Letters of a seed: four words where words are spaced; two, or eight characters where not."""
MOST_ROWS = 40
"""Items that may share a seed; more make it boilerplate."""
FEW_SEEDS = 10
"""Items with fewer seeds are also looked for by the shorter seeds of their stem."""
SAMPLED_DOCUMENTS = 4_000
"""Documents from which word weights are counted, spread evenly over the corpus."""
REASON = "contaminated"


@dataclass(frozen=True, kw_only=True)
class DecontaminateConfig:
    """Settings of the step."""

    run: int = 70
    """Letters of a stem, or of a reference answer, that may not be repeated in one run; a character
    of an unspaced script counts for three."""
    whole_stem: int = 30
    """Letters of a stem from which it may not be repeated whole; items with a shorter one are short."""
    overlap: float = 0.5
    """Weighted share of an item (stem, options, answer) that one passage may not repeat."""
    overlap_worth: int = 60
    """Letters of it that the passage must repeat for that, at least."""
    short_overlap: float = 0.85
    """The same for short items, whose whole stem must be there as well; or every right option."""
    candidate_share: float = 0.15
    """Share of an item's seeds from which a document is looked at closely."""
    candidate_seeds: int = 20
    """Number of an item's seeds from which it is, whatever their share."""

    def __post_init__(self) -> None:
        if not (0 < self.overlap <= 1 and 0 < self.short_overlap <= 1 and 0 < self.candidate_share <= 1):
            raise ConfigError(
                f"decontaminate: overlap={self.overlap}, short_overlap={self.short_overlap},"
                f" candidate_share={self.candidate_share}.",
                "Shares lie above 0, at most 1.",
            )

    @property
    def rules(self) -> Rules:
        """The part that decides about passages."""
        return Rules(
            run=self.run,
            whole_stem=self.whole_stem,
            overlap=self.overlap,
            overlap_worth=self.overlap_worth,
            short_overlap=self.short_overlap,
        )


def run(config: DecontaminateConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Leave out documents that hold exam items; write ``leaks.parquet`` and ``drops.parquet``."""
    files = document_files(inputs["documents"])
    items = list(read_table(inputs["items"] / "items.parquet", Item))
    total = sum(count_rows(file) for file in files)
    out.meter.total(2 * total, "documents")
    exam = Exam(items, config)
    step = max(1, total // SAMPLED_DOCUMENTS)
    for batch in _batches(files, ["text"]):
        exam.look(batch.column("text").to_pylist(), step)
        out.meter.advance(batch.num_rows)
    leaks: list[Leak] = []
    for first, batch in _numbered(files, ["id", "text", "text_hash"]):
        leaks += exam.leaks(first, batch)
        out.meter.advance(batch.num_rows)
    leaks.sort(key=lambda leak: (leak.item_id, leak.span))
    write_table(out.path / "leaks.parquet", Leak, leaks)
    out.metrics |= _metrics(leaks, exam)
    return pass_on(inputs["documents"], out, _dropped(leaks))


def _batches(files: Sequence[Path], columns: list[str]) -> Iterator[pa.RecordBatch]:
    for file in files:
        yield from read_batches(file, columns)


def _numbered(files: Sequence[Path], columns: list[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
    first = 0
    for batch in _batches(files, columns):
        yield first, batch
        first += batch.num_rows


def _dropped(leaks: Iterable[Leak]) -> dict[str, tuple[str, str]]:
    """For each document left out the reason, and the items it gives away (the first few)."""
    items: dict[str, list[str]] = {}
    for leak in leaks:
        items.setdefault(leak.span.doc_id, []).append(f"{leak.item_id} {leak.method} {leak.score:.2f}")
    return {key: (REASON, "; ".join(found[:3])) for key, found in items.items()}


def _metrics(leaks: Sequence[Leak], exam: "Exam") -> dict[str, Any]:
    return {
        "items": len(exam.items),
        "items_leaked": len({leak.item_id for leak in leaks}),
        "passages": dict(sorted(Counter(leak.method for leak in leaks).items())),
        "pairs_looked_at": exam.looked_at,
        "items_too_short_to_find": exam.blind,
    }


class Exam:
    """The items to keep out, and what a pass over the documents has shown so far.

    Args:
        items: The exam's items.
        config: The settings.
    """

    def __init__(self, items: Sequence[Item], config: DecontaminateConfig) -> None:
        self.items, self.config, self.looked_at = items, config, 0
        stems, rests = _parts(items)
        parts = [*stems, *rests]
        self._indexes = [
            build_index(((row, part) for row, part in parts if not _unspaced(part)), SPACED_SEED),
            build_index(((row, part) for row, part in parts if _unspaced(part)), SHORT_SEED),
        ]
        few = self._seeds_per_item() < FEW_SEEDS
        short = ((row, part) for row, part in stems if few[row // 2] and not _unspaced(part))
        self._indexes.append(build_index(short, SHORT_SEED))
        self._windows = [Windows(index.width) for index in self._indexes]
        self._hits: list[list[npt.NDArray[np.int64]]] = [[] for _ in self._indexes]
        self._seen, self._sampled = 0, 0
        self._counts: Counter[str] = Counter()
        self._suspects: dict[int, list[int]] | None = None
        self._targets: dict[int, Target] = {}

    @property
    def blind(self) -> list[str]:
        """Ids of items so short or so common that no rule can find them."""
        return [item.id for item, count in zip(self.items, self._seeds_per_item(), strict=True) if not count]

    def _seeds_per_item(self) -> npt.NDArray[np.int64]:
        rows = 2 * len(self.items)
        seeds = np.zeros(rows, np.int64)
        for index in self._indexes:
            seeds += seeds_per_row(index, rows, MOST_ROWS)
        per_item: npt.NDArray[np.int64] = seeds.reshape(-1, 2).sum(axis=1)
        return per_item

    def look(self, texts: Sequence[str], step: int) -> None:
        """First pass: remember which of the next documents share seeds with items."""
        codes, ends = joined_letters(texts)
        unspaced = bool(is_unspaced(codes).any())
        for number, index in enumerate(self._indexes):
            if number != 1 or unspaced:
                hits = scan(index, self._windows[number], codes, ends)
                hits[:, 0] += self._seen
                self._hits[number].append(hits)
        for text in texts[-self._seen % step :: step]:
            self._sampled += 1
            self._counts.update(_vocabulary(text))
        self._seen += len(texts)

    def leaks(self, first: int, batch: pa.RecordBatch) -> list[Leak]:
        """Second pass: the leaks of a batch whose first document has this number."""
        if self._suspects is None:
            self._suspects = self._choose()
        found: list[Leak] = []
        for i in range(batch.num_rows):
            suspects = self._suspects.get(first + i, [])
            if suspects:
                text = batch.column("text")[i].as_py()
                span = Span(doc_id=batch.column("id")[i].as_py(), text_hash=batch.column("text_hash")[i].as_py(),
                            start=0, end=len(text))  # fmt: skip
                found += self._examine(text, span, suspects)
        return found

    def _examine(self, text: str, whole: Span, suspects: Sequence[int]) -> Iterator[Leak]:
        letters = letters_of(text)
        string, ends = letters.string, np.append(letters.places[1:], len(text))
        for number in suspects:
            for found in find_passages(string, self._target(number), self.config.rules):
                yield _leak(self.items[number].id, found, text, whole, letters.places, ends)

    def _choose(self) -> dict[int, list[int]]:
        """Items by document, where enough seeds are shared to look closely."""
        rows = 2 * len(self.items)
        shares: dict[tuple[int, int], float] = {}
        chosen: set[tuple[int, int]] = set()
        for index, parts in zip(self._indexes, self._hits, strict=True):
            usable = seeds_per_row(index, rows, MOST_ROWS)
            per_item = usable.reshape(-1, 2).sum(axis=1)
            hits = np.concatenate([np.empty((0, 2), np.int64), *parts])
            for (document, row), count in expand(index, hits, MOST_ROWS).items():
                pair = (document, row // 2)
                shares[pair] = shares.get(pair, 0) + count / per_item[row // 2]
                whole_stem = row % 2 == 0 and count >= 0.9 * usable[row]
                if shares[pair] >= self.config.candidate_share or count >= self.config.candidate_seeds or whole_stem:
                    chosen.add(pair)
        self.looked_at = len(chosen)
        suspects: dict[int, list[int]] = {}
        for document, item in sorted(chosen):
            suspects.setdefault(document, []).append(item)
        return suspects

    def _target(self, number: int) -> Target:
        if number not in self._targets:
            if not self._targets:
                self._weigh_items()
            self._targets[number] = to_target(self.items[number], self._idf, self._unknown)
        return self._targets[number]

    def _weigh_items(self) -> None:
        """Words are common when documents or items use them often."""
        for item in self.items:
            self._counts.update(_vocabulary(" ".join([item.prompt, *item.choices, item.reference])))
        total = 1 + self._sampled + len(self.items)
        self._idf = {word: math.log(total / (1 + count)) for word, count in self._counts.items()}
        self._unknown = math.log(total)


def _parts(items: Sequence[Item]) -> tuple[list[tuple[int, Codes]], list[tuple[int, Codes]]]:
    """Letters of stems (row 2n for item n) and of options and references (row 2n + 1)."""
    stems = [(2 * n, letters_of(item.prompt).codes) for n, item in enumerate(items)]
    rests = [
        (2 * n + 1, letters_of(text).codes) for n, item in enumerate(items) for text in (*item.choices, item.reference)
    ]
    return stems, rests


def _unspaced(part: Codes) -> bool:
    return bool(len(part)) and float(is_unspaced(part).mean()) > 0.3


def _vocabulary(text: str) -> set[str]:
    letters = letters_of(text)
    string = letters.string
    return {string[start:end] for start, end in words(letters)}


def _leak(
    item_id: str,
    found: Found,
    text: str,
    whole: Span,
    places: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> Leak:
    start, end = int(places[found.start]), int(ends[found.end - 1])
    end = start + len(text[start:end].rstrip())
    span = Span(doc_id=whole.doc_id, text_hash=whole.text_hash, start=start, end=end)
    return Leak(item_id=item_id, span=span, method=found.method, score=found.score, passage=text[start:end])
