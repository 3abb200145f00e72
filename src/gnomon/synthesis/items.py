"""The step ``synthesis/items``: pairs with options as exam questions.

A development exam of our own: questions of documents whose pairs nothing was trained on (``synthesis/part``). Models
and merges are chosen by it, never by an exam that is reported.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.records import Drop, Item
from gnomon.core.synthetic import QA
from gnomon.core.tables import TableWriter
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.passing import DROPS, pair_drop, read_pairs

ITEMS = "items.parquet"
NO_OPTIONS, OTHER_LANGUAGE = "no_options", "other_language"


@dataclass(frozen=True, kw_only=True)
class PairItemsConfig:
    """Which pairs become questions."""

    langs: tuple[str, ...] = ()
    """Languages to keep; empty keeps all."""


def run(config: PairItemsConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Write ``items.parquet`` of the four-option pairs of ``inputs["pairs"]``; their ids are the pairs'."""
    reasons = Counter[str]()
    with TableWriter(out.path / ITEMS, Item) as items, TableWriter(out.path / DROPS, Drop) as drops:
        for pair in read_pairs(inputs["pairs"]):
            why = _why_not(pair, config)
            if why:
                drops.write(pair_drop(pair, why))
                reasons[why] += 1
            else:
                items.write(item_of(pair))
    kept = items.rows
    return Counts(taken=kept + reasons.total(), kept=kept, dropped=dict(sorted(reasons.items())), made={"items": kept})


def _why_not(pair: QA, config: PairItemsConfig) -> str:
    if not pair.choices:
        return NO_OPTIONS
    return OTHER_LANGUAGE if config.langs and pair.lang not in config.langs else ""


def item_of(pair: QA) -> Item:
    """A pair with options as an exam question; its origin is its document."""
    return Item(
        id=pair.id, prompt=pair.question, choices=pair.choices, targets=(pair.choices.index(pair.answer),),
        lang=pair.lang, origin=pair.doc_id, evidence=pair.evidence[0].quote,
    )  # fmt: skip
