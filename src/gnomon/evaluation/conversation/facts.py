"""The figures of judged conversations, drawn from the rows alone.

A question counts once: its points are the mean of its judged turns, and the bootstrap draws questions, since turns of
one conversation are not strangers. The means of the first and of the second turns stand beside it, as MT-Bench has it.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from gnomon.core.exams import Output
from gnomon.evaluation.bootstrap import Draws, mean_interval
from gnomon.evaluation.open.facts import spending


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedTurn:
    """One answer of a conversation."""

    question_id: str
    """The question."""
    arm: str
    """Who answered."""
    category: str
    """The question's."""
    lang: str
    """Its language."""
    turn: int
    """Which turn, from 1."""
    output: Output
    """What was said."""
    points: int | None
    """1 to 10; None without a judgement."""
    why: str
    """The judge's reason, or why there is no judgement."""
    reference: bool
    """Whether the judge had a reference answer."""


def chat_facts(rows: dict[str, list[JudgedTurn]], draws: Draws) -> dict[str, Any]:
    """The figures of some conversations.

    Args:
        rows: Turns by arm.
        draws: Of the bootstrap.
    """
    arms = {arm: _arm(turns, draws) for arm, turns in rows.items()}
    pairs = [
        {"arm": arm, "against": against, "points": _difference(rows[arm], rows[against], draws)}
        for against, arm in combinations(rows, 2)
    ]
    return {"arms": arms, "comparisons": pairs}


def _arm(turns: Sequence[JudgedTurn], draws: Draws) -> dict[str, Any]:
    last = max((row.turn for row in turns), default=0)
    unscored = Counter(row.output.reason for row in turns if row.output.reason)
    unjudged = Counter(row.why for row in turns if row.points is None and not row.output.reason)
    whole = _mean(turns, draws)
    return {
        "questions": len({row.question_id for row in turns}), "turns": len(turns),
        "n": sum(row.points is not None for row in turns), "unscored": dict(sorted(unscored.items())),
        "truncated": unscored["truncated"], "unjudged": dict(sorted(unjudged.items())), "points": whole,
        "by_turn": {str(turn): _mean([row for row in turns if row.turn == turn], draws)
                    for turn in range(1, last + 1)},
        "second_minus_first": _later(turns, draws),
        "by_category": _by(turns, lambda row: row.category, draws), "by_lang": _by(turns, lambda row: row.lang, draws),
    } | spending([row.output for row in turns])  # fmt: skip


def _mean(turns: Sequence[JudgedTurn], draws: Draws) -> dict[str, Any] | None:
    found = list(_of_questions(turns).values())
    return mean_interval(found, draws).to_row() if found else None


def _of_questions(turns: Sequence[JudgedTurn]) -> dict[str, float]:
    points: dict[str, list[int]] = {}
    for row in turns:
        if row.points is not None:
            points.setdefault(row.question_id, []).append(row.points)
    return {name: math.fsum(found) / len(found) for name, found in points.items()}


def _later(turns: Sequence[JudgedTurn], draws: Draws) -> dict[str, Any] | None:
    """How much lower or higher second turns are judged than first turns of the same conversation."""
    first, second = (_of_questions([row for row in turns if row.turn == turn]) for turn in (1, 2))
    found = [second[name] - first[name] for name in first if name in second]
    return mean_interval(found, draws).to_row() if found else None


def _by(turns: Sequence[JudgedTurn], key: Callable[[JudgedTurn], str], draws: Draws) -> dict[str, Any]:
    names = sorted({key(row) for row in turns} - {""})
    return {name: _mean([row for row in turns if key(row) == name], draws) for name in names}


def _difference(first: Sequence[JudgedTurn], second: Sequence[JudgedTurn], draws: Draws) -> dict[str, Any] | None:
    """First minus second on the turns that were judged for both, a question at a time."""
    keys = [{(row.question_id, row.turn) for row in turns if row.points is not None} for turns in (first, second)]
    both = keys[0] & keys[1]
    a, b = (_of_questions([r for r in turns if (r.question_id, r.turn) in both]) for turns in (first, second))
    return mean_interval([a[name] - b[name] for name in a], draws).to_row() if both else None
