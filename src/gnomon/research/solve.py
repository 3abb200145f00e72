"""Solve: multiple-choice questions answered by retrieval and a rule, without a language model.

The arm that every model has to beat. Passages are found for the question, and for the question with each option; the
options are weighed by ``solving.features`` in a linear score whose weights were fitted on development questions only
(``bench/no_model_solver.py``, docs/design/no-model-solver.md). A question that asks for what does *not* fit turns the
score round. The *book* gives models in open-book arms the passages alone.
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
from gnomon.research.solving.features import FEATURES, Table, denies, table

if TYPE_CHECKING:
    from gnomon.runs.output import Output as StepOutput

WEIGHTS: Mapping[str, float] = dict.fromkeys(FEATURES, 1.0)
"""Of the features, fitted on the development half of the starter questions."""
SHARPNESS = 1.0
"""What the scores are multiplied by before they become probabilities."""
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
        scores = SHARPNESS * self.features(item) @ np.array([WEIGHTS[name] for name in FEATURES])
        if denies(item.prompt):
            scores = -scores
        logs = scores - scores.max()
        logs -= np.log(np.exp(logs).sum())
        return Output(chosen=(int(np.argmax(logs)),), log_probs=tuple(float(value) for value in logs))

    def features(self, item: Item) -> Table:
        """What the score is made of, shape (options, features)."""
        question = read_question(item.prompt)
        hits = self._search(question.text, PASSAGES)
        each = [self._search(f"{question.text} {option[:LONGEST_OPTION]}", WITH_OPTION) for option in item.choices]
        reads = self.embedder is not None and (not self.embedder.languages or question.lang in self.embedder.languages)
        embedder = self.embedder if reads else None
        return table(question, item.choices, candidates(question, _once(hits, each), embedder), each, embedder)

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

    def _of(self, item: Item) -> tuple[str, ...]:
        query = " ".join([read_question(item.prompt).text, *(option[:LONGEST_OPTION] for option in item.choices)])
        hits = self.retriever.search(query, k=self.count) if query.strip() else []
        return tuple(f"{hit.title}\n{hit.text}" if hit.title else hit.text for hit in hits)


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
