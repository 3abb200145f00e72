"""Shelf: the token streams of all documents, on disk, one shard for each file of documents.

Documents are tokenised once, whatever the mixture repeats. A shard is ``KEY.tokens`` (streams one after
another) and ``KEY.arrow`` (id, text version, licence and length of each); both are mapped into memory, so
reading any document anywhere costs no more than its own bytes. They live beside the shard markers, outside
the artifact, and go when the step is done.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gnomon.core.errors import DataError
from gnomon.core.records import Drop
from gnomon.core.tables import TableWriter, parquet_files, read_batches
from gnomon.core.text import document_text
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.training.packing.fit import Ints
from gnomon.training.packing.mixture import MixtureSource
from gnomon.training.packing.streams import Encoder

NO_TEXT, NO_TOKENS = "no_text", "no_tokens"
CHARACTERS_AT_ONCE = 2_000_000
_ROWS_AT_ONCE = 65_536
_READ = ["id", "title", "text", "text_hash", "source"]
_SCHEMA = pa.schema(
    [("doc_id", pa.string()), ("text_hash", pa.string()), ("licence", pa.string()), ("tokens", pa.int64())]
)


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of documents that is to be tokenised."""

    source: str
    """The mixture's name for it."""
    key: str
    """Its shard."""
    path: Path
    """Where it is."""


def files_of(sources: Sequence[MixtureSource], inputs: dict[str, Path]) -> list[File]:
    """The files of all sources, in the mixture's order.

    Raises:
        DataError: An input holds no documents.
    """
    found: list[File] = []
    for number, source in enumerate(sources):
        folder = inputs[source.name] / source.part / "documents"
        paths = parquet_files(folder) if folder.is_dir() else []
        if not paths:
            raise DataError(
                say(f"The source {source.name!r} holds no documents: {folder} is missing or empty.",
                    f"混合元 {source.name!r} に文書がない: {folder} がないか空である。"),
                say("Give a step that leaves documents; for a split, name its part (train, development, test).",
                    "文書を残すステップを指定する。split なら part（train、development、test）も指定する。"),
            )  # fmt: skip
        found += [File(source=source.name, key=f"tokens-{number:02d}-{i:06d}", path=p) for i, p in enumerate(paths)]
    return found


def tokenise(file: File, encoder: Encoder, out: Output) -> None:
    """Write the shard of one file and mark it done."""
    taken, rows = 0, []
    out.shards.mkdir(parents=True, exist_ok=True)
    with (out.shards / f"{file.key}.tokens").open("wb") as tokens, drops_of(out, file.key) as drops:
        for part in _parts(file.path):
            texts = [document_text(row["title"], row["text"]) for row in part]
            for row, text, stream in zip(part, texts, encoder.streams(texts), strict=True):
                taken += 1
                blank = not row["text"].strip()
                if blank or not len(stream):
                    reason = NO_TEXT if blank else NO_TOKENS
                    drops.write(
                        Drop(doc_id=row["id"], reason=reason, detail=f"source {file.source}", excerpt=text[:200])
                    )
                    continue
                tokens.write(stream.tobytes())
                rows.append((row["id"], row["text_hash"], row["source"]["licence"], len(stream)))
            out.meter.advance(len(part))
        tokens.flush()
        os.fsync(tokens.fileno())
    columns = [pa.array(list(c), f.type) for c, f in zip(zip(*rows, strict=True), _SCHEMA, strict=True)] if rows else []
    table = pa.Table.from_arrays(columns, schema=_SCHEMA) if rows else _SCHEMA.empty_table()
    with pa.OSFile(str(out.shards / f"{file.key}.arrow"), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
        writer.write_table(table)
    lost = Counter(_reasons(out, file.key))
    out.done(file.key, Counts(taken=taken, kept=len(rows), dropped=dict(lost)))


def _parts(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Rows in groups of bounded size."""
    part: list[dict[str, Any]] = []
    size = 0
    for batch in read_batches(path, _READ):
        for number in range(batch.num_rows):
            row = {name: batch.column(name)[number].as_py() for name in _READ}
            part.append(row)
            size += len(row["text"])
            if size >= CHARACTERS_AT_ONCE:
                yield part
                part, size = [], 0
    if part:
        yield part


def drops_of(out: Output, key: str) -> TableWriter:
    """A writer for the drops of a shard, beside its marker."""
    return TableWriter(out.shards / f"{key}.drops.parquet", Drop)


def _reasons(out: Output, key: str) -> Iterator[str]:
    for batch in read_batches(out.shards / f"{key}.drops.parquet", ["reason"]):
        yield from batch.column(0).to_pylist()


class Shelf:
    """All shards, opened.

    Args:
        out: The step's output, whose shards are done.
        files: Its files.
        dtype: How a token is stored.
    """

    def __init__(self, out: Output, files: Sequence[File], dtype: npt.DTypeLike) -> None:
        self._folder, self._files, self._dtype = out.shards, files, dtype
        self._tables = [self._open(file.key) for file in files]
        sizes = [len(table) for table in self._tables]
        self.first = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        """Index of the first document of each shard, and the number of documents."""
        self.lengths: Ints = np.concatenate(
            [np.empty(0, np.int64), *(table.column("tokens").to_numpy() for table in self._tables)]
        )
        """Tokens of each document's stream."""
        self._tokens: dict[int, npt.NDArray[np.integer[Any]]] = {}
        self._begins = np.concatenate([[0], np.cumsum(self.lengths)])

    def _open(self, key: str) -> pa.Table:
        with pa.memory_map(str(self._folder / f"{key}.arrow")) as source:
            return pa.ipc.open_file(source).read_all()

    def documents_of(self, source: str) -> range:
        """Indices of the documents of a source."""
        numbers = [i for i, file in enumerate(self._files) if file.source == source]
        return range(int(self.first[numbers[0]]), int(self.first[numbers[-1] + 1])) if numbers else range(0)

    def source_of(self, documents: Ints) -> list[str]:
        """The source of each document."""
        names = [file.source for file in self._files]
        return [names[i] for i in self._shard(documents).tolist()]

    def column(self, name: str, documents: Ints) -> list[str]:
        """One column (``doc_id``, ``text_hash``, ``licence``) of some documents, in their order."""
        found = np.empty(len(documents), object)
        shard = self._shard(documents)
        for number in np.unique(shard).tolist():
            here = shard == number
            chunk = self._tables[number].column(name)
            found[here] = chunk.take(pa.array(documents[here] - self.first[number])).to_pylist()
        return list(found)

    def each(self, name: str, documents: Ints) -> Iterator[str]:
        """The same, streamed."""
        for start in range(0, len(documents), _ROWS_AT_ONCE):
            yield from self.column(name, documents[start : start + _ROWS_AT_ONCE])

    def _shard(self, documents: Ints) -> Ints:
        return np.searchsorted(self.first, documents, side="right") - 1

    def reader(self, documents: Ints) -> Iterator[npt.NDArray[np.integer[Any]]]:
        """The whole stream of each document, mapped, in the order given."""
        shard = self._shard(documents)
        begin = self._begins[documents] - self._begins[self.first[shard]]
        for number, start, length in zip(shard.tolist(), begin.tolist(), self.lengths[documents].tolist(), strict=True):
            yield self._map(number)[start : start + length]

    def _map(self, number: int) -> npt.NDArray[np.integer[Any]]:
        if number not in self._tokens:
            path = self._folder / f"{self._files[number].key}.tokens"
            self._tokens[number] = np.memmap(path, self._dtype, mode="r").view(np.ndarray)
        return self._tokens[number]
