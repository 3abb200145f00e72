"""Does tuning the packaged embedder help a search that was never part of the tuning? One run, one index.

    python bench/tuned_embedder.py [--work FOLDER] [--weights] [--out tuned.json]

``arxiv_citations``: title queries, cited papers are relevant, own id removed, astronomy apart. The tuner
(``training.tune_embedder``) sees the set's abstracts and Paperscape's citations of 1991 to 1994, and no pair
that a query has a part in; what was refused is printed. Papers of the set that are missing from Paperscape's
files were probably queries as well, kept back from everybody: they are left out of the tuning whole. Choices were made on the development half of the
queries; ``--weights`` prints its figures for other weights of the vectors in the fusion.
"""

import argparse
import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from retrieval_sets import DATA, Collection, Floats, Ints, citations, interval, ndcg_and_recall, rows_of
from retrieval_text import PER_SHARD, SetConfig, ours

from gnomon.core.records import Document, ModelRef, Source
from gnomon.core.tables import write_table
from gnomon.knowledge import steps as knowledge
from gnomon.knowledge.library import Library
from gnomon.llm import static
from gnomon.llm.embedders import PACKAGED
from gnomon.runs import Counts, FileSet, Output, Recipe, Serve, Step, Workspace, run
from gnomon.runs.experts import open_expert
from gnomon.training import steps as training

WEIGHTS = {"untuned": 0.4, "tuned": 0.4, "static": 0.1, "static tuned": 0.1}
"""What the vectors count in the fusion; chosen on the development half."""
GRAPH = sorted((DATA.parent / "graph").glob("paperscape_*.csv"))
TRIED = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PapersConfig:
    """The set's papers under their own ids, as the tuner needs them."""


def papers(config: PapersConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """The abstracts of the set that the citation graph knows, by arXiv id."""
    lines = (line for file in GRAPH for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
    known = {line.partition(";")[0] for line in lines}
    rows = list(rows_of(DATA / "arxiv_citations" / "corpus.jsonl.gz"))
    made = [
        Document(
            id=f"arxiv:{row['_id']}", title=row["title"], text=row["text"], lang="en",
            source=Source(kind="bench", key=row["_id"], sha256="0"),
        )
        for row in rows
        if row["_id"] in known
    ]  # fmt: skip
    for number, at in enumerate(range(0, len(made), PER_SHARD)):
        write_table(out.path / "documents" / f"{number:05d}.parquet", Document, made[at : at + PER_SHARD])
    return Counts(taken=len(rows), kept=len(made), dropped={"not_in_the_graph": len(rows) - len(made)})


def tuner(**settings: Any) -> Step:
    """The step that tunes on the set's papers and Paperscape's citations, minus the queries."""
    documents = Step(name="bench/papers", entry="tuned_embedder:papers", version=1, config=PapersConfig())
    queries = FileSet.scan([DATA / "arxiv_citations" / "queries.jsonl.gz"])
    return training.tune_embedder(documents, graph=FileSet.scan(GRAPH), keep_out=queries, **settings)


def opened(workspace: Workspace, name: str, embedder: ModelRef | Step | None, weight: float = 0.4) -> Library:
    """A library over the set with one embedder's vectors, or with none."""
    documents = Step(
        name="bench/set", entry="retrieval_text:write", version=1, config=SetConfig(collection="citations")
    )
    chunks = knowledge.chunk(documents, whole=100_000)
    index = knowledge.index(documents, chunks, library="citations")
    parts = {"index": index}
    if embedder is not None:
        more = {"library": "citations", "weight": weight}
        parts["vectors"] = knowledge.vectors(documents, chunks, index, embedder=embedder, **more)
    expert = f"citations-{name.replace(' ', '-')}-{weight}"
    run(Recipe(name=name, goals=tuple(parts.values()), serve=Serve(name=expert, parts=parts)), workspace)
    return Library.open(workspace, open_expert(workspace, expert))


def halves_of(collection: Collection) -> dict[str, Any]:
    halves = collection.halves
    return {**halves, "test astronomy": halves["test"] & halves["astronomy"]}


def table(lists: dict[str, Ints], collection: Collection, pairs_of: list[tuple[str, str]]) -> dict[str, Any]:
    """nDCG@10 and recall@100 of every system, and paired differences in nDCG@10 with 95 % intervals."""
    both = {name: ndcg_and_recall(found, collection) for name, found in lists.items()}
    halves = halves_of(collection)

    def means(measure: Floats) -> dict[str, float]:
        return {name: round(float(measure[half].mean()), 4) for name, half in halves.items()}

    return {
        "n": {name: int(half.sum()) for name, half in halves.items()},
        "ndcg@10": {name: means(ndcg) for name, (ndcg, _) in both.items()},
        "recall@100": {name: means(recall) for name, (_, recall) in both.items()},
        "difference in ndcg@10": {
            f"{one} - {two}": {name: interval((both[one][0] - both[two][0])[half]) for name, half in halves.items()}
            for one, two in pairs_of
        },
    }


def weights(workspace: Workspace, models: dict[str, ModelRef | Step], collection: Collection) -> dict[str, Any]:
    """nDCG@10 of the development half for several weights."""
    half = collection.halves["development"]
    rows = np.flatnonzero(half).tolist()
    part = dataclasses.replace(
        collection, query_ids=[collection.query_ids[i] for i in rows], queries=[collection.queries[i] for i in rows],
        relevant=[collection.relevant[i] for i in rows], own=[collection.own[i] for i in rows],
        astro=[collection.astro[i] for i in rows],
    )  # fmt: skip
    found: dict[str, Any] = {}
    for name, model in models.items():
        for weight in TRIED:
            lists, _ = ours(opened(workspace, name, model, weight), part, "hybrid")
            found.setdefault(name, {})[weight] = round(float(ndcg_and_recall(lists, part)[0].mean()), 4)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--weights", action="store_true", help="development half only, several weights")
    parser.add_argument("--settings", type=json.loads, default={}, help="fields of TuneEmbedderConfig as JSON")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    workspace, collection = Workspace(asked.work or Path(tempfile.mkdtemp())), citations()
    report: dict[str, Any] = {"load before": os.getloadavg()}
    tuned = tuner(**asked.settings)
    record = run(Recipe(name="tune", goals=(tuned,)), workspace)[tuned.address]
    report["tuning"] = {"metrics": record.metrics, "refused": record.counts.dropped, "seconds": record.seconds}
    models = {
        "untuned": PACKAGED, "tuned": tuned, "static": static.PACKAGED, "static tuned": training.distil_embedder(tuned),
    }  # fmt: skip
    if asked.weights:
        report["development, by weight"] = weights(workspace, {k: models[k] for k in ("untuned", "tuned")}, collection)
    else:
        lists = {"text": ours(opened(workspace, "text", None), collection, "text")[0]}
        for name, model in models.items():
            found = opened(workspace, name, model, WEIGHTS[name])
            for mode in ("vector", "hybrid"):
                lists[f"{name} {mode}"] = ours(found, collection, mode)[0]
        wanted = [
            ("tuned hybrid", "untuned hybrid"), ("tuned hybrid", "text"), ("untuned hybrid", "text"),
            ("tuned vector", "untuned vector"), ("static tuned vector", "static vector"),
            ("static tuned hybrid", "text"),
        ]  # fmt: skip
        report |= table(lists, collection, wanted)
    report["load after"] = os.getloadavg()
    text = json.dumps(report, indent=1)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
