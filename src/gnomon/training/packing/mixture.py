"""Mixture: how often each source is shown, and which documents make up a part of a pass.

A source is given in one of three ways: by *repeats* (2.5 passes: each document twice and half of
them a third time), by *weight* (its share of a *budget* of tokens, as LLM-jp states mixtures), or
by *share* (replay: so many of all tokens). All three end as a number of passes, and a part of a
pass is whole documents, drawn by the seed until their tokens come nearest to what was asked.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.wording import say

MOST_REPEATS = 1_000
DOCUMENTS, PIECES = "documents", "pieces"
UNITS = (DOCUMENTS, PIECES)


@dataclass(frozen=True, kw_only=True)
class MixtureSource:
    """One source of a mixture. Without repeats, weight and share it is shown once."""

    name: str
    """Name of the step's input that holds its documents."""
    part: str = ""
    """Folder of the input that holds ``documents/``, such as ``train`` of a split; empty for the input itself."""
    repeats: float = 0.0
    """Passes over its documents; 2.5 shows each twice and half of them (by tokens) a third time."""
    weight: float = 0.0
    """Part of the budget, relative to the other weights."""
    share: float = 0.0
    """Part of all tokens, 0 to 1: replay of general text."""
    most_tokens: int = 0
    """Take only so many tokens of it, whole documents drawn by the seed, before anything is repeated; 0 for all."""
    unit: str = DOCUMENTS
    """What a part of a pass is drawn of: ``documents``, or ``pieces`` of a row at most (with best fit only). A book has
    about 100,000 tokens: of whole books a small share would be one book or none, by luck."""


def with_replay(share: float, domain: str = "documents", general: str = "replay") -> tuple[MixtureSource, ...]:
    """A mixture of one pass over the domain, and general text so that it makes up ``share`` of all tokens."""
    return (MixtureSource(name=domain), MixtureSource(name=general, share=share))


def check_mixture(sources: Sequence[MixtureSource], budget: int) -> None:
    """Refuse a mixture that says nothing definite.

    Raises:
        ConfigError: With the source and the cure.
    """
    if len({s.name for s in sources}) < len(sources):
        raise _wrong("a source is named twice", "Give each source its own input.")
    for source in sources:
        given = [name for name in ("repeats", "weight", "share") if getattr(source, name) != 0]
        values = f"repeats={source.repeats}, weight={source.weight}, share={source.share}"
        if len(given) > 1:
            raise _wrong(f"{source.name!r} has {' and '.join(given)}", "Give one of repeats, weight, share.")
        if min(source.repeats, source.weight, source.share, source.most_tokens) < 0 or source.share >= 1:
            raise _wrong(f"{source.name!r} has {values}", "repeats and weight are above 0, share is below 1.")
        if not max(source.repeats, source.weight) < float("inf"):
            raise _wrong(f"{source.name!r} has {values}", "Give finite numbers.")
        if source.unit not in UNITS:
            raise _wrong(f"{source.name!r} has unit={source.unit!r}", f"Use one of: {', '.join(UNITS)}.")
    if any(s.weight for s in sources) != (budget > 0):
        raise _wrong(f"budget = {budget}", "A budget of tokens goes with weights, and weights with a budget.")
    if sum(s.share for s in sources) >= 1:
        raise _wrong("the shares add up to 1 or more", "Leave something for the sources that are no share.")
    if sources and all(s.share for s in sources):
        raise _wrong("every source is a share of the others", "Give one of them repeats.")


def _wrong(what: str, cure: str) -> ConfigError:
    return ConfigError(say(f"The mixture cannot be made: {what}.", f"混合を作れない: {what}。"), cure)


def passes(sources: Sequence[MixtureSource], tokens: Mapping[str, int], budget: int) -> dict[str, float]:
    """How often each source is shown.

    Args:
        sources: The mixture, checked.
        tokens: Tokens of one pass over each source.
        budget: Tokens of the whole, when there are weights; else 0.

    Raises:
        DataError: A source has no tokens, or would be repeated more than ``MOST_REPEATS`` times.
        ConfigError: The budget is smaller than the sources that are given by repeats.
    """
    wanted = {s.name: (s.repeats or 1.0) * tokens[s.name] for s in sources if not s.weight and not s.share}
    fixed, shares = sum(wanted.values()), sum(s.share for s in sources)
    total = float(budget) if budget else fixed / (1 - shares)
    left = total * (1 - shares) - fixed
    weights = sum(s.weight for s in sources)
    if weights and left <= 0:
        raise _wrong(f"a budget of {budget} tokens, of which {fixed:.0f} are taken by repeats", "Raise the budget.")
    wanted |= {s.name: left * s.weight / weights for s in sources if s.weight}
    wanted |= {s.name: total * s.share for s in sources if s.share}
    found = {}
    for source in sources:
        if not tokens[source.name]:
            raise DataError(
                say(f"The source {source.name!r} has no document that gives a token.",
                    f"混合元 {source.name!r} にトークンになる文書がない。"),
                say("Leave it out of the mixture, or see drops.parquet of the steps before.",
                    "混合から外すか、前のステップの drops.parquet を確かめる。"),
            )  # fmt: skip
        found[source.name] = wanted[source.name] / tokens[source.name]
        if found[source.name] > MOST_REPEATS:
            raise DataError(
                say(f"The source {source.name!r} would be repeated {found[source.name]:.0f} times.",
                    f"混合元 {source.name!r} が {found[source.name]:.0f} 回も繰り返される。"),
                say("Ask for less of it, or give it more documents.", "割合を下げるか、文書を増やす。"),
            )  # fmt: skip
    return found


def draw(seed: int, *names: str | int) -> np.random.PCG64:
    """A stream of random bits for one purpose; the same on every machine and under every version of numpy."""
    data = "\0".join(map(str, (seed, *names))).encode()
    return np.random.PCG64(int.from_bytes(hashlib.blake2b(data, digest_size=16).digest()))


def shuffled(bits: np.random.PCG64, n: int) -> npt.NDArray[np.int64]:
    """The numbers below n in random order."""
    return np.argsort(bits.random_raw(n), kind="stable").astype(np.int64, copy=False)


def some_of(lengths: npt.NDArray[np.int64], wanted: float, bits: np.random.PCG64) -> npt.NDArray[np.int64]:
    """Documents or pieces, drawn at random, whose tokens together come as near to ``wanted`` as drawing allows.

    Returns:
        Their indices, ascending.
    """
    order = shuffled(bits, len(lengths))
    sums = np.concatenate([[0], np.cumsum(lengths[order])])
    place = int(np.searchsorted(sums, wanted))
    if place > 0 and (place == len(sums) or wanted - sums[place - 1] < sums[place] - wanted):
        place -= 1
    return np.sort(order[:place])
