"""The texts that every system of ``evaluation/embedding`` turns into vectors.

A *collection* is texts in blocks: the chosen documents, and the passages and queries of a
*retrieval set*. Such a set comes as the field's three files (BEIR, Thakur et al. 2021):
``corpus.jsonl`` and ``queries.jsonl`` (``_id``, ``title``, ``text``), and ``qrels.tsv`` or
``qrels/test.tsv`` (query, passage, score), each of them gzipped or not.
"""

import gzip
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gnomon.core.errors import DataError
from gnomon.core.text import document_text
from gnomon.core.wording import say
from gnomon.evaluation.heldout import Choice
from gnomon.runs.sources import FileSet

Blocks = Callable[[Collection[int]], Iterator[tuple[int, list[str]]]]


@dataclass(frozen=True, kw_only=True)
class Texts:
    """A collection of texts in blocks of one size, streamed."""

    name: str
    """``documents``, ``passages`` or ``queries``."""
    size: int
    """How many there are."""
    block: int
    """Texts in a block; the last may have fewer."""
    read: Blocks
    """Gives the wanted blocks in order."""

    @property
    def blocks(self) -> range:
        """The numbers of the blocks."""
        return range(-(-self.size // self.block))


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query of a retrieval set."""

    id: str
    """Its id; the passage of the same id is never an answer to it."""
    text: str
    """What is asked."""
    apart: bool
    """Whether it belongs to the field that is shown apart."""
    relevant: frozenset[int]
    """Rows of the passages that answer it."""


@dataclass(frozen=True, kw_only=True)
class RetrievalSet:
    """Queries, and where the passages are."""

    corpus: Path
    """The file of the passages."""
    row_of: dict[str, int]
    """Row of each passage in that file, by id."""
    queries: tuple[Query, ...]
    """The queries that have an answer among the passages."""
    unanswered: int
    """Queries without one, left out."""


def document_texts(choice: Choice, block: int) -> Texts:
    """The chosen documents as language models read them."""

    def read(wanted: Collection[int]) -> Iterator[tuple[int, list[str]]]:
        for number, documents in choice.blocks(block, wanted):
            yield number, [document_text(d.title, d.text) for d in documents]

    return Texts(name="documents", size=len(choice.rows), block=block, read=read)


def passage_texts(found: RetrievalSet, block: int) -> Texts:
    """The passages of a retrieval set, read as documents are."""

    def read(wanted: Collection[int]) -> Iterator[tuple[int, list[str]]]:
        texts = (document_text(str(row.get("title") or ""), str(row.get("text") or "")) for row in _rows(found.corpus))
        return _blocks(texts, block, wanted)

    return Texts(name="passages", size=len(found.row_of), block=block, read=read)


def query_texts(found: RetrievalSet, block: int) -> Texts:
    """The queries of a retrieval set."""

    def read(wanted: Collection[int]) -> Iterator[tuple[int, list[str]]]:
        return _blocks((query.text for query in found.queries), block, wanted)

    return Texts(name="queries", size=len(found.queries), block=block, read=read)


def _blocks(texts: Iterator[str], size: int, wanted: Collection[int]) -> Iterator[tuple[int, list[str]]]:
    held: list[str] = []
    number, last = 0, max(wanted, default=-1)
    for text in texts:
        if number > last:
            return
        held.append(text)
        if len(held) == size:
            if number in wanted:
                yield number, held
            held, number = [], number + 1
    if held and number in wanted:
        yield number, held


def read_retrieval(files: FileSet, field: str, apart: str) -> RetrievalSet:
    """A retrieval set from its files.

    Args:
        files: Holds the three files.
        field: What of a query is asked: ``title`` or ``text``; the other one where it is empty.
        apart: Beginning of the category codes that are shown apart (``astro-ph``).

    Raises:
        DataError: A file is missing or not of the format, or no query has an answer.
    """
    corpus, asked, judged = _files(files)
    row_of = {str(row["_id"]): i for i, row in enumerate(_rows(corpus))}
    relevant: dict[str, set[int]] = {}
    with _open(judged) as lines:
        for line in lines:
            parts = line.decode("utf-8").split()
            if len(parts) == 3 and parts[1] in row_of and _positive(parts[2]):
                relevant.setdefault(parts[0], set()).add(row_of[parts[1]])
    rows = list(_rows(asked))
    queries = tuple(
        Query(
            id=str(row["_id"]),
            text=str(row.get(field) or row.get("text") or row.get("title") or ""),
            apart=_apart(row, apart),
            relevant=frozenset(relevant[str(row["_id"])]),
        )
        for row in rows
        if str(row["_id"]) in relevant
    )
    if not queries:
        raise _bad(f"{judged.name}", say("no query has an answer", "正解のある検索文がない"))
    return RetrievalSet(corpus=corpus, row_of=row_of, queries=queries, unanswered=len(rows) - len(queries))


def _positive(score: str) -> bool:
    try:
        return float(score) > 0
    except ValueError:  # the head of the table
        return False


def _apart(row: dict[str, Any], field: str) -> bool:
    """Whether a query's paper lies in a field: by its first category, by its id, or because the set says so."""
    if field == "astro-ph" and "is_astro" in row:
        return bool(row["is_astro"])
    codes = row.get("categories") or row.get("primary_category") or row["_id"]
    first = codes[0] if isinstance(codes, list) and codes else codes
    return bool(field) and str(first).removeprefix("arxiv:").startswith(field)


def _files(files: FileSet) -> tuple[Path, Path, Path]:
    wanted = {"corpus": ("corpus.jsonl",), "queries": ("queries.jsonl",), "qrels": ("qrels.tsv", "qrels/test.tsv")}
    found: dict[str, Path] = {}
    for entry in files.files:
        for role, names in wanted.items():
            if entry.name.removesuffix(".gz").endswith(names):
                found[role] = Path(entry.path)
    missing = [names[0] for role, names in wanted.items() if role not in found]
    if missing:
        raise _bad(", ".join(missing), say("not among the files", "ファイルがない"))
    return found["corpus"], found["queries"], found["qrels"]


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with _open(file) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _row(line, f"{file.name}, line {number}")


def _row(line: bytes, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise _bad(place, f"{error}") from error
    if not isinstance(row, dict) or "_id" not in row:
        raise _bad(place, say("no object with an _id", "_id のあるオブジェクトではない"))
    return row


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _bad(place: str, why: str) -> DataError:
    return DataError(
        say(f"The retrieval set cannot be used: {place}: {why}.", f"検索セットを使えない（{place}: {why}）。"),
        say("Wanted: corpus.jsonl, queries.jsonl, qrels.tsv in the layout of BEIR.",
            "BEIR の形式の corpus.jsonl、queries.jsonl、qrels.tsv を用意する。"),
    )  # fmt: skip
