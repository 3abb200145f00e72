"""Deduplication: of several copies of a text one is kept, and every pair is left as evidence.

Exact copies have equal comparison texts; near copies share shingles (``minhash``), verified by
their true Jaccard similarity (``pairs``); what only looks like a copy is kept apart (``apart``).
Of copies the one stays that has a DOI, else an arXiv id, then the longer text, then the earlier
date, then the smaller id: the most citable and complete one.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gnomon.core.errors import DataError
from gnomon.core.records import Document, Pair
from gnomon.core.settings import Settings
from gnomon.core.tables import from_row, read_batches, write_table
from gnomon.corpus.apart import Facts, facts_of, why_apart
from gnomon.corpus.comparison import compared_frames
from gnomon.corpus.engine import use_runner
from gnomon.corpus.minhash import NearConfig, sign
from gnomon.corpus.pairs import Alike, Comparison, compare_all, conclude
from gnomon.corpus.passing import document_files, pass_on
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

TEXTS_PER_BATCH = 10_000


@dataclass(frozen=True, kw_only=True)
class DedupConfig(NearConfig):
    """Settings of the step."""

    bibliography: bool = True
    """Whether numbered titles, identifiers and titles may keep like texts apart."""


PRESETS: Mapping[str, NearConfig] = {
    "papers": NearConfig(),
    "llm-jp": NearConfig(ngram=5, bands=20, rows=10),
    "fineweb": NearConfig(ngram=5, bands=14, rows=8),
    "questions": NearConfig(ngram=2, bands=25, rows=4, threshold=0.7),
}
"""Settings by name: ours; LLM-jp's 20 bands of 10; FineWeb's 14 of 8 (both verified here, which
their makers do not do); and short shingles for texts of a sentence or two."""


def run(config: DedupConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Leave out copies; write what is kept, ``drops.parquet`` and ``pairs.parquet``."""
    files = document_files(inputs["documents"])
    if not files:
        write_table(out.path / "pairs.parquet", Pair, [])
        return pass_on(inputs["documents"], out, {})
    found = find_in_files(files, config, out.settings)
    facts = read_facts(files, {key for pair in found.pairs for key in (pair.a, pair.b)})
    judge = _judge(facts) if config.bibliography else lambda pair: ""
    pairs, gone = conclude(found, judge, lambda key: preference(facts[key]))
    write_table(out.path / "pairs.parquet", Pair, pairs)
    out.metrics |= _metrics(pairs, config)
    reasons = {key: (f"duplicate_{kind}", f"{jaccard:.3f} {kept}") for key, (kept, jaccard, kind) in gone.items()}
    return pass_on(inputs["documents"], out, reasons)


def _judge(facts: Mapping[str, Facts]) -> Callable[[Alike], str]:
    return lambda pair: why_apart(facts[pair.a], facts[pair.b], same_text=pair.same, units=pair.units)


def preference(facts: Facts) -> tuple[bool, bool, int, str, str]:
    """Sort key of a copy; the smallest is kept."""
    return (not facts.doi, not facts.arxiv, -facts.length, facts.date or "9999", facts.id)


def _metrics(pairs: list[Pair], config: NearConfig) -> dict[str, Any]:
    apart: dict[str, int] = {}
    for pair in pairs:
        if pair.apart:
            apart[pair.apart] = apart.get(pair.apart, 0) + 1
    return {
        "pairs": len(pairs),
        "clusters": len({pair.cluster for pair in pairs if pair.cluster}),
        "kept_apart": dict(sorted(apart.items())),
        "found_at_threshold": round(config.found(config.threshold), 4),
    }


def read_facts(files: Iterable[Path], ids: set[str]) -> dict[str, Facts]:
    """The facts of some documents."""
    wanted = pa.array(sorted(ids), pa.string())
    facts = {}
    for file in files if ids else ():
        for batch in read_batches(file):
            for row in batch.filter(pc.is_in(batch.column("id"), value_set=wanted)).to_pylist():
                facts[row["id"]] = facts_of(from_row(Document, row))
    return facts


def find_pairs(texts: Iterable[tuple[str, str]], config: NearConfig, settings: Settings) -> list[Alike]:
    """Like pairs among any (id, text) records: questions, answers, notes.

    The texts are streamed to a temporary file, so a generator will do. Of a large group of copies
    not every two are listed, but all hang together.

    Raises:
        DataError: Two records have the same id.
    """
    with tempfile.TemporaryDirectory(prefix="gnomon-texts-") as folder:
        file = Path(folder) / "texts.parquet"
        _spill(texts, file)
        return find_in_files([file], config, settings).pairs


def find_in_files(files: list[Path], config: NearConfig, settings: Settings) -> Comparison:
    """Compare the rows of Parquet files with columns ``id`` and ``text``.

    Raises:
        DataError: Two rows have the same id.
    """
    engine = use_runner(settings)

    def texts() -> Iterator[pa.RecordBatch]:
        for file in files:
            yield from read_batches(file, ["id", "text"])

    signatures = sign(compared_frames(texts, engine), config)
    ids = signatures.ids.combine_chunks()  # sorted, so that equal ones are neighbours
    repeated = ids[1:].filter(pc.equal(ids[1:], ids[:-1]))
    if len(repeated):
        raise DataError(
            f"The id {repeated[0].as_py()!r} occurs more than once among the texts.",
            "Give every record an id of its own.",
        )
    return compare_all(texts, engine, signatures, config)


def _spill(texts: Iterable[tuple[str, str]], file: Path) -> None:
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        batch: list[dict[str, str]] = []
        for key, text in texts:
            batch.append({"id": key, "text": text})
            if len(batch) >= TEXTS_PER_BATCH:
                writer.write_table(pa.Table.from_pylist(batch, schema=schema))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema=schema))
