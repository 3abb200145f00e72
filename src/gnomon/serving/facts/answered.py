"""One question of an exam with every arm's answer: what it took, how sure it was, what it wrote.

Bars show probabilities only where the exam itself takes an arm's scores for such; log-likelihoods of options of unlike
length do not add up, and are told as the scores they are.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from gnomon.core.errors import NotFound
from gnomon.core.records import Item
from gnomon.core.wording import say
from gnomon.research.opened import OpenExpert
from gnomon.runs.lineage import Chain
from gnomon.runs.questions import exams_of
from gnomon.serving.facts.corpus import Frozen
from gnomon.serving.facts.exam import Arm, Paper, Sitting, exam_record, sitting, sittings
from gnomon.serving.facts.items import questions


class Option(Frozen):
    """An option of a question."""

    letter: str = Field(description="Its letter in the order of the file.", examples=["A"])
    text: str = Field(description="Its words.")
    right: bool = Field(description="Whether it is right.")


class Said(Frozen):
    """What an arm answered to a question."""

    arm: str = Field(description="The arm.")
    label: str = Field(description="What it is called on pages.")
    kind: str = Field(description="`model` or `solver`.")
    model: str = Field(description="The model's role; empty without a model.")
    mode: str = Field(description="How it answers.")
    open_book: bool = Field(description="Whether it had the library at hand.")
    score: float | None = Field(description="1 right, 0 wrong, a share where orders differ; null when not scored.")
    reason: str = Field(description="Why it is not scored.")
    chosen: tuple[int, ...] = Field(description="Options it took, from 0; those of the first order.")
    scale: str = Field(description="`probability`, `score` (log-likelihoods that do not add up), or empty for none.")
    values: tuple[float, ...] = Field(description="Of every option on that scale, averaged over orders.")
    lengths: tuple[float, ...] = Field(description="The same for drawing, 0 to 1.")
    text: str = Field(description="What it wrote, where it writes; of the first order.")
    orders: int = Field(description="In how many orders of the options it was asked.")


class Question(Frozen):
    """A question with every arm's answer."""

    id: str = Field(description="The question.")
    sitting: str = Field(description="Role of the exam.")
    paper: str = Field(description="Its paper.")
    prompt: str = Field(description="What is asked.")
    options: tuple[Option, ...] = Field(description="Its options.")
    reference: str = Field(description="The reference answer of an open question.")
    subject: str = Field(description="Its subject.")
    lang: str = Field(description="Its language.")
    origin: str = Field(description="What it was made from, as its file says.")
    evidence: str = Field(description="The sentence its answer rests on; empty when the file has none.")
    answers: tuple[Said, ...] = Field(description="Every arm's answer, in the order of the tables.")
    before: str = Field(description="The question before it in the paper; empty at the first.")
    after: str = Field(description="The question after it; empty at the last.")


def question(opened: OpenExpert, item_id: str, role: str = "", paper: str = "") -> Question:
    """A question with every arm's answer.

    Args:
        opened: The expert.
        item_id: The question.
        role: The exam; empty for the first that has it.
        paper: Its paper; empty for the first that has it.

    Raises:
        NotFound: No paper has such a question.
    """
    held, found = _holding(opened, item_id, role, paper)
    every = questions(opened, held.role, found.name)
    item, ids = every[item_id], list(every)
    at = ids.index(item_id)
    return Question(
        id=item.id, sitting=held.role, paper=found.name, prompt=item.prompt, reference=item.reference,
        options=tuple(Option(letter=chr(65 + n), text=text, right=n in item.targets)
                      for n, text in enumerate(item.choices)),
        subject=item.subject, lang=item.lang, origin=item.origin, evidence=item.evidence,
        answers=_answers(opened, held, found, item), before=ids[at - 1] if at else "",
        after=ids[at + 1] if at + 1 < len(ids) else "",
    )  # fmt: skip


def _holding(opened: OpenExpert, item_id: str, role: str, paper: str) -> tuple[Sitting, Paper]:
    for held in [sitting(opened, role)] if role else sittings(opened):
        for found in held.papers:
            if paper in {"", found.name} and item_id in questions(opened, held.role, found.name):
                return held, found
    raise NotFound(
        say(f"No exam here asked a question {item_id[:200]!r}.", f"どの試験にも問題 {item_id[:200]!r} はない。"),
        say("See /exam/items.", "/exam/items を見る。"),
    )


def _answers(opened: OpenExpert, held: Sitting, paper: Paper, item: Item) -> tuple[Said, ...]:
    record, arms = exam_record(opened, held.role), {arm.name: arm for arm in paper.arms}
    chain = Chain(workspace=opened.workspace, records=(record,), readers=frozenset())
    links = [link for link in exams_of(chain, item.id) if link.facts["paper"] == paper.name]
    return tuple(
        _said(arms[link.id], link.facts, held.how, len(item.choices))
        for exam in links for link in exam.below if link.id in arms
    )  # fmt: skip


def _said(arm: Arm, facts: Mapping[str, Any], how: Mapping[str, Any], options: int) -> Said:
    orders: Sequence[Mapping[str, Any]] = facts["orders"]
    scale, values = _values([order["log_probs"] for order in orders if order["log_probs"]], arm, how)
    first = next((order for order in orders if order["chosen"]), orders[0])
    return Said(
        arm=arm.name, label=arm.label, kind=arm.kind, model=arm.model, mode=arm.mode, open_book=arm.open_book,
        score=facts["score"], reason=", ".join(facts["reasons"]) if facts["score"] is None else "",
        chosen=tuple(first["chosen"]), scale=scale, values=values if len(values) == options else (),
        lengths=_lengths(values, scale), text=first["text"], orders=len(orders),
    )  # fmt: skip


def _values(rows: Sequence[Sequence[float]], arm: Arm, how: Mapping[str, Any]) -> tuple[str, tuple[float, ...]]:
    """What each option got, averaged over orders: probabilities where the exam takes them for such, else raw scores."""
    if not rows:
        return "", ()
    probable = arm.kind == "solver" or arm.mode != "option" or how.get("normalise") == "sum"
    told = [_shares(row) for row in rows] if probable else [list(row) for row in rows]
    return "probability" if probable else "score", tuple(
        math.fsum(column) / len(told) for column in zip(*told, strict=True)
    )


def _shares(row: Sequence[float]) -> list[float]:
    most = max(row)
    sizes = [math.exp(value - most) for value in row]
    return [size / math.fsum(sizes) for size in sizes]


def _lengths(values: Sequence[float], scale: str) -> tuple[float, ...]:
    """Lengths of bars: probabilities as they are, scores from the least to the greatest of the question."""
    if scale != "score" or not values:
        return tuple(values)
    low, high = min(values), max(values)
    return tuple((value - low) / (high - low) if high > low else 1.0 for value in values)
