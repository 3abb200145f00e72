"""Exposure: what a model was shown, and when.

Down a model's pedigree each training step read the rows of one token artifact in their order; row i was
seen in optimizer step ``i // sequences_per_step``. ``pieces/`` says whose tokens a row holds, so "was it
shown this document, and when" has an exact answer: stage, pass, optimizer steps, tokens. Steps are counted
from 1, as in ``curve.parquet``. What was deleted since is told from the records that stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json
from gnomon.core.pieces import Piece
from gnomon.llm.weights import REF_FILE
from gnomon.runs.lineage import known_record
from gnomon.runs.record import Record
from gnomon.runs.rows import rows_where
from gnomon.runs.workspace import Workspace

PIECES, PACK, TRAINING = "pieces", "pack.json", "training.json"
CHOOSE = "training/choose"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One training step of a pedigree, and the rows it read."""

    model: Record
    """The step that trained."""
    tokens: Record
    """The step that packed what it was shown."""
    rows_a_step: int
    """Rows of one optimizer step."""
    steps: int
    """Optimizer steps made."""
    rows: int
    """Rows there were."""
    folder: Path | None
    """The token artifact; None when it was deleted."""

    @property
    def seen(self) -> int:
        """Rows that were seen: the first so many."""
        return min(self.rows, self.steps * self.rows_a_step)

    def step(self, row: int) -> int:
        """The optimizer step, from 1, that saw a row."""
        return row // self.rows_a_step + 1


@dataclass(frozen=True, kw_only=True)
class Sight:
    """A stretch of a document that one optimizer step saw."""

    step: int
    """The optimizer step, from 1."""
    row: int
    """The row of the token artifact."""
    offset: int
    """Place of the first of these tokens in the row."""
    repeat: int
    """The pass over the document, from 0."""
    start: int
    """First token in the document's stream."""
    end: int
    """One past the last."""
    source: str
    """Name of the source in the mixture."""
    text_hash: str
    """Version of the text."""


def is_model(record: Record) -> bool:
    """Whether a step left a model behind."""
    return any(file.name == REF_FILE for file in record.files)


def parents_of(workspace: Workspace, record: Record) -> list[Record]:
    """The models that a model was made from; of candidates only the one that was chosen."""
    chosen = record.metrics.get("chosen") if record.name == CHOOSE else None
    names = [f"model:{chosen}"] if chosen is not None else sorted(record.inputs)
    found = (known_record(workspace, record.inputs[name]) for name in names)
    return [parent for parent in found if parent is not None and is_model(parent)]


def pedigree(workspace: Workspace, address: str) -> list[Record]:
    """A model and all it was made from, each before what it was made from."""
    ordered: dict[str, Record] = {}

    def visit(record: Record) -> None:
        if record.address not in ordered:
            for parent in parents_of(workspace, record):
                visit(parent)
            ordered[record.address] = record

    record = known_record(workspace, address)
    if record is not None and is_model(record):
        visit(record)
    return list(reversed(ordered.values()))


def stages(workspace: Workspace, address: str) -> list[Stage]:
    """The training steps behind a model, its own first; those that leave no trace of their rows are passed over."""
    found = []
    for record in pedigree(workspace, address):
        for name in sorted(record.inputs):
            tokens = known_record(workspace, record.inputs[name])
            if tokens is not None and any(file.name == PACK for file in tokens.files):
                stage = _stage(workspace, record, tokens)
                found += [stage] if stage is not None else []
    return found


def _stage(workspace: Workspace, model: Record, tokens: Record) -> Stage | None:
    folder = folder_of(workspace, model)
    facts = read_json(folder / TRAINING) if folder is not None and (folder / TRAINING).exists() else model.metrics
    if "sequences_per_step" not in facts or "steps" not in facts:
        return None
    return Stage(
        model=model, tokens=tokens, rows_a_step=int(facts["sequences_per_step"]), steps=int(facts["steps"]),
        rows=int(tokens.metrics["sequences"]), folder=folder_of(workspace, tokens),
    )  # fmt: skip


def folder_of(workspace: Workspace, record: Record) -> Path | None:
    """A step's files; None when only its tombstone is left."""
    return workspace.artifact(record.address) if workspace.record(record.address) is not None else None


# One document ---------------------------------------------------------------------------------


def sights(stage: Stage, doc_id: str) -> list[Sight]:
    """Every stretch of a document that a stage saw, in the order in which it saw them.

    Args:
        stage: The stage.
        doc_id: The document's whole id.
    """
    found = []
    for piece in rows_where(stage.folder / PIECES, Piece, "doc_id", doc_id) if stage.folder else ():
        if piece.sequence < stage.seen:
            found.append(Sight(
                step=stage.step(piece.sequence), row=piece.sequence, offset=piece.offset + piece.context,
                repeat=piece.repeat, start=piece.start, end=piece.start + piece.length - piece.context,
                source=piece.source, text_hash=piece.text_hash,
            ))  # fmt: skip
    return sorted(found, key=lambda s: (s.row, s.offset))


def overlapping(seen: Sequence[Sight], first: int, last: int) -> list[Sight]:
    """Those sights that hold some of the tokens ``first`` to ``last`` (one past the last) of the document."""
    return [sight for sight in seen if sight.start < last and first < sight.end]


def stream_of(stage: Stage, seen: Sequence[Sight]) -> list[int]:
    """A document's token stream, as far as it was shown without a gap, read back from the rows."""
    from gnomon.training.packed import PackedTokens

    if stage.folder is None or not seen:
        return []
    packed, ids = PackedTokens(stage.folder), list[int]()
    for sight in sorted(seen, key=lambda s: s.start):
        if sight.start > len(ids) or sight.text_hash != seen[0].text_hash:
            continue
        row = packed.row(sight.row).ids
        ids += row[sight.offset + len(ids) - sight.start : sight.offset + sight.end - sight.start].tolist()
    return ids


def tokens_of_excerpt(decode: Any, ids: Sequence[int], excerpt: str) -> tuple[int, int] | None:
    """The tokens that an excerpt of a document stands in: first, and one past the last; None when it is not there.

    Args:
        decode: Turns ids into text.
        ids: The document's stream.
        excerpt: Words of the document, as they are written there.
    """
    begin = str(decode(list(ids))).find(excerpt)
    if begin < 0 or not excerpt:
        return None
    first = _reaching(decode, ids, begin + 1) - 1
    return first, _reaching(decode, ids, begin + len(excerpt))


def _reaching(decode: Any, ids: Sequence[int], characters: int) -> int:
    """How many tokens it takes to write so many characters."""
    low, high = 0, len(ids)
    while low < high:
        middle = (low + high) // 2
        if len(str(decode(list(ids[:middle]))).rstrip("\ufffd")) >= characters:
            high = middle
        else:
            low = middle + 1
    return low
