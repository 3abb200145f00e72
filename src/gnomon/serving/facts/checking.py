"""Checking: what the always-on checks found, for programs as shares and for people in words.

A check that had nothing to look at says so, and is neither for nor against the answer.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.answers import Checks, Claim
from gnomon.core.checks import facts
from gnomon.core.wording import say

Kind = Literal["number", "quantity", "name"]
Check = Literal["quotes", "facts", "wording", "ids", "sentences"]


class Frozen(BaseModel):
    """Facts do not change once they are told."""

    model_config = ConfigDict(frozen=True)


class Fact(Frozen):
    """A number, quantity or name of a sentence."""

    kind: Kind = Field(description="A quantity is a number with a unit.")
    text: str = Field(description="As it is written.", examples=["625 km/s"])
    supported: bool = Field(description="Whether it stands in the evidence that the sentence cites.")


class Finding(Frozen):
    """What one check says, in words."""

    check: Check = Field(description="Which check.")
    good: bool | None = Field(description="Whether it speaks for the answer; null when it had nothing to look at.")
    text: str = Field(description="In the reader's language.")


class Checked(Frozen):
    """The checks of a whole answer: code alone, no model takes part."""

    unknown_ids: int = Field(description="Citation ids in the text that were never handed out; they are removed.")
    quotes_verbatim: float | None = Field(description="Share of quotes found in their document, word for word.")
    numbers_supported: float | None = Field(description="Share of numbers, units, years and names of cited sentences"
                                                        " that stand in their evidence.")  # fmt: skip
    coverage: float | None = Field(description="Share of the answer's n-grams that stand in its evidence.")
    findings: tuple[Finding, ...] = Field(description="The same for a person.")


def facts_of(text: str, evidence: str) -> tuple[Fact, ...]:
    """The numbers, quantities and names of a sentence, each looked for in its evidence."""
    return tuple(Fact(kind=cast("Kind", f.kind), text=f.text, supported=f.supported) for f in facts(text, evidence))


def checked(checks: Checks, claims: Sequence[Claim]) -> Checked:
    """The checks of an answer, and what they mean."""
    found = [*_of_shares(checks), *_of_counts(checks, claims)] if claims or checks.unknown_ids else []
    return Checked(
        unknown_ids=checks.unknown_ids, quotes_verbatim=checks.quotes_verbatim,
        numbers_supported=checks.numbers_supported, coverage=checks.coverage,
        findings=tuple(Finding(check=check, good=good, text=text) for check, good, text in found),
    )  # fmt: skip


Found = Iterator[tuple[Check, bool | None, str]]


def _of_shares(checks: Checks) -> Found:
    share = checks.quotes_verbatim
    if share is None:
        return
    if share == 1:
        told = say("Every quote stands word for word in its document.", "引用はすべて文書にそのままある。")
    else:
        told = say(f"{_percent(share)} of the quotes stand word for word in their document.",
                   f"引用の {_percent(share)} が文書にそのままある。")  # fmt: skip
    yield "quotes", share == 1, told
    share = checks.numbers_supported
    if share is None:
        yield "facts", None, say("It has no number, year or name to look for.", "確かめる数値・年・名前がない。")
    elif share == 1:
        yield "facts", True, say("Every number, unit, year and name stands in the evidence cited for it.",
                                 "数値・単位・年・名前はすべて、示された根拠にある。")  # fmt: skip
    else:
        yield "facts", False, say(f"{_percent(share)} of its numbers, units, years and names stand in the evidence.",
                                  f"数値・単位・年・名前の {_percent(share)} が根拠にある。")  # fmt: skip
    if checks.coverage is not None:
        yield "wording", checks.coverage == 1 or None, _of_wording(checks.coverage)


def _of_wording(share: float) -> str:
    if share == 1:
        return say("All of its wording is that of the evidence.", "言い回しはすべて根拠と同じである。")
    return say(f"{_percent(share)} of its wording is that of the evidence.",
               f"言い回しの {_percent(share)} が根拠と同じである。")  # fmt: skip


def _of_counts(checks: Checks, claims: Sequence[Claim]) -> Found:
    if checks.unknown_ids:
        yield "ids", False, say(f"Citations invented by the model and removed: {checks.unknown_ids}.",
                                f"モデルが作り出し、除いた引用: {checks.unknown_ids}。")  # fmt: skip
    doubted = sum(bool(claim.doubt) for claim in claims)
    if doubted:
        told = say(f"Marked, because their evidence does not bear them out: {doubted} of {len(claims)} sentences.",
                   f"根拠で裏付けられず、印を付けた文: {len(claims)} 文のうち {doubted}。")  # fmt: skip
        yield "sentences", False, told


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u202f%"
