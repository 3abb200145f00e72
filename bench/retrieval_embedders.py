"""Which embedder, and which way to fuse it with full text? Quality, speed and cold start, in one run.

Quality: nDCG@10 and recall@100 on ``arxiv_citations`` (title queries, own id removed, astronomy
apart) and ``jaquad_dev`` (question -> paragraph). Choices are made on the development half of the
queries (SHA-256 of the query's id is even); the other half is the test.

Peers, set up as their documentation says: sentence-transformers (torch, fp32) for the packaged
model, scikit-learn's TF-IDF + TruncatedSVD for LSA, bm25s and LanceDB's analysers for full text.

    python bench/retrieval_embedders.py --vectors /tmp/vectors --out embedders.json
"""

import argparse
import hashlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from retrieval_sets import (
    DATA,
    DEPTH,
    MISSING,
    Collection,
    Floats,
    Ints,
    Ranking,
    citations,
    interval,
    jaquad,
    measured,
    ndcg_and_recall,
    without_own,
)

from gnomon.core.protocols import Embedder
from gnomon.core.settings import Settings
from gnomon.llm import characters, minilm, static
from gnomon.llm.embedders import PACKAGED, load_embedder
from gnomon.llm.vectors import unit_rows

EMBEDDERS = {
    "MiniLM int8": PACKAGED,
    "MiniLM fp32": minilm.packaged("embedder/onnx-fp32"),
    "static": static.PACKAGED,
    "characters": characters.DEFAULT,
}


# Rankings ------------------------------------------------------------------------------------


def nearest(queries: Floats, texts: Floats) -> Ranking:
    depth = min(DEPTH, len(texts))
    parts = []
    for start in range(0, len(queries), 256):
        scores = queries[start : start + 256] @ texts.T
        order = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
        parts.append((order.astype(np.int32), np.take_along_axis(scores, order, axis=1)))
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def lance(texts: list[str], queries: list[str], **analyser: Any) -> Ranking:
    import lancedb
    from lancedb.index import FTS
    from lancedb.query import MatchQuery

    found, scores = np.full((len(queries), DEPTH), MISSING, np.int32), np.zeros((len(queries), DEPTH), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        rows = [{"row": i, "text": unicodedata.normalize("NFKC", text)} for i, text in enumerate(texts)]
        table = lancedb.connect(folder).create_table("texts", rows)
        table.create_index("text", config=FTS(**analyser))
        for i, query in enumerate(queries):
            wanted = MatchQuery(unicodedata.normalize("NFKC", query), "text")
            hits = table.search(wanted, query_type="fts").select(["row", "_score"]).limit(DEPTH).to_arrow()
            found[i, : len(hits)], scores[i, : len(hits)] = hits["row"].to_numpy(), hits["_score"].to_numpy()
    return found, scores


def bm25s_english(texts: list[str]) -> Any:
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False, return_ids=False)


def letter_pairs(texts: list[str]) -> list[list[str]]:
    letters = ["".join(c for c in unicodedata.normalize("NFKC", t).casefold() if c.isalnum()) for t in texts]
    return [[text[i : i + 2] for i in range(len(text) - 1)] for text in letters]


def bm25s_ranking(texts: list[str], queries: list[str], tokenize: Callable[[list[str]], Any]) -> Ranking:
    import bm25s

    index = bm25s.BM25()
    index.index(tokenize(texts), show_progress=False)
    found, scores = index.retrieve(tokenize(queries), k=min(DEPTH, len(texts)), show_progress=False)
    return found.astype(np.int32), scores.astype(np.float32)


def lsa(texts: list[str], queries: list[str], dimensions: int, **terms: Any) -> tuple[Floats, Floats]:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(sublinear_tf=True, min_df=2, dtype=np.float32, **terms)
    reducer = TruncatedSVD(dimensions, random_state=0, n_iter=3)
    fitted = reducer.fit_transform(vectoriser.fit_transform(texts))
    return unit_rows(fitted), unit_rows(reducer.transform(vectoriser.transform(queries)))


# Fusion --------------------------------------------------------------------------------------


def reciprocal(k: float) -> Callable[[Floats], Floats]:
    return lambda scores: (1 / (k + 1 + np.arange(len(scores)))).astype(np.float32)


def minmax(scores: Floats) -> Floats:
    spread = scores[0] - scores[-1] if len(scores) else 0.0
    return (scores - scores[-1]) / spread if spread > 0 else np.ones_like(scores)


def standard(scores: Floats) -> Floats:
    values = (scores - scores.mean()) / (scores.std() + 1e-9) if len(scores) else scores
    return values - values.min() if len(values) else values  # a document not in the list counts as its last


def fused(text: Ranking, vector: Ranking, scale: Callable[[Floats], Floats], weight: float, depth: int) -> Ints:
    result = np.full((len(text[0]), 100), MISSING, np.int32)
    for i in range(len(result)):
        rows, values = [], []
        for (found, scores), share in ((text, 1 - weight), (vector, weight)):
            there = found[i][:depth][found[i][:depth] != MISSING]
            rows.append(there)
            values.append(share * scale(scores[i][: len(there)]))
        unique, places = np.unique(np.concatenate(rows), return_inverse=True)
        sums = np.bincount(places, weights=np.concatenate(values))
        best = unique[np.lexsort((unique, -sums))][:100]
        result[i, : len(best)] = best
    return result


# Choosing ------------------------------------------------------------------------------------


def best_fusion(collection: Collection, text: Ranking, vector: Ranking) -> dict[str, Any]:
    """Every formula at its best weight on the development half, then judged on the test half."""
    development, test = collection.halves["development"], collection.halves["test"]
    alone = [ndcg_and_recall(half[0], collection)[0] for half in (text, vector)]
    formulas: dict[str, Callable[[Floats], Floats]] = {f"rrf k={k}": reciprocal(k) for k in (2, 10, 60)}
    formulas |= {"min-max": minmax, "z-score": standard}
    report = {}
    for name, scale in formulas.items():
        tried = []
        for weight, depth in itertools.product((0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6), (100, 200)):
            ndcg, recall = ndcg_and_recall(fused(text, vector, scale, weight, depth), collection)
            tried.append((float(ndcg[development].mean()), weight, depth, ndcg, recall))
        score, weight, depth, ndcg, recall = max(tried, key=lambda row: row[0])
        report[name] = {
            "weight": weight,
            "depth": depth,
            "development": round(score, 4),
            "test": round(float(ndcg[test].mean()), 4),
            "test recall@100": round(float(recall[test].mean()), 4),
            "minus text": interval((ndcg - alone[0])[test]),
            "minus vectors": interval((ndcg - alone[1])[test]),
        }
    return report


# The run -------------------------------------------------------------------------------------


def vectors_of(name: str, embedder: Embedder, collection: Collection, folder: Path) -> tuple[Floats, Floats, float]:
    """Passages' and queries' vectors, kept in a folder between runs, and documents a second."""
    digest = hashlib.sha256(repr(embedder.ref).encode()).hexdigest()[:12]
    path = folder / f"{collection.name}-{name.replace(' ', '-')}-{digest}.npz"
    if not path.exists():
        started = time.perf_counter()
        texts = embedder.embed(collection.texts)
        rate = len(texts) / (time.perf_counter() - started)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, texts=texts, queries=embedder.embed_queries(collection.queries), rate=rate)
    with np.load(path) as kept:
        return kept["texts"], kept["queries"], float(kept["rate"])


def speed(sample: list[str], settings: Settings) -> dict[str, Any]:
    """Documents a second of each way to run the packaged model, same texts, threads and minute."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(settings.num_threads)
    peer = SentenceTransformer(str(minilm.model_folder()), device="cpu")
    peer.encode(sample[:32])
    ways: dict[str, Callable[[], Any]] = {
        "sentence-transformers (torch fp32)": lambda: peer.encode(sample, normalize_embeddings=True)
    }
    for name, ref in EMBEDDERS.items():
        ways[name] = _bound(load_embedder(ref, settings), sample)
    results, vectors = {}, {}
    for name, way in ways.items():
        started = time.perf_counter()
        vectors[name] = np.asarray(way())
        results[name] = {
            "documents/s": round(len(sample) / (time.perf_counter() - started), 1),
            "load": os.getloadavg()[0],
        }
    wanted = vectors["sentence-transformers (torch fp32)"]
    for name in ("MiniLM int8", "MiniLM fp32"):
        cosines = (vectors[name] * wanted).sum(axis=1)
        results[name] |= {"cosine mean": round(float(cosines.mean()), 5), "cosine min": round(float(cosines.min()), 5)}
    return {"n": len(sample), "threads": settings.num_threads, **results}


def _bound(embedder: Embedder, sample: list[str]) -> Callable[[], Floats]:
    return lambda: embedder.embed(sample)


def cold_start(settings: Settings, times: int = 5) -> dict[str, Any]:
    """Seconds from starting Python to the vector of one query, the graph being in the cache."""
    code = (
        "from gnomon.core.settings import Settings; from gnomon.llm.embedders import *\n"
        f"load_embedder(PACKAGED, Settings(cache={settings.cache!r})).embed_queries(['cold dark matter'])"
    )
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        seconds.append(round(time.perf_counter() - started, 3))
    return {"seconds": sorted(seconds), "load": os.getloadavg()[0]}


def english(collection: Collection, settings: Settings, folder: Path) -> dict[str, Any]:
    texts, queries = collection.texts, collection.queries
    text = without_own(lance(texts, queries, language="English"), collection)
    rankings = {
        "LanceDB English": text,
        "bm25s": without_own(bm25s_ranking(texts, queries, bm25s_english), collection),
        "LSA 256": without_own(_lsa_words(texts, queries, 256), collection),
        "LSA 512": without_own(_lsa_words(texts, queries, 512), collection),
    }
    return compared(collection, rankings, text, settings, folder)


def _lsa_words(texts: list[str], queries: list[str], dimensions: int) -> Ranking:
    passages, asked = lsa(texts, queries, dimensions, stop_words="english", max_df=0.2)
    return nearest(asked, passages)


def japanese(collection: Collection, settings: Settings, folder: Path) -> dict[str, Any]:
    texts, queries = collection.texts, collection.queries
    analyser = {"base_tokenizer": "icu", "stem": False, "remove_stop_words": False, "ascii_folding": False}
    text = lance(texts, queries, **analyser)
    passages, asked = lsa(texts, queries, 512, analyzer="char", ngram_range=(1, 2))
    rankings = {
        "LanceDB icu": text,
        "bm25s pairs": bm25s_ranking(texts, queries, letter_pairs),
        "character LSA 512": nearest(asked, passages),
    }
    return compared(collection, rankings, text, settings, folder)


def compared(
    collection: Collection, rankings: dict[str, Ranking], text: Ranking, settings: Settings, folder: Path
) -> dict[str, Any]:
    rates = {}
    for name, ref in EMBEDDERS.items():
        passages, asked, rates[name] = vectors_of(name, load_embedder(ref, settings), collection, folder)
        rankings[name] = without_own(nearest(asked, passages), collection)
    alone = {name: measured(ranking[0], collection) for name, ranking in rankings.items()}
    fusable = [name for name in rankings if not name.startswith(("LanceDB", "bm25s"))]
    fusions = {name: best_fusion(collection, text, rankings[name]) for name in fusable}
    return {"alone": alone, "documents/s (whole set)": rates, "fused with LanceDB": fusions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--vectors", type=Path, default=Path(tempfile.gettempdir()) / "gnomon-bench-vectors")
    parser.add_argument("--sample", type=int, default=1000, help="documents of the speed comparison")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"Skipped: {DATA} is not there.")
    settings = Settings(threads=chosen.threads, offline=True)
    load_embedder(PACKAGED, settings)
    report: dict[str, Any] = {"cold start of one query": cold_start(settings)}
    papers = citations()
    step = max(1, len(papers.texts) // chosen.sample)
    report["speed"] = speed(papers.texts[::step][: chosen.sample], settings)
    report["citations"] = english(papers, settings, chosen.vectors)
    report["jaquad"] = japanese(jaquad(), settings, chosen.vectors)
    report["load average"] = os.getloadavg()
    written = json.dumps(report, indent=1, ensure_ascii=False)
    print(written)
    if chosen.out:
        chosen.out.write_text(written + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
