"""The step ``synthesis/as_documents``: pairs, or conversations, as documents, one each.

So the steps that find near-duplicates and exam questions among documents find them among pairs, unchanged; afterwards
``synthesis/surviving`` keeps the pairs whose document came through. A pair's answer is its document's title: titles
keep like texts apart, so two gaps in one sentence are two questions, and one question in other words is one.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gnomon.core.records import Document, Source
from gnomon.core.synthetic import QA
from gnomon.core.tables import write_table
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.passing import Entry, read_entries

KIND = "synthetic"
PAIRS_PER_FILE = 20_000


@dataclass(frozen=True, kw_only=True)
class AsDocumentsConfig:
    """What of a pair is compared."""

    answer: bool = True
    """Whether the answer and later turns are part of the text, beside question and options."""


def run(config: AsDocumentsConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Write ``documents/`` of ``inputs["pairs"]``; a document has the id of its pair."""
    taken = 0
    for number, part in enumerate(_parts(inputs["pairs"])):
        documents = [document_of(pair, answer=config.answer) for pair in part]
        taken += write_table(out.path / "documents" / f"{number:05}.parquet", Document, documents)
    if not taken:
        write_table(out.path / "documents" / "00000.parquet", Document, [])
    return Counts(taken=taken, kept=taken, made={"documents": taken})


def document_of(entry: Entry, *, answer: bool = True) -> Document:
    """A pair as a document: question, options, answer, later turns; or the turns of a conversation. The id stays."""
    text = "\n".join(_said(entry, answer=answer))
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    title = entry.answer if isinstance(entry, QA) else ""
    return Document(
        id=entry.id, title=title, text=text, lang=entry.lang, source=Source(kind=KIND, key=entry.id, sha256=sha256)
    )


def _said(entry: Entry, *, answer: bool) -> list[str]:
    if isinstance(entry, QA):
        turns = [entry.answer, *(turn.text for turn in entry.turns)] if answer else []
        return [entry.question, *entry.choices, *turns]
    return [turn.text for turn in entry.messages if answer or turn.role != "assistant"]


def _parts(folder: Path) -> Iterator[list[Entry]]:
    rows = read_entries(folder)
    while part := list(islice(rows, PAIRS_PER_FILE)):
        yield part
