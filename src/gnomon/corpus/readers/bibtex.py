"""BibTeX: one record an entry, as Zotero, ADS and INSPIRE export them.

An entry with an abstract is a document; one without is named, because there is nothing to read. All
entries describe the works of other files (``catalogue``).
"""

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gnomon.core.records import Author, Biblio
from gnomon.corpus.ids import arxiv_id, bare_doi
from gnomon.corpus.readers.detex import detex, journal
from gnomon.corpus.readers.draft import EXCERPT, Draft, Fault
from gnomon.corpus.readers.feed import Feed
from gnomon.corpus.readers.fields import iso_date, language_code, words_of
from gnomon.corpus.readers.people import surname_first
from gnomon.corpus.readers.plain import whole_text

MONTHS = {m: n for n, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_USED = frozenset(
    "abstract title author year date month doi eprint archiveprefix journal journaltitle booktitle publisher volume"
    " number pages language langid url adsurl keywords primaryclass eprinttype eprintclass copyright license".split()
)
_BIBCODE = re.compile(r"/abs/(\d{4}[A-Za-z&.%0-9]{15,25})")
_FIELD_SPLIT = re.compile(r"\s+and\s+(?![^{]*\})", re.IGNORECASE)


def read(feed: Feed) -> Iterator[Draft | Fault]:
    """Entries of a BibTeX file, in order."""
    text, marks = whole_text(feed)
    for key, entry in entries(text):
        yield entry if isinstance(entry, Fault) else entry_draft(key, entry, marks)


def entries(text: str) -> Iterator[tuple[str, dict[str, str] | Fault]]:
    """Key and fields of every entry, in order; a broken entry is a fault."""
    import bibtexparser
    from bibtexparser.model import DuplicateBlockKeyBlock, Entry, ParsingFailedBlock

    logging.getLogger("bibtexparser").setLevel(logging.ERROR)
    for block in bibtexparser.parse_string(text).blocks:
        if isinstance(block, DuplicateBlockKeyBlock):
            block = block.ignore_error_block
        if isinstance(block, Entry):
            yield block.key, {field.key.lower(): str(field.value) for field in block.fields}
        elif isinstance(block, ParsingFailedBlock):
            raw = (block.raw or "").strip()
            yield "", Fault(reason="broken_entry", detail=f"line {(block.start_line or 0) + 1}", excerpt=raw[:EXCERPT])


def entry_draft(key: str, entry: Mapping[str, str], marks: Mapping[str, Any]) -> Draft | Fault:
    """One entry as a draft."""
    abstract = detex(entry.get("abstract", ""))
    title = detex(entry.get("title", ""))
    if not abstract:
        return Fault(reason="no_text", detail=f"entry {key}: no abstract", excerpt=title[:EXCERPT])
    biblio = entry_biblio(entry)
    return Draft(
        kind="bibtex", own_id=f"arxiv:{biblio.arxiv}" if biblio.arxiv else key, title=title, text=abstract,
        lang=language_code(entry.get("language", entry.get("langid", ""))),
        licence=detex(entry.get("license", "")), url=entry.get("url", entry.get("adsurl", "")), biblio=biblio,
        columns={name: entry[name] for name in sorted(entry) if name not in _USED and entry[name]},
        marks={"bibtex/key": key, **marks},
    )  # fmt: skip


def entry_biblio(entry: Mapping[str, str]) -> Biblio:
    """The bibliographic facts of an entry."""
    date = _date(entry)
    arxiv = arxiv_id(entry.get("eprint", "")) or arxiv_id(entry.get("url", "")) or arxiv_id(entry.get("doi", ""))
    bibcode = _BIBCODE.search(entry.get("adsurl", ""))
    doi = bare_doi(entry.get("doi", "").replace("\\_", "_").replace("{", "").replace("}", ""))
    return Biblio(
        authors=_authors(entry.get("author", "")), year=int(date[:4]) if date else None, date=date,
        doi=doi, arxiv=arxiv, bibcode=bibcode[1].replace("%26", "&") if bibcode else "",
        venue=_venue(entry), keywords=tuple(detex(k) for k in words_of(entry.get("keywords", ""))),
        categories=tuple(words_of(entry.get("primaryclass", ""), spaced=True)),
    )  # fmt: skip


def _authors(text: str) -> tuple[Author, ...]:
    names = (n.strip() for n in _FIELD_SPLIT.split(text))
    return tuple(Author(name=_name(n)) for n in names if n and n.lower() != "others")


def _name(text: str) -> str:
    """One name; one wholly in braces is a group's and stays as printed."""
    whole = text.startswith("{") and text.endswith("}") and "," not in text and text.count("{") == 1
    return detex(text) if whole else surname_first(detex(text))


def _date(entry: Mapping[str, str]) -> str:
    date = iso_date(entry.get("date", "") or entry.get("year", ""))
    month = MONTHS.get(entry.get("month", "").strip().lower()[:3]) or _number(entry.get("month", ""))
    return f"{date}-{month:02}" if len(date) == 4 and 1 <= month <= 12 else date


def _number(text: str) -> int:
    return int(text) if text.strip().isdecimal() and len(text) < 4 else 0


def _venue(entry: Mapping[str, str]) -> str:
    name = next((journal(entry[n]) for n in ("journal", "journaltitle", "booktitle", "publisher") if entry.get(n)), "")
    place = [detex(entry.get(n, "")) for n in ("volume", "pages")]
    return ", ".join(part for part in (name, *place) if part)
