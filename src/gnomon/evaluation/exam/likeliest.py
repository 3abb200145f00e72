"""Solvers that choose the most probable continuation: the letter of an option, or its text.

Nothing is generated, so nothing can be cut or misread, and the scores say how sure the model is. All continuations of
a prompt go to the model together: it reads the prompt once and goes on from its KV cache (``gnomon.llm.likelihood``).
A long option is less probable than a short one whatever it says, which is why its log-likelihood can be divided by its
characters (``acc_norm`` of lm-evaluation-harness, Gao et al.) or by its tokens. Of equal scores the first place wins.
"""

import time
from collections.abc import Sequence

import numpy as np

from gnomon.core.errors import ConfigError
from gnomon.core.exams import Output
from gnomon.core.records import Item
from gnomon.core.wording import say
from gnomon.evaluation.exam.asking import Asking, each, timed
from gnomon.llm.client import Client, LogLikelihood

NORMALISE = ("sum", "characters", "tokens")
_Pairs = list[tuple[str, str]]
LETTER_TOKENS = 4
"""Room for a letter: one token as a rule."""


class Likeliest:
    """A ``Solver`` that takes the most probable continuation of a prompt.

    Args:
        model: Who is asked.
        asking: How; its sheet says which continuations there are.
        normalise: What the log-likelihood of an option is divided by, one of ``NORMALISE``; a letter's never is.

    Raises:
        ConfigError: ``normalise`` is unknown.
    """

    def __init__(self, model: Client, asking: Asking, normalise: str = "sum") -> None:
        check_normalise(normalise)
        self._model, self._asking = model, asking
        self._by = normalise if asking.sheet.form == "option" else "sum"

    def solve(self, items: Sequence[Item]) -> list[Output]:
        """One choice an item, with the score of every option.

        Raises:
            ConfigError: The model gives no log-probabilities.
            RunError: It stays busy or broken, or gives something that is not a number.
        """
        began = time.perf_counter()
        prompts = self._asking.prompts(items, self._reserve)
        pairs = [
            [(prompt, after) for after in self._asking.sheet.continuations(item)]
            for prompt, item in zip(prompts, items, strict=True)
        ]
        found = each(self._scores, pairs)
        return timed([self._output(*one) for one in zip(items, prompts, found, strict=True)], began)

    def _scores(self, questions: Sequence[_Pairs]) -> list[list[LogLikelihood]]:
        values = iter(self._model.log_likelihoods([pair for pairs in questions for pair in pairs]))
        return [[next(values) for _ in pairs] for pairs in questions]

    def _reserve(self, item: Item) -> int:
        if self._asking.sheet.form != "option":
            return LETTER_TOKENS
        return max(map(self._asking.tokens, self._asking.sheet.continuations(item)))

    def _output(self, item: Item, prompt: str, found: list[LogLikelihood] | str) -> Output:
        if isinstance(found, str):
            return Output(reason=found)
        scores = [one.total / self._length(one, text) for one, text in zip(found, item.choices, strict=True)]
        read = self._asking.tokens(prompt) + sum(one.tokens for one in found)
        return Output(chosen=(int(np.argmax(scores)),), log_probs=tuple(scores), tokens_in=read)

    def _length(self, found: LogLikelihood, text: str) -> int:
        return max(1, {"sum": 1, "characters": len(text), "tokens": found.tokens}[self._by])


def check_normalise(value: str) -> None:
    """Refuse an unknown way to normalise.

    Raises:
        ConfigError: It is none of ``NORMALISE``.
    """
    if value not in NORMALISE:
        raise ConfigError(
            say(f"exam: normalise = {value!r}.", f"exam: normalise = {value!r} は使えない。"),
            say(f"Known: {', '.join(NORMALISE)}.", f"選べる値: {', '.join(NORMALISE)}。"),
        )
