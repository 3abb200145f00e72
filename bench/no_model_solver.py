"""The solver without a language model, on the frozen starter questions and on two public exams.

    python bench/no_model_solver.py --work FOLDER            # the table, test parts
    python bench/no_model_solver.py --work FOLDER --fit      # constants fitted on the development half

Development: the half of the starter questions (by hash of the id) on which ``ask`` was fitted too. Test: the other half; and
with a library of OpenStax's Astronomy and 42,000 abstracts of astro-ph, full text only, the questions with one right option of
``astroqa_en_half`` and the test split of MMLU's astronomy. Beside the solver stand, in the same run: chance, the longest
option, and the option with most words in common with the passages found.
"""

import argparse
import gzip
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import libraries
import numpy as np
from refusal import is_development
from refusal import rows as starter_rows
from retrieval_sets import DATA

from gnomon.core.records import Item
from gnomon.evaluation.exam.statistics import wilson
from gnomon.evaluation.items import NotAnItem, to_item
from gnomon.research.asked import telling_terms
from gnomon.research.solve import PASSAGES, WEIGHTS, RetrievalSolver
from gnomon.research.solving.features import FEATURES, denies

MCQ = DATA.parent / "mcq"


def items(rows: Sequence[dict[str, Any]]) -> list[Item]:
    """The questions with one right option."""
    found = []
    for number, row in enumerate(rows):
        try:
            item = to_item(row, f"row#{number}")
        except NotAnItem:
            continue
        if len(item.targets) == 1 and len(item.choices) > 1:
            found.append(item)
    return found


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (MCQ / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def textbook(folder: Path) -> Path:
    """OpenStax's sections as JSON lines that ``ingest`` reads."""
    path = folder / "openstax.jsonl"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with gzip.open(DATA.parent / "openstax_astronomy" / "sections.jsonl.gz", "rt", encoding="utf-8") as source:
            rows = [json.loads(line) for line in source]
        with path.open("w", encoding="utf-8") as out:
            for row in rows:
                text = "\n\n".join(p["text"] for p in row["paragraphs"] if p.get("text"))
                out.write(json.dumps({"id": row["module"], "title": row["title"], "text": text, "lang": "en"}) + "\n")
    return path


# Fitting --------------------------------------------------------------------------------------


def fit(solver: RetrievalSolver, asked: Sequence[Item], ridge: float = 0.02) -> dict[str, float]:
    """Weights of a softmax over the options of each question, by gradient ascent with an L2 term."""
    groups = [(solver.features(item) * (-1 if denies(item.prompt) else 1), item.targets[0]) for item in asked]
    return fitted(groups, ridge)


def fitted(groups: Sequence[tuple[Any, int]], ridge: float) -> dict[str, float]:
    spread = np.concatenate([table for table, _ in groups]).std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    weights = np.zeros(len(FEATURES))
    for _ in range(4_000):
        slope = -ridge * weights
        for table, right in groups:
            part = table / scale
            share = np.exp(part @ weights - (part @ weights).max())
            share /= share.sum()
            slope += (part[right] - share @ part) / len(groups)
        weights += 0.5 * slope
    return dict(zip(FEATURES, (weights / scale).round(2).tolist(), strict=True))


def left_out(solver: RetrievalSolver, asked: Sequence[Item], ridge: float, folds: int = 5) -> float:
    """Accuracy on development questions that the weights were not fitted on."""
    groups = [(solver.features(item) * (-1 if denies(item.prompt) else 1), item.targets[0]) for item in asked]
    right = 0
    for fold in range(folds):
        weights = fitted([group for i, group in enumerate(groups) if i % folds != fold], ridge)
        column = np.array([weights[name] for name in FEATURES])
        right += sum(int(np.argmax(t @ column)) == r for i, (t, r) in enumerate(groups) if i % folds == fold)
    return right / len(groups)


# The table ------------------------------------------------------------------------------------


def longest(item: Item) -> int:
    return int(np.argmax([len(option) for option in item.choices]))


def overlap(solver: RetrievalSolver) -> Callable[[Item], int]:
    def chosen(item: Item) -> int:
        hits = solver.retriever.search(item.prompt, k=PASSAGES, mode=solver.mode)
        there = frozenset().union(*(telling_terms(hit.text) for hit in hits)) if hits else frozenset()
        shares = [len(telling_terms(o) & there) / max(1, len(telling_terms(o))) for o in item.choices]
        return int(np.argmax(shares))

    return chosen


def row(name: str, right: Sequence[bool]) -> dict[str, Any]:
    low, high = wilson(sum(right), len(right))
    return {"arm": name, "n": len(right), "accuracy": round(sum(right) / len(right), 4), "low": round(low, 4),
            "high": round(high, 4)}  # fmt: skip


def table(solver: RetrievalSolver, asked: Sequence[Item]) -> list[dict[str, Any]]:
    outputs = solver.solve(asked)
    most = overlap(solver)
    return [
        {"arm": "chance", "n": len(asked), "accuracy": round(float(np.mean([1 / len(i.choices) for i in asked])), 4)},
        row("longest option", [longest(i) == i.targets[0] for i in asked]),
        row("most words in common", [most(i) == i.targets[0] for i in asked]),
        row("solver", [o.chosen == i.targets for o, i in zip(outputs, asked, strict=True)]),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--only", choices=("starter", "public"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    report: dict[str, Any] = {"load before": os.getloadavg(), "weights": dict(WEIGHTS)}
    if asked.only != "public":
        library = libraries.starter(asked.work)
        solver = RetrievalSolver(library, library.sides[0].embedder)
        questions = starter_rows("questions")
        halves = {
            "development": items([q for q in questions if is_development(q)]),
            "test": items([q for q in questions if not is_development(q)]), "all": items(questions),
        }  # fmt: skip
        if asked.fit:
            for ridge in (0.005, 0.02, 0.05, 0.1):
                found = fit(solver, halves["development"], ridge)
                print(ridge, round(left_out(solver, halves["development"], ridge), 3), json.dumps(found))
            return
        for half, part in halves.items():
            report[f"starter, {half}"] = table(solver, part)
            for lang in ("en", "ja"):
                spoken = [item for item in part if item.lang == lang]
                report[f"starter, {half}, {lang}"] = table(solver, spoken)[-1]
    if asked.only != "starter":
        library = libraries.opened(
            asked.work / "public", "public", [textbook(asked.work), libraries.ASTRO_PH], vectors=False
        )
        solver = RetrievalSolver(library, None, mode="text")
        report["astroqa, one right option"] = table(solver, items(lines("astroqa_en_half")))
        mmlu = [r for r in lines("mmlu_astronomy") if r["split"] == "test"]
        report["mmlu astronomy, test"] = table(solver, items(mmlu))
    report["load after"] = os.getloadavg()
    print(json.dumps(report, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
