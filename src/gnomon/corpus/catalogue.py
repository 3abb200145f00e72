"""The catalogue: what the bibliographies of a set say about its other files.

A folder of papers often comes with a ``.bib`` or ``.ris`` that describes them. An entry and a file are one
work when they state the same arXiv id or DOI, or when the entry's whole title stands at the head
of the file and its first author's name with it; an entry that the file itself cites is another work
(the companion paper of the same title). Then the file's document takes the entry's facts
where its own are missing, and the entry's id; the entry itself is dropped as ``same_work``. The
catalogue also knows how a citation key is cited, so that LaTeX reads as its PDF does.
"""

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gnomon.core.records import Author, Biblio, Reference
from gnomon.corpus.ids import arxiv_date
from gnomon.corpus.jobs import Job
from gnomon.corpus.readers import bibtex, ris
from gnomon.corpus.readers.detex import detex
from gnomon.corpus.readers.draft import Draft, Fault, Limits, Unreadable
from gnomon.corpus.readers.feed import Feed
from gnomon.corpus.readers.latex_tokens import rendered, resolved
from gnomon.corpus.readers.plain import whole_text

BIBLIOGRAPHIES = ("bibtex", "ris")
DESCRIBED = ("latex", "pdf", "markdown", "text")
"""Kinds of files that an entry can describe."""
TITLE_LETTERS = 24
"""Letters a title needs to stand for a work."""
HEAD_LETTERS = 700
"""Letters at the head of a file in which its title must stand."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a bibliography."""

    place: tuple[int, int]
    """Number of its job, and of the record in it."""
    key: str
    """Citation key."""
    folder: str
    """Folder of its file."""
    title: str
    """Title."""
    biblio: Biblio
    """Its facts."""
    readable: bool
    """Whether it has an abstract, and so would be a document itself."""

    @property
    def own_id(self) -> str:
        """The id of the work."""
        return f"arxiv:{self.biblio.arxiv}" if self.biblio.arxiv else self.key

    @property
    def printed(self) -> str:
        """The entry as a line of a reference list."""
        names = ", ".join(a.name for a in self.biblio.authors[:3]) + (" et al." if len(self.biblio.authors) > 3 else "")
        year = str(self.biblio.year or "")
        return ". ".join(p for p in (" ".join(x for x in (names, year) if x), self.title, self.biblio.venue) if p)


class Catalogue:
    """All entries of the bibliographies of a set, found by id, title and key."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._by_id: dict[str, Entry] = {}
        self._by_title: defaultdict[str, list[Entry]] = defaultdict(list)
        self._by_key: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            for name in (entry.biblio.arxiv, entry.biblio.doi):
                if name:
                    self._by_id.setdefault(name, entry)
            title = letters(entry.title)
            if len(title) >= TITLE_LETTERS:
                self._by_title[title[:TITLE_LETTERS]].append(entry)
            self._by_key[entry.key].append(entry)

    @staticmethod
    def of(jobs: Sequence[Job], limits: Limits) -> "Catalogue":
        """The catalogue of a set; empty when no file of it can be described."""
        names = {job.format_name for job in jobs}
        if names.isdisjoint(DESCRIBED):
            return Catalogue(iter(()))
        return Catalogue(e for job in jobs if job.format_name in BIBLIOGRAPHIES for e in _entries(job, limits))

    def described(self, draft: Draft, name: str) -> tuple[Draft, Entry | None]:
        """The draft of a file with its citations in words and its facts filled in, and the entry that did it."""
        folder = name.rpartition("/")[0]
        if draft.kind == "latex":
            draft = self._cited(draft, folder)
        head = str(draft.marks.get("pdf/head", "")) or f"{draft.title} {' '.join(a.name for a in draft.biblio.authors)}"
        marks = {k: v for k, v in draft.marks.items() if k != "pdf/head"}
        draft = dataclasses.replace(draft, marks=marks)
        entry = self._entry_of(draft, head)
        if entry is not None and any(r.key == entry.key for r in draft.references) and draft.kind == "latex":
            entry = None
        return (draft, None) if entry is None else (_filled(draft, entry), entry)

    def _entry_of(self, draft: Draft, head: str) -> Entry | None:
        for name in (draft.biblio.arxiv, draft.biblio.doi):
            if name and name in self._by_id:
                return self._by_id[name]
        shown = letters(head)[:HEAD_LETTERS]
        for start in range(len(shown) - TITLE_LETTERS + 1):
            for entry in self._by_title.get(shown[start : start + TITLE_LETTERS], ()):
                whole = letters(entry.title)
                surname = letters(entry.biblio.authors[0].name.partition(",")[0]) if entry.biblio.authors else ""
                if shown.startswith(whole, start) and surname and surname in letters(head):
                    return entry
        return None

    def _cited(self, draft: Draft, folder: str) -> Draft:
        wanted = [str(name).removesuffix(".bib") for name in draft.marks.get("latex/bibliographies", ())]

        def entry(key: str) -> Entry | None:
            near = [e for e in self._by_key.get(key, ()) if _near(e.folder, folder)]
            return min(near, key=lambda e: (e.folder != folder, e.place), default=None) if near or wanted else None

        def lookup(key: str) -> tuple[str, str] | None:
            found = entry(key)
            return (short_names(found.biblio.authors), str(found.biblio.year or "n.d.")) if found else None

        text, sections = rendered(draft.text, lookup)
        references = tuple(_resolved_reference(r, entry(r.key)) for r in draft.references)
        title = resolved(draft.title, {}, lookup)
        return dataclasses.replace(draft, text=text, sections=sections, references=references, title=title)


def letters(text: str) -> str:
    """Lower-case letters and digits alone: what two printings of a title have in common."""
    return re.sub(r"[\W_]+", "", detex(text) if "\\" in text or "{" in text else text).lower()


def short_names(authors: Sequence[Author]) -> str:
    """Authors as a citation names them."""
    surnames = [a.name.partition(",")[0] for a in authors]
    if not surnames:
        return "Anonymous"
    if len(surnames) == 2:
        return f"{surnames[0]} & {surnames[1]}"
    return surnames[0] if len(surnames) == 1 else f"{surnames[0]} et al."


def _near(bibliography: str, folder: str) -> bool:
    """Whether a bibliography lies in the folder of a paper, above it, or below it."""
    a, b = f"{bibliography}/".lstrip("/"), f"{folder}/".lstrip("/")
    return a.startswith(b) or b.startswith(a)


def _resolved_reference(reference: Reference, entry: Entry | None) -> Reference:
    if entry is None:
        return reference
    known = f"arxiv:{entry.biblio.arxiv}" if entry.biblio.arxiv else f"local:{entry.key}" if entry.readable else ""
    return Reference(key=reference.key, raw=reference.raw or entry.printed, doc_id=reference.doc_id or known)


def _filled(draft: Draft, entry: Entry) -> Draft:
    """The draft with the facts of its entry where its own are missing; a PDF's names are only guessed, and yield."""
    own, other = draft.biblio, entry.biblio
    guessed = draft.kind in ("pdf", "text")
    values = {f.name: getattr(own, f.name) or getattr(other, f.name) for f in dataclasses.fields(Biblio)}
    stated = other.year is not None and own.date == (arxiv_date(own.arxiv) if own.arxiv else "")
    if stated:
        values |= {"year": other.year, "date": other.date}
    if guessed and other.authors:
        values["authors"] = other.authors
    return dataclasses.replace(
        draft,
        own_id=draft.own_id or entry.own_id,
        title=(entry.title or draft.title) if guessed else draft.title or entry.title,
        biblio=Biblio(**values),
    )


def _entries(job: Job, limits: Limits) -> Iterator[Entry]:
    """The entries of one bibliography, numbered as its reader numbers them; none when it cannot be read."""
    try:
        text, _ = whole_text(Feed(job.entry.name, job.entry.path, job.entry.bytes, limits))
    except (Unreadable, OSError):
        return
    folder = job.entry.name.rpartition("/")[0]
    if job.format_name == "ris":
        for number, found in enumerate(ris.entries(text)):
            if not isinstance(found, Fault):
                title, abstract = ris.first(found, "title"), ris.first(found, "abstract")
                yield Entry(place=(job.number, number), key=ris.entry_key(found), folder=folder, title=title,
                            biblio=ris.entry_biblio(found), readable=bool(abstract))  # fmt: skip
        return
    for number, (key, fields) in enumerate(bibtex.entries(text)):
        if not isinstance(fields, Fault):
            yield Entry(place=(job.number, number), key=key, folder=folder, title=detex(fields.get("title", "")),
                        biblio=bibtex.entry_biblio(fields), readable=bool(fields.get("abstract")))  # fmt: skip
