"""Ingest: files in, documents out, and every thing that is not one named with its reason.

Files are read in the order of their format and name (``readers.formats``), their records in the order
of the file. Shards are cut by number and size of documents, so that the same files give the same
shards everywhere; each finished shard notes where the next begins, and a killed run goes on there.
Nothing about the machine (path, time, host) enters a record.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.files import read_json
from gnomon.core.records import Document, Drop, Mark
from gnomon.core.tables import TableWriter, read_table, write_table
from gnomon.core.wording import say
from gnomon.corpus.catalogue import Catalogue
from gnomon.corpus.crew import Crew
from gnomon.corpus.jobs import Found, Job, found, jobs_of
from gnomon.corpus.readers.draft import Limits
from gnomon.corpus.settling import Settling
from gnomon.corpus.works import Works
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.sources import FileSet


@dataclass(frozen=True, kw_only=True)
class IngestConfig:
    """How files are read."""

    limits: Limits = field(default_factory=Limits)
    """Bounds on what is read."""
    shard_documents: int = 4_000
    """Documents in a shard."""
    shard_characters: int = 24_000_000
    """Characters of text after which a shard is closed, however few its documents."""
    licence: str = ""
    """Licence of documents whose source states none, when you know it."""


@dataclass(kw_only=True)
class Shard:
    """What is gathered for one shard."""

    documents: list[Document] = field(default_factory=list)
    """In order of reading."""
    marks: list[Mark] = field(default_factory=list)
    """Of those documents."""
    drops: list[Drop] = field(default_factory=list)
    """What was left out between them."""
    characters: int = 0
    """Of the texts."""
    formats: Counter[str] = field(default_factory=Counter)
    """Documents by kind of source."""
    claims: list[tuple[int, int, str]] = field(default_factory=list)
    """Entries of bibliographies that describe these documents: job, record, document id."""

    def full(self, config: IngestConfig) -> bool:
        """Whether it should be written now."""
        return (
            len(self.documents) >= config.shard_documents
            or self.characters >= config.shard_characters
            or len(self.drops) >= 10 * config.shard_documents
        )

    def add(self, document: Document, marks: list[Mark]) -> None:
        """Take in a document with its marks."""
        self.documents.append(document)
        self.marks.extend(marks)
        self.characters += len(document.text)
        self.formats[document.source.kind] += 1


def run(config: IngestConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Read the files of a listing into ``documents/``, ``marks/`` and ``drops.parquet``.

    Raises:
        DataError: None of the files gave a document; or one changed while it was being read.
    """
    files = FileSet.from_row(read_json(inputs["files"]))
    jobs = jobs_of(files, config.limits)
    out.meter.total(sum(job.entry.bytes for job in jobs), "bytes")
    works = Works()
    keys, start = _finished(out, works)
    if start is not None:
        out.meter.advance(sum(job.entry.bytes for job in jobs[: start[0]]))
        settle = Settling(config.licence, Catalogue.of(jobs, config.limits), works)
        with out.cache() as cache, Crew(cache, config.limits, out.settings.num_threads) as crew:
            items = found(jobs, start, config.limits, crew.results, out)
            for shard, after in _shards(items, config, settle):
                keys.append(_key(len(keys)))
                _write(shard, after, keys[-1], out)
    _gather_drops(keys, out)
    counts = out.counts(keys)
    _report(out, keys, jobs, counts)
    if not counts.kept:
        raise _nothing(counts, out)
    return counts


def _key(number: int) -> str:
    return f"{number:05}"


def _finished(out: Output, works: Works) -> tuple[list[str], tuple[int, int] | None]:
    """Keys of the shards that are done, and where reading goes on (None when all is read)."""
    keys: list[str] = []
    while not list(out.pending([_key(len(keys))])):
        keys.append(_key(len(keys)))
        claims = out.notes(keys[-1:])[0]["claims"]
        works.remember(out.path / "documents" / f"{keys[-1]}.parquet", claims)
    if not keys:
        return keys, (0, 0)
    after = out.notes(keys[-1:])[0]["next"]
    return keys, None if after is None else (after[0], after[1])


def _shards(items: Iterator[Found], config: IngestConfig, settle: Settling) -> Iterator[tuple[Shard, Any]]:
    """Full shards, each with the place of the first record after it (None after the last)."""
    shard = Shard()
    for item in items:
        if shard.full(config):
            shard.claims = settle.works.new_claims()
            yield shard, (item.job.number, item.number)
            shard = Shard()
        settled = settle.one(item)
        if isinstance(settled, Drop):
            shard.drops.append(settled)
        else:
            shard.add(*settled)
    shard.claims = settle.works.new_claims()
    yield shard, None


def _write(shard: Shard, after: Any, key: str, out: Output) -> None:
    write_table(out.path / "documents" / f"{key}.parquet", Document, shard.documents)
    write_table(out.path / "marks" / f"{key}.parquet", Mark, shard.marks)
    write_table(_drops_file(out, key), Drop, shard.drops)
    kept, dropped = len(shard.documents), Counter(drop.reason for drop in shard.drops)
    counts = Counts(taken=kept + dropped.total(), kept=kept, dropped=dict(dropped), made={"marks": len(shard.marks)})
    out.done(key, counts, {"next": after, "formats": dict(shard.formats), "claims": shard.claims})


def _drops_file(out: Output, key: str) -> Path:
    """A shard's drops wait beside its marker, because the artifact holds all of them in one file."""
    return out.shards / f"{key}.drops.parquet"


def _gather_drops(keys: list[str], out: Output) -> None:
    with TableWriter(out.path / "drops.parquet", Drop) as writer:
        for drop in itertools.chain.from_iterable(read_table(_drops_file(out, key), Drop) for key in keys):
            writer.write(drop)


def _report(out: Output, keys: list[str], jobs: list[Job], counts: Counts) -> None:
    formats: Counter[str] = Counter()
    for note in out.notes(keys):
        formats.update(note["formats"])
    out.metrics["files"] = dict(sorted(Counter(job.format_name for job in jobs).items()))
    out.metrics["documents"] = dict(sorted(formats.items()))
    out.metrics["left_out"] = dict(sorted(counts.dropped.items()))


def _nothing(counts: Counts, out: Output) -> DataError:
    reasons = ", ".join(f"{reason} {n}" for reason, n in sorted(counts.dropped.items())) or "no files"
    drops = itertools.islice(read_table(out.path / "drops.parquet", Drop), 5)
    names = "; ".join(f"{d.doc_id.removeprefix('file:')} ({d.reason})" for d in drops)
    return DataError(
        say(f"Nothing could be read: {reasons}. {names}", f"読めるものがなかった: {reasons}。{names}").strip(),
        say(
            "Give files of Markdown, text, JSONL, Parquet, CSV, BibTeX, RIS, LaTeX or PDF that hold text.",
            "本文のある Markdown、テキスト、JSONL、Parquet、CSV、BibTeX、RIS、LaTeX、PDF を指定する。",
        ),
    )
