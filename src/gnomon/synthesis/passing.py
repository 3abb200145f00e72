"""Passing pairs on: steps that leave pairs out copy the others as they are and name a reason for each that goes."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from gnomon.core.records import Drop
from gnomon.core.synthetic import QA
from gnomon.core.tables import TableWriter, read_table
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

PAIRS, DROPS = "pairs.parquet", "drops.parquet"
EXCERPT = 300
"""Characters of a dropped pair that are kept for a person to judge."""
Refusal = tuple[str, str]
"""(reason, detail) of a pair that is left out."""
Judge = Callable[[QA], Refusal | None]


def read_pairs(folder: Path) -> Iterator[QA]:
    """The pairs that a step left, in their order."""
    return read_table(folder / PAIRS, QA)


def pass_pairs(folder: Path, out: Output, judge: Judge) -> Counts:
    """Copy pairs, leaving some out.

    Args:
        folder: The artifact that holds ``pairs.parquet``.
        out: Where ``pairs.parquet`` and ``drops.parquet`` are written.
        judge: Says why a pair is left out; None keeps it.

    Returns:
        The step's counts.
    """
    reasons = Counter[str]()
    with TableWriter(out.path / PAIRS, QA) as kept, TableWriter(out.path / DROPS, Drop) as drops:
        for pair in read_pairs(folder):
            refusal = judge(pair)
            if refusal is None:
                kept.write(pair)
            else:
                drops.write(pair_drop(pair, *refusal))
                reasons[refusal[0]] += 1
    taken = kept.rows + reasons.total()
    return Counts(taken=taken, kept=kept.rows, dropped=dict(sorted(reasons.items())), made={"pairs": kept.rows})


def pair_drop(pair: QA, reason: str, detail: str = "") -> Drop:
    """A pair that is left out: its document, its id before the detail, its words."""
    said = f"{pair.kind}: {pair.question} | {pair.answer}"
    return Drop(doc_id=pair.doc_id, reason=reason, detail=f"{pair.id} {detail}".strip()[:EXCERPT],
                excerpt=said[:EXCERPT])  # fmt: skip
