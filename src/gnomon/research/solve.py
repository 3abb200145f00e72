"""Solve: multiple-choice questions answered by retrieval and a rule, without a language model.

The arm that every model has to beat. Passages are found for the question, and for the question with each option; every
option is scored by the *places* in them that speak for it (``solving.places``): the sentences, or the figures in them
where the options are numbers. The weights were fitted on development questions only (``bench/no_model_solver.py``,
docs/design/no-model-solver.md). A question that asks for what does *not* fit turns the scores round. The *book* gives
models in open-book arms the passages alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gnomon.core.exams import Book, Output, Solver
from gnomon.core.protocols import Embedder, Hit, Retriever
from gnomon.core.records import Item
from gnomon.research.asked import read_question
from gnomon.research.selection import candidates
from gnomon.research.solving.features import WORDS, denies, word_places
from gnomon.research.solving.meaning import reader
from gnomon.research.solving.numbers import NUMBERS, are_numbers, number_places
from gnomon.research.solving.places import Places, scores

if TYPE_CHECKING:
    from gnomon.runs.output import Output as StepOutput

WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "words": {"passage": -0.65, "rank": 0.73, "vector": 5.71, "length": 8.19, "here": 7.83, "asked": 3.53, "own": 2.91,
              "around": 1.82, "whole": 38.5, "aligned": 4.36, "aligned_asked": -2.66, "weakest": 4.57, "given": -6.39,
              "aligned_given": -8.32},
    "words_alone": dict.fromkeys(WORDS, 0.0)
    | {"passage": 1.35, "rank": 1.03, "length": 1.69, "here": 8.8, "own": 4.31, "around": 0.41},
    "numbers": {"near": 1.33, "unit": 1.48, "unit_missing": -0.36, "rank": 1.09, "close": 5.51, "clause": 1.62,
                "close_meaning": 8.12, "clause_meaning": 4.28},
    "numbers_by_words": dict.fromkeys(NUMBERS, 0.0)
    | {"near": 2.04, "unit": 2.28, "unit_missing": -0.53, "rank": 2.49, "close": 5.78, "clause": 3.75},
}  # fmt: skip
"""By kind of places, with and without an embedder that reads the question's language; fitted on the development half of
the starter questions."""
TEMPERATURE = 1.0
"""What the scores are divided by before they become probabilities, for the best fit to questions left out."""
PASSAGES, WITH_OPTION, IN_BOOK = 8, 3, 5
"""Passages found for a question, for a question with one option, and given in an open-book exam."""
LONGEST_OPTION = 300
"""Characters of an option that are searched for."""


class RetrievalSolver:
    """Answers items with one right option from a library.

    Args:
        retriever: The library.
        embedder: Compares meanings, in the languages it reads; None compares words alone.
        mode: Mode of the search: ``hybrid``, ``text`` or ``vector``.
    """

    def __init__(self, retriever: Retriever, embedder: Embedder | None = None, mode: str = "hybrid") -> None:
        self.retriever, self.embedder, self.mode = retriever, embedder, mode

    def solve(self, items: Sequence[Item]) -> list[Output]:
        """One output an item: the option that fits best, and log-probabilities of all; the first of equals is taken."""
        return [self._solved(item) for item in items]

    def _solved(self, item: Item) -> Output:
        if not item.choices:
            return Output(reason="no_answer")
        there = self.places(item)
        found = scores(there, WEIGHTS[there.kind], len(item.choices)) / TEMPERATURE
        if denies(item.prompt):
            found = -found
        logs = found - np.logaddexp.reduce(found)
        return Output(chosen=(int(np.argmax(logs)),), log_probs=tuple(float(value) for value in logs))

    def places(self, item: Item) -> Places:
        """Where in the library the options of an item may have their support."""
        question = read_question(item.prompt)
        options = [option[:LONGEST_OPTION] for option in item.choices]
        hits = self._search(question.text, PASSAGES)
        each = [self._search(f"{question.text} {option}", WITH_OPTION) for option in options]
        meaning = reader(self.embedder, question)
        found = candidates(question, _once(hits, each), self.embedder if meaning else None)
        if are_numbers(options):
            return number_places(question, options, found, meaning)
        return word_places(question, options, found, meaning)

    def _search(self, text: str, k: int) -> list[Hit]:
        return self.retriever.search(text, k=k, mode=self.mode)


def _once(hits: Sequence[Hit], more: Sequence[Sequence[Hit]]) -> list[Hit]:
    """The passages of several searches, each once, those for the question alone first."""
    found: dict[str, Hit] = {}
    for hit in [*hits, *(hit for rows in more for hit in rows)]:
        found.setdefault(hit.chunk_id, hit)
    return list(found.values())


class OpenBook:
    """Passages of a library for each item.

    Args:
        retriever: The library.
        passages: Most passages of an item.
    """

    def __init__(self, retriever: Retriever, passages: int = IN_BOOK) -> None:
        self.retriever, self.count = retriever, passages

    def passages(self, items: Sequence[Item]) -> list[tuple[str, ...]]:
        """Texts for each item, best first, each under its document's title."""
        return [self._of(item) for item in items]

    def hits(self, item: Item) -> list[Hit]:
        """Where the passages of an item stand, best first."""
        query = " ".join([read_question(item.prompt).text, *(option[:LONGEST_OPTION] for option in item.choices)])
        return self.retriever.search(query, k=self.count) if query.strip() else []

    def _of(self, item: Item) -> tuple[str, ...]:
        return tuple(f"{hit.title}\n{hit.text}" if hit.title else hit.text for hit in self.hits(item))


def solver(inputs: Mapping[str, Path], out: "StepOutput") -> Solver:
    """The solver of a running step, over its inputs ``index`` and ``vectors``.

    Raises:
        ConfigError: The step has no index.
    """
    from gnomon.knowledge.library import Library

    library = Library.within(out)
    return RetrievalSolver(library, library.sides[0].embedder if library.sides else None)


def book(inputs: Mapping[str, Path], out: "StepOutput") -> Book:
    """The library of a running step as an open book.

    Raises:
        ConfigError: The step has no index.
    """
    from gnomon.knowledge.library import Library

    return OpenBook(Library.within(out))
