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
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import libraries
import numpy as np
from refusal import is_development, packaged
from refusal import rows as starter_rows
from retrieval_sets import DATA

from gnomon.core.records import Item
from gnomon.evaluation.exam.statistics import wilson
from gnomon.evaluation.item_files import NotAnItem
from gnomon.evaluation.items import to_item
from gnomon.research.asked import telling_terms
from gnomon.research.solve import PASSAGES, RetrievalSolver
from gnomon.research.solving.features import denies
from gnomon.research.solving.numbers import are_numbers
from gnomon.research.solving.places import Places, scores

MCQ = DATA.parent / "mcq"
RIDGES = (0.01, 0.02, 0.05, 0.1, 0.2)
"""L2 terms tried; chosen: 0.02 for words, 0.05 for both kinds without an embedder, 0.1 for numbers."""


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


def seen(solver: RetrievalSolver, asked: Sequence[Item]) -> dict[str, list[tuple[Places, Item]]]:
    """The places of every question by kind; those without an embedder are made of all questions."""
    found: dict[str, list[tuple[Places, Item]]] = {}
    words = RetrievalSolver(solver.retriever, None, solver.mode)
    for item in asked:
        if denies(item.prompt):
            continue  # what fits least there is not what is to be learned
        for one in (solver, words):
            there = one.places(item)
            found.setdefault(there.kind, []).append((there, item))
            if one.embedder is None or there.kind in {"words_alone", "numbers_by_words"}:
                break
    return found


def fitted(groups: Sequence[tuple[Places, Item]], ridge: float) -> dict[str, float]:
    """Weights of a softmax over the options, every feature scaled by its spread, with an L2 term."""
    from scipy.optimize import minimize

    names = groups[0][0].names
    spread = np.concatenate([there.rows for there, _ in groups]).std(axis=0)
    scale = np.where(spread > 1e-9, spread, np.inf)

    def loss(weights: Any) -> tuple[float, Any]:
        total, slope = ridge * float(weights @ weights), 2 * ridge * weights
        for there, item in groups:
            if not len(there.rows):
                continue
            rows, right, n = there.rows / scale, there.options == item.targets[0], len(item.choices)
            score = rows @ weights
            floor = np.exp(there.nowhere) if np.isfinite(there.nowhere) else 0.0
            mass = np.exp(score)
            whole, good = mass.sum() + n * floor, mass[right].sum() + floor
            if good <= 0:
                continue
            total -= (np.log(good) - np.log(whole)) / len(groups)
            slope = slope - ((mass * right) @ rows / good - mass @ rows / whole) / len(groups)
        return total, slope

    found = minimize(loss, np.full(len(names), 0.05), jac=True, method="L-BFGS-B").x / scale
    return dict(zip(names, found.round(3).tolist(), strict=True))


def left_out(
    groups: Sequence[tuple[Places, Item]], ridge: float, folds: int = 5, times: int = 3
) -> tuple[float, float]:
    """(accuracy, mean log-probability of the right option) of questions that the weights were not fitted on."""
    right, logs = [], []
    for seed in range(times):
        order = np.random.default_rng(seed).permutation(len(groups))
        for fold in range(folds):
            test = set(order[fold::folds].tolist())
            weights = fitted([group for i, group in enumerate(groups) if i not in test], ridge)
            for there, item in (groups[i] for i in sorted(test)):
                found = scores(there, weights, len(item.choices))
                right.append(int(np.argmax(found)) == item.targets[0])
                logs.append(float((found - np.logaddexp.reduce(found))[item.targets[0]]))
    return float(np.mean(right)), float(np.mean(logs))


def report_fit(solver: RetrievalSolver, asked: Sequence[Item]) -> None:
    for kind, groups in seen(solver, asked).items():
        for ridge in RIDGES:
            accuracy, logs = left_out(groups, ridge)
            print(f"{kind} n={len(groups)} ridge={ridge} left out: accuracy {accuracy:.3f} log-probability {logs:.3f}")
            print("   ", json.dumps(fitted(groups, ridge)))


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


def sat(asked: Sequence[Item], **solvers: RetrievalSolver) -> dict[str, Any]:
    """What two rules of thumb and the solvers, by name, made of each question; solvers also how sure they were."""
    most = overlap(next(iter(solvers.values())))
    found: dict[str, Any] = {
        "longest option": [longest(i) == i.targets[0] for i in asked],
        "most words in common": [most(i) == i.targets[0] for i in asked],
    }
    for name, solver in solvers.items():
        start = time.perf_counter()
        outputs = solver.solve(asked)
        print(f"{name}: {(time.perf_counter() - start) / max(1, len(asked)):.3f} s a question")
        found[name] = [o.chosen == i.targets for o, i in zip(outputs, asked, strict=True)]
        found[f"{name}, log-probability"] = [o.log_probs[i.targets[0]] for o, i in zip(outputs, asked, strict=True)]
    return found


def table(asked: Sequence[Item], found: dict[str, Any], wanted: Callable[[Item], bool]) -> list[dict[str, Any]]:
    """Chance and every arm on some of the questions, with Wilson's interval."""
    part = [n for n, item in enumerate(asked) if wanted(item)]
    chance = float(np.mean([1 / len(asked[n].choices) for n in part]))
    rows: list[dict[str, Any]] = [{"arm": "chance", "n": len(part), "value": round(chance, 4)}]
    for arm, values in found.items():
        mean = float(np.mean([values[n] for n in part]))
        rows.append({"arm": arm, "n": len(part), "value": round(mean, 4)})
        if "log-probability" not in arm:
            low, high = wilson(sum(values[n] for n in part), len(part))
            rows[-1] |= {"low": round(low, 4), "high": round(high, 4)}
    return rows


def starter_tables(work: Path, *, fit: bool) -> dict[str, Any]:
    """Of the starter questions, by half and language; or the fit of the development half, printed."""
    library = libraries.starter(work)
    solver = RetrievalSolver(library, library.sides[0].embedder)
    questions = starter_rows("questions")
    if fit:
        report_fit(solver, items([q for q in questions if is_development(q)]))
        return {}
    asked = items(questions)
    found = sat(asked, solver=solver)
    development = {q["id"] for q in questions if is_development(q)}
    halves: dict[str, Callable[[Item], bool]] = {
        "all": lambda item: True,
        "development": lambda item: item.id in development,
        "test": lambda item: item.id not in development,
    }
    report = {f"starter, {name}": table(asked, found, wanted) for name, wanted in halves.items()}
    for lang in ("en", "ja"):
        report[f"starter, test, {lang}"] = table(asked, found, lambda i: i.id not in development and i.lang == lang)  # noqa: B023
    numbers = {item.id for item in asked if are_numbers(item.choices)}
    report["starter, test, numbers"] = table(asked, found, lambda i: i.id not in development and i.id in numbers)
    report["starter, test, words"] = table(asked, found, lambda i: i.id not in development and i.id not in numbers)
    return report


def public_tables(work: Path) -> dict[str, Any]:
    """Of two public exams, with a textbook and abstracts searched by full text."""
    library = libraries.opened(work / "public", "public", [textbook(work), libraries.ASTRO_PH], vectors=False)
    solvers = {
        "solver": RetrievalSolver(library, packaged(), mode="text"),
        "solver_by_words_alone": RetrievalSolver(library, None, mode="text"),
    }
    mmlu = [r for r in lines("mmlu_astronomy") if r["split"] == "test"]
    exams = {"astroqa, one right option": items(lines("astroqa_en_half")), "mmlu astronomy, test": items(mmlu)}
    return {name: table(asked, sat(asked, **solvers), lambda item: True) for name, asked in exams.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--only", choices=("starter", "public"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    report: dict[str, Any] = {"load before": os.getloadavg()}
    if asked.only != "public":
        report |= starter_tables(asked.work, fit=asked.fit)
    if asked.only != "starter" and not asked.fit:
        report |= public_tables(asked.work)
    report["load after"] = os.getloadavg()
    print(json.dumps(report, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
