"""Documents and steps for tests of steps that pass documents on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.records import Biblio, Document, Drop, Mark, Pair, Source
from gnomon.core.tables import read_table, write_table
from gnomon.runs import Counts, Output, Recipe, Record, Step, Workspace, run


@dataclass(frozen=True, kw_only=True)
class ShelfConfig:
    rows: tuple[tuple[str, str, str, str], ...] = ()
    """(id, title, text, date)"""
    shards: int = 2
    pairs: tuple[tuple[str, str], ...] = ()
    spans: bool = False


def shelve(config: ShelfConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    documents = [document(*row) for row in config.rows]
    for shard in range(config.shards):
        part = documents[shard :: config.shards]
        write_table(out.path / "documents" / f"{shard:04d}.parquet", Document, part)
        marks = [Mark(doc_id=d.id, name="column/comments", value='"kept"') for d in part]
        write_table(out.path / "marks" / f"{shard:04d}.parquet", Mark, marks)
    write_table(out.path / "drops.parquet", Drop, [])
    if config.pairs:
        pairs = [Pair(a=a, b=b, jaccard=0.9, kind="near") for a, b in config.pairs]
        write_table(out.path / "pairs.parquet", Pair, pairs)
    return Counts(taken=len(documents), kept=len(documents))


def document(doc_id: str, title: str, text: str, date: str = "", **more: Any) -> Document:
    biblio = Biblio(date=date, year=int(date[:4]) if date else None)
    source = Source(kind="markdown", key=doc_id, sha256="0" * 64)
    return Document(id=doc_id, title=title, text=text, lang="und", source=source, biblio=biblio, **more)


def shelf(rows: Iterable[tuple[str, str, str, str]], **settings: Any) -> Step:
    return Step(name="toy/shelf", entry="shelves:shelve", version=1, config=ShelfConfig(rows=tuple(rows), **settings))


def make(step: Step, folder: Path) -> tuple[Record, Path]:
    workspace = Workspace(folder)
    record = run(Recipe(name="toy", goals=(step,)), workspace)[step.address]
    return record, workspace.artifact(step.address)


def documents_of(folder: Path) -> list[Document]:
    return list(read_table(folder / "documents", Document))


def drops_of(folder: Path) -> list[Drop]:
    return list(read_table(folder / "drops.parquet", Drop))
