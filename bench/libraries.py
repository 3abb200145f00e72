"""Libraries for the benches of `ask`: the starter notes, and all of astro_ph.parquet, as their recipes index them.

Built once below a working folder and opened again afterwards.
"""

from pathlib import Path
from typing import Any

from gnomon.corpus import steps as corpus
from gnomon.knowledge import steps as knowledge
from gnomon.knowledge.library import Library
from gnomon.llm.embedders import PACKAGED
from gnomon.runs import FileSet, Recipe, Serve, Workspace, run
from gnomon.runs.experts import open_expert

ROOT = Path(__file__).parents[1]
STARTER = ROOT / "src" / "gnomon_recipes" / "starter"
ASTRO_PH = ROOT.parent / "shared" / "data" / "arxiv" / "astro_ph.parquet"


def starter(work: Path) -> Library:
    """The starter notes with full text and vectors."""
    return opened(work / "starter", "starter", sorted(STARTER.glob("notes_*.jsonl")), vectors=True)


def astro_ph(work: Path) -> Library:
    """42,000 arXiv records with full text; vectors would take half an hour here."""
    return opened(work / "astro_ph", "astro-ph", [ASTRO_PH], vectors=False)


def opened(place: Path, name: str, files: list[Path], *, vectors: bool) -> Library:
    documents = corpus.ingest(FileSet.scan(files))
    chunks = knowledge.chunk(documents)
    parts: dict[str, Any] = {"index": knowledge.index(documents, chunks, library=name)}
    if vectors:
        parts["vectors"] = knowledge.vectors(documents, chunks, parts["index"], embedder=PACKAGED, languages=("en",))
    workspace = Workspace(str(place))
    run(Recipe(name=name, goals=tuple(parts.values()), serve=Serve(name=name, parts=parts)), workspace)
    return Library.open(workspace, open_expert(workspace, name))
