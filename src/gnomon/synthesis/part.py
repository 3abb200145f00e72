"""The step ``synthesis/part``: one part of the pairs, divided by the documents they rest on.

All pairs of a document are in one part, which depends on the document's id alone, by the rule by which
``corpus/split`` divides documents: with equal shares and salt both come out alike. Conversations that rest on no
document are divided by their own ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.hashing import hash_place
from gnomon.core.synthetic import QA
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.passing import Entry, Refusal, pass_entries

PARTS = ("train", "development", "test")
OTHER_PART = "other_part"


@dataclass(frozen=True, kw_only=True)
class PairsPartConfig:
    """Which part, and how large the parts are."""

    part: str
    """``train``, ``development`` or ``test``."""
    development: float = 0.05
    """Share of documents whose pairs are for development."""
    test: float = 0.05
    """Share of documents whose pairs are for tests."""
    salt: str = ""
    """Another salt, another division."""
    least: int = 0
    """Fewest pairs; fewer are an error."""


def run(config: PairsPartConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Pass on the pairs of one part of ``inputs["pairs"]``; the others are counted as ``other_part``.

    Raises:
        ConfigError: There is no such part, or the shares make no division.
        DataError: It has fewer pairs than ``least``.
    """
    _check(config)

    def judge(entry: Entry) -> Refusal | None:
        part = part_of(_rests_on(entry), config)
        return None if part == config.part else (OTHER_PART, part)

    counts = pass_entries(inputs["pairs"], out, judge)
    if counts.kept < config.least:
        raise DataError(
            say(f"The part {config.part!r} has {counts.kept} of {counts.taken} pairs, wanted are {config.least}.",
                f"{counts.taken} 件の対のうち {config.part!r} は {counts.kept} 件で、{config.least} 件に満たない。"),
            say("Write more pairs, or hold out a larger share.", "対を増やすか、取り分ける割合を上げる。"),
        )  # fmt: skip
    return counts


def _rests_on(entry: Entry) -> str:
    """The document by which a pair or a conversation is divided."""
    return entry.doc_id if isinstance(entry, QA) else next(iter(entry.doc_ids), entry.id)


def part_of(doc_id: str, config: PairsPartConfig) -> str:
    """The part of a document's pairs."""
    place = hash_place(f"{config.salt}\0{doc_id}")
    if place < config.test:
        return "test"
    return "development" if place < config.test + config.development else "train"


def _check(config: PairsPartConfig) -> None:
    shares = f"development = {config.development}, test = {config.test}"
    if config.part not in PARTS:
        raise ConfigError(
            say(f"synthesis/part: there is no part {config.part!r}.", f"synthesis/part: {config.part!r} はない。"),
            say(f"Parts: {', '.join(PARTS)}.", f"指定できるのは {'、'.join(PARTS)}。"),
        )
    if min(config.development, config.test) < 0 or config.development + config.test >= 1:
        raise ConfigError(
            say(f"synthesis/part: {shares}.", f"synthesis/part の割合が使えない: {shares}。"),
            say("Both at least 0, together below 1.", "どちらも 0 以上、合わせて 1 未満とする。"),
        )
