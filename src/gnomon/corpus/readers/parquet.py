"""Parquet: one record a row, streamed."""

import datetime
import decimal
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gnomon.corpus.readers.draft import Draft, Fault, Unreadable
from gnomon.corpus.readers.feed import Feed, clean_text
from gnomon.corpus.readers.fields import TEXT_COLUMNS
from gnomon.corpus.readers.jsonl import clean_draft

ROWS_PER_BATCH = 500
BUFFER = 1 << 20


def read(feed: Feed) -> Iterator[Draft | Fault]:
    """Rows of a Parquet file, in order.

    Raises:
        Unreadable: The file is broken, or none of its columns can hold a text.
    """
    row = 0
    try:
        with pq.ParquetFile(feed.path, buffer_size=BUFFER, pre_buffer=False) as file:
            names = file.schema_arrow.names
            if not TEXT_COLUMNS.intersection(names):
                raise Unreadable("no_text_column", f"columns: {', '.join(names)}")
            total = max(file.metadata.num_rows, 1)
            for batch in file.iter_batches(batch_size=ROWS_PER_BATCH):
                for values in batch.to_pylist():
                    yield clean_draft(_json(values), f"row {row}", "parquet")
                    row += 1
                feed.position = feed.size * row // total
    except (pa.ArrowException, OSError) as error:
        raise Unreadable("broken_parquet", f"after row {row}: {error}" if row else str(error)) from error


def _json(value: Any) -> Any:
    """Arrow's Python values as JSON types, every string fit for a file."""
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, list | tuple):
        return [_json(v) for v in value]
    if isinstance(value, dict):
        return {clean_text(str(k)): _json(v) for k, v in value.items()}
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    return value.hex() if isinstance(value, bytes) else str(value)
