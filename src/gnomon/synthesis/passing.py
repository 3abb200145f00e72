"""Passing on: steps that leave pairs or conversations out copy the others as they are and name a reason for each."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from gnomon.core.records import Drop
from gnomon.core.synthetic import QA, Example
from gnomon.core.tables import TableWriter, read_batches, read_table
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

PAIRS, EXAMPLES, DROPS = "pairs.parquet", "examples", "drops.parquet"
EXCERPT = 300
"""Characters of a dropped pair that are kept for a person to judge."""
Refusal = tuple[str, str]
"""(reason, detail) of a pair that is left out."""
Judge = Callable[[QA], Refusal | None]
T = TypeVar("T", QA, Example)
Entry = QA | Example
"""What these steps pass on: a pair, or a conversation."""


def read_pairs(folder: Path) -> Iterator[QA]:
    """The pairs that a step left, in their order."""
    return read_table(folder / PAIRS, QA)


def read_entries(folder: Path) -> Iterator[Entry]:
    """The conversations of an artifact that holds ``examples/``, the pairs of any other."""
    return read_table(folder / EXAMPLES, Example) if (folder / EXAMPLES).is_dir() else read_pairs(folder)


def read_licences(folder: Path) -> dict[str, str]:
    """The licences that documents state, by id."""
    found: dict[str, str] = {}
    for batch in read_batches(folder / "documents", ["id", "source"]):
        sources = batch.column("source").to_pylist()
        ids = batch.column("id").to_pylist()
        found |= {key: source["licence"] for key, source in zip(ids, sources, strict=True) if source["licence"]}
    return found


def pass_pairs(folder: Path, out: Output, judge: Judge) -> Counts:
    """Copy pairs, leaving some out.

    Args:
        folder: The artifact that holds ``pairs.parquet``.
        out: Where ``pairs.parquet`` and ``drops.parquet`` are written.
        judge: Says why a pair is left out; None keeps it.

    Returns:
        The step's counts.
    """
    with TableWriter(out.path / PAIRS, QA) as kept:
        return _passed(read_pairs(folder), kept, out, judge, "pairs")


def pass_entries(folder: Path, out: Output, judge: Callable[[Entry], Refusal | None]) -> Counts:
    """Copy pairs or conversations, whichever an artifact holds, leaving some out; see ``pass_pairs``."""
    if not (folder / EXAMPLES).is_dir():
        return pass_pairs(folder, out, judge)
    with TableWriter(out.path / EXAMPLES / "00000.parquet", Example) as kept:
        return _passed(read_table(folder / EXAMPLES, Example), kept, out, judge, EXAMPLES)


def _passed(
    rows: Iterator[T], kept: TableWriter, out: Output, judge: Callable[[T], Refusal | None], what: str
) -> Counts:
    reasons = Counter[str]()
    with TableWriter(out.path / DROPS, Drop) as drops:
        for row in rows:
            refusal = judge(row)
            if refusal is None:
                kept.write(row)
            else:
                drops.write(pair_drop(row, *refusal) if isinstance(row, QA) else example_drop(row, *refusal))
                reasons[refusal[0]] += 1
    taken = kept.rows + reasons.total()
    return Counts(taken=taken, kept=kept.rows, dropped=dict(sorted(reasons.items())), made={what: kept.rows})


def pair_drop(pair: QA, reason: str, detail: str = "") -> Drop:
    """A pair that is left out: its document, its id before the detail, its words."""
    said = f"{pair.kind}: {pair.question} | {pair.answer}"
    return Drop(doc_id=pair.doc_id, reason=reason, detail=f"{pair.id} {detail}".strip()[:EXCERPT],
                excerpt=said[:EXCERPT])  # fmt: skip


def example_drop(example: Example, reason: str, detail: str = "") -> Drop:
    """A conversation that is left out: its id, its first words."""
    said = next((turn.text for turn in example.messages if turn.role == "user"), "")
    return Drop(doc_id=example.id, reason=reason, detail=detail[:EXCERPT], excerpt=said[:EXCERPT])
