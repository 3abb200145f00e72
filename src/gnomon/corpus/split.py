"""The step ``corpus/split``: documents in three parts, by time or by hash.

*By time* a model is asked about what came after all it was shown: a document belongs to the part
of its last possible day, so a paper of “2024” is not in a training part that ends in June 2024.
*By hash* a document's part depends on its id alone, so it stays there in every later corpus.
Documents that are near-duplicates of each other (``inputs["pairs"]``, optional) go together: to
the latest part of any of them by time, to the part of the smallest id by hash.
"""

import calendar
import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gnomon.core.errors import ConfigError
from gnomon.core.hashing import hash_place
from gnomon.core.records import Document, Drop
from gnomon.core.tables import TableWriter, arrow_schema, parquet_files, read_batches
from gnomon.corpus.cleaning.effects import EXCERPT
from gnomon.corpus.shards import merge_drops, shard_drops
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

PARTS = ("train", "development", "test")
UNDATED = "undated"


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """How documents are divided."""

    by: str = "hash"
    """``"hash"`` or ``"time"``."""
    development: float = 0.05
    """By hash: share of the development part."""
    test: float = 0.05
    """By hash: share of the test part."""
    salt: str = ""
    """By hash: another salt, another division."""
    development_after: str = ""
    """By time: ISO date; later documents are development, up to ``test_after``. Empty: no such part."""
    test_after: str = ""
    """By time: ISO date; later documents are test."""
    undated: str = "drop"
    """By time: the part of documents without a year, or ``"drop"`` (reason ``undated``)."""


def run(config: SplitConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Divide the documents of ``inputs["documents"]``.

    Raises:
        ConfigError: A share, a date or a name of the config cannot be used.
    """
    _check(config)
    files = {file.stem: file for file in parquet_files(inputs["documents"] / "documents")}
    groups = _groups(inputs["pairs"] / "pairs.parquet") if "pairs" in inputs else {}
    latest = _latest(files.values(), groups) if config.by == "time" and groups else {}
    for key in out.pending(list(files)):
        counts, sizes = _shard(files[key], config, (groups, latest), out)
        out.done(key, counts, note=sizes)
    merge_drops(out, list(files))
    total = sum((Counter(note) for note in out.notes(list(files))), Counter[str]())
    out.metrics["parts"] = {part: total[part] for part in PARTS}
    return out.counts(list(files))


def _shard(
    file: Path, config: SplitConfig, together: tuple[dict[str, str], dict[str, str]], out: Output
) -> tuple[Counts, Counter[str]]:
    sizes: Counter[str] = Counter()
    groups, latest = together
    with ExitStack() as stack:
        places = {part: out.path / part / "documents" / file.name for part in PARTS}
        writers = {p: stack.enter_context(TableWriter(place, Document)) for p, place in places.items()}
        drops = stack.enter_context(shard_drops(out, file.stem))
        for batch in read_batches(file, arrow_schema(Document).names):
            parts = []
            for doc_id, date in _dated_ids(batch):
                group = groups.get(doc_id, doc_id)
                parts.append(part_of(group, latest.get(group, date), config))
            sizes.update(parts)
            for part, writer in writers.items():
                writer.write_batch(_rows(batch, parts, part))
            gone = _rows(batch, parts, "drop")
            for doc_id, text in zip(gone.column("id").to_pylist(), gone.column("text").to_pylist(), strict=True):
                drops.write(Drop(doc_id=doc_id, reason=UNDATED, detail="no date, no year", excerpt=text[:EXCERPT]))
    kept = sum(sizes[part] for part in PARTS)
    dropped = {UNDATED: sizes["drop"]} if sizes["drop"] else {}
    return Counts(taken=kept + sizes["drop"], kept=kept, dropped=dropped), sizes


def _rows(batch: pa.RecordBatch, parts: list[str], part: str) -> pa.RecordBatch:
    chosen = [i for i, name in enumerate(parts) if name == part]
    return batch.select(arrow_schema(Document).names).take(pa.array(chosen, pa.int64()))


def part_of(doc_id: str, date: str, config: SplitConfig) -> str:
    """The part of one document: ``train``, ``development``, ``test``, or ``drop``."""
    if config.by == "time":
        if not date:
            return config.undated
        if config.test_after and date > last_day(config.test_after):
            return "test"
        return "development" if config.development_after and date > last_day(config.development_after) else "train"
    place = hash_place(f"{config.salt}\0{doc_id}")
    if place < config.test:
        return "test"
    return "development" if place < config.test + config.development else "train"


def last_day(date: str) -> str:
    """The last day that an ISO date of any precision may mean: ``2024`` is ``2024-12-31``."""
    if len(date) == len("2024"):
        return f"{date}-12-31"
    if len(date) != len("2024-05"):
        return date[:10]
    try:
        return f"{date}-{calendar.monthrange(int(date[:4]), int(date[5:]))[1]}"
    except (ValueError, calendar.IllegalMonthError):
        return date


def _dated_ids(batch: pa.RecordBatch) -> Iterator[tuple[str, str]]:
    for doc_id, biblio in zip(batch.column("id").to_pylist(), batch.column("biblio").to_pylist(), strict=True):
        year = biblio["year"]
        yield doc_id, last_day(biblio["date"] or (f"{year:04d}" if year is not None else ""))


def _latest(files: Iterable[Path], groups: Mapping[str, str]) -> dict[str, str]:
    """The latest date in each group of near-duplicates."""
    latest: dict[str, str] = {}
    for file in files:
        for batch in read_batches(file, ["id", "biblio"]):
            for doc_id, date in _dated_ids(batch):
                if doc_id in groups:
                    latest[groups[doc_id]] = max(latest.get(groups[doc_id], ""), date)
    return latest


def _groups(pairs: Path) -> dict[str, str]:
    """The group of every document that has a near-duplicate, named after its smallest id."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for batch in read_batches(pairs, ["a", "b"]):
        first, second = batch.column("a").to_pylist(), batch.column("b").to_pylist()
        for a, b in zip(first, second, strict=True):
            low, high = sorted((root(a), root(b)))
            parent[high] = low
    return {node: root(node) for node in parent}


def _check(config: SplitConfig) -> None:
    if config.by not in {"hash", "time"}:
        raise ConfigError(f"split: by = {config.by!r}.", "Use 'hash' or 'time'.")
    if config.undated not in {*PARTS, "drop"}:
        raise ConfigError(f"split: undated = {config.undated!r}.", f"Use one of: {', '.join(PARTS)}, drop.")
    if not (config.test >= 0 and config.development >= 0 and config.test + config.development < 1):
        raise ConfigError(
            f"split: development = {config.development}, test = {config.test}.", "Both at least 0, together below 1."
        )
    if config.by == "time":
        _check_dates(config)


def _check_dates(config: SplitConfig) -> None:
    for name in ("development_after", "test_after"):
        value = getattr(config, name)
        try:
            if value:
                datetime.date.fromisoformat(last_day(value))
        except ValueError as error:
            raise ConfigError(f"split: {name} = {value!r} is no ISO date.", "Write it like 2024-06-30.") from error
    if not (config.test_after or config.development_after):
        raise ConfigError("split: by = 'time' without a date.", "Set test_after, for instance to '2024-06-30'.")
    if config.test_after and config.development_after and config.development_after >= config.test_after:
        raise ConfigError(
            f"split: development_after = {config.development_after!r} is not before {config.test_after!r}.",
            "Development lies between the two dates.",
        )
