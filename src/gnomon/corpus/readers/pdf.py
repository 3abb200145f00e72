"""PDF with a text layer: one file is one work.

PDFium reads the characters, ``pdf_lines`` puts lines together, ``pdf_text`` makes text of them. The
mark ``pdf/pages`` holds ``[start, end, page]`` for every stretch of the text, so that a passage can be
shown on its page. Title and names come from the metadata, or from the first page where they are plain.
"""

import re
from collections.abc import Iterator
from typing import Any

from gnomon.core.records import Author, Biblio, Reference
from gnomon.corpus.ids import arxiv_date, arxiv_id, arxiv_stamp, bare_doi
from gnomon.corpus.readers.draft import Draft, Fault, Unreadable
from gnomon.corpus.readers.feed import Feed, clean_text
from gnomon.corpus.readers.fields import one_line
from gnomon.corpus.readers.pdf_lines import Line, body_size, page_lines
from gnomon.corpus.readers.pdf_parts import front_and_body, split_references, without_furniture
from gnomon.corpus.readers.pdf_text import Layout
from gnomon.corpus.readers.people import split_names, surname_first

PASSWORD_ERROR = 4
MIN_LETTERS = 40
"""Letters a PDF needs to count as one with a text layer…"""
MIN_LETTERS_PER_PAGE = 15
"""…and on its average page."""
HEAD_CHARACTERS = 3_000
_DOI = re.compile(r"(?:doi\.org/|doi:\s?)(10\.\d{4,9}/[^\s\"<>{}|]+)", re.IGNORECASE)
_NO_TITLE = re.compile(r"untitled|microsoft word|\.(?:tex|dvi|docx?|pdf|indd)\b|^[\w.-]+$|^arxiv:", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){1,4}")


def read(feed: Feed) -> Iterator[Draft | Fault]:
    """The file as one draft.

    Raises:
        Unreadable: It is encrypted, broken, too large, or has no text layer.
    """
    if feed.size > feed.limits.max_pdf_bytes:
        raise Unreadable("too_large", f"{feed.size} bytes, limit {feed.limits.max_pdf_bytes} (max_pdf_bytes)")
    pages, slanted, facts, cut = _pages(feed)
    letters = sum(c.isalpha() for lines in pages for line in lines for c in line.text)
    if letters < max(MIN_LETTERS, MIN_LETTERS_PER_PAGE * len(pages)):
        raise Unreadable("pdf_without_text", f"{letters} letters on {len(pages)} pages")
    yield _draft(pages, slanted, facts, cut)


def _pages(feed: Feed) -> tuple[list[list[Line]], str, dict[str, str], int]:
    """Lines of every page, slanted text of the first, metadata, and how many pages were not read."""
    import pypdfium2

    data: Any = feed.path if not feed.packing else feed.whole()
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        encrypted = getattr(error, "err_code", None) == PASSWORD_ERROR
        raise Unreadable("encrypted_pdf" if encrypted else "broken_pdf", str(error)) from error
    try:
        total = len(document)
        count = min(total, feed.limits.max_pdf_pages)
        found: list[list[Line]] = []
        slanted = ""
        for number in range(count):
            lines, angled = _page(document, number)
            found.append(lines)
            slanted = slanted or angled
        return found, slanted, document.get_metadata_dict(skip_empty=True), total - count
    finally:
        document.close()


def _page(document: Any, number: int) -> tuple[list[Line], str]:
    import pypdfium2

    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return [], ""
    try:
        return page_lines(page, number + 1)
    except pypdfium2.PdfiumError:
        return [], ""
    finally:
        page.close()


def _draft(pages: list[list[Line]], slanted: str, facts: dict[str, str], cut: int) -> Draft:
    first = pages[0] if pages else []
    if len(first) < 15 and len(pages) > 1:
        first = first + pages[1]
    head = "\n".join(line.text for line in first)[:HEAD_CHARACTERS]
    lines = [line for page in without_furniture(pages) for line in page]
    body = body_size(lines)
    front, rest = front_and_body(lines)
    title_lines = _title_lines(front or [x for x in lines if x.page == 1][:12], body)
    rest = [line for line in rest if all(line is not t for t in title_lines)]
    rest, entries = split_references(rest)
    page = Layout(rest, body).page
    title = _title(facts, title_lines, head)
    arxiv = arxiv_stamp(slanted) or arxiv_stamp(head)
    date = arxiv_date(arxiv) if arxiv else ""
    marks: dict[str, Any] = {"pdf/pages": page.pages, "pdf/head": one_line(clean_text(head))[:1200]}
    if front:
        marks["pdf/front"] = clean_text("\n".join(line.text for line in front))
    if cut:
        marks["pdf/pages_not_read"] = cut
    return Draft(
        kind="pdf", own_id=f"arxiv:{arxiv}" if arxiv else "", title=title, text=page.text, sections=page.sections(),
        biblio=Biblio(authors=_authors(facts, front, title_lines), arxiv=arxiv, doi=_doi(head), date=date,
                      year=int(date[:4]) if date else None),
        references=tuple(
            Reference(key=str(n), raw=clean_text(raw), doc_id=_cited_id(raw)) for n, raw in enumerate(entries, 1)
        ),
        marks=marks,
    )  # fmt: skip


def _title_lines(candidates: list[Line], body: float) -> list[Line]:
    """The lines of the title: the largest type near the top, or else the first bold block."""
    usable = [x for x in candidates if sum(c.isalpha() for c in x.text) >= 5]
    if not usable:
        return []
    largest = max(x.size for x in usable)
    chosen = [x for x in usable if x.size > largest - 0.6] if largest > 1.15 * body else [x for x in usable if x.bold]
    block: list[Line] = []
    for line in chosen:
        if block and not 0 < block[-1].bottom - line.bottom < 2.2 * block[-1].size:
            break
        block.append(line)
    words = " ".join(x.text for x in block).split()
    return block if 3 <= len(words) <= 40 else []


def _title(facts: dict[str, str], lines: list[Line], head: str) -> str:
    stated = one_line(clean_text(facts.get("Title", "")))
    if len(stated.split()) > 2 and not _NO_TITLE.search(stated) and _letters(stated)[:20] in _letters(head):
        return stated
    return one_line(clean_text(" ".join(x.text for x in lines)))


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _authors(facts: dict[str, str], front: list[Line], title: list[Line]) -> tuple[Author, ...]:
    stated = [n for n in split_names(clean_text(facts.get("Author", ""))) if _NAME.fullmatch(n) or "," in n]
    if stated:
        return tuple(Author(name=surname_first(n)) for n in stated)
    if not title or not front:
        return ()
    after = [x for x in front if x.bottom < title[-1].bottom]
    printed = after[0].text if after else ""
    for line in after[1:]:
        if abs(line.size - after[0].size) > 0.6 or not printed.rstrip().endswith((",", " and", "&")):
            break
        printed += f" {line.text}"
    return _printed_authors(printed)


def _printed_authors(printed: str) -> tuple[Author, ...]:
    """Names from a line of names with marks of affiliations; none unless every one looks like a name."""
    bare = re.sub(r"[\s,]*[\d*†‡§∗⋆]+[\s,\d*†‡§∗⋆]*", ", ", printed)
    names = [n for part in re.split(r",|\band\b|&", bare) if (n := one_line(part))]
    if not names or not all(
        _NAME.fullmatch(n) and n.split()[-1][0].isupper() and len(n.split()[-1]) > 1 for n in names
    ):
        return ()
    return tuple(Author(name=surname_first(n)) for n in names)


def _doi(head: str) -> str:
    found = (bare_doi(m[1]) for m in _DOI.finditer(head))
    return next((d for d in found if "zenodo" not in d and re.search(r"/.*\d", d)), "")


def _cited_id(raw: str) -> str:
    found = next((a for word in raw.split() if (a := arxiv_id(word.strip("[](),.;")))), "")
    return f"arxiv:{found}" if found else ""
