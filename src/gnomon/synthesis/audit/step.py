"""The step ``synthesis/audit``: one HTML file with a random sample of pairs, to read and to label.

Each pair stands beside the passage it rests on, its quote marked. What judges said stays closed until the reader has
said something: a label is worth most when it was given blind. The labels are downloaded as JSONL, which
``synthesis.select`` takes.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gnomon.core.errors import ConfigError
from gnomon.core.files import write_atomic
from gnomon.core.hashing import hash_place
from gnomon.core.records import Document
from gnomon.core.synthetic import QA
from gnomon.core.tables import arrow_schema, count_rows, from_row, read_batches
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.audit.page import page
from gnomon.synthesis.audit.passages import passages
from gnomon.synthesis.passing import PAIRS, read_pairs

PAGE = "audit.html"
NOT_DRAWN = "not_drawn"


@dataclass(frozen=True, kw_only=True)
class AuditConfig:
    """What is shown."""

    sample: int = 100
    """Pairs on the page, at most."""
    seed: int = 0
    """Of the draw."""
    around: int = 500
    """Characters of the document shown before and after a quote."""


def run(config: AuditConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Write ``audit.html`` about a sample of ``inputs["pairs"]``, with the passages of ``inputs["documents"]``.

    Raises:
        ConfigError: The sample or the margin cannot be used.
    """
    if config.sample < 1 or config.around < 0:
        raise ConfigError(
            say(f"synthesis/audit: sample = {config.sample}, around = {config.around}.",
                f"synthesis/audit: sample = {config.sample}、around = {config.around}。"),
            say("Show at least one pair; the margin is at least 0.", "sample は 1 以上、around は 0 以上とする。"),
        )  # fmt: skip
    drawn = draw(read_pairs(inputs["pairs"]), config)
    documents = _documents(inputs["documents"], {e.span.doc_id for pair in drawn for e in pair.evidence})
    shown = [entry(pair, documents, config.around) for pair in drawn]
    write_atomic(out.path / PAGE, page(shown, out.identity))
    taken = count_rows(inputs["pairs"] / PAIRS)
    out.metrics["without_passage"] = sum(not one["passages"] for one in shown)
    dropped = {NOT_DRAWN: taken - len(drawn)} if taken > len(drawn) else {}
    return Counts(taken=taken, kept=len(drawn), dropped=dropped)


def draw(pairs: Iterable[QA], config: AuditConfig) -> list[QA]:
    """A random sample, in random order; of a larger set of pairs most of it is the same."""
    return heapq.nsmallest(
        config.sample, pairs, key=lambda pair: (hash_place(f"{config.seed}\0audit\0{pair.id}"), pair.id)
    )


def _documents(folder: Path, wanted: set[str]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    ids = pa.array(sorted(wanted), pa.string())
    for batch in read_batches(folder / "documents", arrow_schema(Document).names):
        for row in batch.filter(pc.is_in(batch.column("id"), value_set=ids)).to_pylist():
            found[row["id"]] = from_row(Document, row)
    return found


def entry(pair: QA, documents: Mapping[str, Document], around: int) -> dict[str, Any]:
    """What the page shows of a pair, as JSON types.

    Args:
        pair: The pair.
        documents: Those it rests on, by id.
        around: Characters shown before and after a quote.
    """
    document = documents.get(pair.doc_id)
    return {
        "id": pair.id, "kind": pair.kind, "lang": pair.lang, "question": pair.question, "answer": pair.answer,
        "choices": list(pair.choices), "thinking": pair.thinking, "writer": pair.writer, "document": pair.doc_id,
        "turns": [{"role": turn.role, "text": turn.text} for turn in pair.turns],
        "title": document.title if document else "",
        "quotes": [evidence.quote for evidence in pair.evidence],
        "passages": passages(pair.evidence, documents, around),
        "verdicts": [{"judge": v.judge, "criterion": v.criterion, "score": v.score, "reason": v.reason}
                     for v in pair.verdicts],
    }  # fmt: skip
