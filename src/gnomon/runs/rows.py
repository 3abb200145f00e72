"""Rows by id: finding a few rows of large tables without reading their texts.

Only the column asked about is read; the rest of a row group is read when it holds a match.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gnomon.core.errors import DataError
from gnomon.core.tables import from_row, parquet_files

R = TypeVar("R")


def rows_where(path: Path, record: type[R], column: str, value: str) -> Iterator[R]:
    """Records of a table whose column holds a value."""
    return (from_row(record, row) for row in rows_with(path, [(column,)], value))


def rows_with(path: Path, columns: Sequence[tuple[str, ...]], value: str) -> Iterator[dict[str, Any]]:
    """Rows of a table or a folder of tables in which one of some columns holds a value.

    Args:
        path: A Parquet file or a folder; one that does not exist holds no rows.
        columns: Paths into the row: ``("span", "doc_id")`` is a field of a struct; a list holds what one of its
            elements holds.
        value: What is looked for.

    Raises:
        DataError: A file is not readable Parquet.
    """
    return _rows(path, columns, lambda values: pc.equal(values, value))


def rows_starting(path: Path, column: str, prefix: str) -> Iterator[dict[str, Any]]:
    """Rows of a table in which a text column begins with some words.

    Raises:
        DataError: A file is not readable Parquet.
    """
    return _rows(path, [(column,)], lambda values: pc.starts_with(values, prefix))


Test = Callable[[Any], Any]
"""From an Arrow array to one of booleans."""


def _rows(path: Path, columns: Sequence[tuple[str, ...]], test: Test) -> Iterator[dict[str, Any]]:
    for file in parquet_files(path) if path.exists() else ():
        try:
            with pq.ParquetFile(file) as parquet:
                for group in range(parquet.num_row_groups):
                    keep = _mask(parquet, group, columns, test)
                    if keep is not None and pc.any(keep).as_py():
                        yield from parquet.read_row_group(group).filter(keep).to_pylist()
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{file} is not readable Parquet: {error}.") from error


def _mask(parquet: Any, group: int, columns: Sequence[tuple[str, ...]], test: Test) -> Any | None:
    schema = parquet.schema_arrow
    keep = None
    for column in columns:
        if column[0] not in schema.names:
            continue
        listed = pa.types.is_list(schema.field(column[0]).type)
        wanted = column[0] if listed else ".".join(column)  # a path into a list is spelt otherwise in the file
        values = parquet.read_row_group(group, columns=[wanted]).column(0).combine_chunks()
        holds = _holds(values, column[1:], test)
        keep = holds if keep is None else pc.or_(keep, holds)
    return keep


def _holds(values: Any, path: tuple[str, ...], test: Test) -> Any:
    """Which rows pass a test at a path; of a list, those with an element that does."""
    if pa.types.is_list(values.type):
        inner = _holds(pc.list_flatten(values), path, test)
        found = np.zeros(len(values), dtype=bool)
        found[pc.list_parent_indices(values).filter(inner).to_numpy(zero_copy_only=False)] = True
        return pa.array(found)
    if path:
        return _holds(pc.struct_field(values, path[0]), path[1:], test)
    return pc.fill_null(test(values), False)


def has_column(path: Path, name: str) -> bool:
    """Whether a table has a column."""
    return any(name in pq.read_schema(file).names for file in parquet_files(path)[:1])


def text_columns(path: Path) -> list[tuple[str, ...]]:
    """The text columns of a table, for asking whether any of them holds a value."""
    for file in parquet_files(path):
        schema = pq.read_schema(file)
        return [(field.name,) for field in schema if pa.types.is_string(field.type)]
    return []
