"""The retrieval sets of the benches, their development and test halves, and the two measures."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "retrieval"
DEPTH = 1000
MISSING = -1
Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Ranking = tuple[Ints, Floats]


@dataclass
class Collection:
    name: str
    ids: list[str]
    texts: list[str]
    query_ids: list[str]
    queries: list[str]
    relevant: list[set[int]]
    own: list[int]
    astro: list[bool] = field(default_factory=list)

    @property
    def halves(self) -> dict[str, npt.NDArray[np.bool_]]:
        even = np.array([int(hashlib.sha256(q.encode()).hexdigest(), 16) % 2 == 0 for q in self.query_ids])
        halves = {"all": np.ones(len(even), dtype=bool), "development": even, "test": ~even}
        if any(self.astro):
            halves |= {"astronomy": np.array(self.astro), "rest": ~np.array(self.astro)}
        return halves


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def citations() -> Collection:
    folder = DATA / "arxiv_citations"
    documents = list(rows_of(folder / "corpus.jsonl.gz"))
    queries = list(rows_of(folder / "queries.jsonl.gz"))
    place = {document["_id"]: i for i, document in enumerate(documents)}
    cited: dict[str, set[int]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, _ = line.split("\t")
        cited.setdefault(query, set()).add(place[document])
    return Collection(
        name="citations",
        ids=list(place),
        texts=[f"{d['title']}\n{d['text']}" for d in documents],
        query_ids=[q["_id"] for q in queries],
        queries=[q["title"] for q in queries],
        relevant=[cited[q["_id"]] for q in queries],
        own=[place.get(q["_id"], MISSING) for q in queries],
        astro=[q["is_astro"] for q in queries],
    )


def jaquad() -> Collection:
    rows = list(rows_of(DATA / "jaquad_dev.jsonl.gz"))
    place = {text: i for i, text in enumerate(dict.fromkeys(row["context"] for row in rows))}
    return Collection(
        name="jaquad",
        ids=[str(i) for i in place.values()],
        texts=list(place),
        query_ids=[row["id"] for row in rows],
        queries=[row["question"] for row in rows],
        relevant=[{place[row["context"]]} for row in rows],
        own=[MISSING] * len(rows),
    )


def without_own(ranking: Ranking, collection: Collection) -> Ranking:
    """Each list without the query's own paper, its places closed up."""
    found, scores = np.full_like(ranking[0], MISSING), np.full_like(ranking[1], -np.inf)
    for i, own in enumerate(collection.own):
        kept = (ranking[0][i] != own) & (ranking[0][i] != MISSING)
        found[i, : kept.sum()], scores[i, : kept.sum()] = ranking[0][i][kept], ranking[1][i][kept]
    return found, scores


# Measures ------------------------------------------------------------------------------------


def ndcg_and_recall(found: Ints, collection: Collection) -> tuple[Floats, Floats]:
    discount = 1 / np.log2(np.arange(10) + 2)
    ndcg, recall = np.zeros(len(found), np.float32), np.zeros(len(found), np.float32)
    for i, relevant in enumerate(collection.relevant):
        gains = np.array([row in relevant for row in found[i][:10].tolist()])
        ndcg[i] = (gains * discount[: len(gains)]).sum() / discount[: len(relevant)].sum()
        recall[i] = len(relevant.intersection(found[i][:100].tolist())) / len(relevant)
    return ndcg, recall


def interval(difference: Floats) -> list[float]:
    """Mean and paired bootstrap 95 % interval, 10,000 draws."""
    draws = np.random.default_rng(7).integers(0, len(difference), (10_000, len(difference)))
    means = difference[draws].mean(axis=1)
    return [round(float(x), 4) for x in (difference.mean(), *np.percentile(means, [2.5, 97.5]))]


def measured(found: Ints, collection: Collection) -> dict[str, Any]:
    ndcg, recall = ndcg_and_recall(found, collection)
    return {
        name: {
            "n": int(half.sum()),
            "ndcg@10": round(float(ndcg[half].mean()), 4),
            "recall@100": round(float(recall[half].mean()), 4),
        }
        for name, half in collection.halves.items()
    }
