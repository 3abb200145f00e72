"""Export: lists of documents as files for reference managers and spreadsheets."""

from typing import Literal

from gnomon.research.opened import OpenExpert
from gnomon.research.reference_files import FORMS
from gnomon.serving.facts.asking import Query
from gnomon.serving.facts.search import listing

FormName = Literal["bib", "ris", "csv"]


def found_as(opened: OpenExpert, query: Query, form: FormName, most: int) -> str:
    """The first documents that a search finds, as a file.

    Args:
        opened: The expert.
        query: What is asked for.
        form: Which kind of file.
        most: How many documents.

    Raises:
        ConfigError: A filter is none.
        NotFound: There is no document ``like``.
    """
    doc_ids = listing(opened, query).rows["doc_id"].slice(0, most).to_pylist()
    return FORMS[form].write(list(opened.library.documents(doc_ids).values()))


def document_as(opened: OpenExpert, doc_id: str, form: FormName) -> str:
    """One document as a file.

    Raises:
        NotFound: The library has no such document.
    """
    return FORMS[form].write([opened.library.document(doc_id)])
