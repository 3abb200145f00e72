"""Excerpts: a seeded, bounded choice of the text of some sources, streamed.

A vocabulary does not need every word of a corpus. Each document is cut into *excerpts* of some ten
thousand characters, and an excerpt is taken when the hash of (seed, document, number) falls below
the share that its source may give: every part of a long book has the same chance as a short note,
and the choice depends on nothing but the documents and the seed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from gnomon.core.hashing import hash_place
from gnomon.core.records import Document
from gnomon.core.tables import read_batches, read_table
from gnomon.core.text import document_text

EXCERPT_CHARACTERS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """A stretch of one document as models read it."""

    source: str
    """Name of the source."""
    document: str
    """The document's id."""
    number: int
    """Its place among the excerpts of its document, from 0."""
    lang: str
    """The document's language, ``"und"`` while unknown."""
    field: str
    """The document's first category, ``""`` without one."""
    text: str
    """The characters."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much a source holds."""

    documents: int
    """Its documents."""
    characters: int
    """Of titles and texts."""


def size_of(artifact: Path) -> Size:
    """Count the documents and characters below ``artifact / "documents"``, without decoding their texts."""
    documents = characters = 0
    for batch in read_batches(artifact / "documents", ["title", "text"]):
        documents += batch.num_rows
        characters += sum(pc.sum(pc.utf8_length(batch.column(c))).as_py() or 0 for c in ("title", "text"))
    return Size(documents=documents, characters=characters)


def excerpts(sources: Mapping[str, Path], shares: Mapping[str, float], salt: str) -> Iterator[Excerpt]:
    """The chosen excerpts of all sources, in order of the sources' names and of their documents.

    Args:
        sources: Artifacts that hold ``documents/``, by name.
        shares: Share of each source's excerpts to take, 0 to 1.
        salt: Decides which; another salt, another choice.
    """
    for name in sorted(sources):
        for document in read_table(sources[name] / "documents", Document):
            for number, text in enumerate(_cut(document_text(document.title, document.text))):
                if hash_place(f"{salt}\0{name}\0{document.id}\0{number}") < shares[name]:
                    yield Excerpt(
                        source=name,
                        document=document.id,
                        number=number,
                        lang=document.lang,
                        field=next(iter(document.biblio.categories), ""),
                        text=text,
                    )


def _cut(text: str) -> Iterator[str]:
    """The text in stretches of about ``EXCERPT_CHARACTERS``, ending before white space where there is any."""
    start = 0
    while start < len(text):
        end = min(start + EXCERPT_CHARACTERS, len(text))
        while end < len(text) and end > start + EXCERPT_CHARACTERS // 2 and not text[end].isspace():
            end -= 1
        yield text[start:end]
        start = end
