"""Shards: tables that grow beside the shard markers and become one file of the artifact when all is done.

A killed run keeps what its finished shards hold; the merged file has their rows in the order of the keys, so it is the
same whether a run was interrupted or not.
"""

from collections.abc import Sequence
from pathlib import Path

from gnomon.core.tables import TableWriter, read_batches
from gnomon.runs.output import Output


def shard_table(out: Output, key: str, name: str, record: type) -> TableWriter:
    """A writer for the part of ``NAME.parquet`` that one shard makes."""
    return TableWriter(_place(out, key, name), record)


def merge_tables(out: Output, keys: Sequence[str], name: str, record: type) -> int:
    """Write ``NAME.parquet`` from the parts of all shards, in their order; returns how many rows it has."""
    with TableWriter(out.path / f"{name}.parquet", record) as writer:
        for key in keys:
            for batch in read_batches(_place(out, key, name)):
                writer.write_batch(batch)
    return writer.rows


def _place(out: Output, key: str, name: str) -> Path:
    return out.shards / f"{key}.{name}.parquet"
