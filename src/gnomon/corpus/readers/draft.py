"""What a reader gives back: drafts of documents, and faults with their reasons.

A *draft* is what a file says about one work, before ids are settled. A *fault* is one record, or
one whole file, that cannot be used. Every record of a file is one or the other, so that they add
up. *Limits* are the bounds that keep a hostile file from taking the machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.records import Biblio, Reference, Section

EXCERPT = 200
MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on what is read. They decide what is kept, so they belong to the identity."""

    max_line_bytes: int = 32 * MIB
    """Longest line of a JSONL or CSV file; a longer one is named and passed over."""
    max_file_bytes: int = 64 * MIB
    """Largest text, Markdown, LaTeX, BibTeX, RIS, JSON or XML file, unpacked; it is read whole."""
    max_pdf_bytes: int = 512 * MIB
    """Largest PDF file."""
    max_pdf_pages: int = 3_000
    """Pages of a PDF that are read; the pages after them are cut off and marked."""
    max_expansion: int = 200
    """How many times larger than its packed file a ``.gz`` or ``.zst`` may become…"""
    free_expansion_bytes: int = 256 * MIB
    """…beyond this size; above both it is taken for a bomb and left there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """One work as a file describes it."""

    kind: str
    """What it was read as; becomes ``Source.kind``."""
    own_id: str = ""
    """The record's own id or citation key; empty for a file that is one work."""
    title: str = ""
    """The title."""
    text: str = ""
    """The text, without the title."""
    lang: str = "und"
    """ISO 639-1 code as stated."""
    licence: str = ""
    """As stated."""
    url: str = ""
    """A public address of the same text."""
    retrieved: str = ""
    """ISO date on which a remote source was read."""
    biblio: Biblio = field(default_factory=Biblio)
    """Bibliographic facts."""
    sections: tuple[Section, ...] = ()
    """Sections of ``text``."""
    references: tuple[Reference, ...] = ()
    """Works it cites."""
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Fields that no part of a document holds; each becomes a mark ``column/NAME``."""
    marks: Mapping[str, Any] = field(default_factory=dict)
    """Other marks by name, as JSON types."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One record, or one whole file, that cannot be used."""

    reason: str
    """A short code that is counted."""
    detail: str = ""
    """What was found, and where."""
    excerpt: str = ""
    """The first characters, for a person to judge."""
    whole: bool = False
    """Whether the file itself is meant, not one of its records."""


class Unreadable(DataError):
    """A file, or the rest of it, cannot be read; becomes a fault."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail
