"""How well the rule judge tells sound pairs from faulty ones, beside plain word overlap and sentence vectors.

    python bench/judges.py --fit                   # print weights fitted on the development half, and how they hold out
    python bench/judges.py --half development      # report on the half that checks and weights were made on
    python bench/judges.py --half test             # the other half, which decided nothing

Pairs: ``audit.jsonl`` of the starter library, halves by hash of the note. Every judge's threshold is that at which nine
in ten sound pairs of the development half are accepted. Second opinion, with no threshold: HaluEval and WiCE.
"""

import argparse
import gzip
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.records import Author, Biblio, Document, Source
from gnomon.synthesis.judging.labelled import Labelled, is_development, read_audit, shares
from gnomon.synthesis.judging.rule import CHECKS, QUESTION_CHECKS, grounded, probability, suspicions
from gnomon.synthesis.judging.weights import BY_HAND, THRESHOLD
from gnomon.synthesis.judging.words import alike, words
from gnomon.synthesis.labels import threshold

ROOT = Path(__file__).parents[1]
STARTER = ROOT / "src" / "gnomon_recipes" / "starter"
DATA = ROOT.parent / "shared" / "data" / "groundedness"
FITTED = tuple(name for name in CHECKS if name not in {"quote", "found", "recovered", *BY_HAND})
RIDGE, STEPS = 0.5, 20_000
Table = Any


def document(note: dict[str, Any]) -> Document:
    source = Source(kind="jsonl", key=note["id"], sha256="0" * 64)
    biblio = Biblio(authors=tuple(Author(name=name) for name in note["authors"]), year=note["year"])
    return Document(id=f"local:{note['id']}", title=note["title"], text=note["text"], lang=note["lang"],
                    source=source, biblio=biblio)  # fmt: skip


def audit() -> list[Labelled]:
    files = sorted(STARTER.glob("notes_*.jsonl"))
    notes = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return read_audit(STARTER / "audit.jsonl", {note["id"]: document(note) for note in notes})


def half(pairs: Sequence[Labelled], name: str) -> list[Labelled]:
    return [one for one in pairs if is_development(note_of(one)) == (name == "development")]


def note_of(one: Labelled) -> str:
    return one.document.id.removeprefix("local:")


# Fitting --------------------------------------------------------------------------------------


def compose(pairs: Sequence[Labelled], table: Table) -> tuple[Table, Table]:
    """Sound pairs put together from halves that no check was made on.

    What is wrong with a pair whose number is wrong, or whose answer is turned round, is not its question; what is wrong
    with a question that dangles is not its answer. The rules were written while looking at the sound pairs, so these
    say better how often a check is wrong. Returned with them are the numbers of the pairs that asked.
    """
    asking = [FITTED.index(name) for name in QUESTION_CHECKS if name in FITTED and name != "leak"]
    asked = [i for i, one in enumerate(pairs) if one.label in {"wrong_number", "negation"}]
    told = [i for i, one in enumerate(pairs) if one.label == "dangling"]
    made = table[[told[n % len(told)] for n in range(len(asked))]]
    made[:, asking] = table[asked][:, asking]
    return made, np.array(asked)


def fit(table: Table, sound: Table, more: Table) -> tuple[Table, float]:
    """Weights, none positive, and intercept of a logistic model, both classes weighed alike; projected gradient.

    Args:
        table: Suspicions, a row a pair.
        sound: Which pairs are sound.
        more: Rows of further sound pairs.
    """
    table, sound = np.vstack([table, more]), np.concatenate([sound, np.ones(len(more), bool)])
    weigh = np.where(sound, 0.5 / sound.mean(), 0.5 / (1 - sound.mean()))
    weights, intercept = np.zeros(table.shape[1]), 0.0
    step = 1 / (0.25 * weigh.max() * (np.linalg.norm(table, 2) ** 2 + len(table)) + RIDGE)
    for _ in range(STEPS):
        miss = weigh * (1 / (1 + np.exp(-table @ weights - intercept)) - sound)
        weights = np.minimum(weights - step * (table.T @ miss + RIDGE * weights), 0.0)
        intercept -= step * miss.sum()
    return weights, float(intercept)


def print_fit(pairs: Sequence[Labelled]) -> None:
    found = [suspicions(one.pair, one.document) for one in pairs]
    table = np.array([[held[name].share for name in FITTED] for held in found])
    by_hand = np.array([sum(weight * held[name].share for name, weight in BY_HAND.items()) for held in found])
    sound = np.array([one.sound for one in pairs])
    composed, whose = compose(pairs, table)
    notes = sorted({note_of(one) for one in pairs})
    fold = np.array([notes.index(note_of(one)) % 5 for one in pairs])
    scores, told = np.zeros(len(pairs)), np.zeros(len(composed))
    for number in range(5):
        own, theirs = fold == number, fold[whose] == number
        weights, intercept = fit(table[~own], sound[~own], composed[~theirs])
        scores[own] = 1 / (1 + np.exp(-(table[own] @ weights + by_hand[own] + intercept)))
        told[theirs] = 1 / (1 + np.exp(-(composed[theirs] @ weights + intercept)))
    for name, pool in (("sound pairs", scores[sound]), ("and composed", np.concatenate([scores[sound], told]))):
        least = threshold(pool.tolist(), 0.9)
        print(
            f"threshold {least:.3f} by {name}: accepted of the composed {wilson(int((told >= least).sum()), len(told))}"
        )
        report("five-fold", pairs, scores.tolist(), least)
    reliability(scores, sound)
    weights, intercept = fit(table, sound, composed)
    print({name: round(float(weight), 2) for name, weight in zip(FITTED, weights, strict=True)})
    print("intercept", round(intercept, 2))


def reliability(scores: Table, sound: Table) -> None:
    """Mean probability and share of sound pairs, sound and faulty weighed alike, by bins of the probability."""
    weigh = np.where(sound, 0.5 / sound.sum(), 0.5 / (~sound).sum())
    for low, high in ((0, 0.1), (0.1, 0.5), (0.5, 0.8), (0.8, 0.9), (0.9, 1.01)):
        held = (scores >= low) & (scores < high)
        if held.any():
            mean, share = (np.average(v[held], weights=weigh[held]) for v in (scores, sound))
            print(f"  probability {low:.1f} to {min(high, 1):.1f}: n={held.sum():4} mean {mean:.2f} sound {share:.2f}")


# Reporting ------------------------------------------------------------------------------------


def wilson(hits: int, total: int) -> str:
    """A share with its 95 % Wilson interval."""
    z, share = 1.96, hits / total
    middle, spread = share + z * z / (2 * total), z * math.sqrt(share * (1 - share) / total + (z / total) ** 2 / 4)
    low, high = ((middle + sign * spread) / (1 + z * z / total) for sign in (-1, 1))
    return f"{share:.3f} [{low:.3f}, {high:.3f}]"


def report(name: str, pairs: Sequence[Labelled], scores: Sequence[float], least: float) -> None:
    for lang in ("all", "en", "ja"):
        chosen = [i for i, one in enumerate(pairs) if lang in {"all", one.pair.lang}]
        rejected = shares([pairs[i] for i in chosen], [scores[i] for i in chosen], least)
        for label, (hits, total) in rejected.items():
            what, count = ("accepted", total - hits) if label == "good" else ("rejected", hits)
            print(f"{name:14} {lang:4} {label:15} {what} {wilson(count, total)} n={total}")


def overlap(one: Labelled) -> float:
    """Share of the answer's words that its quote has."""
    own, there = (words(text, one.pair.lang) for text in (one.pair.answer, one.pair.evidence[0].quote))
    return sum(any(alike(w.text, o.text) for o in there) for w in own) / len(own) if own else 1.0


def cosines(left: Sequence[str], right: Sequence[str]) -> list[float]:
    """Likeness of texts by the packaged MiniLM."""
    from gnomon.core.settings import Settings
    from gnomon.llm.embedders import PACKAGED, load_embedder

    embedder = load_embedder(PACKAGED, Settings())
    first, second = embedder.embed(list(left)), embedder.embed(list(right))
    return [float(value) for value in (first * second).sum(axis=1)]


def rule(pairs: Sequence[Labelled]) -> list[float]:
    return [probability(suspicions(one.pair, one.document)) for one in pairs]


def vectors(pairs: Sequence[Labelled]) -> list[float]:
    said = [f"{one.pair.question} {one.pair.answer}" for one in pairs]
    return cosines(said, [one.pair.evidence[0].quote for one in pairs])


def report_audit(name: str) -> None:
    pairs = audit()
    development, chosen = half(pairs, "development"), half(pairs, name)
    peers: dict[str, Callable[[Sequence[Labelled]], list[float]]] = {
        "rule-1": rule, "word overlap": lambda some: [overlap(one) for one in some], "vectors": vectors,
    }  # fmt: skip
    for peer, judge in peers.items():
        scores = judge(development)
        least = threshold([s for s, one in zip(scores, development, strict=True) if one.sound], 0.9)
        least = THRESHOLD if peer == "rule-1" else least
        begun = time.perf_counter()
        told = judge(chosen)
        seconds = time.perf_counter() - begun
        print(f"{name} {peer}: threshold {least:.4f}, {len(chosen) / seconds:.0f} pairs/s")
        report(peer, chosen, told, least)


# Second opinion -------------------------------------------------------------------------------


def auc(right: Sequence[float], wrong: Sequence[float]) -> float:
    high, low = np.array(right)[:, None], np.array(wrong)[None, :]
    return float((high > low).mean() + 0.5 * (high == low).mean())


def interval(right: Sequence[float], wrong: Sequence[float], times: int = 1_000) -> str:
    """AUC with its 95 % bootstrap interval."""
    drawn = np.random.default_rng(0)
    one, other = np.array(right), np.array(wrong)
    found = [auc(drawn.choice(one, len(one)), drawn.choice(other, len(other))) for _ in range(times)]
    low, high = np.percentile(found, [2.5, 97.5])
    return f"{auc(right, wrong):.3f} [{low:.3f}, {high:.3f}]"


def report_second_opinion() -> None:
    for name, file, positive in (("HaluEval", "halueval_qa_half", "supported"), ("WiCE", "wice_dev", "supported")):
        with gzip.open(DATA / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        cases = [(r.get("question", ""), r.get("answer") or r["claim"], r.get("context") or "\n".join(r["evidence"]))
                 for r in rows]  # fmt: skip
        scores = {
            "rule-1": [grounded(*case, "en") for case in cases],
            "word overlap": [_covered(answer, evidence) for _, answer, evidence in cases],
            "vectors": cosines([f"{q} {a}".strip() for q, a, _ in cases], [e[:2_000] for _, _, e in cases]),
        }
        for label in sorted({row["label"] for row in rows} - {positive}):
            for peer, told in scores.items():
                right = [s for s, row in zip(told, rows, strict=True) if row["label"] == positive]
                wrong = [s for s, row in zip(told, rows, strict=True) if row["label"] == label]
                print(
                    f"{name} {positive} n={len(right)} against {label} n={len(wrong)}: {peer} AUC {interval(right, wrong)}"
                )


def _covered(answer: str, evidence: str) -> float:
    own, there = words(answer, "en"), {word.text for word in words(evidence, "en", units=True)}
    return sum(word.text in there for word in own) / len(own) if own else 1.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--fit", action="store_true")
    arguments.add_argument("--half", choices=("development", "test"), default="test")
    arguments.add_argument("--no-second", action="store_true", help="without HaluEval and WiCE")
    chosen = arguments.parse_args()
    print("load", os.getloadavg())
    if chosen.fit:
        print_fit(half(audit(), "development"))
        return
    report_audit(chosen.half)
    if not chosen.no_second:
        report_second_opinion()


if __name__ == "__main__":
    main()
