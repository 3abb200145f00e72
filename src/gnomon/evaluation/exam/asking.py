"""Asking: questions of one paper put to one model, with what the library has, and no further than the model reads.

A question that is longer than the model's context has no answer; the others of its batch have. Only what the weights
of a local model can tell is measured in tokens: an endpoint does not say how it counts.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.exams import Output
from gnomon.core.records import Item
from gnomon.evaluation.exam.prompting import Sheet
from gnomon.evaluation.exam.shelf import Passages, Shelf

Q = TypeVar("Q")
A = TypeVar("A")
TOO_LONG, REFUSED = "too_long", "refused"
Failure = str
"""Why there is no answer: ``TOO_LONG`` or ``REFUSED``."""


class Asking:
    """How questions become prompts.

    Args:
        sheet: The form.
        model: Who reads them; one with ``encode`` and ``context`` is measured.
        shelf: The library, None for a closed book.
    """

    def __init__(self, sheet: Sheet, model: Any, shelf: Shelf | None = None) -> None:
        self.sheet, self._shelf = sheet, shelf
        self._encode: Callable[[str], list[int]] | None = getattr(model, "encode", None)
        self._context: int = getattr(model, "context", 0)

    def prompts(self, items: Sequence[Item], reserve: Callable[[Item], int]) -> list[str]:
        """The prompts of blinded items.

        Args:
            items: The items.
            reserve: Tokens that have to be left after an item's prompt.
        """
        if self._shelf is None:
            return [self.sheet.prompt(item) for item in items]
        self._shelf.look_up(items)
        return [self._with_passages(item, self._shelf, reserve(item)) for item in items]

    def _with_passages(self, item: Item, shelf: Shelf, reserve: int) -> str:
        def fits(passages: Passages) -> bool:
            if self._encode is None or not self._context:
                return True
            return self.tokens(self.sheet.prompt(item, passages)) + reserve <= self._context

        return self.sheet.prompt(item, shelf.fitting(item, fits))

    def tokens(self, text: str) -> int:
        """Tokens of a text, 0 where nobody can tell."""
        return len(self._encode(text)) if self._encode is not None else 0


def each(ask: Callable[[Sequence[Q]], list[A]], questions: Sequence[Q]) -> list[A | Failure]:
    """One answer a question, or why there is none; one bad question does not spoil the others.

    Raises:
        ConfigError: Every single question is refused: then the endpoint is wrong, not the questions.
    """
    found = _each(ask, questions)
    wrong = [error for error in found if isinstance(error, ConfigError)]
    if wrong and len(wrong) == len(found):
        raise wrong[0]
    return [_reason(one) if isinstance(one, DataError | ConfigError) else one for one in found]


def _each(ask: Callable[[Sequence[Q]], list[A]], questions: Sequence[Q]) -> list[A | DataError | ConfigError]:
    if not questions:
        return []
    try:
        return list(ask(questions))
    except (DataError, ConfigError) as error:
        if len(questions) == 1:
            return [error]
    middle = len(questions) // 2
    return [*_each(ask, questions[:middle]), *_each(ask, questions[middle:])]


def _reason(error: DataError | ConfigError) -> Failure:
    return TOO_LONG if isinstance(error, DataError) else REFUSED


def timed(outputs: Sequence[Output], began: float) -> list[Output]:
    """Outputs with the time since ``began`` (of ``time.perf_counter``) spread evenly over those that have none."""
    share = (time.perf_counter() - began) / max(1, len(outputs))
    return [output if output.seconds else replace(output, seconds=share) for output in outputs]
