"""How well `ask` chooses its sentences and knows when to refuse, on the starter library.

    python bench/refusal.py          # report on both halves with the constants in the code
    python bench/refusal.py --fit    # print constants fitted on the development half

Answerable: a starter question, its note in the library. Unanswerable: the same question, its note
taken out. Halves by hash of the question's id; constants are fitted on the development half only.
"""

import argparse
import hashlib
import json
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import libraries
import numpy as np

from gnomon.core.protocols import Filters, Hit, Retriever
from gnomon.core.records import Document
from gnomon.research import refusal, selection
from gnomon.research.ask import AskConfig, answer
from gnomon.research.asked import read_question

CONFIG = AskConfig()
NO_FILTERS = Filters()


class Without:
    """A library from which one document was taken out."""

    def __init__(self, inner: Retriever, doc_id: str) -> None:
        self.inner, self.doc_id = inner, doc_id

    def search(self, query: str, *, k: int = 10, mode: str = "hybrid", filters: Filters = NO_FILTERS) -> list[Hit]:
        hits = self.inner.search(query, k=k + 5, mode=mode, filters=filters)
        return [hit for hit in hits if hit.doc_id != self.doc_id][:k]

    def document(self, doc_id: str) -> Document:
        return self.inner.document(doc_id)


def rows(kind: str) -> list[dict[str, Any]]:
    files = sorted(libraries.STARTER.glob(f"{kind}_*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def is_development(question: dict[str, Any]) -> bool:
    return hashlib.sha256(question["id"].encode()).digest()[0] % 2 == 1


def is_gold(question: dict[str, Any], doc_id: str, text: str) -> bool:
    evidence = question["evidence"]
    return doc_id == f"local:{question['note']}" and (evidence in text or text in evidence)


# Fitting --------------------------------------------------------------------------------------


def fit_selection(questions: Sequence[dict[str, Any]], library: Retriever, embedder: Any) -> dict[str, float]:
    """Weights of a softmax over the candidates of each question, by gradient ascent with an L2 term."""
    groups = []
    for asked in questions:
        question = read_question(asked["question"])
        hits = library.search(question.text, k=CONFIG.passages, mode=CONFIG.mode)
        found = selection.candidates(question, hits, embedder if question.lang == "en" else None)
        right = np.array([is_gold(asked, c.hit.doc_id, c.text) for c in found], float)
        if right.any():
            groups.append((np.array([[c.features[n] for n in selection.FEATURES] for c in found]), right))
    weights = np.zeros(len(selection.FEATURES))
    for _ in range(3_000):
        slope = -0.02 * weights * len(groups)
        for table, right in groups:
            share = np.exp(table @ weights - (table @ weights).max())
            share /= share.sum()
            slope += table.T @ (share * right / (share * right).sum() - share)
        weights += slope / len(groups)
    return dict(zip(selection.FEATURES, weights.round(2).tolist(), strict=True))


def strengths(
    questions: Sequence[dict[str, Any]], library: Retriever, embedder: Any
) -> list[tuple[dict[str, float], int]]:
    found = []
    for asked in questions:
        question = read_question(asked["question"])
        for label, place in ((1, library), (0, Without(library, f"local:{asked['note']}"))):
            hits = place.search(question.text, k=CONFIG.passages, mode=CONFIG.mode)
            picked = selection.candidates(question, hits, embedder if question.lang == "en" else None)
            found.append((refusal.strength(question, picked, hits), label))
    return found


def fit_refusal(cases: Sequence[tuple[dict[str, float], int]]) -> dict[str, float]:
    """Weights of a logistic model by Newton's method with an L2 term."""
    names = list(refusal.WEIGHTS)
    table = np.array([[*(shares[n] for n in names), 1.0] for shares, _ in cases])
    labels = np.array([label for _, label in cases], float)
    weights, ridge = np.zeros(len(names) + 1), np.eye(len(names) + 1) * 0.01 * len(cases)
    ridge[-1, -1] = 1e-6
    for _ in range(50):
        p = 1 / (1 + np.exp(-table @ weights))
        curvature = (table.T * (p * (1 - p))) @ table + ridge
        weights -= np.linalg.solve(curvature, table.T @ (p - labels) + ridge @ weights)
    return dict(zip([*names, "intercept"], weights.round(2).tolist(), strict=True))


# Reporting ------------------------------------------------------------------------------------


def interval(values: Sequence[float], measure: Any = np.mean, times: int = 2_000) -> str:
    """A measure with its 95 % bootstrap interval over questions."""
    drawn, table = random.Random(0), np.array(values)
    picks = (table[[drawn.randrange(len(table)) for _ in range(len(table))]] for _ in range(times))
    low, high = np.percentile([measure(pick) for pick in picks], [2.5, 97.5])
    return f"{measure(table):.3f} [{low:.3f}, {high:.3f}]"


def auc(pairs: Any) -> float:
    """Chance that an answerable question scores above an unanswerable one; rows are (with, without) scores."""
    table = np.asarray(pairs)
    return float((table[:, :1] > table[:, 1]).mean() + 0.5 * (table[:, :1] == table[:, 1]).mean())


def report(name: str, questions: Sequence[dict[str, Any]], library: Retriever, embedder: Any) -> None:
    found: dict[str, list[Any]] = {}
    for asked in questions:
        every = AskConfig(threshold=0.0)
        told = answer(asked["question"], library, config=every, embedder=embedder)
        gold = [is_gold(asked, c.doc_id, c.quote) for c in told.citations]
        found.setdefault("first", []).append(float(gold[:1] == [True]))
        found.setdefault("five", []).append(float(any(gold)))
        found.setdefault("shown", []).append(float(len(gold)))
        found.setdefault("hit", []).append(float(any(c.doc_id == f"local:{asked['note']}" for c in told.citations)))
        cases = strengths([asked], library, embedder)
        scores = [refusal.answerable(shares) for shares, _ in cases]
        found.setdefault("scores", []).append(scores)
        found.setdefault("refused", []).append(float(scores[0] < CONFIG.threshold))
        found.setdefault("answered", []).append(float(scores[1] >= CONFIG.threshold))
    print(f"{name:16} n={len(questions):3}  gold first {interval(found['first'])}  shown {interval(found['five'])}"
          f"  sentences {np.mean(found['shown']):.2f}  document {interval(found['hit'])}")  # fmt: skip
    print(f"{'':16}        AUC {interval(found['scores'], auc)}  false refusals {interval(found['refused'])}"
          f"  false answers {interval(found['answered'])}")  # fmt: skip


def report_titles(library: Retriever, embedder: Any, number: int = 150) -> None:
    """The titles of arXiv records as questions: the record is in the library, or was taken out."""
    import pyarrow.parquet as pq

    records = pq.read_table(libraries.ASTRO_PH, columns=["id", "title"]).to_pylist()
    drawn = random.Random(1).sample(records, number)
    cases = [{"question": r["title"], "note": r["id"]} for r in drawn]
    pairs, cited = [], []
    for case in cases:
        gold = f"arxiv:{case['note']}"
        scores = []
        for place in (library, Without(library, gold)):
            question = read_question(case["question"])
            hits = place.search(question.text, k=CONFIG.passages, mode=CONFIG.mode)
            scores.append(refusal.answerable(refusal.strength(question, selection.candidates(question, hits), hits)))
        pairs.append(scores)
        told = answer(case["question"], library, embedder=embedder)
        cited.append(float(any(c.doc_id == gold for c in told.citations)))
    table = np.array(pairs)
    print(f"{'astro_ph titles':16} n={number}  AUC {interval(pairs, auc)}  own record cited {interval(cited)}")
    print(f"{'':16}        refused with it {np.mean(table[:, 0] < CONFIG.threshold):.3f}"
          f"  answered without it {np.mean(table[:, 1] >= CONFIG.threshold):.3f}")  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--fit", action="store_true")
    arguments.add_argument("--half", choices=("development", "test", "both"), default="both")
    arguments.add_argument("--titles", action="store_true", help="titles of 42,000 records instead")
    arguments.add_argument("--words-only", action="store_true", help="no vectors")
    arguments.add_argument("--work", type=Path, default=Path(".gnomon-bench"), help="where the library is built")
    chosen = arguments.parse_args()
    if chosen.titles:
        report_titles(libraries.astro_ph(chosen.work), None if chosen.words_only else packaged())
        return
    library, questions = libraries.starter(chosen.work), rows("questions")
    embedder = None if chosen.words_only else packaged()
    halves = {
        "development": [q for q in questions if is_development(q)],
        "test": [q for q in questions if not is_development(q)],
    }
    if chosen.fit:
        print("selection", fit_selection(halves["development"], library, embedder))
        print("refusal", fit_refusal(strengths(halves["development"], library, embedder)))
        return
    print("load", os.getloadavg())
    for half, asked in halves.items():
        for lang in ("en", "ja") if chosen.half in {half, "both"} else ():
            report(f"{half} {lang}", [q for q in asked if q["lang"] == lang], library, embedder)


def packaged() -> Any:
    from gnomon.core.settings import Settings
    from gnomon.llm.embedders import PACKAGED, load_embedder

    return load_embedder(PACKAGED, Settings(threads=1))


if __name__ == "__main__":
    main()
