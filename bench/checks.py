"""What the always-on checks tell apart with no model: WiCE claims and HaluEval answers (n-grams, numbers and names).

python bench/checks.py [--data ../shared/data]
"""

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.checks import covered_ngrams, facts

DATA = Path(__file__).parents[2] / "shared" / "data"


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def measures(claim: str, evidence: str) -> tuple[float, float]:
    found = facts(claim, evidence)
    covered, total = covered_ngrams(claim, evidence)
    return (
        float(np.mean([fact.supported for fact in found])) if found else np.nan,
        covered / total if total else np.nan,
    )


def report(name: str, groups: dict[str, list[tuple[float, float]]]) -> None:
    for label, values in sorted(groups.items()):
        table = np.array(values)
        counted = ~np.isnan(table[:, 0])
        full = float(np.mean(table[counted, 0] == 1))
        means = np.nanmean(table, axis=0)
        print(f"{name:8} {label:22} n={len(table):4} with facts {counted.sum():4}"
              f"  facts supported {means[0]:.3f}  all of them {full:.3f}  n-grams {means[1]:.3f}")  # fmt: skip
    for label in sorted(set(groups) - {"supported"}):
        areas = [auc(groups["supported"], groups[label], column) for column in (0, 1)]
        print(f"{name:8} supported against {label}: AUC facts {areas[0]:.3f}, n-grams {areas[1]:.3f}")


def auc(right: list[tuple[float, float]], wrong: list[tuple[float, float]], column: int) -> float:
    high, low = (np.array([v[column] for v in group if not np.isnan(v[column])]) for group in (right, wrong))
    return float((high[:, None] > low).mean() + 0.5 * (high[:, None] == low).mean())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA)
    folder = arguments.parse_args().data / "groundedness"
    wice: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows(folder / "wice_dev.jsonl.gz"):
        wice[row["label"]].append(measures(row["claim"], "\n".join(row["evidence"])))
    halueval: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows(folder / "halueval_qa_half.jsonl.gz"):
        halueval[row["label"]].append(measures(row["answer"], f"{row['context']}\n{row['question']}"))
    report("WiCE", wice)
    report("HaluEval", halueval)


if __name__ == "__main__":
    main()
