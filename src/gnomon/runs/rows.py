"""Rows by id: finding a few rows of large tables without reading their texts.

Only the column asked about is read; the rest of a row group is read when it holds a match.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

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
        columns: Paths into the row: ``("span", "doc_id")`` is a field of a struct.
        value: What is looked for.

    Raises:
        DataError: A file is not readable Parquet.
    """
    if not path.exists():
        return
    for file in parquet_files(path):
        try:
            with pq.ParquetFile(file) as parquet:
                for group in range(parquet.num_row_groups):
                    keep = _mask(parquet, group, columns, value)
                    if keep is not None and pc.any(keep).as_py():
                        yield from parquet.read_row_group(group).filter(keep).to_pylist()
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{file} is not readable Parquet: {error}.") from error


def _mask(parquet: Any, group: int, columns: Sequence[tuple[str, ...]], value: str) -> Any | None:
    names = set(parquet.schema_arrow.names)
    keep = None
    for column in columns:
        if column[0] not in names:
            continue
        values = parquet.read_row_group(group, columns=[".".join(column)]).column(0)
        for name in column[1:]:
            values = pc.struct_field(values, name)
        equal = pc.fill_null(pc.equal(values, value), False)
        keep = equal if keep is None else pc.or_(keep, equal)
    return keep


def text_columns(path: Path) -> list[tuple[str, ...]]:
    """The text columns of a table, for asking whether any of them holds a value."""
    for file in parquet_files(path):
        schema = pq.read_schema(file)
        return [(field.name,) for field in schema if pa.types.is_string(field.type)]
    return []
