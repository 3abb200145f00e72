"""The figures of open questions, drawn from the rows alone.

``n`` questions were answered, ``unscored`` counts the others by reason, and the two add up to the questions of the set.
What a judge said rests on the answers it judged; ``if_unscored_were_wrong`` adds those without an answer as 1 point, so
that a model which answers only what it knows gains nothing by it.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from gnomon.core.exams import Output, Result
from gnomon.core.records import Item
from gnomon.evaluation.bootstrap import Draws, interval, mean_interval, ratio
from gnomon.evaluation.exam.facts import PER_TOKENS
from gnomon.evaluation.exam.statistics import accuracy
from gnomon.evaluation.open.overlap import floors


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAnswer:
    """One answer with what is known of it."""

    subject: str
    """The item's subject, empty when it has none."""
    lang: str
    """Its language."""
    rouge_l: float | None
    """Overlap with the reference, None without an answer."""
    figures: int
    """Figures of the reference."""
    figures_found: int
    """Those that stand in the answer."""
    points: int | None
    """The judge's points, 1 to 5; None without a judgement."""
    why: str
    """The judge's reason, or why there is no judgement."""
    result: Result
    """What was said; its score is the judge's share (points less one, over four), or ROUGE-L without a judge."""


def open_facts(
    items: Sequence[Item], rows: Mapping[str, Sequence[OpenAnswer]], passing: int, draws: Draws
) -> dict[str, Any]:
    """The figures of a set of open questions.

    Args:
        items: The questions.
        rows: Answers by arm.
        passing: Points from which an answer counts as right.
        draws: Of the bootstrap.
    """
    low = floors(items)
    found = {arm: _arm(answers, passing, draws) for arm, answers in rows.items()}
    pairs = [
        {"arm": arm, "against": against} | _compared(rows[arm], rows[against], draws)
        for against, arm in combinations(rows, 2)
    ]
    return {"items": len(items), "floor": mean_interval(low, draws).to_row(), "arms": found, "comparisons": pairs}


def _arm(answers: Sequence[OpenAnswer], passing: int, draws: Draws) -> dict[str, Any]:
    answered = [row for row in answers if row.rouge_l is not None]
    reasons = Counter(row.result.reason for row in answers if row.rouge_l is None)
    figures = np.array([[row.figures_found, row.figures] for row in answered], dtype=np.float64).reshape(-1, 2)
    return {
        "n": len(answered), "unscored": dict(sorted(reasons.items())), "truncated": reasons["truncated"],
        "judged": _judged(answers, passing, draws),
        "rouge_l": mean_interval([row.rouge_l or 0.0 for row in answered], draws).to_row() if answered else None,
        "figures": interval(figures, ratio(0, 1), draws).to_row() | {"figures": int(figures[:, 1].sum())},
        "by_lang": _by(answered, "lang", draws), "by_subject": _by(answered, "subject", draws),
    } | spending([row.result.output for row in answers])  # fmt: skip


def _judged(answers: Sequence[OpenAnswer], passing: int, draws: Draws) -> dict[str, Any] | None:
    points = [row.points for row in answers if row.points is not None]
    if not points:
        return None
    faults = Counter(row.why for row in answers if row.points is None and row.rouge_l is not None)
    missing = sum(row.rouge_l is None for row in answers)
    return {
        "n": len(points), "unjudged": dict(sorted(faults.items())), "points": mean_interval(points, draws).to_row(),
        "right": accuracy([float(p >= passing) for p in points], draws).to_row(),
        "counts": {str(point): points.count(point) for point in range(1, 6)},
        "if_unscored_were_wrong": (math.fsum(points) + missing) / (len(points) + missing),
    }  # fmt: skip


def _by(rows: Sequence[OpenAnswer], key: str, draws: Draws) -> dict[str, Any]:
    groups: dict[str, list[OpenAnswer]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, key)].append(row)
    found = {}
    for name in sorted(groups):
        points = [row.points for row in groups[name] if row.points is not None]
        found[name] = {
            "n": len(groups[name]), "points": mean_interval(points, draws).to_row() if points else None,
            "rouge_l": mean_interval([row.rouge_l or 0.0 for row in groups[name]], draws).to_row(),
        }  # fmt: skip
    return {name: row for name, row in found.items() if name}


def spending(outputs: Sequence[Output]) -> dict[str, Any]:
    """Tokens and money of some answers."""
    read, written = (sum(getattr(one, name) for one in outputs) for name in ("tokens_in", "tokens_out"))
    costs = [one.cost_usd for one in outputs if one.cost_usd is not None]
    usd = math.fsum(costs) if costs and len(costs) == len(outputs) else None
    return {
        "asked": len(outputs), "tokens_in": read, "tokens_out": written,
        "usd_per_question": None if usd is None else usd / len(outputs),
        "usd_per_100k_tokens": None if usd is None or not read + written else usd / (read + written) * PER_TOKENS,
    }  # fmt: skip


def _compared(first: Sequence[OpenAnswer], second: Sequence[OpenAnswer], draws: Draws) -> dict[str, Any]:
    """Differences on the questions that both answered, and that were judged for both."""
    others = {row.result.item_id: row for row in second}
    found: dict[str, Any] = {}
    for name in ("points", "rouge_l"):
        pairs = [
            (float(mine), float(other))
            for row in first
            if (mine := getattr(row, name)) is not None
            and (other := getattr(others[row.result.item_id], name)) is not None
        ]
        found[name] = mean_interval([a - b for a, b in pairs], draws).to_row() if pairs else None
    return found
