"""Works: what is known of a paper that tells which others are like it.

A *work* is a title, its authors and what it cites. It comes from a document, from a citation graph
(Paperscape's files: one line a paper), or from both; only a document has a text. *Kept out* are the
queries of an evaluation, by id and by title, since one paper may go by two ids.
"""

import contextlib
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.records import Document, Drop
from gnomon.core.tables import read_table
from gnomon.core.text import terms
from gnomon.core.wording import say
from gnomon.runs.sources import FileSet

FIELDS = 7
"""Of a line of Paperscape: id; categories; references found; references in all; references; authors; title."""
CHARACTERS = 4_000
"""Characters kept of a text: more than any window of an embedder of this kind reads."""
EXCERPT = 200
_INITIALS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One paper."""

    id: str
    """``arxiv:hep-th/9301042``, as documents have it."""
    title: str
    """Its title."""
    authors: tuple[str, ...] = ()
    """Keys of its authors (``author_key``)."""
    cites: tuple[str, ...] = ()
    """Ids of the works it cites."""
    text: str = ""
    """The beginning of its text; empty for a work that only the graph knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptOut:
    """The queries of an evaluation."""

    ids: frozenset[str]
    """Bare ids (``bare_id``)."""
    titles: frozenset[str]
    """Folded titles (``title_key``)."""


def bare_id(identifier: str) -> str:
    """An id without its prefix, lower case, so that ``arxiv:hep-th/9301042`` and ``hep-th/9301042`` are one."""
    return identifier.strip().casefold().removeprefix("arxiv:").removeprefix("local:")


def title_key(title: str) -> str:
    """A title's words alone, for finding the same work under another id."""
    return " ".join(terms(title))


def author_key(name: str) -> str:
    """Initials and surname of ``U.M.Heller``, ``Urs M. Heller`` or ``Heller, U. M.``: ``um heller``."""
    if "," in name:
        surname, _, given = name.partition(",")
        parts = [*given.replace(".", " ").split(), surname.strip()]
    else:
        parts = name.replace(".", " ").split()
    if not parts:
        return ""
    initials = "".join(match[0] for part in parts[:-1] if (match := _INITIALS.search(part)))
    return f"{initials} {parts[-1]}".strip().casefold()


def read_works(documents: Path, graph: FileSet | None) -> tuple[dict[str, Work], list[Drop]]:
    """Every work of some documents and of a citation graph, by id, in order of id.

    Args:
        documents: A folder of ``Document`` tables.
        graph: Files of a citation graph, or None.

    Returns:
        The works, and the lines of the graph that could not be read.
    """
    works = {document.id: _of_document(document) for document in read_table(documents, Document)}
    faults: list[Drop] = []
    for found in _graph(graph) if graph else ():
        if isinstance(found, Drop):
            faults.append(found)
        else:
            works[found.id] = _joined(works[found.id], found) if found.id in works else found
    return dict(sorted(works.items())), faults


def _of_document(document: Document) -> Work:
    cited = (reference.doc_id for reference in document.references if reference.doc_id)
    return Work(
        id=document.id, title=document.title, text=document.text[:CHARACTERS],
        authors=tuple(filter(None, (author_key(author.name) for author in document.biblio.authors))),
        cites=tuple(dict.fromkeys(cited)),
    )  # fmt: skip


def _joined(known: Work, graph: Work) -> Work:
    """A document's title and text, the graph's authors (one spelling for all), the references of both."""
    cites = tuple(dict.fromkeys([*known.cites, *graph.cites]))
    return replace(known, title=known.title or graph.title, authors=graph.authors or known.authors, cites=cites)


def _graph(files: FileSet) -> Iterator[Work | Drop]:
    for entry in files.files:
        for number, line in enumerate(_lines(Path(entry.path)), 1):
            if not line.strip() or line.startswith("#"):
                continue
            parts = line.split(";", FIELDS - 1)
            if len(parts) < FIELDS or not parts[0].strip():
                yield Drop(
                    doc_id=f"file:{entry.name}", reason="broken_line", detail=f"line {number}", excerpt=line[:EXCERPT]
                )
                continue
            yield Work(
                id=f"arxiv:{parts[0].strip().casefold()}", title=parts[6].strip(),
                authors=tuple(filter(None, (author_key(name) for name in parts[5].split(",")))),
                cites=tuple(dict.fromkeys(f"arxiv:{c.strip().casefold()}" for c in parts[4].split(",") if c.strip())),
            )  # fmt: skip


def read_kept_out(files: FileSet, works: Iterable[Work]) -> KeptOut:
    """The queries that no pair may touch.

    Args:
        files: JSON Lines with ``_id`` or ``id`` and perhaps ``title`` (BEIR's ``queries.jsonl``), or plain lists of
            ids, one a line; ``.gz`` is unpacked.
        works: The works, for the titles of queries that are among them.

    Raises:
        DataError: A line is not a query, or there is none at all.
    """
    ids, titles = set[str](), set[str]()
    for entry in files.files:
        for number, line in enumerate(_lines(Path(entry.path)), 1):
            if line.strip():
                identifier, title = _query(line.strip(), f"{entry.name}, line {number}")
                ids.add(bare_id(identifier))
                titles.add(title_key(title))
    if not ids:
        raise DataError(
            say("The list of queries to keep out is empty.", "除外すべき検索質問の一覧が空である。"),
            say("Name the file of the evaluation's queries, or give none.", "評価の質問ファイルを指定するか、省く。"),
        )
    titles |= {title_key(work.title) for work in works if bare_id(work.id) in ids}
    return KeptOut(ids=frozenset(ids), titles=frozenset(titles - {""}))


def _query(line: str, place: str) -> tuple[str, str]:
    if not line.startswith("{"):
        return line, ""
    try:
        row: dict[str, Any] = json.loads(line)
        return str(row["_id"] if "_id" in row else row["id"]), str(row.get("title") or "")
    except (ValueError, KeyError) as error:
        raise DataError(
            say(f"{place} is not a query: {error!r}.", f"{place} は検索質問ではない: {error!r}。"),
            say("Wanted one JSON object a line with _id or id.", "1 行に _id か id を持つ JSON を書く。"),
        ) from error


def _lines(path: Path) -> Iterator[str]:
    with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else contextlib.nullcontext(raw) as file:
        for line in file:
            yield line.decode("utf-8", "replace").rstrip("\r\n")
