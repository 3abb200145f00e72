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
from gnomon.core.hashing import canonical_json, plain, text_hash
from gnomon.core.records import Drop
from gnomon.core.synthetic import Example
from gnomon.core.tables import TableWriter, parquet_files, read_batches, read_table
from gnomon.core.text import document_text
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.training.packing.dialogues import DialogueEncoder
from gnomon.training.packing.fit import Ints
from gnomon.training.packing.mixture import MixtureSource
from gnomon.training.packing.streams import Encoder

NO_TEXT, NO_TOKENS, TOO_LONG = "no_text", "no_tokens", "too_long"
DOCUMENTS, EXAMPLES = "documents", "examples"
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
    kind: str = DOCUMENTS
    """What it holds: ``documents``, or conversations (``examples``)."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The token stream of a document, or of a lesson of a conversation."""

    doc_id: str
    """The document, or the example."""
    text_hash: str
    """Version of its text, or of its turns."""
    licence: str
    """Its licence."""
    ids: npt.NDArray[np.integer[Any]]
    """Its tokens."""
    learnt: npt.NDArray[np.bool_] | None = None
    """Which of them are learnt; None for all."""


def files_of(sources: Sequence[MixtureSource], inputs: dict[str, Path]) -> list[File]:
    """The files of all sources, in the mixture's order: documents, or conversations where an input holds those.

    Raises:
        DataError: An input holds neither.
    """
    found: list[File] = []
    for number, source in enumerate(sources):
        root = inputs[source.name] / source.part
        kind = EXAMPLES if (root / EXAMPLES).is_dir() else DOCUMENTS
        paths = parquet_files(root / kind) if (root / kind).is_dir() else []
        if not paths:
            raise DataError(
                say(f"The source {source.name!r} holds no documents: {root / kind} is missing or empty.",
                    f"混合元 {source.name!r} に文書がない: {root / kind} がないか空である。"),
                say("Give a step that leaves documents; for a split, name its part (train, development, test).",
                    "文書を残すステップを指定する。split なら part（train、development、test）も指定する。"),
            )  # fmt: skip
        found += [
            File(source=source.name, key=f"tokens-{number:02d}-{i:06d}", path=p, kind=kind) for i, p in enumerate(paths)
        ]
    return found


def tokenise(file: File, encoder: Encoder, context: int, out: Output) -> None:
    """Write the shard of one file and mark it done."""
    taken, rows = 0, []
    out.shards.mkdir(parents=True, exist_ok=True)
    read = _conversations(file, encoder, context) if file.kind == EXAMPLES else _documents(file, encoder)
    with (
        (out.shards / f"{file.key}.tokens").open("wb") as tokens,
        (out.shards / f"{file.key}.learnt").open("wb") as learnt,
        drops_of(out, file.key) as drops,
    ):
        for kept, lost in read:
            taken += 1
            for drop in lost:
                drops.write(drop)
            for stream in kept:
                tokens.write(stream.ids.tobytes())
                if stream.learnt is not None:
                    learnt.write(stream.learnt.tobytes())
                rows.append((stream.doc_id, stream.text_hash, stream.licence, len(stream.ids)))
            out.meter.advance(1)
        for written in (tokens, learnt):
            written.flush()
            os.fsync(written.fileno())
    columns = [pa.array(list(c), f.type) for c, f in zip(zip(*rows, strict=True), _SCHEMA, strict=True)] if rows else []
    table = pa.Table.from_arrays(columns, schema=_SCHEMA) if rows else _SCHEMA.empty_table()
    with pa.OSFile(str(out.shards / f"{file.key}.arrow"), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
        writer.write_table(table)
    lost_for = Counter(_reasons(out, file.key))
    out.done(file.key, Counts(taken=taken, kept=taken - sum(lost_for.values()), dropped=dict(lost_for)))


def _documents(file: File, encoder: Encoder) -> Iterator[tuple[list[Stream], list[Drop]]]:
    for part in _parts(file.path):
        texts = [document_text(row["title"], row["text"]) for row in part]
        for row, text, ids in zip(part, texts, encoder.streams(texts), strict=True):
            blank = not row["text"].strip()
            if blank or not len(ids):
                reason, detail = NO_TEXT if blank else NO_TOKENS, f"source {file.source}"
                yield [], [Drop(doc_id=row["id"], reason=reason, detail=detail, excerpt=text[:200])]
                continue
            licence = row["source"]["licence"]
            yield [Stream(doc_id=row["id"], text_hash=row["text_hash"], licence=licence, ids=ids)], []


def _conversations(file: File, encoder: Encoder, context: int) -> Iterator[tuple[list[Stream], list[Drop]]]:
    """Lessons of each example; one with a lesson longer than a row is left out whole: half a turn teaches wrong."""
    dialogues = DialogueEncoder(encoder.tokenizer, encoder.dtype)
    for example in read_table(file.path, Example):
        made = list(dialogues.streams(example.messages))
        longest = max((len(ids) for ids, _ in made), default=0)
        if not 0 < longest <= context:
            reason, detail = TOO_LONG if longest else NO_TOKENS, f"source {file.source}, {longest} of {context} tokens"
            yield [], [Drop(doc_id=example.id, reason=reason, detail=detail, excerpt=example.messages[0].text[:200])]
            continue
        version = text_hash(canonical_json(plain(list(example.messages))))
        yield (
            [
                Stream(doc_id=example.id, text_hash=version, licence=example.licence, ids=ids, learnt=learnt)
                for ids, learnt in made
            ],
            [],
        )


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
        self._learnt: dict[int, npt.NDArray[np.bool_]] = {}
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

    @property
    def masked(self) -> bool:
        """Whether some streams are learnt in part only."""
        return any(file.kind == EXAMPLES for file in self._files)

    def learnt(self, documents: Ints) -> Iterator[npt.NDArray[np.bool_]]:
        """Which tokens of each stream are learnt, in the order given."""
        shard = self._shard(documents)
        begin = self._begins[documents] - self._begins[self.first[shard]]
        for number, start, length in zip(shard.tolist(), begin.tolist(), self.lengths[documents].tolist(), strict=True):
            if self._files[number].kind == DOCUMENTS:
                yield np.ones(length, bool)
                continue
            if number not in self._learnt:
                path = self._folder / f"{self._files[number].key}.learnt"
                self._learnt[number] = np.memmap(path, np.bool_, mode="r").view(np.ndarray)
            yield self._learnt[number][start : start + length]
