"""How long a warm `ask` takes on 42,000 records, and where the time goes.

    python bench/ask_latency.py [--work DIR] [--asks 100]

Questions: the starter questions, whose subjects the records share, half answered, half refused.
"""

import argparse
import os
import random
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import libraries
import numpy as np
from refusal import packaged, rows

from gnomon.core.protocols import Embedder, Filters, Hit, Retriever, Vectors
from gnomon.core.records import Document
from gnomon.research.ask import AskConfig, answer

NO_FILTERS = Filters()


class Timed:
    """A library that adds up the seconds spent in it."""

    def __init__(self, inner: Retriever) -> None:
        self.inner, self.spent = inner, defaultdict(float)

    def search(self, query: str, *, k: int = 10, mode: str = "hybrid", filters: Filters = NO_FILTERS) -> list[Hit]:
        start = time.perf_counter()
        hits = self.inner.search(query, k=k, mode=mode, filters=filters)
        self.spent["search"] += time.perf_counter() - start
        return hits

    def document(self, doc_id: str) -> Document:
        start = time.perf_counter()
        found = self.inner.document(doc_id)
        self.spent["documents"] += time.perf_counter() - start
        return found


class TimedEmbedder:
    """An embedder that adds up the seconds spent in it."""

    def __init__(self, inner: Embedder, spent: dict[str, float]) -> None:
        self.inner, self.spent, self.languages = inner, spent, inner.languages
        self.ref, self.dimensions = inner.ref, inner.dimensions

    def embed(self, texts: Any) -> Vectors:
        start = time.perf_counter()
        made = self.inner.embed(texts)
        self.spent["vectors"] += time.perf_counter() - start
        return made

    embed_queries = embed


def measure(name: str, library: Retriever, asked: list[str], embedder: Embedder | None) -> None:
    timed = Timed(library)
    inner = None if embedder is None else TimedEmbedder(embedder, timed.spent)
    for question in asked[:5]:
        answer(question, timed, embedder=inner, config=AskConfig(threshold=0.0))
    timed.spent.clear()
    seconds = []
    for question in asked:
        start = time.perf_counter()
        answer(question, timed, embedder=inner, config=AskConfig(threshold=0.0))
        seconds.append(time.perf_counter() - start)
    p50, p95, most = np.percentile(seconds, [50, 95, 100]) * 1000
    parts = "  ".join(f"{part} {1000 * spent / len(asked):.0f}" for part, spent in sorted(timed.spent.items()))
    print(f"{name:28} n={len(asked)}  p50 {p50:.0f} ms  p95 {p95:.0f}  max {most:.0f}   means: {parts}", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--work", type=Path, default=Path(".gnomon-bench"))
    arguments.add_argument("--asks", type=int, default=100)
    chosen = arguments.parse_args()
    english = [q["question"] for q in rows("questions") if q["lang"] == "en"]
    japanese = [q["question"] for q in rows("questions") if q["lang"] == "ja"]
    asked = random.Random(0).sample(english, chosen.asks)
    library, embedder = libraries.astro_ph(chosen.work), packaged()
    print("load", [round(x, 2) for x in os.getloadavg()])
    measure("42k, words only", library, asked, None)
    measure("42k, sentence vectors", library, asked, embedder)
    measure("starter, hybrid, vectors", libraries.starter(chosen.work), asked, embedder)
    measure("starter, Japanese", libraries.starter(chosen.work), japanese, embedder)


if __name__ == "__main__":
    main()
