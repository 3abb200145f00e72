"""Rows: laying tokens down, window by window, so that a killed run goes on where it was."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Protocol

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

TOKENS, PIECES, LEARNT = "tokens.bin", "pieces", "learnt.bin"
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
    targets: int
    """Tokens that are learnt."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(self.rows_of_file)


def write_rows(plan: Plan, shelf: Shelf, encoder: Encoder, config: Settings, out: Output) -> Tally:
    """Write ``tokens.bin``, ``pieces/`` and, where not all is learnt, ``learnt.bin``; goes on where a run stopped."""
    keys = [f"rows-{number:06d}" for number in range(len(plan.windows) - 1)]
    waiting = list(out.pending(keys))
    done = [note["rows"] for note in out.notes(keys[: len(keys) - len(waiting)])]
    with ExitStack() as stack:
        cells = sum(done) * config.context
        tokens = stack.enter_context(_reopened(out.path / TOKENS, cells * np.dtype(encoder.dtype).itemsize))
        learnt = stack.enter_context(_reopened(out.path / LEARNT, cells)) if shelf.masked else None
        for key in waiting:
            number = int(key.removeprefix("rows-"))
            layout = lay_out(plan, number, width=config.context, seed=config.seed, cut=config.method == "best-fit")
            here = _Window(plan=plan, first=int(plan.windows[number]), layout=layout, shelf=shelf)
            _append(tokens, here.tokens(config.context, encoder))
            taught = here.learnt(config.context) if learnt is not None else None
            if learnt is not None and taught is not None:
                _append(learnt, taught)
            here.write_pieces(out.path / PIECES / f"{number:06d}.parquet", sum(done))
            done.append(layout.rows)
            out.done(key, NO_COUNTS, note=here.note(taught))
    notes = out.notes(keys)
    total = {name: sum(note[name] for note in notes) for name in ("pieces", "stored", "new", "first", "targets")}
    return Tally(rows_of_file=[note["rows"] for note in notes], **total)


@contextmanager
def _reopened(path: Path, size: int) -> Iterator[IO[bytes]]:
    """A file to append to, without what was written after the last finished window."""
    path.touch()
    with path.open("r+b") as file:
        file.truncate(size)
        file.seek(0, os.SEEK_END)
        yield file


def _append(file: IO[bytes], cells: npt.NDArray[Any]) -> None:
    file.write(cells.tobytes())
    file.flush()
    os.fsync(file.fileno())


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

    def note(self, learnt: npt.NDArray[np.bool_] | None) -> dict[str, int]:
        """What is kept of it for the tally."""
        new, context = int(self.layout.new.sum()), int(self.layout.context.sum())
        first = int((self._start == 0).sum())
        pieces = len(self.layout.item)
        targets = new - first if learnt is None else int(learnt.sum())
        return {
            "rows": self.layout.rows, "pieces": pieces, "stored": new + context, "new": new, "first": first,
            "targets": targets,
        }  # fmt: skip

    def tokens(self, width: int, encoder: Encoder) -> npt.NDArray[np.integer[Any]]:
        """Its rows, shape (rows, width), padded at the ends."""
        rows = np.full((self.layout.rows, width), encoder.pad or 0, encoder.dtype)
        for row, offset, start, length, stream in self._places(self.shelf.reader(self._document)):
            rows[row, offset : offset + length] = stream[start : start + length]
        return rows

    def learnt(self, width: int) -> npt.NDArray[np.bool_]:
        """Which of its cells are learnt, shape (rows, width): never padding, context, or a document's first token."""
        rows = np.zeros((self.layout.rows, width), bool)
        silent = np.where(self._start == 0, 1, self.layout.context).tolist()
        places = self._places(self.shelf.learnt(self._document))
        for (row, offset, start, length, stream), quiet in zip(places, silent, strict=True):
            rows[row, offset + quiet : offset + length] = stream[start + quiet : start + length]
        return rows

    def _places(self, streams: Iterator[npt.NDArray[Any]]) -> Iterator[tuple[int, int, int, int, npt.NDArray[Any]]]:
        """(row, offset in it, start in the stream, length, stream) of each piece."""
        return zip(
            self.layout.row.tolist(), self.layout.offset.tolist(), (self._start - self.layout.context).tolist(),
            (self.layout.new + self.layout.context).tolist(), streams, strict=True,
        )  # fmt: skip

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
