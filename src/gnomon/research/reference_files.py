"""Reference files: documents as BibTeX, RIS and CSV, for reference managers and spreadsheets.

Records are data: nothing in a title can end a field, begin another, or be a spreadsheet's formula.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gnomon.core.records import Document
from gnomon.knowledge.analysis import plain_name
from gnomon.knowledge.counting import OTHERS
from gnomon.research.references import Reference, arxiv_of, as_bibtex, doi_of, on_one_line, place_of

COLUMNS = ("id", "title", "authors", "year", "venue", "doi", "arxiv", "bibcode", "subjects", "language", "licence",
           "address")  # fmt: skip
"""The columns of the CSV."""
_FORMULA = re.compile(r"[=+\-@\t\r]")


@dataclass(frozen=True, kw_only=True)
class Form:
    """One kind of reference file."""

    ending: str
    """The end of its name."""
    media_type: str
    """Its content type."""
    write: Callable[[Sequence[Document]], str]
    """Makes its text."""


def bibtex(documents: Sequence[Document]) -> str:
    """Documents as BibTeX."""
    return as_bibtex([entry_of(document) for document in documents])


def ris(documents: Sequence[Document]) -> str:
    """Documents as RIS, each from ``TY`` to ``ER``."""
    return "".join(_ris_entry(document) for document in documents)


def table(documents: Sequence[Document]) -> str:
    """Documents as CSV (RFC 4180) with a head, in ``COLUMNS``."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(COLUMNS)
    writer.writerows([_harmless(cell) for cell in _cells(document)] for document in documents)
    return made.getvalue()


FORMS: Mapping[str, Form] = {
    "bib": Form(ending="bib", media_type="application/x-bibtex", write=bibtex),
    "ris": Form(ending="ris", media_type="application/x-research-info-systems", write=ris),
    "csv": Form(ending="csv", media_type="text/csv", write=table),
}
"""The kinds of reference files, by name."""


def entry_of(document: Document) -> Reference:
    """A document as an entry of a reference list that nothing cites."""
    named = (author.name for author in document.biblio.authors)
    authors = tuple("others" if plain_name(name) in OTHERS else on_one_line(name) for name in named)
    return Reference((), document.id, on_one_line(document.title), authors, document.biblio.year, document.biblio)


def _ris_entry(document: Document) -> str:
    entry = entry_of(document)
    place = place_of(entry.biblio.venue)
    facts = [
        ("TY", "JOUR" if entry.biblio.venue else "GEN"), *(("AU", name) for name in entry.authors if name != "others"),
        ("TI", entry.title), ("PY", str(entry.year or "")), ("DA", entry.biblio.date.replace("-", "/")),
        ("JO", place.journal), ("VL", place.volume), ("IS", place.number), ("SP", place.first), ("EP", place.last),
        ("DO", doi_of(entry.biblio.doi)), ("UR", entry.address),
        ("LA", document.lang), *(("KW", on_one_line(name)) for name in entry.biblio.categories), ("AN", document.id),
    ]  # fmt: skip
    lines = [f"{tag}  - {on_one_line(value)}" for tag, value in facts if value]
    return "\r\n".join([*lines, "ER  - ", "", ""])


def _cells(document: Document) -> tuple[str, ...]:
    entry, biblio = entry_of(document), document.biblio
    return (
        document.id, entry.title, "; ".join(name for name in entry.authors if name != "others"),
        str(entry.year or ""), on_one_line(biblio.venue), doi_of(biblio.doi),
        arxiv_of(biblio.arxiv or document.id.removeprefix("arxiv:")), on_one_line(biblio.bibcode),
        "; ".join(biblio.categories), document.lang, on_one_line(document.source.licence), entry.address,
    )  # fmt: skip


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell
