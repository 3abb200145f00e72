"""What a writer is asked for, and what it gives back: the shape that writers with and without a model share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gnomon.core.records import Document, Drop
from gnomon.llm.chat import Reply
from gnomon.synthesis.proposals import Proposal


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A document, and how much is wanted of it."""

    document: Document
    """The document."""
    lang: str
    """``en`` or ``ja``: the language of its questions."""
    amount: int
    """How many pairs are wanted."""


@dataclass(frozen=True, kw_only=True)
class Spending:
    """What calls came to."""

    calls: int = 0
    """Calls."""
    tokens_in: int = 0
    """Prompt tokens."""
    tokens_out: int = 0
    """Generated tokens."""
    cost_usd: float = 0.0
    """USD, of calls whose price is known; of replayed ones too, which cost nothing again."""

    def __add__(self, other: "Spending") -> "Spending":
        return Spending(
            calls=self.calls + other.calls,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            cost_usd=self.cost_usd + other.cost_usd,
        )

    @staticmethod
    def of(replies: Sequence[Reply]) -> "Spending":
        """What some replies came to."""
        return Spending(
            calls=len(replies),
            tokens_in=sum(reply.tokens_in for reply in replies),
            tokens_out=sum(reply.tokens_out for reply in replies),
            cost_usd=sum(reply.cost_usd or 0.0 for reply in replies),
        )


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a writer made of one document."""

    proposals: list[Proposal] = field(default_factory=list)
    """What it would ask."""
    drops: list[Drop] = field(default_factory=list)
    """What it thought of and left out."""
    spending: Spending = Spending()
    """What its calls came to."""


Writer = Callable[[Sequence[Asked]], list[Written]]
"""From documents to what was made of each, in order."""
