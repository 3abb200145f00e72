"""Works: which document a draft becomes, and when two drafts are the same work.

The rules, in order:

* A record keeps its own id. A file that is one work is called by its arXiv id when its name or first
  page states one, by the bibliography entry that describes it, else by its name.
* The same id with the same text again: dropped as ``same_record``.
* The same arXiv id with another text: the same work again, dropped as ``same_work``; the first one,
  in the order of formats, is kept.
* The same local id with another text: two works whose makers chose one name. Both are kept; the
  later one is called ``ID~HASH`` after its text, and is marked ``read/id``.
"""

from pathlib import Path

from gnomon.core.tables import read_batches


class Works:
    """The ids met so far, with a digest of the text each has."""

    def __init__(self) -> None:
        self._texts: dict[str, bytes] = {}

    def settle(self, document_id: str, text_hash: str) -> tuple[str, str]:
        """The id a text gets, and the reason for which it is dropped (empty when it is kept)."""
        digest = bytes.fromhex(text_hash.rpartition(":")[2])
        known = self._texts.get(document_id)
        if known is not None and known != digest:
            if document_id.startswith("arxiv:"):
                return document_id, "same_work"
            document_id = f"{document_id}~{digest.hex()[:8]}"
            known = self._texts.get(document_id)
        if known is not None:
            return document_id, "same_record"
        self._texts[document_id] = digest
        return document_id, ""

    def remember(self, shard: Path) -> None:
        """Take in the documents of a finished shard."""
        for batch in read_batches(shard, ["id", "text_hash"]):
            for row in batch.to_pylist():
                self._texts[row["id"]] = bytes.fromhex(row["text_hash"].rpartition(":")[2])
