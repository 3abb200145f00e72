"""Synthetic training text: question-answer pairs with their evidence, and the examples made of them.

A ``QA`` without evidence cannot be constructed: each points to the verbatim words it rests on, and to the call or the
rule that wrote it. An ``Example`` is what a training step eats; its lineage names the pairs and documents behind it. A
``Preference`` sets a wanted answer against another.
"""

from dataclasses import dataclass, replace

from gnomon.core.errors import DataError
from gnomon.core.hashing import HASH_PREFIX, combined_hash
from gnomon.core.messages import ROLES, Message
from gnomon.core.records import Span

KINDS = ("open", "choice", "definition", "numeric", "relation", "cloze", "metadata", "reasoning", "dialogue", "summary")
CRITERIA = ("correctness", "stand_alone", "pertinence", "educational")


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The words that a pair rests on."""

    span: Span
    """Where they stand."""
    quote: str
    """Them, verbatim."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What one judge said of one pair."""

    judge: str
    """Name of the model, or of the rule."""
    criterion: str
    """One of ``CRITERIA``, or the name of a check of a rule."""
    score: float
    """1 (bad) to 5 (good) of a model; a probability, 0 to 1, of a rule."""
    reason: str = ""
    """Why, in the judge's words."""
    call: str = ""
    """The call's place in the log; empty for a rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QA:
    """A synthetic question with its answer and its evidence.

    Raises:
        DataError: There is no evidence, or question or answer are empty.
    """

    id: str = ""
    """``qa:HASH`` of document, question, answer and options; computed when left empty."""
    kind: str
    """One of ``KINDS``."""
    lang: str
    """ISO 639-1."""
    question: str
    """The question, which stands alone."""
    answer: str
    """The answer; of a question with options, the right option."""
    choices: tuple[str, ...] = ()
    """Options in order; empty for an open question."""
    evidence: tuple[Evidence, ...]
    """What it rests on, at least one."""
    thinking: str = ""
    """A chain of reasoning that leads to the answer."""
    turns: tuple[Message, ...] = ()
    """The turns after the first answer, of a dialogue."""
    writer: str
    """Name of the model that wrote it, or of the rule."""
    call: str = ""
    """The writer's call in the log; empty for a rule."""
    verdicts: tuple[Verdict, ...] = ()
    """What judges said."""

    def __post_init__(self) -> None:
        if not self.evidence or not all(e.quote.strip() for e in self.evidence):
            raise DataError(f"The pair {self.question[:80]!r} has no evidence.", "Give the words it rests on.")
        if not self.question.strip() or not self.answer.strip():
            raise DataError(f"A pair about {self.doc_id} is empty: {self.question[:80]!r}, {self.answer[:80]!r}.")
        if self.kind not in KINDS or (self.choices and self.answer not in self.choices):
            raise DataError(f"The pair {self.question[:80]!r}: kind {self.kind!r}, options {self.choices}.")
        if not self.id:
            parts = [self.doc_id, self.question, self.answer, *self.choices, *(turn.text for turn in self.turns)]
            object.__setattr__(self, "id", "qa:" + combined_hash(parts).removeprefix(HASH_PREFIX))

    @property
    def doc_id(self) -> str:
        """The document it was made from."""
        return self.evidence[0].span.doc_id if self.evidence else ""

    def judged(self, *verdicts: Verdict) -> "QA":
        """The pair with more verdicts; its id stays."""
        return replace(self, verdicts=(*self.verdicts, *verdicts))


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One conversation that a model is fine-tuned on.

    Raises:
        DataError: A role is unknown, or no turn is the assistant's.
    """

    id: str
    """Unique in its file."""
    messages: tuple[Message, ...]
    """The turns; those of the assistant are learnt."""
    lang: str
    """ISO 639-1."""
    kind: str
    """A pair's kind, or that of a general set."""
    source: str
    """Where it comes from: ``synthetic``, or the name of a set."""
    licence: str = ""
    """Its licence, SPDX where there is one."""
    qa_ids: tuple[str, ...] = ()
    """Pairs it was made of."""
    doc_ids: tuple[str, ...] = ()
    """Documents those rest on."""

    def __post_init__(self) -> None:
        roles = [message.role for message in self.messages]
        if not set(roles) <= set(ROLES) or "assistant" not in roles:
            raise DataError(f"The example {self.id!r} cannot be learnt from: roles {roles}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Preference:
    """One question with an answer that is wanted and one that is not: what preference training learns from.

    Raises:
        DataError: Nobody asks, an answer is empty, or the two are the same.
    """

    id: str
    """Unique in its file."""
    messages: tuple[Message, ...]
    """The turns before the answer; the last is the user's."""
    chosen: str
    """The answer that is wanted."""
    rejected: str
    """The answer that is not."""
    lang: str
    """ISO 639-1."""
    kind: str
    """The pair's kind."""
    qa_ids: tuple[str, ...] = ()
    """Pairs it was made of, that of the answer wanted first."""
    doc_ids: tuple[str, ...] = ()
    """Documents those rest on."""

    def __post_init__(self) -> None:
        roles = [message.role for message in self.messages]
        if not set(roles) <= set(ROLES) or roles[-1:] != ["user"]:
            raise DataError(f"The preference {self.id!r} asks nothing: roles {roles}.", "End with a user's turn.")
        if not self.chosen.strip() or not self.rejected.strip() or self.chosen.strip() == self.rejected.strip():
            raise DataError(f"The preference {self.id!r} prefers {self.chosen[:80]!r} to {self.rejected[:80]!r}.")
