"""Tables: records on disk as Parquet, with one Arrow schema per record.

The schema of a record is read off its dataclass, so the two cannot drift apart. Writing and
reading stream: memory holds one row group at a time.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from gnomon.core.errors import DataError

R = TypeVar("R")
ROWS_PER_GROUP = 2_000
COMPRESSION = "zstd"
_LEAVES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


@functools.cache
def arrow_schema(record: type) -> pa.Schema:
    """The Arrow schema of a record class."""
    hints = typing.get_type_hints(record)
    names = [f.name for f in dataclasses.fields(record)]
    return pa.schema([pa.field(name, _arrow_type(hints[name])) for name in names])


def _arrow_type(hint: Any) -> pa.DataType:
    if hint in _LEAVES:
        return _LEAVES[hint]
    if dataclasses.is_dataclass(hint):
        return pa.struct(list(arrow_schema(typing.cast(type, hint))))
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return pa.list_(_arrow_type(arguments[0]))
        return pa.list_(_arrow_type(arguments[0]), len(arguments))
    if isinstance(hint, types.UnionType) and types.NoneType in arguments:
        return _arrow_type(next(a for a in arguments if a is not types.NoneType))
    raise TypeError(f"No Arrow type for the field type {hint!r}.")


def to_row(record: Any) -> dict[str, Any]:
    """A record as a row of plain Python values."""
    row: dict[str, Any] = _row_maker(typing.cast(Any, type(record)))(record)
    return row


@functools.cache
def _row_maker(record: type) -> Any:
    """A function from a record to its row; ``dataclasses.asdict`` copies every leaf and takes five times as long."""
    hints = typing.get_type_hints(record)
    makers = tuple((f.name, _maker(hints[f.name])) for f in dataclasses.fields(typing.cast(Any, record)))
    return lambda item: {
        name: getattr(item, name) if make is None else make(getattr(item, name)) for name, make in makers
    }


def _maker(hint: Any) -> Any:
    """How a field's value becomes part of a row; None when it is that already."""
    if dataclasses.is_dataclass(hint):
        return _row_maker(typing.cast(Any, hint))
    if typing.get_origin(hint) is tuple:
        make = _maker(typing.get_args(hint)[0])
        return list if make is None else lambda value: [make(v) for v in value]
    return None


def from_row(record: type[R], row: dict[str, Any]) -> R:
    """A record from a row as Arrow gives it."""
    readers = _field_readers(typing.cast(Any, record))
    return record(**{name: read(row[name]) for name, read in readers if name in row})


@functools.cache
def _field_readers(record: type) -> tuple[tuple[str, Any], ...]:
    hints = typing.get_type_hints(record)
    return tuple((f.name, _reader(hints[f.name])) for f in dataclasses.fields(record))


def _reader(hint: Any) -> Any:
    if dataclasses.is_dataclass(hint):
        return functools.partial(from_row, typing.cast(type, hint))
    if typing.get_origin(hint) is tuple:
        item = _reader(typing.get_args(hint)[0])
        return lambda value: tuple(item(v) for v in value or ())
    return lambda value: value


class TableWriter:
    """Writes records of one class to one Parquet file; use it as a context manager.

    The file appears under its name only when the block ends without an error.
    """

    def __init__(self, path: Path, record: type, rows_per_group: int = ROWS_PER_GROUP) -> None:
        self.path, self.record, self.rows = path, record, 0
        self._partial = path.with_name(path.name + ".partial")
        self._limit, self._buffer = rows_per_group, list[dict[str, Any]]()
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "TableWriter":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        schema = arrow_schema(self.record)
        self._writer = pq.ParquetWriter(self._partial, schema, compression=COMPRESSION)
        return self

    def write(self, record: Any) -> None:
        """Add one record."""
        self._buffer.append(to_row(record))
        self.rows += 1
        if len(self._buffer) >= self._limit:
            self._flush()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Add rows that are an Arrow batch of the record's schema already."""
        self._flush()
        if self._writer is not None and batch.num_rows:
            self._writer.write_batch(batch.cast(arrow_schema(self.record)))
            self.rows += batch.num_rows

    def _flush(self) -> None:
        if self._buffer and self._writer is not None:
            table = pa.Table.from_pylist(self._buffer, schema=arrow_schema(self.record))
            self._writer.write_table(table)
            self._buffer.clear()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._writer is None:
            return
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()
        if kind is None:
            self._partial.replace(self.path)
        else:
            self._partial.unlink(missing_ok=True)


def write_table(path: Path, record: type, records: Iterable[Any]) -> int:
    """Write records to one Parquet file, atomically; returns how many."""
    with TableWriter(path, record) as writer:
        for item in records:
            writer.write(item)
    return writer.rows


def parquet_files(path: Path) -> list[Path]:
    """The Parquet files at a path: itself, or those inside a folder, in order of name."""
    return sorted(path.rglob("*.parquet")) if path.is_dir() else [path]


def read_table(path: Path, record: type[R]) -> Iterator[R]:
    """Records of a Parquet file, or of a folder of them in order of name, streamed.

    Raises:
        DataError: A file is not readable Parquet of this record.
    """
    for batch in read_batches(path, [f.name for f in dataclasses.fields(record)]):  # type: ignore[arg-type]
        for row in batch.to_pylist():
            yield from_row(record, row)


def read_batches(path: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Arrow batches of a Parquet file or folder, of some columns, streamed.

    Raises:
        DataError: A file is not readable Parquet.
    """
    for file in parquet_files(path):
        try:
            with pq.ParquetFile(file) as parquet:
                names = set(parquet.schema_arrow.names)
                wanted = None if columns is None else [c for c in columns if c in names]
                yield from parquet.iter_batches(batch_size=ROWS_PER_GROUP, columns=wanted)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{file} is not readable Parquet: {error}.") from error


def count_rows(path: Path) -> int:
    """Number of rows of a Parquet file or folder, from the footers alone."""
    return sum(int(pq.read_metadata(file).num_rows) for file in parquet_files(path))
