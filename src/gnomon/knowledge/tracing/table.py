"""The suffix table: every place of a shard's text in the order of what follows it.

The table is made by infini-gram's own builder, in its file format, from one part at a time: a
merge of parts compares only their first 100,000 bytes, so two long equal texts could end up in
the wrong order. It is read here through memory maps, by binary search, because infini-gram's
engine starts two threads for every look-up (0.3 ms against 0.02 ms), samples frequent
phrases, and ends the whole process when a folder above it has ``table`` in its name.
"""

import importlib.util
import math
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import MissingExtra, RunError
from gnomon.knowledge.tracing.codes import Units, map_file

UNIT = 2
"""Bytes of one unit."""
Places = npt.NDArray[np.int64]


def pointer_bytes(size: int) -> int:
    """Bytes of one pointer into a text of ``size`` bytes, as infini-gram has it."""
    return max(1, math.ceil(math.log2(size) / 8))


def build_table(text: Path, table: Path, scratch: Path) -> None:
    """Sort the suffixes of one shard with infini-gram's builder. Peak memory is about 25 bytes a byte of text.

    Raises:
        MissingExtra: infini-gram is not installed.
        RunError: The builder failed; the message holds its words.
    """
    size = text.stat().st_size
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as parts:
        options = {"data-file": text, "parts-dir": parts, "start-byte": 0, "end-byte": size}
        options |= {"ratio": pointer_bytes(size), "token-width": UNIT}
        command = [str(_builder()), "make-part", *(str(x) for k, v in options.items() for x in (f"--{k}", v))]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        made = list(Path(parts).iterdir())
        if done.returncode or len(made) != 1 or made[0].stat().st_size != size // UNIT * pointer_bytes(size):
            raise RunError(
                f"infini-gram's builder failed on {text} ({size} bytes, exit {done.returncode}): {done.stderr[-500:]}",
                "A negative exit is a signal, often too little memory: set a smaller words_per_shard.",
            )
        made[0].replace(table)


def _builder() -> Path:
    spec = importlib.util.find_spec("infini_gram")
    path = Path(next(iter(spec.submodule_search_locations or [""]), "")) / "rust_indexing" if spec else Path()
    if not os.access(path, os.X_OK) or not path.is_file():
        raise MissingExtra("infini-gram", "knowledge", "Building a trace index")
    return path


class Shard:
    """One shard of an index: its text as units, its suffix table, and its places in characters."""

    def __init__(self, folder: Path, number: int) -> None:
        index = folder / "index"
        self._text = map_file(index / f"tokenized.{number}")
        self._table = map_file(index / f"table.{number}")
        self._metadata = map_file(index / f"metadata.{number}")
        self.units = np.frombuffer(self._text, dtype="<u2")
        """The text: every document after its border unit."""
        self.offsets = np.fromfile(index / f"offset.{number}", dtype="<u8").astype(np.int64) // UNIT
        """The border unit of every document, in order."""
        self._lines = np.fromfile(index / f"metaoff.{number}", dtype="<u8").astype(np.int64)
        self.starts = np.memmap(folder / "places" / f"starts.{number}", dtype="<u4", mode="r")
        """First character of every unit's word."""
        self.lengths = np.memmap(folder / "places" / f"lengths.{number}", dtype="<u2", mode="r")
        """Its length in characters."""
        self._pointer = pointer_bytes(len(self._text))
        self._pointers = np.frombuffer(self._table, dtype=np.uint8).reshape(-1, self._pointer)

    def range(self, phrase: bytes) -> tuple[int, int]:
        """The ranks of the suffixes that begin with some units."""
        low = self._rank(phrase)
        return low, self._rank(phrase, low, after=True)

    def _rank(self, phrase: bytes, low: int = 0, *, after: bool = False) -> int:
        """The first rank whose suffix, cut to the phrase's length, is not below it; or is above it."""
        text, table, pointer, size = self._text, self._table, self._pointer, len(phrase)
        high = len(self.units)
        while low < high:
            middle = (low + high) // 2
            place = int.from_bytes(table[middle * pointer : (middle + 1) * pointer], "little")
            found = text[place : place + size]
            if found < phrase or (after and found == phrase):
                low = middle + 1
            else:
                high = middle
        return low

    def longest(self, phrase: bytes) -> int:
        """Length in bytes of the longest beginning of a phrase that occurs; its last word may be incomplete."""
        rank, best = self._rank(phrase), 0
        for near in (rank - 1, rank):
            if 0 <= near < len(self.units):
                place = int.from_bytes(self._table[near * self._pointer : (near + 1) * self._pointer], "little")
                best = max(best, _shared(phrase, self._text[place : place + len(phrase)]))
        return best

    def places(self, low: int, high: int, step: int = 1) -> Places:
        """The units at which the suffixes of some ranks begin."""
        rows = self._pointers[low:high:step].astype(np.int64)
        return rows @ (1 << 8 * np.arange(self._pointer, dtype=np.int64)) // UNIT

    def document_of(self, place: int) -> int:
        """The number of the document that holds a unit."""
        return int(np.searchsorted(self.offsets, place, side="right")) - 1

    def bounds(self, document: int) -> tuple[int, int]:
        """First unit of a document's text, and one past its last."""
        last = document + 1 == len(self.offsets)
        return int(self.offsets[document]) + 1, len(self.units) if last else int(self.offsets[document + 1])

    def metadata(self, document: int) -> bytes:
        """What the index says about a document, as one JSON line."""
        last = document + 1 == len(self._lines)
        end = len(self._metadata) if last else int(self._lines[document + 1])
        return self._metadata[int(self._lines[document]) : end]

    def window(self, place: int, reach: int) -> Units:
        """The units around a place, within its document."""
        first, last = self.bounds(self.document_of(place))
        found: Units = self.units[max(first, place - reach) : min(last, place + reach)]
        return found


def _shared(one: bytes, other: bytes) -> int:
    """Length of the longest common beginning."""
    if other.startswith(one):
        return len(one)
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
