"""Packed tokens: the rows of a token artifact, read without loading it.

A row comes as ids, positions and labels of one length. Positions restart at 0 with each piece, which is how
``transformers`` learns where attention must not look across; labels are not shifted (``transformers`` shifts
them) and are -100 wherever a token is no target: padding, the first token of a document, context, and what others
than the assistant say in a conversation.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from gnomon.core.errors import CorruptArtifact, DataError
from gnomon.core.files import read_json
from gnomon.core.pieces import Piece
from gnomon.core.tables import arrow_schema, from_row, parquet_files
from gnomon.core.wording import say

Ints = npt.NDArray[np.int64]
NO_TARGET = -100
"""The label of a token that is no target, as torch's cross-entropy knows it."""
_FILES_HELD = 64
_LAYOUT = ["sequence", "offset", "length", "start", "context"]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Some rows: arrays of shape (rows, context) unless said otherwise, int64. Of one row: shape (context,)."""

    ids: Ints
    """Token ids."""
    positions: Ints
    """Position in the piece, from 0; padding counts from 0 too, as if it were a piece."""
    labels: Ints
    """The token itself where it is a target, else -100; not shifted."""
    segments: Ints
    """Shape (pieces, 3): row (counted within these rows), start and length of each piece, without padding."""

    @property
    def targets(self) -> int:
        """Number of tokens that are targets."""
        return int((self.labels != NO_TARGET).sum())

    @property
    def held(self) -> npt.NDArray[np.bool_]:
        """Whether a token belongs to a piece and is no padding; the shape of ``ids``."""
        context = self.ids.shape[-1]
        edges = np.zeros(self.ids.size + 1, np.int8)
        begins = self.segments[:, 0] * context + self.segments[:, 1]
        np.add.at(edges, begins, 1)
        np.add.at(edges, begins + self.segments[:, 2], -1)
        return np.cumsum(edges[:-1], dtype=np.int8).astype(bool).reshape(self.ids.shape)

    @property
    def boundaries(self) -> npt.NDArray[np.int32]:
        """Where stretches of attention begin in the rows written one after another, and the end: ``cu_seqlens``."""
        begins = np.flatnonzero(self.positions.reshape(-1) == 0)
        return np.append(begins, self.positions.size).astype(np.int32)


@dataclass(frozen=True, kw_only=True)
class _File:
    """The layout of the rows that one file of ``pieces/`` names."""

    borders: Ints
    """Where the pieces of each of its rows begin, and the end."""
    offset: Ints
    """Place of each piece in its row."""
    length: Ints
    """Tokens stored."""
    silent: Ints
    """Leading tokens that are no target: 0 or 1."""


class PackedTokens:
    """The rows of a token artifact, in the order of training. Opening it reads one small file.

    Args:
        folder: The artifact of ``training/pack``.

    Raises:
        DataError: It is none.
        CorruptArtifact: ``tokens.bin`` or ``learnt.bin`` has another size than it says.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.facts: dict[str, Any] = read_json(self.folder / "pack.json")
        """What ``pack.json`` says."""
        try:
            self.context, self._count = int(self.facts["context"]), int(self.facts["sequences"])
            dtype = np.dtype(self.facts["dtype"]).newbyteorder("<")
            self._first = np.concatenate([[0], np.cumsum(np.array(self.facts["rows_of_file"], np.int64))])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                say(f"{self.folder} is no token artifact: {error}.",
                    f"{self.folder} は training/pack の成果物ではない: {error}。"),
                say("Give the folder of a finished training/pack step.",
                    "完了した training/pack のフォルダを指定する。"),
            ) from error  # fmt: skip
        self._tokens = self._map("tokens.bin", dtype)
        partly = (self.folder / "learnt.bin").exists()
        self._learnt = self._map("learnt.bin", np.dtype(np.bool_)) if partly else None
        self._files = parquet_files(self.folder / "pieces")
        self._held: OrderedDict[int, _File] = OrderedDict()

    def _map(self, name: str, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        path = self.folder / name
        size, wanted = path.stat().st_size if path.exists() else 0, self._count * self.context * dtype.itemsize
        if size != wanted or self._first[-1] != self._count:
            raise CorruptArtifact(
                say(f"{path} has {size} bytes, wanted {wanted}.",
                    f"{path} は {size} バイトで、{wanted} バイトではない。"),
                say("Delete the artifact's folder and run the recipe again.",
                    "成果物のフォルダを消し、レシピを再実行する。"),
            )  # fmt: skip
        return np.memmap(path, dtype, mode="r", shape=(self._count, self.context))

    def __reduce__(self) -> tuple[type["PackedTokens"], tuple[Path]]:
        return PackedTokens, (self.folder,)

    def __len__(self) -> int:
        return self._count

    def row(self, number: int) -> Rows:
        """One row; arrays of shape (context,)."""
        found = self.rows([number])
        ids, positions, labels = found.ids[0], found.positions[0], found.labels[0]
        return Rows(ids=ids, positions=positions, labels=labels, segments=found.segments)

    def rows(self, numbers: Sequence[int] | Ints) -> Rows:
        """Some rows, in the order asked for."""
        wanted = np.asarray(numbers, np.int64)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < self._count):
            raise IndexError(f"rows {wanted.min()} to {wanted.max()} of {self._count}")
        ids = self._tokens[wanted].astype(np.int64)
        segments, silent = self._segments(wanted)
        begins = segments[:, 0] * self.context + segments[:, 1]
        ends = begins + segments[:, 2]
        last = np.zeros(len(wanted), np.int64)
        np.maximum.at(last, segments[:, 0], segments[:, 1] + segments[:, 2])
        flat = np.zeros(ids.size, np.int64)
        padding = (np.arange(len(wanted)) * self.context + last)[last < self.context]
        for begin in (begins, padding):
            flat[begin] = begin
        positions = (np.arange(ids.size) - np.maximum.accumulate(flat)).reshape(ids.shape)
        target = np.zeros(ids.size + 1, np.int8)
        np.add.at(target, begins + silent, 1)
        np.add.at(target, ends, -1)
        is_target = np.cumsum(target[:-1], dtype=np.int8).astype(bool).reshape(ids.shape)
        if self._learnt is not None:
            is_target &= self._learnt[wanted]
        return Rows(ids=ids, positions=positions, labels=np.where(is_target, ids, NO_TARGET), segments=segments)

    def _segments(self, rows: Ints) -> tuple[Ints, Ints]:
        """(row, start, length) of the pieces of some rows, and their silent tokens."""
        segments, silent = [np.empty((0, 3), np.int64)], [np.empty(0, np.int64)]
        file_of = np.searchsorted(self._first, rows, side="right") - 1
        for place, (row, number) in enumerate(zip(rows.tolist(), file_of.tolist(), strict=True)):
            file = self._file(number)
            local = row - int(self._first[number])
            here = slice(int(file.borders[local]), int(file.borders[local + 1]))
            count = here.stop - here.start
            segments.append(np.stack([np.full(count, place), file.offset[here], file.length[here]], axis=1))
            silent.append(file.silent[here])
        return np.concatenate(segments), np.concatenate(silent)

    def _file(self, number: int) -> _File:
        if number in self._held:
            self._held.move_to_end(number)
            return self._held[number]
        table = pq.read_table(self._files[number], columns=_LAYOUT)
        sequence, offset, length, start, context = (table.column(n).to_numpy() for n in _LAYOUT)
        first, end = int(self._first[number]), int(self._first[number + 1])
        borders = np.searchsorted(sequence, np.arange(first, end + 1))
        silent = np.where(start == 0, 1, context)
        self._held[number] = _File(borders=borders, offset=offset, length=length, silent=silent)
        if len(self._held) > _FILES_HELD:
            self._held.popitem(last=False)
        return self._held[number]

    def pieces(self, rows: Sequence[int]) -> Iterator[Piece]:
        """The pieces of some rows, with their documents, in order of row and place."""
        wanted = np.unique(np.asarray(rows, np.int64))
        for number in np.unique(np.searchsorted(self._first, wanted, side="right") - 1).tolist():
            filters = [("sequence", "in", wanted.tolist())]
            table = pq.read_table(self._files[number], schema=arrow_schema(Piece), filters=filters)
            yield from (from_row(Piece, row) for row in table.to_pylist())

    def documents(self, rows: Sequence[int]) -> list[str]:
        """Ids of the documents in some rows, each once, in order: whose tokens were in a bad batch."""
        return list(dict.fromkeys(piece.doc_id for piece in self.pieces(rows)))
