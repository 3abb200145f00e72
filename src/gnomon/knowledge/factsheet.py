"""The fact sheet: year, authors, subjects, language and source of every passage of a library, without its words.

It is what a list of results is counted and ordered by. A version of a library never changes, so the sheet of one that
is not very large is read once and kept: a hundred look-ups in memory cost a tenth of one in the table.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pyarrow as pa

from gnomon.core.protocols import Filters
from gnomon.knowledge.filters import FACET_NAMES, literal, where

COLUMNS = ("chunk_id", "doc_id", *FACET_NAMES)
IN_MEMORY = 250_000
"""Passages, at most, whose facts are kept: about 300 bytes each, and as much again to find them."""
_KEYS_PER_LOOKUP = 500


class FactSheet:
    """The facts of a library's passages: ``COLUMNS``.

    Args:
        table: The passages.
        rows: How many there are.
        in_memory: Up to how many are kept.
    """

    def __init__(self, table: Any, rows: int, in_memory: int = IN_MEMORY) -> None:
        self._table, self._keeps = table, rows <= in_memory

    def of(self, chunk_ids: Sequence[str]) -> pa.Table:
        """The facts of some passages, in the order asked for; those that are not in this version are left out."""
        if self._keeps:
            rows, place = self._kept
        else:
            rows = rows_in(self._table, "chunk_id", chunk_ids, COLUMNS)
            place = {key: at for at, key in enumerate(rows["chunk_id"].to_pylist())}
        return rows.take(pa.array([place[key] for key in chunk_ids if key in place], pa.int64()))

    def where(self, filters: Filters) -> pa.Table:
        """The facts of every passage within some limits, in order of id.

        Raises:
            ConfigError: A filter is too long.
        """
        condition, asked = where(filters), self._table.search()
        if self._keeps and not condition:
            return self._kept[0]
        rows = (asked.where(condition) if condition else asked).select(list(COLUMNS)).to_arrow()
        return rows.combine_chunks().sort_by("chunk_id")

    @cached_property
    def _kept(self) -> tuple[pa.Table, dict[str, int]]:
        rows = self._table.search().select(list(COLUMNS)).to_arrow().combine_chunks().sort_by("chunk_id")
        return rows, {key: at for at, key in enumerate(rows["chunk_id"].to_pylist())}


def lookup(table: Any, column: str, keys: Sequence[str], columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Rows by the value of an indexed column."""
    return {row[column]: row for row in rows_in(table, column, keys, columns).to_pylist()}


def rows_in(table: Any, column: str, keys: Sequence[str], columns: Sequence[str]) -> pa.Table:
    """Rows whose indexed column has one of some values, in no order."""
    names = list(columns)
    found = [table.schema.empty_table().select(names)]
    for at in range(0, len(keys), _KEYS_PER_LOOKUP):
        listed = ", ".join(literal(key) for key in keys[at : at + _KEYS_PER_LOOKUP])
        asked = table.search().where(f"{column} IN ({listed})").select(names).limit(2 * _KEYS_PER_LOOKUP)
        found.append(asked.to_arrow())
    return pa.concat_tables(found)
