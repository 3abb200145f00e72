"""Full text beside bm25s: quality on the same passages and queries, in one run.

    python bench/retrieval_text.py [--hybrid] [--out text.json]

``arxiv_citations``: title queries, own id removed, astronomy apart. ``jaquad_dev``: question ->
paragraph. Ours is what users get: the steps ``chunk`` and ``index``, read through ``Library.search``.
bm25s is set up as its documentation says (English stemmer and stop words); it has no Japanese, so for
JaQuAD it is also given our pairs of characters. ``--hybrid`` embeds the abstracts (minutes).
"""

import argparse
import dataclasses
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from retrieval_sets import (
    DATA,
    MISSING,
    Collection,
    Ints,
    citations,
    interval,
    jaquad,
    measured,
    ndcg_and_recall,
    rows_of,
    without_own,
)

from gnomon.core.records import Document, Source
from gnomon.core.tables import write_table
from gnomon.knowledge import steps
from gnomon.knowledge.analysis import pairs
from gnomon.knowledge.library import Library
from gnomon.llm.embedders import PACKAGED
from gnomon.runs import Counts, Output, Recipe, Serve, Step, Workspace, run
from gnomon.runs.experts import open_expert

DEPTH = 101
PER_SHARD = 4_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class SetConfig:
    collection: str


def write(config: SetConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """The documents of a collection, as a step leaves them."""
    documents = DOCUMENTS[config.collection]()
    for number, at in enumerate(range(0, len(documents), PER_SHARD)):
        write_table(out.path / "documents" / f"{number:05d}.parquet", Document, documents[at : at + PER_SHARD])
    return Counts(taken=len(documents), kept=len(documents))


def _document(number: int, title: str, text: str, lang: str) -> Document:
    source = Source(kind="bench", key=str(number), sha256="0")
    return Document(id=f"local:{number}", title=title, text=text, lang=lang, source=source)


def _citation_documents() -> list[Document]:
    rows = rows_of(DATA / "arxiv_citations" / "corpus.jsonl.gz")
    return [_document(i, row["title"], row["text"], "en") for i, row in enumerate(rows)]


def _jaquad_documents() -> list[Document]:
    contexts = {row["context"]: row["title"] for row in rows_of(DATA / "jaquad_dev.jsonl.gz")}
    return [_document(i, title, text, "ja") for i, (text, title) in enumerate(contexts.items())]


DOCUMENTS: dict[str, Callable[[], list[Document]]] = {"citations": _citation_documents, "jaquad": _jaquad_documents}


def library(work: Path, name: str, *, hybrid: bool) -> Library:
    documents = Step(name="bench/set", entry="retrieval_text:write", version=1, config=SetConfig(collection=name))
    # Every abstract and paragraph is one chunk, so that what is ranked is the same for both.
    chunks = steps.chunk(documents, whole=100_000)
    index = steps.index(documents, chunks, library=name)
    parts = {"index": index}
    if hybrid:
        parts["vectors"] = steps.vectors(documents, chunks, index, embedder=PACKAGED)
    workspace = Workspace(work)
    run(Recipe(name=name, goals=tuple(parts.values()), serve=Serve(name=name, parts=parts)), workspace)
    return Library.open(workspace, open_expert(workspace, name))


def ours(found: Library, collection: Collection, mode: str) -> tuple[Ints, list[float]]:
    lists = np.full((len(collection.queries), DEPTH), MISSING, np.int32)
    seconds = []
    for i, query in enumerate(collection.queries):
        start = time.perf_counter()
        hits = found.search(query, k=DEPTH, mode=mode)
        seconds.append(time.perf_counter() - start)
        lists[i, : len(hits)] = [int(hit.doc_id.removeprefix("local:")) for hit in hits]
    return _without_own(lists, collection), seconds


def bm25s_lists(collection: Collection, documents: list[Document], tokens: Callable[[list[str]], Any]) -> Ints:
    import bm25s

    peer = bm25s.BM25()
    peer.index(tokens([f"{d.title}\n{d.text}" for d in documents]), show_progress=False)
    results, _ = peer.retrieve(tokens(collection.queries), k=DEPTH, show_progress=False)
    return _without_own(np.asarray(results, np.int32), collection)


def english(texts: list[str]) -> Any:
    import bm25s
    import Stemmer

    return bm25s.tokenize(texts, stopwords="en", stemmer=Stemmer.Stemmer("english"), show_progress=False)


def japanese_pairs(texts: list[str]) -> Any:
    return [pairs(text).split() for text in texts]


def _without_own(lists: Ints, collection: Collection) -> Ints:
    return without_own((lists, np.zeros(lists.shape, np.float32)), collection)[0]


def compared(lists: dict[str, Ints], collection: Collection, pairs_of: list[tuple[str, str]]) -> dict[str, Any]:
    """Every system's measures, and the paired differences in nDCG@10 with their 95 % intervals."""
    scores = {name: ndcg_and_recall(found, collection)[0] for name, found in lists.items()}
    differences = {
        f"{one} - {two}": {
            name: interval(scores[one][half] - scores[two][half]) for name, half in collection.halves.items()
        }
        for one, two in pairs_of
    }
    return {"systems": {name: measured(found, collection) for name, found in lists.items()}, "ndcg@10": differences}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hybrid", action="store_true")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    work = chosen.work or Path(tempfile.mkdtemp())
    report: dict[str, Any] = {"load before": os.getloadavg()}
    for collection in (citations(), jaquad()):
        found = library(work, collection.name, hybrid=chosen.hybrid and collection.name == "citations")
        lists: dict[str, Ints] = {}
        lists["text"], seconds = ours(found, collection, "text")
        documents = DOCUMENTS[collection.name]()
        lists["bm25s"] = bm25s_lists(collection, documents, english)
        wanted = [("text", "bm25s")]
        if collection.name == "jaquad":
            lists["bm25s pairs"] = bm25s_lists(collection, documents, japanese_pairs)
            wanted.append(("text", "bm25s pairs"))
        elif chosen.hybrid:
            for mode in ("vector", "hybrid"):
                lists[mode] = ours(found, collection, mode)[0]
            wanted += [("hybrid", "text"), ("hybrid", "vector"), ("hybrid", "bm25s")]
        report[collection.name] = {
            "passages": len(documents), "text p50 ms": round(1000 * float(np.median(seconds)), 1),
            **compared(lists, collection, wanted),
        }  # fmt: skip
    report["load after"] = os.getloadavg()
    text = json.dumps(report, indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
