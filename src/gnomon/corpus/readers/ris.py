"""RIS: one record an entry, as Zotero, ADS and publishers export them."""

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gnomon.core.records import Author, Biblio
from gnomon.corpus.ids import arxiv_id, bare_doi
from gnomon.corpus.readers.draft import EXCERPT, Draft, Fault
from gnomon.corpus.readers.feed import Feed
from gnomon.corpus.readers.fields import iso_date, language_code, one_line
from gnomon.corpus.readers.people import surname_first
from gnomon.corpus.readers.plain import whole_text

_END = re.compile(r"^ER  -[^\n]*$", re.MULTILINE)
_NAMES = {
    "title": ("title", "primary_title"),
    "abstract": ("abstract", "notes_abstract"),
    "authors": ("authors", "first_authors"),
    "date": ("date", "publication_year", "year"),
    "venue": ("secondary_title", "journal_name", "alternate_title3", "publisher"),
}
_OTHERS = "doi id keywords language urls url volume start_page end_page number type_of_reference label accession_number"
_USED = frozenset((*_OTHERS.split(), *(n for names in _NAMES.values() for n in names)))


def read(feed: Feed) -> Iterator[Draft | Fault]:
    """Entries of a RIS file, in order; a broken entry costs that entry only."""
    text, marks = whole_text(feed)
    for number, entry in enumerate(entries(text)):
        yield entry if isinstance(entry, Fault) else entry_draft(number, entry, marks)


def entries(text: str) -> Iterator[dict[str, Any] | Fault]:
    """The fields of every entry, in order."""
    import rispy

    logging.getLogger("rispy").setLevel(logging.ERROR)
    start = 0
    for end in [*(m.end() for m in _END.finditer(text)), len(text)]:
        piece, start = text[start:end].strip(), end
        if not piece:
            continue
        try:
            found = rispy.loads(piece if _END.search(piece) else piece + "\nER  - \n", skip_unknown_tags=False)
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            yield Fault(reason="broken_entry", detail=f"{type(error).__name__}: {error}", excerpt=piece[:EXCERPT])
            continue
        yield found[0] if found else Fault(reason="broken_entry", detail="no fields", excerpt=piece[:EXCERPT])


def entry_draft(number: int, entry: Mapping[str, Any], marks: Mapping[str, Any]) -> Draft | Fault:
    """One entry as a draft; ``number`` is its place, for the message."""
    title, abstract = first(entry, "title"), first(entry, "abstract")
    if not abstract:
        return Fault(reason="no_text", detail=f"entry {number}: no abstract", excerpt=title[:EXCERPT])
    biblio = entry_biblio(entry)
    return Draft(
        kind="ris", own_id=f"arxiv:{biblio.arxiv}" if biblio.arxiv else entry_key(entry), title=title, text=abstract,
        lang=language_code(str(entry.get("language", ""))), url=_url(entry), biblio=biblio,
        columns={name: entry[name] for name in sorted(entry) if name not in _USED and entry[name]}, marks=dict(marks),
    )  # fmt: skip


def entry_key(entry: Mapping[str, Any]) -> str:
    """The entry's own id, or its DOI, or nothing."""
    return str(entry.get("id") or entry.get("label") or bare_doi(str(entry.get("doi", ""))))


def entry_biblio(entry: Mapping[str, Any]) -> Biblio:
    """The bibliographic facts of an entry."""
    date = next((d for n in _NAMES["date"] if (d := iso_date(str(entry.get(n, "")).strip("/ ")))), "")
    pages = "-".join(str(entry[n]) for n in ("start_page", "end_page") if entry.get(n))
    places = (entry.get("url"), entry.get("number"), entry.get("accession_number"), *(entry.get("urls") or ()))
    names: list[Any] = next((entry[n] for n in _NAMES["authors"] if entry.get(n)), [])
    venue = ", ".join(p for p in (first(entry, "venue"), str(entry.get("volume", "")), pages) if p)
    return Biblio(
        authors=tuple(Author(name=surname_first(str(n))) for n in names), year=int(date[:4]) if date else None,
        date=date, doi=bare_doi(str(entry.get("doi", ""))), venue=venue,
        arxiv=next((a for p in places if (a := arxiv_id(str(p or "")))), ""),
        keywords=tuple(map(str, entry.get("keywords") or ())),
    )  # fmt: skip


def first(entry: Mapping[str, Any], name: str) -> str:
    """The first of the fields that can hold this fact."""
    return next((one_line(str(entry[n])) for n in _NAMES[name] if entry.get(n)), "")


def _url(entry: Mapping[str, Any]) -> str:
    return str(entry.get("url") or next(iter(entry.get("urls") or ()), ""))
