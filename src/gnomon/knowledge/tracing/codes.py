"""Codes: words as 16-bit units, in the manner of UTF-16.

infini-gram's table builder sorts 16-bit tokens. The 49,151 most frequent words take one unit;
every rarer word takes two, a *lead* and a *trail*, whose ranges are disjoint from each other and
from the single units. So any vocabulary fits, every word is exact, and a match of whole words
can never begin or end inside one.
"""

import mmap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import DataError
from gnomon.knowledge.tracing.words import kind

Units = npt.NDArray[np.uint16]
Ids = npt.NDArray[np.int64]

FIRST_LEAD, FIRST_TRAIL, BORDER = 0xC000, 0xD000, 0xFFFF
"""First lead, first trail, and the unit that stands before every document."""
TRAILS = 0x2000
SINGLES = FIRST_LEAD - 1
"""Words of one unit; unit 0 stays free, because infini-gram wants an end-of-text id that never occurs."""
CAPACITY = SINGLES + (FIRST_TRAIL - FIRST_LEAD) * TRAILS
"""Distinct words that can be told apart."""


def unit_table(vocabulary: int) -> tuple[Units, Units]:
    """First and second unit of every word id, the second 0 where there is none."""
    ids = np.arange(vocabulary, dtype=np.int64)
    rare = ids - SINGLES
    first = np.where(rare < 0, ids + 1, FIRST_LEAD + rare // TRAILS)
    second = np.where(rare < 0, 0, FIRST_TRAIL + rare % TRAILS)
    return first.astype(np.uint16), second.astype(np.uint16)


def units_of(ids: Sequence[int]) -> bytes:
    """The units of some word ids, as they stand in the index."""
    found: list[int] = []
    for word in ids:
        rare = word - SINGLES
        found += [word + 1] if rare < 0 else [FIRST_LEAD + rare // TRAILS, FIRST_TRAIL + rare % TRAILS]
    return np.array(found, dtype="<u2").tobytes()


def ids_of(units: npt.NDArray[np.integer]) -> Ids:
    """The word ids of some units; a document's border, and a trail without its lead, are left out."""
    values = units.astype(np.int64)
    following = np.append(values[1:], 0)
    lead = (values >= FIRST_LEAD) & (values < FIRST_TRAIL)
    ids = np.where(lead, SINGLES + (values - FIRST_LEAD) * TRAILS + following - FIRST_TRAIL, values - 1)
    whole = (values < FIRST_LEAD) | (lead & (following >= FIRST_TRAIL) & (following < BORDER))
    return ids[whole]


class Vocabulary:
    """The words of an index, with how often and in how many documents each occurs."""

    FILES = ("words", "ends", "order", "counts", "documents", "kinds")

    def __init__(self, folder: Path) -> None:
        self._ends = np.load(folder / "ends.npy", mmap_mode="r")
        self._order = np.load(folder / "order.npy", mmap_mode="r")
        self.counts = np.load(folder / "counts.npy", mmap_mode="r")
        """Occurrences by id."""
        self.documents = np.load(folder / "documents.npy", mmap_mode="r")
        """Documents that hold it, by id."""
        self.kinds = np.load(folder / "kinds.npy", mmap_mode="r")
        """What it is made of, by id."""
        self._words = map_file(folder / "words.bin")
        self._known: dict[str, int | None] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def word(self, word: int) -> str:
        """The form with an id."""
        return self._raw(word).decode("utf-8", "surrogatepass")

    def _raw(self, word: int) -> bytes:
        start = int(self._ends[word - 1]) if word else 0
        return self._words[start : int(self._ends[word])]

    def find(self, form: str) -> int | None:
        """The id of a form, None when no document holds it."""
        if form not in self._known:
            self._known[form] = self._search(form.encode("utf-8", "surrogatepass"))
        return self._known[form]

    def _search(self, wanted: bytes) -> int | None:
        low, high = 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            if self._raw(int(self._order[middle])) < wanted:
                low = middle + 1
            else:
                high = middle
        found = low < len(self._order) and self._raw(int(self._order[low])) == wanted
        return int(self._order[low]) if found else None


def write_vocabulary(folder: Path, counts: Mapping[str, int], documents: Mapping[str, int]) -> dict[str, int]:
    """Write the vocabulary, most frequent word first; returns the id of every form.

    Raises:
        DataError: There are more distinct words than can be told apart.
    """
    if len(counts) > CAPACITY:
        raise DataError(f"{len(counts)} distinct words, at most {CAPACITY} fit.", "Trace parts of the corpus apart.")
    folder.mkdir(parents=True, exist_ok=True)
    raw = {form: form.encode("utf-8", "surrogatepass") for form in counts}
    ordered = sorted(counts, key=lambda form: (-counts[form], raw[form]))
    ids = {form: number for number, form in enumerate(ordered)}
    (folder / "words.bin").write_bytes(b"".join(raw[form] for form in ordered))
    _save(folder / "ends.npy", np.cumsum([len(raw[form]) for form in ordered], dtype=np.uint64))
    _save(folder / "order.npy", np.array([ids[form] for form in sorted(counts, key=raw.__getitem__)], dtype=np.uint32))
    _save(folder / "counts.npy", np.array([counts[form] for form in ordered], dtype=np.uint64))
    _save(folder / "documents.npy", np.array([documents[form] for form in ordered], dtype=np.uint32))
    _save(folder / "kinds.npy", np.array([kind(form) for form in ordered], dtype=np.uint8))
    return ids


def _save(path: Path, values: npt.NDArray[np.generic]) -> None:
    np.save(path, values, allow_pickle=False)


def map_file(path: Path) -> "mmap.mmap | bytes":
    """A file's bytes, mapped; an empty file cannot be mapped and is just empty."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
