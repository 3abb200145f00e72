"""Shards: what steps that pass documents on have in common about drops and marks.

Drops are collected beside the shard markers, outside the artifact, and become its one
``drops.parquet`` when all shards are done: a killed run keeps them with its shards.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gnomon.core.records import Drop, Mark
from gnomon.core.tables import TableWriter, arrow_schema, read_batches
from gnomon.runs.output import Output


def shard_drops(out: Output, key: str) -> TableWriter:
    """A writer for the drops of one shard."""
    return TableWriter(_place(out, key), Drop)


def merge_drops(out: Output, keys: Sequence[str]) -> None:
    """Write ``drops.parquet`` from the drops of all shards, in their order."""
    with TableWriter(out.path / "drops.parquet", Drop) as writer:
        for key in keys:
            for batch in read_batches(_place(out, key)):
                writer.write_batch(batch)


def _place(out: Output, key: str) -> Path:
    return out.shards / f"{key}.drops.parquet"


def carry_marks(
    source: Path, target: Path, kept: set[str], *, added: Iterable[Mark] = (), changed: frozenset[str] = frozenset()
) -> int:
    """Pass on the marks of kept documents, with new ones behind them.

    Args:
        source: Marks of the input; may be missing.
        target: The file to write.
        kept: Ids of the documents that stay.
        added: Marks of the step itself.
        changed: Ids of documents whose text is another now: spans into the old text are not passed on.

    Returns:
        How many marks were left out because their spans point into an old text.
    """
    outdated = 0
    ids, new = (pa.array(sorted(some), pa.string()) for some in (kept, changed))
    with TableWriter(target, Mark) as writer:
        for batch in read_batches(source, arrow_schema(Mark).names) if source.exists() else ():
            left = batch.filter(pc.is_in(batch.column("doc_id"), value_set=ids))
            spans = pc.greater(pc.list_value_length(left.column("spans")), 0)
            old = pc.and_(spans, pc.is_in(left.column("doc_id"), value_set=new)).fill_null(False)
            outdated += pc.sum(old).as_py() or 0
            writer.write_batch(left.filter(pc.invert(old)))
        for mark in added:
            writer.write(mark)
    return outdated
