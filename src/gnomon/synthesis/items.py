"""The step ``synthesis/items``: pairs with options as exam questions.

A development exam of our own: questions of documents whose pairs nothing was trained on (``synthesis/part``). Models
and merges are chosen by it, never by an exam that is reported. A pair without options may borrow the answers of
others of its kind: weak wrong options, but the same for every model that sits.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gnomon.core.errors import DataError
from gnomon.core.hashing import hash_place
from gnomon.core.records import Drop, Item
from gnomon.core.synthetic import QA
from gnomon.core.tables import TableWriter
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.passing import DROPS, pair_drop, read_pairs
from gnomon.synthesis.preferences import SWAPPING, alike
from gnomon.synthesis.proposals import same

ITEMS = "items.parquet"
NO_OPTIONS, OTHER_LANGUAGE = "no_options", "other_language"


@dataclass(frozen=True, kw_only=True)
class PairItemsConfig:
    """Which pairs become questions."""

    langs: tuple[str, ...] = ()
    """Languages to keep; empty keeps all."""
    options: int = 0
    """Options of a pair that has none, its own answer and those of others of its kind; 0 leaves such pairs out."""
    seed: int = 0
    """Decides which are borrowed, and their order."""
    least: int = 0
    """Fewest questions; fewer are an error."""


def run(config: PairItemsConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Write ``items.parquet`` of the pairs of ``inputs["pairs"]`` that have options; their ids are the pairs'.

    Raises:
        DataError: There are fewer than ``least``.
    """
    reasons, answers = Counter[str](), _answers(inputs["pairs"]) if config.options else {}
    with TableWriter(out.path / ITEMS, Item) as items, TableWriter(out.path / DROPS, Drop) as drops:
        for read in read_pairs(inputs["pairs"]):
            pair = read if read.choices else borrowed(read, answers.get((read.kind, read.lang), ()), config)
            why = _why_not(pair, config)
            if why:
                drops.write(pair_drop(pair, why))
                reasons[why] += 1
            else:
                items.write(item_of(pair))
    kept, taken = items.rows, items.rows + reasons.total()
    if kept < config.least:
        raise DataError(
            say(f"{taken} pairs give {kept} questions with options, wanted are {config.least}.",
                f"{taken} 件の対から選択肢のある問題が {kept} 件しかできない（{config.least} 件必要）。"),
            say("Give more documents, or hold out a larger share of them.",
                "文書を増やすか、取り分ける割合を上げる。"),
        )  # fmt: skip
    return Counts(taken=taken, kept=kept, dropped=dict(sorted(reasons.items())), made={"items": kept})


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


# Borrowing ------------------------------------------------------------------------------------


def _answers(pairs: Path) -> dict[tuple[str, str], list[str]]:
    """The short answers, by kind and language of their pairs."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for pair in read_pairs(pairs):
        if pair.kind in SWAPPING and not pair.choices:
            found[pair.kind, pair.lang].append(pair.answer)
    return found


def borrowed(pair: QA, answers: Sequence[str], config: PairItemsConfig) -> QA:
    """A pair with answers of others as options; as it is when they are too few, or the answer is too long for one.

    Args:
        pair: A pair without options.
        answers: Of pairs of its kind and language, its own among them.
        config: How many options, and the seed.
    """
    if config.options < 2 or pair.kind not in SWAPPING:
        return pair
    ranked = sorted(set(answers), key=lambda answer: (hash_place(f"{config.seed}\0{pair.id}\0{answer}"), answer))
    chosen: list[str] = []
    for answer in ranked:
        if len(chosen) < config.options - 1 and alike(answer, pair) and not any(same(answer, c) for c in chosen):
            chosen.append(answer)
    if len(chosen) < config.options - 1:
        return pair
    options = [*chosen, pair.answer]
    options.sort(key=lambda answer: hash_place(f"{config.seed}\0order\0{pair.id}\0{answer}"))
    return replace(pair, choices=tuple(options))
