"""Scoring: what a solver said, turned back to the item's own options and held against the right ones.

Right is who names exactly the right options. Who names none is not wrong but *unscored*, with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gnomon.core.errors import RunError
from gnomon.core.exams import REASONS, Output, Result
from gnomon.core.records import Item
from gnomon.core.wording import say
from gnomon.evaluation.exam.orders import Order

ONE_ONLY = "one_answer_only"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A result with what the figures of an exam need to know of its item."""

    exam: str
    """The paper."""
    subject: str
    """The item's subject, empty when it has none."""
    lang: str
    """Its language."""
    options: int
    """How many it has."""
    targets: tuple[int, ...]
    """The right ones."""
    result: Result
    """What was said, and its score. Its time is in the record of the step, since no two runs take the same."""


def score(item: Item, order: Order, output: Output, arm: str) -> Result:
    """The result of one answer.

    Args:
        item: The item with its right options.
        order: How they stood when it was asked.
        output: What was said of it.
        arm: Who said it.

    Raises:
        RunError: The solver names an option that is not there, or scores another number of them.
    """
    _check(item, output, arm)
    scores = [0.0] * len(order)
    for option, value in zip(order, output.log_probs, strict=False):
        scores[option] = value
    chosen = tuple(sorted(order[place] for place in output.chosen))
    reason = output.reason or ("" if chosen else "no_answer")
    said = replace(output, chosen=chosen, log_probs=tuple(scores) if output.log_probs else (), seconds=0.0)
    return Result(
        item_id=item.id, arm=arm, order=order, output=said, reason=reason,
        score=None if reason else float(set(chosen) == set(item.targets)),
    )  # fmt: skip


def not_asked(item: Item, arm: str) -> Result:
    """The result of an item with several right options, for an arm that can name only one."""
    return Result(item_id=item.id, arm=arm, order=(), output=Output(reason=ONE_ONLY), score=None, reason=ONE_ONLY)


def answered(exam: str, item: Item, result: Result) -> Answered:
    """A result as a row."""
    return Answered(
        exam=exam, subject=item.subject, lang=item.lang, options=len(item.choices), targets=item.targets, result=result
    )


def check_outputs(outputs: Sequence[Output], asked: int, arm: str) -> None:
    """Refuse a solver that does not answer one to one.

    Raises:
        RunError: There are more or fewer answers than questions.
    """
    if len(outputs) != asked:
        raise _broken(arm, f"{len(outputs)} answers to {asked} questions", f"{asked} 問に {len(outputs)} 個の回答")


def _check(item: Item, output: Output, arm: str) -> None:
    options = len(item.choices)
    if any(not 0 <= place < options for place in output.chosen):
        raise _broken(arm, f"options {output.chosen} of {options}", f"{options} 個の選択肢に {output.chosen}")
    if output.log_probs and len(output.log_probs) != options:
        raise _broken(arm, f"{len(output.log_probs)} scores of {options} options",
                      f"{options} 個の選択肢に {len(output.log_probs)} 個の得点")  # fmt: skip
    if output.reason and output.reason not in REASONS:
        raise _broken(arm, f"the reason {output.reason!r}", f"理由 {output.reason!r}")


def _broken(arm: str, what: str, ja: str) -> RunError:
    return RunError(
        say(f"The solver of the arm {arm!r} gave {what}.", f"アーム {arm!r} のソルバーの応答が不正: {ja}。"),
        say("Mend the solver; the exam cannot guess what it meant.", "ソルバーを直す。"),
    )
