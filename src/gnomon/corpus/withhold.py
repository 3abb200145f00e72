"""The step ``corpus/withhold``: documents without those that somebody asked to remove."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gnomon.core.records import Document, Drop
from gnomon.core.tables import TableWriter, arrow_schema, parquet_files, read_batches
from gnomon.corpus.cleaning.effects import EXCERPT
from gnomon.corpus.shards import carry_marks, merge_drops, shard_drops
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

REASON = "removed"


@dataclass(frozen=True, kw_only=True)
class WithholdConfig:
    """Which documents are left out."""

    ids: tuple[str, ...] = ()
    """Ids of documents, in any order."""


def run(config: WithholdConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Pass on every document of ``inputs["documents"]`` but those of the config.

    Ids that no document has are listed in ``metrics["not_found"]``.
    """
    files = {file.stem: file for file in parquet_files(inputs["documents"] / "documents")}
    removed = pa.array(sorted(set(config.ids)), pa.string())
    for key in out.pending(list(files)):
        marks = inputs["documents"] / "marks" / f"{key}.parquet"
        counts, found = _shard(files[key], marks, removed, out)
        out.done(key, counts, note=found)
    merge_drops(out, list(files))
    found_ids = {doc_id for note in out.notes(list(files)) for doc_id in note}
    out.metrics["not_found"] = sorted(set(config.ids) - found_ids)
    return out.counts(list(files))


def _shard(file: Path, marks: Path, removed: pa.Array, out: Output) -> tuple[Counts, list[str]]:
    kept, found, taken = set[str](), list[str](), 0
    with TableWriter(out.path / "documents" / file.name, Document) as documents, shard_drops(out, file.stem) as drops:
        for batch in read_batches(file, arrow_schema(Document).names):
            hit = pc.is_in(batch.column("id"), value_set=removed)
            left = batch.filter(pc.invert(hit)).select(arrow_schema(Document).names)
            documents.write_batch(left)
            kept.update(left.column("id").to_pylist())
            gone = batch.filter(hit)
            for doc_id, text in zip(gone.column("id").to_pylist(), gone.column("text").to_pylist(), strict=True):
                drops.write(Drop(doc_id=doc_id, reason=REASON, detail="asked for", excerpt=text[:EXCERPT]))
                found.append(doc_id)
            taken += batch.num_rows
        rows = documents.rows
    carry_marks(marks, out.path / "marks" / file.name, kept)
    dropped = {REASON: len(found)} if found else {}
    return Counts(taken=taken, kept=rows, dropped=dropped), found
