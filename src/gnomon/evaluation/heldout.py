"""Held-out documents: which are measured on, chosen by seed, and why the others are not.

A *test set* is an artifact of documents (a part of ``corpus/split``, by time or by hash) of a
kind: ``domain`` shows what was gained, ``general`` what was forgotten. Which documents are taken
depends on seed and id alone, so a corpus that grows keeps most of its choice.
"""

import hashlib
import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.records import Document, Drop
from gnomon.core.tables import TableWriter, arrow_schema, from_row, read_batches
from gnomon.core.text import document_text
from gnomon.core.wording import say

KINDS = ("domain", "general")
PREFIX = "documents:"
Refuse = Callable[[str, str], str]
NOT_CHOSEN, EMPTY = "not_chosen", "empty"


@dataclass(frozen=True, kw_only=True)
class TestSet:
    """Documents to measure on."""

    __test__ = False  # not a class of tests, whatever pytest thinks of its name

    name: str
    """Its name in the tables; its artifact is ``inputs["documents:NAME"]``."""
    kind: str = "domain"
    """``domain`` (gain) or ``general`` (forgetting)."""
    part: str = "test"
    """Folder of the artifact that holds ``documents/``: ``test`` or ``development`` of a split, ``""`` for an
    artifact that is all held out."""
    label: str = ""
    """What a reader is told about it, empty for its name."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The documents of one test set that are measured on."""

    folder: Path
    """The folder of their Parquet files."""
    rows: tuple[int, ...]
    """Their rows in it, from 0, in order."""
    dropped: dict[str, int]
    """How many others there are, by reason."""

    def keys(self, size: int) -> list[int]:
        """The numbers of the blocks of at most ``size`` documents that they make."""
        return list(range(-(-len(self.rows) // size)))

    def sizes(self, size: int) -> list[int]:
        """How many documents each of those blocks has."""
        return [min(size, len(self.rows) - block * size) for block in self.keys(size)]

    def blocks(self, size: int, wanted: Collection[int]) -> Iterator[tuple[int, list[Document]]]:
        """Some of those blocks, in order, read in one pass over the files."""
        block_of = {row: i // size for i, row in enumerate(self.rows) if i // size in wanted}
        ends = {self.rows[min((block + 1) * size, len(self.rows)) - 1]: block for block in wanted}
        held: list[Document] = []
        start = 0
        for batch in read_batches(self.folder, arrow_schema(Document).names):
            here = [row for row in range(start, start + batch.num_rows) if row in block_of]
            taken = batch.take(pa.array([row - start for row in here], pa.int64()))
            start += batch.num_rows
            for row, values in zip(here, taken.to_pylist(), strict=True):
                held.append(from_row(Document, values))
                if row in ends:
                    yield ends[row], held
                    held = []


def check_tests(tests: Sequence[TestSet], step: str) -> None:
    """Refuse test sets that cannot be used.

    Raises:
        ConfigError: There is none, a kind is unknown, or a name is used twice.
    """
    names = [test.name for test in tests]
    if not names or len(set(names)) != len(names):
        raise ConfigError(f"{step}: tests = {names}.", "Give at least one test set, and every name once.")
    for test in tests:
        if test.kind not in KINDS:
            raise ConfigError(
                f"{step}: the test set {test.name!r} has the kind {test.kind!r}.", f"Kinds: {', '.join(KINDS)}."
            )


def nothing_to_read(title: str, body: str) -> str:
    """Why a document cannot be read at all: ``empty``, or nothing."""
    return "" if document_text(title, body) else EMPTY


def choose(
    test: TestSet,
    inputs: Mapping[str, Path],
    limit: int,
    seed: int,
    drops: TableWriter,
    refuse: Refuse = nothing_to_read,
) -> Choice:
    """Choose the documents of a test set; every other one is written to ``drops`` with its reason.

    Args:
        test: The test set.
        inputs: Holds its artifact.
        limit: Most documents taken; 0 takes all.
        seed: Of the choice.
        drops: Receives what is left out.
        refuse: Says for title and body why a document cannot be used, nothing when it can.

    Raises:
        DataError: The artifact has no such part, or nothing in it can be used.
    """
    folder = inputs[PREFIX + test.name] / test.part / "documents"
    if not folder.is_dir():
        raise DataError(
            say(f"The test set {test.name!r} has no documents in its part {test.part!r}: {folder} is missing.",
                f"テストセット {test.name!r} の {test.part!r} に文書がない（{folder} が見つからない）。"),
            say("Name a part that its step leaves: test, development, or '' for all of it.",
                "test、development、または全体を指す '' を指定する。"),
        )  # fmt: skip
    best: list[tuple[int, int]] = []
    for row, (doc_id, reason) in enumerate(_reasons(folder, refuse)):
        if not reason:
            place = (-_place(doc_id, seed), -row)
            if not limit or len(best) < limit:
                heapq.heappush(best, place)
            else:
                heapq.heappushpop(best, place)
    rows = tuple(sorted(-row for _, row in best))
    if not rows:
        raise DataError(
            say(f"The test set {test.name!r} holds no document that can be used.",
                f"テストセット {test.name!r} に使える文書がない。"),
            say("Hold out more documents.", "評価用に取り分ける文書を増やす。"),
        )  # fmt: skip
    return Choice(folder, rows, _note_drops(test.name, _reasons(folder, refuse), set(rows), drops))


def _note_drops(test: str, reasons: Iterable[tuple[str, str]], chosen: set[int], drops: TableWriter) -> dict[str, int]:
    dropped: dict[str, int] = {}
    for row, (doc_id, reason) in enumerate(reasons):
        if row not in chosen:
            code = reason or NOT_CHOSEN
            drops.write(Drop(doc_id=doc_id, reason=code, detail=f"test set {test}"))
            dropped[code] = dropped.get(code, 0) + 1
    return dict(sorted(dropped.items()))


def _reasons(folder: Path, refuse: Refuse) -> Iterator[tuple[str, str]]:
    """Ids of documents, and why each cannot be used."""
    for batch in read_batches(folder, ["id", "title", "text"]):
        columns = (batch.column(name).to_pylist() for name in ("id", "title", "text"))
        for doc_id, title, text in zip(*columns, strict=True):
            yield str(doc_id), refuse(title, text)


def _place(doc_id: str, seed: int) -> int:
    data = f"{seed}\0{doc_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())
