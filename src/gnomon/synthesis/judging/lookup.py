"""Lookup: the documents of some pairs, read from the files of a step as they are needed."""

from collections.abc import Sequence
from pathlib import Path

from gnomon.core.errors import DataError
from gnomon.core.records import Document
from gnomon.core.synthetic import QA
from gnomon.core.tables import parquet_files, read_batches, read_table
from gnomon.core.wording import say

KEPT_FILES = 2
"""Files whose documents stay in memory: pairs come in the order of their documents."""


class Documents:
    """Documents by id.

    Args:
        folder: Parquet files of documents.
    """

    def __init__(self, folder: Path) -> None:
        self._file = {
            key: file
            for file in parquet_files(folder)
            for batch in read_batches(file, ["id"])
            for key in batch.column("id").to_pylist()
        }
        self._open: dict[Path, dict[str, Document]] = {}

    def of(self, pairs: Sequence[QA]) -> list[Document]:
        """The document of each pair.

        Raises:
            DataError: There is none.
        """
        return [self._get(pair.doc_id) for pair in pairs]

    def _get(self, doc_id: str) -> Document:
        file = self._file.get(doc_id)
        if file is None:
            raise DataError(
                say(f"The document {doc_id} of a pair is not among the documents.",
                    f"対のもとの文書 {doc_id} が documents にない。"),
                say("Give the step whose documents the pairs were written from.",
                    "対を書いたときの文書のステップを渡す。"),
            )  # fmt: skip
        if file not in self._open:
            while len(self._open) >= KEPT_FILES:
                del self._open[next(iter(self._open))]
            self._open[file] = {document.id: document for document in read_table(file, Document)}
        return self._open[file][doc_id]
