"""Fact sheets: some columns of a library's table, and where each of its rows stands.

The facts of passages are what a list of results is counted and ordered by. A version of a library never changes, so the
sheet of one that is not very large is read once and kept: a hundred look-ups in memory cost a tenth of one in the
table, and rows whose place is known are read twice as fast as those that are looked for.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pyarrow as pa

from gnomon.core.protocols import Filters
from gnomon.knowledge.filters import FACET_NAMES, literal, where

FACTS = ("chunk_id", "doc_id", *FACET_NAMES)
"""The facts of a passage; the key comes first."""
IN_MEMORY = 250_000
"""Rows, at most, of a table whose sheet is kept: about 300 bytes each, and as much again to find them."""
FIRST_READS = 4
"""Reads after which a sheet pays: who only asks once does not wait for it."""
_KEYS_PER_LOOKUP = 500
_ROW_ID = "_rowid"


class FactSheet:
    """Some columns of a table, by its key.

    Args:
        table: The table, at one version.
        rows: How many rows it has.
        columns: What is on the sheet; the key, whose values are unique, comes first.
        in_memory: Up to how many rows are kept.
    """

    def __init__(
        self, table: Any, rows: int, columns: Sequence[str] = FACTS, *, in_memory: int = IN_MEMORY
    ) -> None:  # fmt: skip
        self._table, self._columns, self._keeps = table, list(columns), rows <= in_memory
        self._reads = 0

    def of(self, keys: Sequence[str]) -> pa.Table:
        """The sheet's rows of some keys, in the order asked for; those that are not in this version are left out."""
        if self._keeps:
            rows, place = self._kept
        else:
            rows = self._looked_up(keys, self._columns)
            place = {key: at for at, key in enumerate(rows[self._columns[0]].to_pylist())}
        taken = rows.take(pa.array([place[key] for key in keys if key in place], pa.int64()))
        return taken.select(self._columns)

    def where(self, filters: Filters) -> pa.Table:
        """The sheet's rows within some limits, in order of key.

        Raises:
            ConfigError: A filter is too long.
        """
        condition, asked = where(filters), self._table.search()
        if self._keeps and not condition:
            return self._kept[0].select(self._columns)
        rows = (asked.where(condition) if condition else asked).select(self._columns).to_arrow()
        return rows.combine_chunks().sort_by(self._columns[0])

    def read(self, keys: Sequence[str], columns: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Other columns of the table, by key.

        Args:
            keys: Which rows; those that are not in this version are left out.
            columns: Which columns, the key among them.
        """
        self._reads += 1
        if self._keeps and (self._reads > FIRST_READS or "_kept" in vars(self)):
            rows, place = self._kept
            at = [place[key] for key in dict.fromkeys(keys) if key in place]
            ids = rows[_ROW_ID].take(pa.array(at, pa.int64())).to_pylist()
            found = self._table.take_row_ids(ids).select(list(columns)).to_arrow().to_pylist() if ids else []
        else:
            found = self._looked_up(keys, list(columns)).to_pylist()
        return {row[self._columns[0]]: row for row in found}

    @cached_property
    def _kept(self) -> tuple[pa.Table, dict[str, int]]:
        asked = self._table.search().select(self._columns).with_row_id(True)
        rows = asked.to_arrow().combine_chunks().sort_by(self._columns[0])
        return rows, {key: at for at, key in enumerate(rows[self._columns[0]].to_pylist())}

    def _looked_up(self, keys: Sequence[str], columns: list[str]) -> pa.Table:
        """Rows whose key is one of some, in no order."""
        found = [pa.schema([self._table.schema.field(name) for name in columns]).empty_table()]
        for at in range(0, len(keys), _KEYS_PER_LOOKUP):
            listed = ", ".join(literal(key) for key in keys[at : at + _KEYS_PER_LOOKUP])
            asked = self._table.search().where(f"{self._columns[0]} IN ({listed})").select(columns)
            found.append(asked.limit(2 * _KEYS_PER_LOOKUP).to_arrow())
        return pa.concat_tables(found)
