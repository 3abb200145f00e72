"""Candidates: one question about one fact of one sentence, before options and before any check."""

from dataclasses import dataclass

from gnomon.synthesis.extractive.entities import Entity
from gnomon.synthesis.extractive.sentences import Sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A question that a sentence answers."""

    kind: str
    """``definition``, ``numeric``, ``relation`` or ``cloze``."""
    question: str
    """The question, without the title that may introduce it."""
    answer: str
    """The answer."""
    sentence: Sentence
    """What it rests on."""
    entity: Entity | None = None
    """What is asked for, where it has a type; None for a definition."""
    titled: bool = False
    """Whether the question needs its work's title even where its sentence does not: gaps, and what somebody said."""
