"""The figures of an exam, drawn from its rows alone: no model is needed to draw them again.

``n`` items were scored; ``unscored`` counts the others by reason, so the two add up to the questions of the paper. An
item counts as scored when at least one of its orders is, and its score is the mean of those.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from gnomon.core.records import Item
from gnomon.evaluation.bootstrap import Draws, mean_interval
from gnomon.evaluation.exam.arms import Arm
from gnomon.evaluation.exam.chance import chance, chance_of, guessed
from gnomon.evaluation.exam.papers import Questions
from gnomon.evaluation.exam.scoring import ONE_ONLY, Answered
from gnomon.evaluation.exam.statistics import accuracy, at_chance, calibration, compare, log_shares

PER_TOKENS = 100_000


@dataclass(kw_only=True, slots=True)
class _Tally:
    """What one arm did with one item."""

    item: Answered
    """The first of its rows: subject, language, options."""
    scores: list[float] = field(default_factory=list)
    """Of its scored orders."""
    reasons: list[str] = field(default_factory=list)
    """Of the others."""
    log_probs: list[float] = field(default_factory=list)
    """Log-probability of the right option, given that one is chosen, in each order."""
    sure: list[tuple[float, bool]] = field(default_factory=list)
    """Probability of the chosen option, and whether it was right, in each order."""

    @property
    def score(self) -> float | None:
        """The mean of its scored orders."""
        return math.fsum(self.scores) / len(self.scores) if self.scores else None


def paper_facts(
    questions: Questions, arms: Sequence[Arm], rows: Mapping[str, Iterable[Answered]], normalise: str, draws: Draws
) -> dict[str, Any]:
    """The figures of one paper.

    Args:
        questions: The paper.
        arms: Who sat it, in the order of the tables.
        rows: Their results, by arm; chance has none.
        normalise: How ``option`` scores were normalised; only sums are log-probabilities.
        draws: Of the bootstrap.
    """
    found: dict[str, Any] = {}
    tallies: dict[str, dict[str, _Tally]] = {}
    for arm in arms:
        if arm.kind == "chance":
            found[arm.name] = chance_facts(questions.items)
            continue
        answers = list(rows[arm.name])
        tallies[arm.name] = _tallies(
            answers, probable=arm.kind == "model" and (arm.mode != "option" or normalise == "sum")
        )
        found[arm.name] = _arm_facts(list(tallies[arm.name].values()), draws) | _spent(answers)
    pairs = combinations(tallies, 2)
    comparisons = [_comparison(tallies, arm, against, draws) for against, arm in pairs]
    paper = questions.paper
    return {
        "label": paper.label or paper.name, "items": len(questions.items), "general": paper.general,
        "several": questions.several, "dropped": dict(questions.dropped), "arms": found, "comparisons": comparisons,
    }  # fmt: skip


def chance_facts(items: Sequence[Item]) -> dict[str, Any]:
    """What guessing gives, in the shape of an arm."""
    whole = guessed([chance(item) for item in items])
    sure = math.fsum(math.log(chance(item)) for item in items) / len(items)
    return {
        "n": len(items), "accuracy": whole.to_row(), "unscored": {}, "truncated": 0, "chance": whole.value,
        "at_chance": True, "if_unscored_were_wrong": whole.value,
        "log_prob": {"value": sure, "low": sure, "high": sure, "n": len(items)}, "calibration": None,
        "by_subject": _guessed_by(items, "subject"), "by_lang": _guessed_by(items, "lang"),
        "usd_per_question": None, "usd_per_100k_tokens": None, "tokens_in": 0, "tokens_out": 0,
    }  # fmt: skip


def _guessed_by(items: Sequence[Item], key: str) -> dict[str, Any]:
    groups: dict[str, list[float]] = defaultdict(list)
    for item in items:
        groups[getattr(item, key)].append(chance(item))
    return {
        name: {"n": len(groups[name]), "accuracy": guessed(groups[name]).to_row()} for name in sorted(groups) if name
    }


def _tallies(answers: Iterable[Answered], *, probable: bool) -> dict[str, _Tally]:
    found: dict[str, _Tally] = {}
    for row in answers:
        tally = found.setdefault(row.result.item_id, _Tally(item=row))
        said = row.result.output
        if row.result.score is None:
            tally.reasons.append(row.result.reason)
            continue
        tally.scores.append(row.result.score)
        if probable and said.log_probs and len(row.targets) == 1:
            shares = log_shares(said.log_probs)
            tally.log_probs.append(shares[row.targets[0]])
            tally.sure.append((math.exp(shares[said.chosen[0]]), row.result.score == 1))
    return found


def _arm_facts(tallies: Sequence[_Tally], draws: Draws) -> dict[str, Any]:
    scored = [tally for tally in tallies if tally.score is not None]
    scores = [tally.score for tally in scored if tally.score is not None]
    whole = accuracy(scores, draws)
    guess = [chance_of(tally.item.options, len(tally.item.targets)) for tally in scored]
    level = math.fsum(guess) / len(guess) if guess else None
    told = [math.fsum(tally.log_probs) / len(tally.log_probs) for tally in scored if tally.log_probs]
    sure = [pair for tally in scored for pair in tally.sure]
    unscored = Counter(_most(tally.reasons) for tally in tallies if tally.score is None)
    asked = len(tallies) - unscored[ONE_ONLY]
    return {
        "n": len(scored), "accuracy": whole.to_row() if scored else None, "unscored": dict(sorted(unscored.items())),
        "truncated": sum("truncated" in tally.reasons for tally in tallies), "chance": level,
        "at_chance": level is None or at_chance(whole, level),
        "if_unscored_were_wrong": math.fsum(scores) / asked if asked else None,
        "log_prob": mean_interval(told, draws).to_row() if told else None,
        "calibration": calibration([p for p, _ in sure], [right for _, right in sure]),
        "by_subject": _by(scored, "subject", draws), "by_lang": _by(scored, "lang", draws),
    }  # fmt: skip


def _most(reasons: Sequence[str]) -> str:
    """The most frequent reason; of equally frequent ones the first by name."""
    return min(reasons, key=lambda reason: (-reasons.count(reason), reason))


def _by(tallies: Sequence[_Tally], key: str, draws: Draws) -> dict[str, Any]:
    groups: dict[str, list[float]] = defaultdict(list)
    for tally in tallies:
        if tally.score is not None:
            groups[getattr(tally.item, key)].append(tally.score)
    return {
        name: {"n": len(groups[name]), "accuracy": accuracy(groups[name], draws).to_row()}
        for name in sorted(groups) if name
    }  # fmt: skip


def _spent(answers: Sequence[Answered]) -> dict[str, Any]:
    """Tokens and money; a question asked in several orders is several questions asked."""
    outputs = [row.result.output for row in answers if row.result.reason != ONE_ONLY]
    read, written = (sum(getattr(one, name) for one in outputs) for name in ("tokens_in", "tokens_out"))
    costs = [one.cost_usd for one in outputs if one.cost_usd is not None]
    usd = math.fsum(costs) if costs and len(costs) == len(outputs) else None
    tokens = read + written
    return {
        "asked": len(outputs), "tokens_in": read, "tokens_out": written,
        "usd_per_question": None if usd is None else usd / len(outputs),
        "usd_per_100k_tokens": None if usd is None or not tokens else usd / tokens * PER_TOKENS,
    }  # fmt: skip


def _comparison(tallies: Mapping[str, Mapping[str, _Tally]], arm: str, against: str, draws: Draws) -> dict[str, Any]:
    pairs = [
        (mine.score, other.score)
        for item, mine in tallies[arm].items()
        if (other := tallies[against].get(item)) is not None and mine.score is not None and other.score is not None
    ]
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    return {"arm": arm, "against": against, **compare(first, second, draws).to_row()}
