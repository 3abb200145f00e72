"""How long a search takes on all of astro_ph.parquet: one reader, then 1 to 8 while the library is updated.

    python bench/search_latency.py [--work DIR] [--queries 60] [--out latency.json]

Readers are processes, each with its own library and warm. The update puts 100 more papers into the
same library, over and over, while they read. Vectors of passages are random (what a search of all of
them costs does not depend on what they say); a query is embedded by the packaged MiniLM, and that time counts.
"""

import argparse
import dataclasses
import hashlib
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from gnomon.core.protocols import Vectors
from gnomon.core.records import Author, Biblio, Document, ModelRef, Source
from gnomon.core.settings import Settings
from gnomon.core.tables import write_table
from gnomon.knowledge import steps
from gnomon.knowledge.library import Library
from gnomon.llm.embedders import PACKAGED, load_embedder
from gnomon.runs import Counts, Output, Recipe, Serve, Step, Workspace, run
from gnomon.runs.experts import open_expert

ASTRO_PH = Path(__file__).parents[1].parent / "shared" / "data" / "arxiv" / "astro_ph.parquet"
PER_SHARD = 4_000
LOADER = "search_latency:load_random"
MODES = ("text", "vector", "hybrid")
HELD_BACK = 2_000
ADDED = 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordsConfig:
    records: int


def write(config: RecordsConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """The first records of the file, as a step leaves them."""
    made = 0
    for number, batch in enumerate(pq.ParquetFile(ASTRO_PH).iter_batches(PER_SHARD)):
        rows = batch.to_pylist()[: config.records - made]
        if rows:
            write_table(out.path / "documents" / f"{number:05d}.parquet", Document, map(_document, rows))
            made += len(rows)
    return Counts(taken=made, kept=made)


def _document(row: Mapping[str, Any]) -> Document:
    return Document(
        id=f"arxiv:{row['id']}", title=row["title"], text=row["abstract"], lang="en",
        source=Source(kind="arxiv", key=row["id"], sha256="0"),
        biblio=Biblio(
            authors=tuple(Author(name=name) for name in row["authors"]), year=int(row["date"][:4]),
            categories=tuple(row["categories"]),
        ),
    )  # fmt: skip


class RandomPassages:
    """Random vectors for passages, the packaged model for queries."""

    def __init__(self, settings: Settings) -> None:
        self.ref, self.dimensions, self.languages = PACKAGED, 384, ("en",)
        self._settings = settings
        self._model: Any = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        seed = int.from_bytes(hashlib.blake2b("".join(texts).encode(), digest_size=8).digest(), "little")
        vectors = np.random.default_rng(seed).standard_normal((len(texts), self.dimensions), dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self._model = self._model or load_embedder(PACKAGED, self._settings)
        found: Vectors = self._model.embed_queries(texts)
        return found


def load_random(ref: ModelRef, settings: Settings) -> RandomPassages:
    return RandomPassages(settings)


def recipe(records: int, name: str) -> Recipe:
    documents = Step(
        name="bench/records", entry="search_latency:write", version=1, config=RecordsConfig(records=records)
    )
    chunks = steps.chunk(documents)
    index = steps.index(documents, chunks, library="latency")
    vectors = steps.vectors(
        documents, chunks, index, embedder=PACKAGED, loader="search_latency:load_random", shard=4096
    )
    return Recipe(name=name, goals=(index, vectors), serve=Serve(name=name, parts={"index": index, "vectors": vectors}))


def questions(count: int) -> list[str]:
    """Titles of records spread over the file."""
    titles = pq.read_table(ASTRO_PH, columns=["title"])["title"].to_pylist()
    return [" ".join(title.split()) for title in titles[:: len(titles) // count][:count]]


def timed(library: Library, queries: list[str], mode: str) -> list[float]:
    seconds = []
    for query in queries:
        start = time.perf_counter()
        library.search(query, k=10, mode=mode)
        seconds.append(time.perf_counter() - start)
    return seconds


def summary(seconds: Sequence[float]) -> dict[str, Any]:
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return {"p50 ms": round(float(p50), 1), "p95 ms": round(float(p95), 1), "n": len(seconds)}


def opened(work: str) -> Library:
    workspace = Workspace(work)
    library = Library.open(workspace, open_expert(workspace, "latency"))
    for mode in MODES:
        timed(library, questions(5), mode)
    return library


def _reader(work: str, queries: list[str], ready: Any, results: Any) -> None:
    library = opened(work)
    ready.wait()
    results.put({mode: timed(library, queries, mode) for mode in MODES})


def beside_an_update(work: Path, readers: int, queries: list[str], update: Iterator[Callable[[], None]]) -> Any:
    """The latencies of some readers while the library is updated; how many updates there were."""
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(readers + 1), context.Queue()
    running = [context.Process(target=_reader, args=(str(work), queries, ready, results)) for _ in range(readers)]
    for process in running:
        process.start()
    ready.wait()
    updates = 0
    while results.qsize() < readers:
        next(update)()
        updates += 1
    found = [results.get() for _ in running]
    for process in running:
        process.join()
    return {
        "readers": readers, "updates meanwhile": updates, "load": os.getloadavg()[0],
        **{mode: summary([s for one in found for s in one[mode]]) for mode in MODES},
    }  # fmt: skip


def updates(workspace: Workspace, records: int) -> Iterator[Callable[[], None]]:
    """Updates of 100 papers more each time, from the start again when the file is used up."""
    more = 0
    while True:
        more = more % (HELD_BACK // ADDED) + 1
        yield lambda more=more: run(recipe(records + ADDED * more, "updating"), workspace) and None


def seconds_of(workspace: Workspace, made: Recipe) -> dict[str, float]:
    return {step.name: record.seconds for step in made.steps() if (record := workspace.record(step.address))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    work = chosen.work or Path(tempfile.mkdtemp())
    workspace, queries = Workspace(work), questions(chosen.queries)
    records = pq.ParquetFile(ASTRO_PH).metadata.num_rows - HELD_BACK
    report: dict[str, Any] = {"records": records, "load before": os.getloadavg()}
    first, added = recipe(records, "latency"), recipe(records + ADDED, "added")
    run(first, workspace)
    report["seconds of the first build"] = seconds_of(workspace, first)
    run(added, workspace)
    report[f"seconds for {ADDED} papers more"] = seconds_of(workspace, added)
    library = opened(str(work))
    report["one reader"] = {mode: summary(timed(library, queries, mode)) for mode in MODES}
    report["load for one reader"] = os.getloadavg()[0]
    update = updates(workspace, records)
    report["while an update runs"] = [beside_an_update(work, n, queries, update) for n in (1, 2, 4, 8)]
    print(text := json.dumps(report, indent=1))
    if chosen.out:
        chosen.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
