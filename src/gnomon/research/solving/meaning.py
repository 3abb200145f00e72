"""Meaning: how like two texts are, as a whole and token by token.

An option seldom uses the words of the sentence it rests on. The packaged embedder gives every token a vector in its
context; each token of the option is *aligned* with the token of the sentence that is most like it (the greedy matching
of BERTScore, Zhang et al. 2020, arXiv 1904.09675).
"""

import re
from typing import Protocol, cast

import numpy as np

from gnomon.core.protocols import Embedder, Vectors
from gnomon.llm.vectors import Reading
from gnomon.research.asked import Question, telling_terms

_WORD = re.compile(r"\w+")


class TokenReader(Protocol):
    """An embedder that also says what it thinks of every token."""

    def read(self, text: str, after: str = "") -> Reading:
        """A text read after another."""
        ...


class Reader:
    """Reads each text of one question once.

    Args:
        tokens: The embedder.
        question: What everything is held against.
    """

    def __init__(self, tokens: TokenReader, question: str) -> None:
        self.tokens, self.question = tokens, question
        self._read: dict[tuple[str, str], Reading] = {}

    def alone(self, text: str) -> Reading:
        """A text by itself."""
        return self._once(text, "")

    def asked(self, text: str) -> Reading:
        """A text read after the question."""
        return self.after(self.question, text)

    def after(self, before: str, text: str) -> Reading:
        """A text read after another."""
        return self._once(text, before)

    def telling(self) -> Vectors:
        """The question's tokens that belong to telling words; all of them where there is none."""
        reading = self.alone(self.question)
        words = [word.span() for word in _WORD.finditer(self.question) if telling_terms(word.group())]
        kept = [i for i, start in enumerate(reading.starts) if any(a <= start < b for a, b in words)]
        return reading.tokens[kept] if kept else reading.tokens

    def _once(self, text: str, after: str) -> Reading:
        if (text, after) not in self._read:
            self._read[text, after] = self.tokens.read(text, after)
        return self._read[text, after]


def reader(embedder: Embedder | None, question: Question) -> Reader | None:
    """A reader for a question, or None where the embedder does not read its language or says nothing of tokens."""
    if embedder is None or not hasattr(embedder, "read"):
        return None
    if embedder.languages and question.lang not in embedder.languages:
        return None
    return Reader(cast(TokenReader, embedder), question.text)


def aligned(tokens: Vectors, there: Vectors) -> Vectors:
    """For every token its likeness to the token of the other text that is most like it, -1 to 1, shape (tokens,)."""
    if not len(tokens) or not len(there):
        return np.zeros(max(1, len(tokens)), dtype=np.float32)
    best: Vectors = (tokens @ there.T).max(axis=1)
    return best
