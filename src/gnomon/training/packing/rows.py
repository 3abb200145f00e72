"""Rows: laying tokens down, window by window, so that a killed run goes on where it was."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gnomon.core.pieces import Piece
from gnomon.core.tables import TableWriter, arrow_schema
from gnomon.runs.counts import NO_COUNTS
from gnomon.runs.output import Output
from gnomon.training.packing.fit import Layout
from gnomon.training.packing.plan import Plan, lay_out
from gnomon.training.packing.shelf import Shelf
from gnomon.training.packing.streams import Encoder

TOKENS, PIECES = "tokens.bin", "pieces"
_PIECES_AT_ONCE = 65_536


class Settings(Protocol):
    """What of the step's config matters here."""

    @property
    def context(self) -> int:
        """Tokens a row."""
        ...

    @property
    def seed(self) -> int:
        """Decides the order."""
        ...

    @property
    def method(self) -> str:
        """``best-fit`` or ``stream``."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What was written."""

    rows_of_file: list[int]
    """Rows whose pieces each file of ``pieces/`` names, in order."""
    pieces: int
    """Pieces."""
    stored: int
    """Tokens without padding, context tokens included."""
    new: int
    """Tokens without context: each a token of a document's stream."""
    first: int
    """Of these, first tokens of a document, which are no target."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(self.rows_of_file)


def write_rows(plan: Plan, shelf: Shelf, encoder: Encoder, config: Settings, out: Output) -> Tally:
    """Write ``tokens.bin`` and ``pieces/`` from where an earlier run stopped."""
    keys = [f"rows-{number:06d}" for number in range(len(plan.windows) - 1)]
    waiting = list(out.pending(keys))
    done = [note["rows"] for note in out.notes(keys[: len(keys) - len(waiting)])]
    width = config.context
    path = out.path / TOKENS
    path.touch()
    with path.open("r+b") as file:
        file.truncate(sum(done) * width * np.dtype(encoder.dtype).itemsize)
        file.seek(0, os.SEEK_END)
        for key in waiting:
            number = int(key.removeprefix("rows-"))
            layout = lay_out(plan, number, width=width, seed=config.seed, cut=config.method == "best-fit")
            here = _Window(plan=plan, first=int(plan.windows[number]), layout=layout, shelf=shelf)
            file.write(here.tokens(width, encoder).tobytes())
            file.flush()
            os.fsync(file.fileno())
            here.write_pieces(out.path / PIECES / f"{number:06d}.parquet", sum(done))
            done.append(layout.rows)
            out.done(key, NO_COUNTS, note=here.note())
    notes = out.notes(keys)
    total = {name: sum(note[name] for note in notes) for name in ("pieces", "stored", "new", "first")}
    return Tally(rows_of_file=[note["rows"] for note in notes], **total)


@dataclass(frozen=True, kw_only=True)
class _Window:
    """One window of the plan, laid out."""

    plan: Plan
    """The plan."""
    first: int
    """Index of its first piece in the plan."""
    layout: Layout
    """Its rows."""
    shelf: Shelf
    """Where the tokens are."""

    @property
    def _document(self) -> npt.NDArray[np.int64]:
        return self.plan.document[self.first + self.layout.item].astype(np.int64)

    @property
    def _start(self) -> npt.NDArray[np.int64]:
        return self.plan.start[self.first + self.layout.item].astype(np.int64) + self.layout.start

    def note(self) -> dict[str, int]:
        """What is kept of it for the tally."""
        new, context = int(self.layout.new.sum()), int(self.layout.context.sum())
        first = int((self._start == 0).sum())
        pieces = len(self.layout.item)
        return {"rows": self.layout.rows, "pieces": pieces, "stored": new + context, "new": new, "first": first}

    def tokens(self, width: int, encoder: Encoder) -> npt.NDArray[np.integer[Any]]:
        """Its rows, shape (rows, width), padded at the ends."""
        rows = np.full((self.layout.rows, width), encoder.pad or 0, encoder.dtype)
        places = zip(
            self.layout.row.tolist(), self.layout.offset.tolist(), (self._start - self.layout.context).tolist(),
            (self.layout.new + self.layout.context).tolist(), self.shelf.reader(self._document), strict=True,
        )  # fmt: skip
        for row, offset, start, length, stream in places:
            rows[row, offset : offset + length] = stream[start : start + length]
        return rows

    def write_pieces(self, path: Path, before: int) -> None:
        """Write whose tokens stand where; ``before`` rows stand in front of the window."""
        with TableWriter(path, Piece) as writer:
            for batch in self._batches(before):
                writer.write_batch(batch)

    def _batches(self, before: int) -> Iterator[pa.RecordBatch]:
        layout = self.layout
        borders = [*range(0, len(layout.item), _PIECES_AT_ONCE), len(layout.item)]
        for a, b in pairwise(borders):
            document = self._document[a:b]
            columns = {
                "sequence": layout.row[a:b] + before,
                "offset": layout.offset[a:b],
                "length": (layout.new + layout.context)[a:b],
                "doc_id": self.shelf.column("doc_id", document),
                "text_hash": self.shelf.column("text_hash", document),
                "source": self.shelf.source_of(document),
                "start": self._start[a:b],
                "repeat": self.plan.repeat[self.first + layout.item[a:b]].astype(np.int64),
                "context": layout.context[a:b],
            }
            schema = arrow_schema(Piece)
            yield pa.record_batch([pa.array(columns[f.name], f.type) for f in schema], schema=schema)
