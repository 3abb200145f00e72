"""The step ``synthesis/select``: the judged pairs that are good enough to teach.

A rule's verdict ``accept`` is a probability and has one threshold; models' marks from 1 to 5 are averaged over judges
and have one for each criterion. What nobody judged is not taken for good. Labels from the audit page, where given,
set the first threshold anew and decide about the labelled pairs themselves.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.synthetic import CRITERIA, QA
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.judging.weights import THRESHOLD
from gnomon.synthesis.labels import Labels, read_labels, threshold
from gnomon.synthesis.passing import Refusal, pass_pairs, read_pairs

ACCEPT = "accept"
"""The criterion under which a rule says how likely a pair is sound."""
DEFAULT_ACCEPT = THRESHOLD
"""That of the rule judge: nine in ten sound pairs of the audit set's development half are accepted."""
LABELS = "labels"
NOT_JUDGED, FAULTY = "not_judged", "labelled_faulty"


@dataclass(frozen=True, kw_only=True)
class Least:
    """The least mean of the judges' marks, 1 to 5, for each criterion."""

    correctness: float = 4.0
    """The answer is right and follows from the passage."""
    stand_alone: float = 4.0
    """The question needs nothing else to be understood."""
    pertinence: float = 3.0
    """It asks about the field."""
    educational: float = 3.0
    """Something is learnt from it."""


@dataclass(frozen=True, kw_only=True)
class SelectConfig:
    """What is kept."""

    accept: float = DEFAULT_ACCEPT
    """Least probability of the rule judge; with labels it is set by them."""
    least: Least = field(default_factory=Least)
    """Least marks of model judges."""
    acceptance: float = 0.9
    """With labels: the share of sound pairs that is to be kept."""
    unjudged: bool = False
    """Whether pairs that nobody judged are kept."""


def run(config: SelectConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Keep the good ones of ``inputs["pairs"]``; ``inputs["labels"]``, a listing, sets the threshold.

    Raises:
        ConfigError: A threshold cannot be used.
        DataError: Nothing is kept, or there are too few labels for a threshold.
    """
    _check(config)
    labels = read_labels(inputs[LABELS]) if LABELS in inputs else None
    accept = config.accept if labels is None else _by_labels(config, inputs["pairs"], labels, out)
    out.metrics[ACCEPT] = accept
    counts = pass_pairs(inputs["pairs"], out, lambda pair: refusal(pair, config, accept, labels))
    if not counts.kept and counts.taken:
        raise _nothing(counts)
    return counts


def refusal(pair: QA, config: SelectConfig, accept: float, labels: Labels | None = None) -> Refusal | None:
    """Why a pair is left out; None when it is kept.

    Args:
        pair: The pair with its verdicts.
        config: The thresholds.
        accept: Least probability of the rule judge.
        labels: What people said; their word comes before the judges'.
    """
    if labels is not None and pair.id in labels.faulty:
        return FAULTY, labels.faulty[pair.id]
    if labels is not None and pair.id in labels.sound:
        return None
    probability, marks = accept_score(pair), mean_marks(pair)
    if probability is None and not marks:
        return None if config.unjudged else (NOT_JUDGED, "")
    if probability is not None and probability < accept:
        return f"low_{ACCEPT}", f"{probability:.3f} < {accept:.3f}"
    for criterion, mark in marks.items():
        least = getattr(config.least, criterion)
        if mark < least:
            return f"low_{criterion}", f"{mark:.2f} < {least:.2f}"
    return None


def accept_score(pair: QA) -> float | None:
    """The mean probability that rules gave a pair; None when none did."""
    scores = [verdict.score for verdict in pair.verdicts if verdict.criterion == ACCEPT]
    return fmean(scores) if scores else None


def mean_marks(pair: QA) -> dict[str, float]:
    """The mean mark of model judges, for each criterion that was judged, in the order of ``CRITERIA``."""
    marks = {c: [v.score for v in pair.verdicts if v.criterion == c] for c in CRITERIA}
    return {criterion: fmean(given) for criterion, given in marks.items() if given}


# Labels ---------------------------------------------------------------------------------------


def _by_labels(config: SelectConfig, pairs: Path, labels: Labels, out: Output) -> float:
    """The threshold that labels set, and what it does to the labelled pairs as metrics."""
    sound, faulty = list[float](), list[tuple[str, float]]()
    for pair in read_pairs(pairs):
        score = accept_score(pair)
        if score is not None and pair.id in labels.sound:
            sound.append(score)
        elif score is not None and pair.id in labels.faulty:
            faulty.append((labels.faulty[pair.id], score))
    accept = threshold(sound, config.acceptance)
    rejected = Counter(fault for fault, score in faulty if score < accept)
    out.metrics[LABELS] = {
        "sound": len(sound),
        "sound_accepted": sum(score >= accept for score in sound),
        "faulty": {fault: {"n": n, "rejected": rejected[fault]} for fault, n in _counted(faulty).items()},
        "left_out": dict(labels.left_out),
        "of_no_pair_here": len(labels.sound) + len(labels.faulty) - len(sound) - len(faulty),
    }
    return accept


def _counted(faulty: list[tuple[str, float]]) -> dict[str, int]:
    return dict(sorted(Counter(fault for fault, _ in faulty).items()))


def _check(config: SelectConfig) -> None:
    problems: dict[str, Any] = {
        f"accept = {config.accept}": not 0 <= config.accept <= 1,
        f"acceptance = {config.acceptance}": not 0 < config.acceptance <= 1,
        f"least = {config.least}": not all(1 <= getattr(config.least, criterion) <= 5 for criterion in CRITERIA),
    }
    for problem, holds in problems.items():
        if holds:
            raise ConfigError(
                say(f"synthesis/select: {problem}.", f"synthesis/select の設定が使えない: {problem}。"),
                say("Probabilities and shares lie between 0 and 1, marks between 1 and 5.",
                    "確率と割合は 0 から 1、評点は 1 から 5 とする。"),
            )  # fmt: skip


def _nothing(counts: Counts) -> DataError:
    reasons = ", ".join(f"{reason} {n}" for reason, n in counts.dropped.items())
    return DataError(
        say(f"None of {counts.taken} pairs is kept: {reasons}.", f"{counts.taken} 件の対が一つも残らない: {reasons}。"),
        say("Judge the pairs first, or lower the thresholds; drops.parquet says how far each fell short.",
            "先に対を判定するか、しきい値を下げる。drops.parquet に各対の値がある。"),
    )  # fmt: skip
