"""One page of an OAI-PMH list, as ``corpus.oai`` keeps it: a record of arXiv's metadata each."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from gnomon.core.records import Author, Biblio
from gnomon.corpus.ids import arxiv_date, arxiv_id, bare_doi
from gnomon.corpus.readers.draft import EXCERPT, Draft, Fault, Unreadable
from gnomon.corpus.readers.feed import Feed
from gnomon.corpus.readers.fields import iso_date, one_line

OAI = "{http://www.openarchives.org/OAI/2.0/}"
ARXIV = "{http://arxiv.org/OAI/arXiv/}"
_COLUMNS = ("comments", "report-no", "updated", "msc-class", "acm-class", "proxy")


def read(feed: Feed) -> Iterator[Draft | Fault]:
    """Records of a page, in order.

    Raises:
        Unreadable: It is not XML, or declares entities.
    """
    root = page(feed.whole())
    day = (root.findtext(f"{OAI}responseDate") or "")[:10]
    for record in root.iter(f"{OAI}record"):
        yield _record(record, day)


def page(data: bytes) -> ET.Element:
    """A response parsed.

    Raises:
        Unreadable: It is not XML, or declares entities, which OAI-PMH never needs.
    """
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data:
        raise Unreadable("broken_xml", "declares a document type or entities")
    try:
        return ET.fromstring(data)
    except ET.ParseError as error:
        raise Unreadable("broken_xml", str(error)) from error


def _record(record: ET.Element, day: str) -> Draft | Fault:
    header = record.find(f"{OAI}header")
    name = (header.findtext(f"{OAI}identifier") or "") if header is not None else ""
    if header is not None and header.get("status") == "deleted":
        return Fault(reason="deleted_record", detail=name)
    body = record.find(f"{OAI}metadata/{ARXIV}arXiv")
    if body is None:
        return Fault(reason="not_a_record", detail=f"{name}: no metadata in the format arXiv")
    title, text = _text(body, "title"), _paragraphs(body.findtext(f"{ARXIV}abstract") or "")
    if not text:
        return Fault(reason="no_text", detail=name, excerpt=title[:EXCERPT])
    biblio = _biblio(body, name)
    return Draft(
        kind="oai-pmh", own_id=biblio.arxiv or name, title=title, text=text, biblio=biblio, retrieved=day,
        licence=_text(body, "license"), url=f"https://arxiv.org/abs/{biblio.arxiv}" if biblio.arxiv else "",
        columns={n: value for n in _COLUMNS if (value := _text(body, n))},
    )  # fmt: skip


def _biblio(body: ET.Element, name: str) -> Biblio:
    arxiv = arxiv_id(_text(body, "id")) or arxiv_id(name)
    date = iso_date(_text(body, "created")) or (arxiv_date(arxiv) if arxiv else "")
    return Biblio(
        authors=tuple(_author(a) for a in body.iter(f"{ARXIV}author")), year=int(date[:4]) if date else None, date=date,
        doi=bare_doi(_text(body, "doi")), arxiv=arxiv, venue=_text(body, "journal-ref"),
        categories=tuple(_text(body, "categories").split()),
    )  # fmt: skip


def _author(author: ET.Element) -> Author:
    parts = (_text(author, n) for n in ("keyname", "forenames", "suffix"))
    places = (one_line(a.text or "") for a in author.iter(f"{ARXIV}affiliation"))
    return Author(name=", ".join(p for p in parts if p), affiliations=tuple(p for p in places if p))


def _text(element: ET.Element, name: str) -> str:
    return one_line(element.findtext(f"{ARXIV}{name}") or "")


def _paragraphs(text: str) -> str:
    """An abstract as arXiv wraps it, its lines joined; an indented line begins a paragraph."""
    return "\n\n".join(p for part in text.strip().split("\n  ") if (p := one_line(part)))
