"""Passing documents on: most rows of a filter step come out as they went in.

Kept rows are copied as Arrow batches, never unpacked into records, so that a step that only
leaves documents out costs little more than reading and writing its files.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gnomon.core.records import Document, Drop
from gnomon.core.tables import TableWriter, arrow_schema, parquet_files, read_batches
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

DOCUMENTS = "documents"
EXCERPT_CHARACTERS = 200


def pass_on(documents: Path, out: Output, dropped: Mapping[str, tuple[str, str]]) -> Counts:
    """Copy documents, leaving some out.

    Args:
        documents: The folder that holds ``documents/``.
        out: Where ``documents/`` and ``drops.parquet`` are written; files keep their names.
        dropped: (reason, detail) by id of the document left out.

    Returns:
        The step's counts.
    """
    taken, reasons = 0, dict[str, int]()
    ids = pa.array(sorted(dropped), pa.string())
    with TableWriter(out.path / "drops.parquet", Drop) as drops:
        for file in document_files(documents):
            with TableWriter(out.path / DOCUMENTS / file.name, Document) as writer:
                for batch in read_batches(file, arrow_schema(Document).names):
                    gone = pc.is_in(batch.column("id"), value_set=ids)
                    writer.write_batch(batch.filter(pc.invert(gone)))
                    for drop in _drops(batch.filter(gone), dropped):
                        reasons[drop.reason] = reasons.get(drop.reason, 0) + 1
                        drops.write(drop)
                    taken += batch.num_rows
    return Counts(taken=taken, kept=taken - sum(reasons.values()), dropped=dict(sorted(reasons.items())))


def document_files(documents: Path) -> list[Path]:
    """The Parquet files of a documents artifact, in order of name."""
    folder = documents / DOCUMENTS
    return parquet_files(folder) if folder.is_dir() else []


def _drops(batch: pa.RecordBatch, dropped: Mapping[str, tuple[str, str]]) -> list[Drop]:
    rows = zip(batch.column("id").to_pylist(), batch.column("text").to_pylist(), strict=True)
    return [
        Drop(doc_id=key, reason=dropped[key][0], detail=dropped[key][1], excerpt=text[:EXCERPT_CHARACTERS])
        for key, text in rows
    ]
