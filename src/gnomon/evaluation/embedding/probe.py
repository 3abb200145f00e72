"""Subject classification by a linear probe: what of a document's subject its vector tells a straight line.

A *probe* is multinomial logistic regression on standardised vectors (Alain and Bengio 2016). Documents
of each subject are divided once, by seed, into *train*, *development* (where the strength of the
penalty is chosen) and *test*, the same for every system. Beside it stands the majority class, which
needs no vector at all.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import MissingExtra
from gnomon.core.protocols import Vectors
from gnomon.core.wording import say
from gnomon.evaluation.bootstrap import Draws, Floats, intervals, mean_interval

PENALTIES = (0.001, 0.01, 0.1, 1.0)
"""Inverse strengths of the penalty (scikit-learn's ``C``) that are tried."""
MOST_ITERATIONS = 500
MAJORITY = "majority"
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """What one system's probe said of one test document."""

    system: str
    """The system, or ``majority``."""
    doc_id: str
    """The document."""
    subject: str
    """Its subject."""
    predicted: str
    """What the probe says."""


@dataclass(frozen=True, kw_only=True)
class Division:
    """Documents of the subjects that are frequent enough, in three parts."""

    names: tuple[str, ...]
    """The subjects, sorted."""
    train: Ints
    """Rows of documents."""
    development: Ints
    """Rows of documents."""
    test: Ints
    """Rows of documents."""
    left_out: dict[str, int]
    """Documents without a subject, or of a rare one."""


def divide(subjects: Sequence[str], smallest: int, seed: int) -> Division | None:
    """Divide documents 60:20:20 within each subject; None with fewer than two frequent subjects.

    Args:
        subjects: Subject of each document, empty when it has none.
        smallest: Documents a subject needs.
        seed: Of the division.
    """
    known, counts = np.unique(np.array(subjects, dtype=np.str_), return_counts=True)
    names = tuple(str(name) for name, n in zip(known, counts, strict=True) if name and n >= smallest)
    if len(names) < 2:
        return None
    rng = np.random.default_rng(seed)
    parts: tuple[list[Ints], list[Ints], list[Ints]] = ([], [], [])
    for name in names:
        rows = rng.permutation(np.flatnonzero(np.array(subjects, dtype=np.str_) == name))
        cuts = [round(0.6 * len(rows)), round(0.8 * len(rows))]
        for part, piece in zip(parts, np.split(rows, cuts), strict=True):
            part.append(piece)
    train, development, test = (np.sort(np.concatenate(part)) for part in parts)
    missing = sum(not s for s in subjects)
    rare = len(subjects) - missing - sum(map(len, (train, development, test)))
    left_out = {"no_subject": missing, "rare_subject": rare}
    return Division(names=names, train=train, development=development, test=test, left_out=left_out)


def probe(vectors: Vectors, truth: Ints, division: Division) -> tuple[Ints, dict[str, Any]]:
    """Subjects that a probe predicts for the test part, and how it was made.

    Args:
        vectors: Of all documents, shape (n, dimensions).
        truth: Index of each document's subject; anything for documents outside the division.
        division: The parts.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        raise MissingExtra("scikit-learn", "embed", say("The linear probe", "線形プローブ")) from error
    scaler = StandardScaler().fit(vectors[division.train])
    parts = [scaler.transform(vectors[rows]) for rows in (division.train, division.development, division.test)]
    tried = [_fitted(parts[0], truth[division.train], penalty) for penalty in PENALTIES]
    right = [float((model.predict(parts[1]) == truth[division.development]).mean()) for model, _ in tried]
    chosen = int(np.argmax(right))
    model, converged = tried[chosen]
    predicted = np.asarray(model.predict(parts[2]), dtype=np.int64)
    return predicted, {"penalty": PENALTIES[chosen], "development_accuracy": right[chosen], "converged": converged}


def _fitted(vectors: Floats, truth: Ints, penalty: float) -> tuple[Any, bool]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ConvergenceWarning)
        model = LogisticRegression(C=penalty, max_iter=MOST_ITERATIONS).fit(vectors, truth)
    return model, not any(issubclass(w.category, ConvergenceWarning) for w in told)


def subject_figures(
    vectors: Mapping[str, Vectors], documents: tuple[Sequence[str], Sequence[str]], smallest: int, draws: Draws
) -> tuple[dict[str, Any], list[Prediction]]:
    """Accuracy and macro F1 of every system and of the majority class, and all predictions.

    Args:
        vectors: Of all documents, by system.
        documents: Their ids and subjects.
        smallest: Documents a subject needs.
        draws: Of the bootstrap over test documents; its seed divides them too.
    """
    ids, subjects = documents
    division = divide(subjects, smallest, draws.seed)
    if division is None:
        return {"n": 0, "reason": f"fewer than two subjects with {smallest} documents"}, []
    place = {name: i for i, name in enumerate(division.names)}
    truth = np.array([place.get(name, -1) for name in subjects], dtype=np.int64)
    most = int(np.bincount(truth[division.train]).argmax())
    predicted, how = {MAJORITY: np.full(len(division.test), most)}, dict[str, dict[str, Any]]()
    for name, rows in vectors.items():
        predicted[name], how[name] = probe(rows, truth, division)
    wanted = truth[division.test]
    systems = {
        name: {**how.get(name, {}), **_measures(rows, wanted, len(place), draws)} for name, rows in predicted.items()
    }
    sizes = {part: len(getattr(division, part)) for part in ("train", "development", "test")}
    facts = {
        "n": len(division.test), "parts": sizes, "subjects": list(division.names), "left_out": division.left_out,
        "systems": systems, "differences": _differences(predicted, wanted, draws),
    }  # fmt: skip
    return facts, [
        Prediction(system=name, doc_id=ids[row], subject=subjects[row], predicted=division.names[int(said)])
        for name, rows in predicted.items()
        for row, said in zip(division.test, rows, strict=True)
    ]


def _measures(predicted: Ints, truth: Ints, classes: int, draws: Draws) -> dict[str, Any]:
    """Accuracy and macro F1 from what each document adds to the counts of every class."""
    one = np.eye(classes)
    said, held = one[predicted], one[truth]
    rows = np.hstack([said * held, said + held, np.ones((len(truth), 1))])

    def macro_f1(sums: Floats) -> Floats:
        right, seen = sums[..., :classes], sums[..., classes : 2 * classes]
        scores = np.divide(2 * right, seen, out=np.zeros_like(right), where=seen > 0)
        present = np.maximum((seen > 0).sum(axis=-1), 1)
        f1: Floats = scores.sum(axis=-1) / present
        return f1

    def accuracy(sums: Floats) -> Floats:
        share: Floats = sums[..., :classes].sum(axis=-1) / sums[..., -1]
        return share

    found = intervals(rows, {"accuracy": accuracy, "macro_f1": macro_f1}, draws)
    return {name: value.to_row() for name, value in found.items()}


def _differences(predicted: Mapping[str, Ints], truth: Ints, draws: Draws) -> list[dict[str, Any]]:
    """Differences in accuracy of every two systems, paired by document."""
    right = {name: (rows == truth).astype(np.float64) for name, rows in predicted.items()}
    return [
        {"system": b, "against": a, "accuracy": mean_interval(right[b] - right[a], draws).to_row()}
        for i, a in enumerate(right)
        for b in list(right)[i + 1 :]
    ]
