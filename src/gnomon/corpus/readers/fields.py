"""Fields: what the columns of a record mean.

JSONL, Parquet, CSV, front matter and arXiv's own dump name the same facts in a few different ways;
here each name is given its meaning once. What has no meaning here is not lost: it stays as a column
and becomes a mark.
"""

import datetime
import email.utils
import re
from collections.abc import Iterable, Mapping
from typing import Any

from gnomon.core.records import Biblio, Reference, Section
from gnomon.corpus.ids import arxiv_date, arxiv_id, bare_doi, document_id
from gnomon.corpus.readers.draft import EXCERPT, Draft, Fault
from gnomon.corpus.readers.people import authors_of

ID = ("id", "_id", "doc_id", "paper_id", "arxiv_id", "bibcode", "key")
TITLE = ("title",)
BODY = ("text", "full_text", "fulltext", "body", "content")
ABSTRACT = ("abstract", "summary")
AUTHORS = ("authors_parsed", "authors", "author")
DATE = ("date", "published", "created", "submitted", "publication_date", "pubdate", "year", "pub_year")
CATEGORIES = ("primary_category", "categories", "category", "subjects")
KEYWORDS = ("keywords", "tags")
LANG = ("lang", "language")
LICENCE = ("licence", "license", "rights")
URL = ("url", "link")
VENUE = ("journal", "journal-ref", "journal_ref", "venue", "journaltitle", "publication")
CITES = ("cites", "references")
TEXT_COLUMNS = frozenset((*BODY, *ABSTRACT))
"""Columns that can hold a text; a table without any of them holds no documents."""

_SINGLE = {"doi": ("doi", "DOI"), "arxiv": ("arxiv", "arxiv_id", "eprint"), "bibcode": ("bibcode",)}
_LANGUAGES = {
    "english": "en",
    "eng": "en",
    "japanese": "ja",
    "jpn": "ja",
    "日本語": "ja",
    "german": "de",
    "french": "fr",
}
_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?!\d)")
_SPACE = re.compile(r"\s+")


class Row:
    """One record; remembers which of its fields have been used."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = {key: v for key, v in values.items() if v is not None and v != "" and v != [] and v != {}}
        self.used: set[str] = set()

    def first(self, names: Iterable[str]) -> Any:
        """The first of these fields that is there; all of them count as used."""
        found = None
        for name in names:
            if name in self.values:
                self.used.add(name)
                found = self.values[name] if found is None else found
        return found

    def one(self, names: Iterable[str]) -> str:
        """The first of these fields that holds plain text or a number; only that one counts as used."""
        for name in names:
            value = self.values.get(name)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                self.used.add(name)
                return str(value).strip()
        return ""

    def rest(self) -> dict[str, Any]:
        """The fields nobody used, in order of name."""
        return {name: self.values[name] for name in sorted(self.values) if name not in self.used}


def record_draft(values: Mapping[str, Any], kind: str) -> Draft | Fault:
    """A record as a draft.

    Args:
        values: Its fields as JSON types.
        kind: The format it was read from; a record of arXiv is called ``"arxiv"`` instead.
    """
    row = Row(values)
    own, title = row.one(ID), one_line(row.one(TITLE))
    text, sections = body_text(row.one(BODY), row.one(ABSTRACT))
    if not text:
        return Fault(reason="no_text", detail=f"fields: {', '.join(sorted(map(str, values)))}", excerpt=title[:EXCERPT])
    biblio = _biblio(row, own)
    from_arxiv = bool(biblio.arxiv and biblio.categories and arxiv_id(own))
    return Draft(
        kind="arxiv" if from_arxiv else kind, own_id=own, title=title, text=text, sections=sections,
        lang=language_code(row.one(LANG)), licence=row.one(LICENCE),
        url=row.one(URL) or (f"https://arxiv.org/abs/{biblio.arxiv}" if from_arxiv else ""),
        biblio=biblio, references=_references(row), columns=row.rest(),
    )  # fmt: skip


def _biblio(row: Row, own: str) -> Biblio:
    single = {name: row.one(names) for name, names in _SINGLE.items()}
    arxiv = arxiv_id(own) or arxiv_id(single["arxiv"])
    date = _date(row, arxiv)
    return Biblio(
        authors=authors_of(row.first(AUTHORS)),
        year=int(date[:4]) if date else None,
        date=date,
        doi=bare_doi(single["doi"]),
        arxiv=arxiv,
        bibcode=single["bibcode"],
        venue=one_line(row.one(VENUE)),
        categories=_categories(row),
        keywords=tuple(words_of(row.first(KEYWORDS))),
    )


def _date(row: Row, arxiv: str) -> str:
    """The date of the first version: stated, else of ``versions``, else the month in the arXiv id."""
    found = max((iso_date(row.values[n]) for n in DATE if n in row.values), key=len, default="")
    if found:
        row.used.update(n for n in DATE if n in row.values and iso_date(row.values[n]))
        return found
    versions = row.values.get("versions")
    if isinstance(versions, list | tuple) and versions and isinstance(versions[0], Mapping):
        found = iso_date(versions[0].get("created", ""))
    return found or (arxiv_date(arxiv) if arxiv else "")


def iso_date(value: Any) -> str:
    """A date as ISO, as precise as it is stated; empty when it is none."""
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    text = str(value).strip()
    match = _DATE.match(text)
    if match and 1000 <= int(match[1]) <= 2200:
        parts = [match[1], *(f"{int(p):02}" for p in match.groups()[1:] if p)]
        return "-".join(parts)
    try:
        return email.utils.parsedate_to_datetime(text).date().isoformat()
    except (ValueError, TypeError, IndexError):
        return ""


def _categories(row: Row) -> tuple[str, ...]:
    listed = [c for name in CATEGORIES for c in words_of(row.first((name,)), spaced=name == "categories")]
    return tuple(dict.fromkeys(listed))


def words_of(value: Any, *, spaced: bool = False) -> list[str]:
    """A list of strings from a list, or from one string with commas, semicolons or (``spaced``) spaces."""
    if isinstance(value, list | tuple):
        return [one_line(str(v)) for v in value if v is not None and str(v).strip()]
    if not isinstance(value, str):
        return []
    pattern = r"[;,\s]+" if spaced else r"[;,]"
    return [p.strip() for p in re.split(pattern, value) if p.strip()]


def _references(row: Row) -> tuple[Reference, ...]:
    for name in CITES:
        cited = row.values.get(name)
        if isinstance(cited, list | tuple) and all(isinstance(c, str) for c in cited):
            row.used.add(name)
            return tuple(
                Reference(key=c, doc_id=document_id(c) if name == "cites" or arxiv_id(c) else "") for c in cited
            )
    return ()


def language_code(value: str) -> str:
    """ISO 639-1 from a code, a locale or a usual name; ``"und"`` when it is none of them."""
    low = value.strip().lower()
    if low in _LANGUAGES:
        return _LANGUAGES[low]
    match = re.fullmatch(r"([a-z]{2})(?:[-_].*)?", low)
    return match[1] if match else "und"


def body_text(body: str, abstract: str) -> tuple[str, tuple[Section, ...]]:
    """The text of a record: its body, preceded by its abstract unless that already stands in it."""
    body, abstract = body.strip(), abstract.strip()
    if not body or not abstract or _SPACE.sub(" ", abstract) in _SPACE.sub(" ", body):
        return body or abstract, ()
    head = f"Abstract\n\n{abstract}\n\n"
    first = Section(title="Abstract", level=1, start=0, end=len(head))
    return head + body, (first, Section(title="", level=0, start=len(head), end=len(head) + len(body)))


def one_line(text: str) -> str:
    """The text with every run of white space one space."""
    return _SPACE.sub(" ", text).strip()
