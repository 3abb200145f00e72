"""Lines: objects out of the JSONL and Parquet files that people give, each with its place, and what is none of them."""

import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gnomon.core.records import Drop
from gnomon.runs.sources import FileEntry

JSONL = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".jsonl.zst", ".ndjson.zst")
PARQUET = (".parquet",)
MOST_BYTES = 16 << 20
"""Of a line."""
EXCERPT = 200
Row = tuple[str, dict[str, Any]]
"""The place of an object (``FILE#LINE``), and the object."""


def read_rows(entry: FileEntry) -> Iterator[Row | Drop]:
    """The objects of one file, in order; a line that is none is a drop.

    Args:
        entry: A file of JSONL, plain or packed (gzip, zstd), or of Parquet.
    """
    name = entry.name.lower()
    if not name.endswith(JSONL + PARQUET):
        yield Drop(doc_id=f"file:{entry.name}", reason="not_jsonl", detail=f"wanted {', '.join(JSONL + PARQUET)}")
        return
    import zstandard

    try:
        yield from _parquet_rows(entry) if name.endswith(PARQUET) else _json_rows(entry)
    except (
        OSError,
        EOFError,
        ValueError,
        zlib.error,
        zstandard.ZstdError,
    ) as error:  # pyarrow's are OSError, ValueError
        yield Drop(doc_id=f"file:{entry.name}", reason="unreadable", detail=str(error)[:EXCERPT])


def _json_rows(entry: FileEntry) -> Iterator[Row | Drop]:
    import fsspec

    with fsspec.open(str(Path(entry.path)), "rb", compression="infer") as unpacked:
        file, number = io.BufferedReader(unpacked), 0  # a zstd stream has no lines of its own
        while line := file.readline(MOST_BYTES + 1):
            number += 1
            place = f"{entry.name}#{number}"
            if len(line) > MOST_BYTES:
                yield Drop(doc_id=f"file:{place}", reason="line_too_long", detail=f"limit {MOST_BYTES} bytes")
                while line and not line.endswith(b"\n"):
                    line = file.readline(MOST_BYTES)
            elif line.strip():
                yield _parsed(line.decode("utf-8-sig" if number == 1 else "utf-8", "replace"), place)


def _parsed(line: str, place: str) -> Row | Drop:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Drop(doc_id=f"file:{place}", reason="broken_line", detail=str(error), excerpt=line[:EXCERPT])
    if not isinstance(row, dict):
        return Drop(doc_id=f"file:{place}", reason="not_a_record", detail=f"a {type(row).__name__}, wanted an object")
    return place, row


def _parquet_rows(entry: FileEntry) -> Iterator[Row]:
    import pyarrow.parquet as pq

    number = 0
    with pq.ParquetFile(entry.path) as file:
        for batch in file.iter_batches(batch_size=1_000):
            for row in batch.to_pylist():
                number += 1
                yield f"{entry.name}#{number}", row
