"""Small libraries for tests: a step that leaves the documents it is told to, and recipes over it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.records import Author, Biblio, Document, ModelRef, Section, Source
from gnomon.core.tables import write_table
from gnomon.knowledge import steps
from gnomon.knowledge.library import Library
from gnomon.runs import Counts, Output, Recipe, Serve, Step, Workspace, run
from gnomon.runs.experts import open_expert

LOADER = "gnomon.llm.fakes:load_hash_embedder"
MODEL = ModelRef(name="fake-hash", revision="1")


@dataclass(frozen=True, kw_only=True)
class PapersConfig:
    papers: str = "[]"
    """The papers as JSON."""
    shard: int = 3
    """Papers in a file."""


def write(config: PapersConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    documents = [as_document(paper) for paper in json.loads(config.papers)]
    for number, at in enumerate(range(0, max(1, len(documents)), config.shard)):
        write_table(out.path / "documents" / f"{number:05d}.parquet", Document, documents[at : at + config.shard])
    return Counts(taken=len(documents), kept=len(documents))


def as_document(paper: Mapping[str, Any]) -> Document:
    name = paper["id"]
    return Document(
        id=f"local:{name}", title=paper.get("title", ""), text=paper.get("text", ""), lang=paper.get("lang", "en"),
        source=Source(kind=paper.get("kind", "markdown"), key=paper.get("key", f"{name}.md"), sha256="0"),
        sections=tuple(Section(**section) for section in paper.get("sections", ())),
        biblio=Biblio(
            authors=tuple(Author(name=author) for author in paper.get("authors", ())),
            year=paper.get("year"), categories=tuple(paper.get("categories", ())),
        ),
    )  # fmt: skip


PAPERS: list[dict[str, Any]] = [
    {"id": "dust", "title": "Dust in old shells", "year": 1994, "authors": ["Öpik, E."], "categories": ["astro-ph.GA"],
     "text": "Cold dust hides the light of young stars. We map it in the far infrared."},
    {"id": "pulsar", "title": "A timing array of pulsars", "year": 2015, "authors": ["O'Neil, J.", "Sato, K."],
     "categories": ["astro-ph.HE", "gr-qc"], "text": "Pulsars keep time. Waves of gravity stretch the path of each pulse."},
    {"id": "halo", "title": "Halos of dark matter", "year": 2021, "authors": ["Sato, K."], "categories": ["astro-ph.CO"],
     "text": "Dark matter gathers in halos. Simulations of halos agree with lensing.", "kind": "pdf", "key": "thesis/halo.pdf"},
    {"id": "hole", "title": "銀河中心のブラックホール", "year": 2019, "authors": ["佐藤 花子"], "lang": "ja",
     "categories": ["astro-ph.HE"], "text": "銀河の中心には巨大なブラックホールがある。電波の観測でその影が見えた。"},
    {"id": "planet", "title": "系外惑星の大気", "year": 2023, "authors": ["山田 太郎"], "lang": "ja",
     "text": "TESSが見つけた系外惑星の大気を分光した。水蒸気の線が見える。"},
    {"id": "title-only", "title": "Spectra of quiet comets", "year": 1986},
]  # fmt: skip


def documents_step(papers: Sequence[Mapping[str, Any]], shard: int = 3) -> Step:
    config = PapersConfig(papers=json.dumps(list(papers), ensure_ascii=False), shard=shard)
    return Step(name="corpus/papers", entry="papers:write", version=1, config=config)


def recipe(papers: Sequence[Mapping[str, Any]], *, library: str = "main", name: str = "", **vectors: Any) -> Recipe:
    """Documents, chunks, index; and vectors unless ``vectors=False``-like settings say otherwise."""
    documents = documents_step(papers)
    chunks = steps.chunk(documents)
    index = steps.index(documents, chunks, library=library)
    settings = {"loader": LOADER, "languages": ("en",), **vectors}
    dense = steps.vectors(documents, chunks, index, embedder=MODEL, **settings)
    serve = Serve(name=name or library, parts={"index": index, "vectors": dense})
    return Recipe(name="papers", goals=(index, dense), serve=serve)


def build(folder: Path, papers: Sequence[Mapping[str, Any]] = PAPERS, **settings: Any) -> tuple[Workspace, Library]:
    """Build and open a library."""
    workspace = Workspace(folder)
    made = recipe(papers, **settings)
    run(made, workspace)
    assert made.serve is not None
    return workspace, Library.open(workspace, open_expert(workspace, made.serve.name))


def record_of(workspace: Workspace, name: str, papers: Sequence[Mapping[str, Any]] = PAPERS, **settings: Any) -> Any:
    """The record of the step of one name that these papers and settings make."""
    (step,) = [step for step in recipe(papers, **settings).steps() if step.name == name]
    return workspace.record(step.address)


def ids(hits: Sequence[Any]) -> list[str]:
    """The documents of some hits, by their short names."""
    return [hit.doc_id.removeprefix("local:") for hit in hits]
