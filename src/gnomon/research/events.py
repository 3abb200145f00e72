"""Events: an answer as it comes to be, so that a reader need not wait for all of it.

In this order: the ``Evidence`` that was found, the ``Claim``s of the answer one by one as they are written and judged,
what the ``Checks`` find in the whole, and the finished ``Answer``. The answer is what counts: should it differ from the
sentences told before it (an endpoint that thought aloud without saying so), it takes their place.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gnomon.core.answers import Answer, Checks, Citation, Claim
from gnomon.core.checks import keep_known_ids, split_claims

_OPEN_BRACKET = re.compile(r"[\[［【〔][^\[\]［］【】〔〕\n]{0,300}\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What a question is answered from: the first event of every answer."""

    passages: tuple[tuple[Citation, str], ...]
    """The quotes that may be cited, each with the text around it; none when the evidence is too weak."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """A model is at work: how far it is, while no further sentence is whole."""

    thinking: bool
    """Whether it thinks, before it answers."""
    characters: int
    """Characters it has written so far, thinking included."""


Event = Evidence | Writing | Claim | Checks | Answer
"""What ``events`` of a voice gives."""


def whole(events: Iterable[Event]) -> Answer:
    """The answer at the end of its events."""
    *_, last = events
    if not isinstance(last, Answer):
        raise AssertionError("the last event of an answer is the answer")
    return last


class Telling:
    """Tells the sentences of a growing text as soon as they are whole.

    A sentence is held back while what follows may still belong to it, and until one of the text is cited: an answer
    that cites nothing is refused, so nothing of it must have been told.

    Args:
        known: Ids handed out.
        judge: Gives a sentence its doubt.
    """

    def __init__(self, known: Iterable[str], judge: Callable[[Claim], Claim]) -> None:
        self.judge, self._known = judge, frozenset(known)
        self._told: list[Claim] = []

    def more(self, text: str) -> Iterator[Claim]:
        """The sentences that have become whole in a text that may still grow."""
        settled, _ = keep_known_ids(_OPEN_BRACKET.sub("", text), self._known)
        found = split_claims(settled)[len(self._told) : -1]
        if self._told or any(claim.citations for claim in found):
            yield from self._tell([self.judge(claim) for claim in found])

    def rest(self, claims: Sequence[Claim]) -> Iterator[Claim]:
        """What of the finished, judged claims was not told; nothing when they differ from what was."""
        if list(claims[: len(self._told)]) == self._told:
            yield from self._tell(claims[len(self._told) :])

    def _tell(self, claims: Sequence[Claim]) -> Iterator[Claim]:
        self._told += claims
        yield from claims
