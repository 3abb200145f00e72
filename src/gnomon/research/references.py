"""References: the reference list of an answer, rendered from the records by code.

A voice only ever writes ids; titles, authors, years and identifiers come from the library. Quotes
of one document share one entry. Records are data: characters that mean something to Markdown or
BibTeX are escaped, and what looks like a citation id in a title is taken out.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gnomon.core.answers import Answer, Citation
from gnomon.core.checks import keep_known_ids
from gnomon.core.records import Biblio, Document
from gnomon.core.wording import say

DOUBTED = "[?]"
"""Follows a sentence that the checks do not believe."""
MOST_AUTHORS = 6
"""Authors named in a text or Markdown entry before "et al."."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#|~])")
_TEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}  # fmt: skip
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>\\{}]+$")
_ARXIV = re.compile(r"(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})$")
_PLACE = re.compile(
    r"(?P<journal>.*[^\d,]), (?P<volume>[A-Z]?\d+)(?:\((?P<number>\d+)\))?,"
    r" (?P<first>[A-Z]{0,2}\d+)(?:[-–](?P<last>[A-Z]{0,2}\d+))?$"
)


class Place(NamedTuple):
    """Where a work was printed."""

    journal: str
    volume: str = ""
    number: str = ""
    first: str = ""
    """Its first page, or its number as an article."""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of the list."""

    ids: tuple[str, ...]
    """The citation ids that point at it."""
    doc_id: str
    """The document."""
    title: str
    """Its title on one line."""
    authors: tuple[str, ...]
    """Its authors."""
    year: int | None
    """Its year."""
    biblio: Biblio
    """What else the record knows; empty when the document was not given."""

    @property
    def address(self) -> str:
        """A public address made from a well-formed DOI or arXiv id, else empty."""
        doi, arxiv = doi_of(self.biblio.doi), arxiv_of(self.biblio.arxiv or self.doc_id.removeprefix("arxiv:"))
        return f"https://doi.org/{doi}" if doi else f"https://arxiv.org/abs/{arxiv}" if arxiv else ""


def doi_of(text: str) -> str:
    """A DOI as it is, or nothing when it is not well formed: only the former may become an address."""
    return text if _DOI.match(text) else ""


def place_of(venue: str) -> Place:
    """A venue such as ``Nature, 217, 709`` in its parts; one written in any other way is a journal's name alone."""
    plain = on_one_line(venue)
    found = _PLACE.match(plain)
    return Place(**{name: part or "" for name, part in found.groupdict().items()}) if found else Place(plain)


def arxiv_of(text: str) -> str:
    """An arXiv identifier as it is, or nothing when it is not well formed."""
    return text if _ARXIV.match(text) else ""


def references(citations: Sequence[Citation], documents: Mapping[str, Document]) -> tuple[Reference, ...]:
    """The entries of a reference list, in order of first citation.

    Args:
        citations: The answer's citations.
        documents: The cited documents by id, for venue and identifiers; those missing are left plain.
    """
    ids: dict[str, list[str]] = {}
    for citation in citations:
        ids.setdefault(citation.doc_id, []).append(citation.id)
    first = {citation.doc_id: citation for citation in reversed(citations)}
    made = []
    for doc_id, own in ids.items():
        known = documents.get(doc_id)
        cited = first[doc_id]
        authors = tuple(on_one_line(author) for author in cited.authors)
        biblio = known.biblio if known else Biblio()
        made.append(Reference(tuple(own), doc_id, on_one_line(cited.title), authors, cited.year, biblio))
    return tuple(made)


def as_text(entries: Sequence[Reference]) -> str:
    """A plain list, one entry a line."""
    return "".join(f"{_marks(entry)} {_sentence(entry)}\n" for entry in entries)


def as_markdown(answer: Answer, entries: Sequence[Reference]) -> str:
    """The whole answer as Markdown: question, sentences with their ids and doubts, references."""
    japanese = "ja" if re.search("[ぁ-ん]", answer.question) else "en"
    title = " ".join(answer.question.split())[:300]
    lines = [f"# {_escaped(title)}", ""]
    if answer.refused:
        return "\n".join([*lines, _escaped(answer.text), ""])
    for claim in answer.claims:
        ids = "".join(f"[{i}]" for i in claim.citations)
        lines += [" ".join(filter(None, (_escaped(claim.text), ids, claim.doubt and DOUBTED))), ""]
    lines += [f"## {say('References', '文献', japanese)}", ""]
    for entry in entries:
        link = f" <{entry.address}>" if entry.address else ""
        lines.append(f"- {_marks(entry)} {_escaped(_sentence(entry, address=False))}{link}")
    return "\n".join([*lines, ""])


def as_bibtex(entries: Sequence[Reference]) -> str:
    """The list as BibTeX, with keys made of surname and year, unique within the list."""
    used: set[str] = set()
    return "\n".join(_entry(entry, _key(entry, used)) for entry in entries)


def _marks(entry: Reference) -> str:
    return "".join(f"[{i}]" for i in entry.ids)


def on_one_line(text: str) -> str:
    """Text of a record on one line, without anything invisible or like a citation id."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(keep_known_ids(plain, ())[0].split())


def _sentence(entry: Reference, *, address: bool = True) -> str:
    shown = list(entry.authors[:MOST_AUTHORS]) + (["et al."] if len(entry.authors) > MOST_AUTHORS else [])
    head = "; ".join(shown) + (f" ({entry.year})" if entry.year else "")
    where = [on_one_line(entry.biblio.venue), entry.address if address else ""]
    return ". ".join(part.rstrip(".") for part in (head.strip(), entry.title or entry.doc_id, *where) if part) + "."


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _key(entry: Reference, used: set[str]) -> str:
    surname = entry.authors[0].split(",")[0] if entry.authors else "anonymous"
    latin = unicodedata.normalize("NFKD", surname).encode("ascii", "ignore").decode()
    base = (re.sub(r"[^A-Za-z]", "", latin) or "anonymous") + str(entry.year or "")
    key, count = base, 1
    while key in used:
        count += 1
        key = f"{base}-{count}"
    used.add(key)
    return key


def _entry(entry: Reference, key: str) -> str:
    place, eprint = place_of(entry.biblio.venue), arxiv_of(entry.biblio.arxiv)
    facts = {
        "author": " and ".join(_grouped(_tex(author)) for author in entry.authors),
        "title": f"{{{_tex(entry.title)}}}" if entry.title else "",
        "year": str(entry.year or ""),
        "journal": _tex(place.journal),
        "volume": place.volume,
        "number": place.number,
        "pages": "--".join(filter(None, (place.first, place.last))),
        "doi": doi_of(entry.biblio.doi),
        "eprint": eprint,
        "archiveprefix": "arXiv" if eprint else "",
        "note": _tex(entry.doc_id),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in facts.items() if value]
    kind = "article" if facts["journal"] else "misc"
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])


def _grouped(author: str) -> str:
    """An author's name in which the word "and" does not part two authors."""
    return re.sub(r"\band\b", "{and}", author, flags=re.IGNORECASE) if re.search(r"\sand\s", author, re.I) else author


def _tex(text: str) -> str:
    return "".join(_TEX.get(c, c) for c in text)
