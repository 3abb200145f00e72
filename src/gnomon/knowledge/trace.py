"""The trace step: an infini-gram index over what models are shown.

Below the artifact's folder: ``index/`` in infini-gram's own format (``tokenized``, ``table``,
``offset``, ``metadata``, ``metaoff``, one of each per shard), ``vocabulary/`` (words and their
counts), ``places/`` (first character and length of the word behind every unit) and ``trace.json``.
Equal documents give equal bytes.
"""

import json
import shutil
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import ConfigError
from gnomon.core.files import read_json, write_json
from gnomon.core.tables import count_rows, read_batches
from gnomon.knowledge.tracing.codes import BORDER, unit_table, write_vocabulary
from gnomon.knowledge.tracing.table import UNIT, build_table
from gnomon.knowledge.tracing.words import Forms, pattern
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

FORMAT = 1
_ENCODE = "encode"
_WORDS_PER_PIECE = 2_000_000


@dataclass(frozen=True, kw_only=True)
class TraceConfig:
    """Settings of ``knowledge/trace``."""

    fold_case: bool = False
    """True makes ``Star`` and ``star`` the same word; models see them apart."""
    words_per_shard: int = 20_000_000
    """Words after which a new shard begins; building one takes about 50 bytes of memory a word."""

    def __post_init__(self) -> None:
        if self.words_per_shard < 1:
            raise ConfigError(f"words_per_shard is {self.words_per_shard}.", "Give a number of 1 or more.")


def run(config: TraceConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Index ``inputs["documents"]``: words to units first, then one suffix table a shard."""
    scratch = out.shards / "scratch"
    for _ in out.pending([_ENCODE]):
        shutil.rmtree(scratch, ignore_errors=True)
        for left in out.path.iterdir():
            shutil.rmtree(left, ignore_errors=True)
        described = _encode(config, inputs["documents"] / "documents", out, scratch)
        counts = Counts(taken=described["documents"], kept=described["documents"], made={"words": described["words"]})
        out.done(_ENCODE, counts, described["shards"])
    (shards,) = out.notes([_ENCODE])
    index = out.path / "index"
    for key in out.pending([f"table.{number}" for number in range(shards)]):
        number = key.rpartition(".")[2]
        build_table(index / f"tokenized.{number}", index / key, scratch)
        out.done(key, Counts(taken=0, kept=0))
    out.metrics |= read_json(out.path / "trace.json")
    return out.counts([_ENCODE])


def _encode(config: TraceConfig, documents: Path, out: Output, scratch: Path) -> dict[str, Any]:
    out.meter.total(count_rows(documents), "documents")
    numbers, holders = _Numbers(), Counter[int]()
    writer = _Writer(out.path, scratch, config.words_per_shard)
    forms = Forms(fold_case=config.fold_case)
    with writer:
        for batch in read_batches(documents, ["id", "text_hash", "text"]):
            for row in batch.to_pylist():
                found = [(m.start(), m.group()) for m in pattern().finditer(row["text"])]
                ids = [numbers[forms[printed]] for _, printed in found]
                holders.update(set(ids))
                writer.document(row["id"], row["text_hash"], ids, found)
            out.meter.advance(batch.num_rows)
    del forms
    described = _finish(out.path, scratch, numbers, holders, writer.shards)
    described |= {"format": FORMAT, "fold_case": config.fold_case, "documents": writer.documents}
    write_json(out.path / "trace.json", described)
    shutil.rmtree(scratch, ignore_errors=True)
    return described


class _Numbers(dict[str, int]):
    """Numbers of forms in order of first use, from 1; 0 is a document's border."""

    def __missing__(self, form: str) -> int:
        self[form] = number = len(self) + 1
        return number


class _Writer:
    """Writes what is known of a shard while its documents pass: words by number, places, metadata."""

    def __init__(self, folder: Path, scratch: Path, words_per_shard: int) -> None:
        self.shards = 0
        self.documents = 0
        self._folder, self._scratch, self._limit = folder, scratch, words_per_shard
        self._words = self._line = 0
        self._files: dict[str, IO[bytes]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "_Writer":
        for folder in (self._folder / "index", self._folder / "places", self._scratch):
            folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def document(self, doc_id: str, text_hash: str, ids: list[int], found: list[tuple[int, str]]) -> None:
        """Add one document; it stands in one shard, behind a border."""
        if not self._files or self._words >= self._limit:
            self._next_shard()
        files = self._files
        files["numbers"].write(array("I", [0, *ids]).tobytes())
        files["starts"].write(array("I", [0, *(start for start, _ in found)]).tobytes())
        files["lengths"].write(array("H", [0, *(len(printed) for _, printed in found)]).tobytes())
        described = {"path": "documents", "linenum": self.documents, "metadata": {"id": doc_id, "hash": text_hash}}
        line = json.dumps(described).encode() + b"\n"
        files["metadata"].write(line)
        files["metaoff"].write(self._line.to_bytes(8, "little"))
        self._line += len(line)
        self._words += len(ids)
        self.documents += 1

    def _next_shard(self) -> None:
        self._stack.close()
        index, scratch, number = self._folder / "index", self._scratch, self.shards
        places = {name: scratch / f"{name}.{number}" for name in ("numbers", "starts", "lengths")}
        paths = places | {name: index / f"{name}.{number}" for name in ("metadata", "metaoff")}
        self._files = {name: self._stack.enter_context(path.open("wb")) for name, path in paths.items()}
        self._words = self._line = 0
        self.shards += 1


def _finish(folder: Path, scratch: Path, numbers: _Numbers, holders: Counter[int], shards: int) -> dict[str, Any]:
    """Give words their codes, frequent words the short ones, and write every shard's text in them."""
    totals = np.zeros(len(numbers) + 1, dtype=np.int64)
    for shard in range(shards):
        for piece in _pieces(scratch / f"numbers.{shard}", "<u4"):
            totals += np.bincount(piece, minlength=len(totals))
    counts = {form: int(totals[number]) for form, number in numbers.items()}
    ids = write_vocabulary(folder / "vocabulary", counts, {form: holders[number] for form, number in numbers.items()})
    first, second = unit_table(len(ids))
    order = np.fromiter((ids[form] for form in numbers), dtype=np.int64, count=len(ids))
    codes = np.append(np.uint16(BORDER), first[order]), np.append(np.uint16(0), second[order])
    units = [_write_units(folder, scratch, shard, codes) for shard in range(shards)]
    return {"shards": shards, "units": units, "words": int(totals[1:].sum()), "vocabulary": len(ids)}


def _write_units(folder: Path, scratch: Path, shard: int, codes: tuple[npt.NDArray[Any], npt.NDArray[Any]]) -> int:
    """Write one shard's units, the places of their words, and where its documents begin."""
    targets = ("index/tokenized", "index/offset", "places/starts", "places/lengths")
    kinds = {"numbers": "<u4", "starts": "<u4", "lengths": "<u2"}
    sources = [_pieces(scratch / f"{name}.{shard}", kind) for name, kind in kinds.items()]
    written = 0
    with ExitStack() as stack:
        text, offset, *places = [stack.enter_context((folder / f"{t}.{shard}").open("wb")) for t in targets]
        for numbers, *columns in zip(*sources, strict=True):
            first, second = codes[0][numbers], codes[1][numbers]
            copies = np.where(second > 0, 2, 1)
            ends = np.cumsum(copies)
            units = np.repeat(first, copies)
            units[ends[second > 0] - 1] = second[second > 0]
            text.write(units.astype("<u2").tobytes())
            offset.write(((ends[numbers == 0] - 1 + written) * UNIT).astype("<u8").tobytes())
            for file, column in zip(places, columns, strict=True):
                file.write(np.repeat(column, copies).tobytes())
            written += len(units)
    return written


def _pieces(path: Path, kind: str) -> Iterator[npt.NDArray[Any]]:
    with path.open("rb") as file:
        while len(piece := np.fromfile(file, dtype=kind, count=_WORDS_PER_PIECE)):
            yield piece
