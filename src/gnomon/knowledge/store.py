"""Stores: one Lance table each, with one tagged version per step.

A *row* is known by the hash of what it holds (``row_hash``), so making a table hold what is wanted
is a difference of two sets: rows are added in commits of bounded size, the rest is deleted, the
indices follow, and only then the version gets the step's identity as its *tag*. Killed anywhere, the
next run finds the rows that were committed and goes on. Readers open tags, never the table's tip.

LanceDB searches; the ``lance`` package under it says which files a version consists of and frees
old versions while tags stand, which LanceDB itself refuses to do.
"""

import datetime
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from gnomon.core.errors import CorruptArtifact
from gnomon.core.hashing import combined_hash, text_hash
from gnomon.knowledge.opening import TABLE, connect, dataset, open_table
from gnomon.knowledge.versions import filesystem, hashed_files, object_sha256
from gnomon.runs.output import StorePlace
from gnomon.runs.record import StoreUse

ROW_HASH = "row_hash"
ROWS_PER_COMMIT = 20_000
FRAGMENTS = 8
"""Files of rows a table may have before they are joined: one more with each update."""
_HASHES_PER_DELETE = 1_000
_CANNOT_READ = (OSError, ValueError, RuntimeError)
Indexer = Callable[[Any], None]
Filler = Callable[[Any, pa.Table], pa.Table]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a table looks like."""

    schema: pa.Schema
    """Its columns, ``row_hash`` first."""
    hashed: tuple[str, ...]
    """The columns whose values make up ``row_hash``, in order."""
    index: Indexer
    """Creates the indices that are missing on a table."""
    fill: Filler | None = None
    """Computes the columns that new rows lack, given the table and the new rows."""
    rows_per_commit: int = ROWS_PER_COMMIT
    """New rows that are added at once."""


def row_hash(row: dict[str, Any], hashed: Sequence[str]) -> str:
    """The hash a row is known by."""
    return text_hash(json.dumps([row[name] for name in hashed], ensure_ascii=False, separators=(",", ":")))


def with_hashes(rows: list[dict[str, Any]], schema: pa.Schema, hashed: Sequence[str]) -> pa.Table:
    """Rows as an Arrow table, each with its hash."""
    for row in rows:
        row[ROW_HASH] = row_hash(row, hashed)
    return pa.Table.from_pylist(rows, schema=schema)


# Making a table hold what is wanted -----------------------------------------------------------


def sync(place: StorePlace, layout: Layout, wanted: Callable[[], Iterable[pa.Table]], tag: str) -> StoreUse:
    """Make the store's newest version hold exactly the wanted rows, and tag it.

    Args:
        place: The store; the caller holds its lock.
        layout: Its columns and indices.
        wanted: Gives the rows in blocks, with their hashes; called again when the table must be made anew.
        tag: The name of the version: the step's identity.

    Returns:
        The version, for the step's record.

    Raises:
        CorruptArtifact: The table does not hold the wanted rows even when made anew.
    """
    table = open_table(place)
    if table is None or table.schema.names != layout.schema.names:
        table = connect(place).create_table(TABLE, schema=layout.schema, mode="overwrite")
    hashes = _bring(table, layout, wanted())
    if table.count_rows() != len(hashes):
        table.delete("true")
        hashes = _bring(table, layout, wanted())
        if table.count_rows() != len(hashes):
            raise CorruptArtifact(
                f"{place.url} holds {table.count_rows()} rows, wanted {len(hashes)}.",
                "Delete this store and run again: it is made from the artifacts.",
            )
    layout.index(table)
    _tidy(place)
    table.checkout_latest()
    _set_tag(table, tag)
    clean(place)
    return StoreUse(
        key=place.key, tag=tag, rows=len(hashes), digest=combined_hash(sorted(hashes)),
        check="gnomon.knowledge.store:check", files=tuple(hashed_files(place, tag)),
        sweep="gnomon.knowledge.store:sweep",
    )  # fmt: skip


def _bring(table: Any, layout: Layout, wanted: Iterable[pa.Table]) -> set[str]:
    """Add what is missing, delete what is not wanted; the hashes of the wanted rows."""
    have = set(_values(table, ROW_HASH))
    seen: set[str] = set()
    for block in _blocks(_fresh(wanted, have, seen), layout.rows_per_commit):
        table.add(layout.fill(table, block) if layout.fill else block)
    dead = sorted(have - seen)
    for at in range(0, len(dead), _HASHES_PER_DELETE):
        listed = ", ".join(f"'{value}'" for value in dead[at : at + _HASHES_PER_DELETE])
        table.delete(f"{ROW_HASH} IN ({listed})")
    return seen


def _values(table: Any, column: str) -> Iterator[str]:
    for batch in table.search().select([column]).to_batches():
        yield from batch.column(0).to_pylist()


def _fresh(wanted: Iterable[pa.Table], have: set[str], seen: set[str]) -> Iterator[pa.Table]:
    for block in wanted:
        hashes = block[ROW_HASH].to_pylist()
        new = []
        for value in hashes:
            new.append(value not in have and value not in seen)
            seen.add(value)
        if any(new):
            yield block.filter(pa.array(new))


def _blocks(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in blocks of exactly ``rows`` rows (the last may be smaller)."""
    held: list[pa.Table] = []
    count = 0
    for table in tables:
        held.append(table)
        count += table.num_rows
        while count >= rows:
            whole = pa.concat_tables(held)
            yield whole.slice(0, rows)
            held = [whole.slice(rows)]
            count -= rows
    if count:
        yield pa.concat_tables(held)


def _tidy(place: StorePlace) -> None:
    """Join small files, when there are many, and bring every index up to date.

    Joining rewrites the whole of a small table, so that the version would share nothing with the one
    before it. ``Table.optimize`` of LanceDB is not used: it also prunes versions older than a week, and
    fails as soon as one of them has a tag.
    """
    data = dataset(place)
    if len(data.get_fragments()) > FRAGMENTS:
        data.optimize.compact_files()
    data.optimize.optimize_indices()


def _set_tag(table: Any, tag: str) -> None:
    if tag in table.tags.list():
        table.tags.update(tag, table.version)
    else:
        table.tags.create(tag, table.version)


# Old versions ---------------------------------------------------------------------------------


def clean(place: StorePlace) -> None:
    """Free every version that has no tag and is not the newest, and what killed runs left behind.

    Files that no version knows are freed at once on a local disk, where the caller's lock proves that
    nobody is writing them; in an object store only when they are older than a week.
    """
    local = "://" not in place.url
    dataset(place).cleanup_old_versions(
        datetime.timedelta(0), delete_unverified=local, error_if_tagged_old_versions=False
    )


def sweep(place: StorePlace, tags: Collection[str]) -> None:
    """Drop every tag that is not in ``tags``, and free what only those versions held."""
    table = open_table(place)
    if table is None:
        return
    for tag in sorted(table.tags.list()):
        if tag not in tags:
            table.tags.delete(tag)
    clean(place)


# Verifying ------------------------------------------------------------------------------------


def check(place: StorePlace, use: StoreUse) -> list[str]:
    """What is wrong with a tagged version: missing or changed files, then wrong rows."""
    fs, root = filesystem(place)
    problems = []
    for name, sha256 in use.files:
        if not fs.exists(f"{root}/{name}"):
            problems.append(f"missing: {name}")
        elif object_sha256(fs, f"{root}/{name}") != sha256:
            problems.append(f"changed: {name}")
    return problems or _check_rows(place, use)


def _check_rows(place: StorePlace, use: StoreUse) -> list[str]:
    try:
        table = open_table(place, use.tag)
        hashes = [] if table is None else sorted(_values(table, ROW_HASH))
    except _CANNOT_READ as error:
        return [f"unreadable: {error}"]
    if len(hashes) != use.rows:
        return [f"changed: {len(hashes)} rows, {use.rows} recorded"]
    return [] if combined_hash(hashes) == use.digest else ["changed: its rows are not those recorded"]
