"""Works: when two drafts are the same work, and which id each gets.

The rules, in order:

* A record keeps its own id. A file that is one work is called by its arXiv id when its name or first
  page states one, by the bibliography entry that describes it, else by its name.
* A PDF whose first page carries the title of a LaTeX file in the same folder is the print of that
  file: dropped as ``same_work``, because LaTeX reads cleaner.
* The same id with the same text again: dropped as ``same_record``.
* The same arXiv id with another text: the same work again, dropped as ``same_work``; the first one,
  in the order of formats, is kept.
* The same local id with another text: two works whose makers chose one name. Both are kept; the
  later one is called ``ID~HASH`` after its text, and is marked ``read/id``.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from gnomon.core.records import Document
from gnomon.core.tables import read_batches
from gnomon.corpus.catalogue import HEAD_LETTERS, TITLE_LETTERS, letters
from gnomon.corpus.readers.formats import stem

SAME_STEM_SHARE = 0.7
"""Share of a title's words that a PDF of the same name must carry on its first page."""


class Works:
    """The ids met so far, with a digest of the text each has."""

    def __init__(self) -> None:
        self._texts: dict[str, bytes] = {}
        self._latex: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self._claims: dict[tuple[int, int], str] = {}
        self._reported = 0

    def settle(self, document: Document) -> tuple[str, str]:
        """The id a document gets, and the reason for which it is dropped (empty when it is kept)."""
        name, digest = document.id, _digest(document.text_hash)
        known = self._texts.get(name)
        if known is not None and known != digest:
            if name.startswith("arxiv:"):
                return name, "same_work"
            name = f"{name}~{digest.hex()[:8]}"
            known = self._texts.get(name)
        if known is not None:
            return name, "same_record"
        self._add(name, digest, document.source.kind, document.source.key, document.title)
        return name, ""

    def _add(self, name: str, digest: bytes, kind: str, key: str, title: str) -> None:
        self._texts[name] = digest
        if kind == "latex":
            self._latex[key.rpartition("/")[0]].append((name, stem(key), title))

    def twin(self, name: str, head: str) -> str:
        """The id of the LaTeX document in the same folder that a PDF with this first page is the print of."""
        shown, words = letters(head)[:HEAD_LETTERS], set(_words(head))
        for found, its_stem, title in self._latex.get(name.rpartition("/")[0], ()):
            whole, wanted = letters(title), _words(title)
            if len(whole) >= TITLE_LETTERS and whole in shown:
                return found
            if its_stem == stem(name) and wanted and sum(w in words for w in wanted) >= SAME_STEM_SHARE * len(wanted):
                return found
        return ""

    def claim(self, job: int, record: int, document_id: str) -> None:
        """Say that an entry of a bibliography describes a document."""
        self._claims.setdefault((job, record), document_id)

    def claimed(self, job: int, record: int) -> str:
        """The document an entry describes, empty when it stands for itself."""
        return self._claims.get((job, record), "")

    def new_claims(self) -> list[tuple[int, int, str]]:
        """The claims made since this was last asked."""
        made = [(*place, name) for place, name in list(self._claims.items())[self._reported :]]
        self._reported = len(self._claims)
        return made

    def remember(self, shard: Path, claims: Sequence[Sequence[object]]) -> None:
        """Take in the documents and claims of a finished shard."""
        for batch in read_batches(shard, ["id", "text_hash", "title", "source"]):
            for row in batch.to_pylist():
                source = row["source"]
                self._add(row["id"], _digest(row["text_hash"]), source["kind"], source["key"], row["title"])
        for job, record, name in claims:
            self.claim(int(str(job)), int(str(record)), str(name))
        self._reported = len(self._claims)


def _digest(text_hash: str) -> bytes:
    return bytes.fromhex(text_hash.rpartition(":")[2])


def _words(text: str) -> list[str]:
    return [w for w in re.findall(r"[^\W_]+", text.lower()) if len(w) > 3]
