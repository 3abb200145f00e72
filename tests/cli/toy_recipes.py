"""Small real recipes that the tests of the commands run."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json
from gnomon.core.records import Biblio, Chunk, Document, Drop, Item, Mark, Source
from gnomon.core.tables import read_table, write_table
from gnomon.runs import Counts, FileSet, Output, Recipe, Serve, Step


@dataclass(frozen=True, kw_only=True)
class NoConfig:
    """Nothing to set."""


@dataclass(frozen=True, kw_only=True)
class WithholdConfig:
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FailConfig:
    how: str = "value"


def ingest(config: NoConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Every text file is a document; a file of zero bytes is dropped."""
    documents, drops, marks = [], [], []
    files = FileSet.from_row(read_json(inputs["files"]))
    out.meter.total(len(files.files), "files")
    for file in files.files:
        text = Path(file.path).read_text(encoding="utf-8")
        stem = file.name.rpartition("/")[2].partition(".")[0]
        source = Source(kind="text", key=file.name, sha256=file.sha256, licence="CC0-1.0", url=f"https://x.test/{stem}")
        if not text.strip():
            drops.append(Drop(doc_id=f"file:{file.name}", reason="empty", detail="0 characters"))
            continue
        title, _, body = text.partition("\n")
        documents.append(
            Document(id=f"local:{stem}", title=title, text=body, lang="en", source=source, biblio=Biblio(year=1917))
        )
        marks.append(Mark(doc_id=f"local:{stem}", name="column/note", value='"kept"'))
        out.meter.advance(1)
    write_table(out.path / "documents" / "0.parquet", Document, documents)
    write_table(out.path / "marks" / "0.parquet", Mark, marks)
    write_table(out.path / "drops.parquet", Drop, drops)
    return Counts(taken=len(files.files), kept=len(documents), dropped={"empty": len(drops)} if drops else {})


def dedup(config: WithholdConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Drops documents whose text was seen, or whose id is withheld."""
    seen: dict[str, str] = {}
    kept, drops = [], []
    for document in read_table(inputs["documents"] / "documents", Document):
        twin = seen.setdefault(document.text_hash, document.id)
        if document.id in config.ids:
            drops.append(Drop(doc_id=document.id, reason="withheld"))
        elif twin != document.id:
            drops.append(Drop(doc_id=document.id, reason="duplicate_exact", detail=f"same text as {twin}"))
        else:
            kept.append(document.with_text(document.text.strip()))
    write_table(out.path / "documents" / "0.parquet", Document, kept)
    write_table(out.path / "drops.parquet", Drop, drops)
    reasons: dict[str, int] = {}
    for drop in drops:
        reasons[drop.reason] = reasons.get(drop.reason, 0) + 1
    return Counts(taken=len(kept) + len(drops), kept=len(kept), dropped=reasons)


def chunk(config: NoConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """One chunk a document."""
    chunks = []
    for d in read_table(inputs["documents"] / "documents", Document):
        span = d.span(0, len(d.text))
        chunks.append(Chunk(id=f"{d.id}#0-{len(d.text)}@{d.text_hash[3:11]}", span=span))
    write_table(out.path / "chunks" / "0.parquet", Chunk, chunks)
    return Counts(taken=len(chunks), kept=len(chunks), made={"chunks": len(chunks)})


def index(config: NoConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Stands for an index: one file."""
    (out.path / "index.txt").write_text("ready")
    return Counts(taken=1, kept=1)


def items(config: NoConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """One question."""
    item = Item(id="q-1", prompt="Which way?", choices=("up", "down"), targets=(1,), evidence="The star went down.")
    write_table(out.path / "items.parquet", Item, [item])
    return Counts(taken=1, kept=1)


def fail(config: FailConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Fails as it is told to."""
    if config.how == "slow":
        print("begun", flush=True)
        time.sleep(60)
    raise {"value": ValueError("broken on purpose"), "interrupt": KeyboardInterrupt()}[config.how]


def library(arguments: Mapping[str, Any]) -> Recipe:
    """Files to an expert of toy steps; the shape of the real library recipe."""
    files = FileSet.from_row(arguments["files"])
    read = Step(
        name="corpus/ingest", entry="toy_recipes:ingest", version=1, config=NoConfig(), sources={"files": files}
    )
    one = Step(name="corpus/dedup", entry="toy_recipes:dedup", version=1, inputs={"documents": read},
               config=WithholdConfig(ids=tuple(arguments.get("removed", ()))))  # fmt: skip
    cut = Step(
        name="knowledge/chunk", entry="toy_recipes:chunk", version=1, config=NoConfig(), inputs={"documents": one}
    )
    found = Step(name="knowledge/index", entry="toy_recipes:index", version=1, config=NoConfig(),
                 inputs={"documents": one, "chunks": cut})  # fmt: skip
    asked = Step(name="evaluation/items", entry="toy_recipes:items", version=1, config=NoConfig())
    parts = {"index": found, "chunk": cut, "dedup": one, "ingest": read, "items": asked}
    return Recipe(name="library", goals=(found, asked), arguments=dict(arguments),
                  serve=Serve(name=arguments.get("name") or "toys", parts=parts))  # fmt: skip


def failing(arguments: Mapping[str, Any]) -> Recipe:
    """A recipe whose only step raises."""
    step = Step(name="toy/fail", entry="toy_recipes:fail", version=1, config=FailConfig())
    return Recipe(name="failing", goals=(step,))


def slow(arguments: Mapping[str, Any]) -> Recipe:
    """A recipe whose only step takes a minute."""
    step = Step(name="toy/fail", entry="toy_recipes:fail", version=1, config=FailConfig(how="slow"))
    return Recipe(name="slow", goals=(step,))


def interrupted(arguments: Mapping[str, Any]) -> Recipe:
    """A recipe whose only step is interrupted from the keyboard."""
    step = Step(name="toy/fail", entry="toy_recipes:fail", version=1, config=FailConfig(how="interrupt"))
    return Recipe(name="interrupted", goals=(step,))
