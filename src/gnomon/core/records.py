"""Records: the few shapes in which Gnomon's rooms speak to each other.

A ``Document`` is a text with its bibliography and the ``Source`` it was read from. A ``Span``
points at characters of exactly one version of a document's text: its hash makes an outdated
offset detectable, which is why it is the atom of traceability. ``Mark`` and ``Drop`` say what a
filter found beside a document, never inside it. All are frozen; a change makes a new record.
"""

import dataclasses
from dataclasses import dataclass, field

from gnomon.core.hashing import text_hash


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a text came from. A text nobody can point back to is not admitted."""

    kind: str
    """What it was read as: ``"markdown"``, ``"pdf"``, ``"arxiv"``, ``"oai-pmh"``…"""
    key: str
    """The file's name inside the scanned folder, or the record's id at its origin; with ``#n`` for
    the n-th record (from 0) of a file that holds many."""
    sha256: str
    """SHA-256 of the raw bytes of the file or response."""
    url: str = ""
    """A public address of the same text, when one is known."""
    licence: str = ""
    """The licence as stated by the source, ``""`` when it states none."""
    retrieved: str = ""
    """ISO date on which a remote source was read; empty for files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """One author of a document."""

    name: str
    """Surname first, as in ``"Payne, C. H."``; Japanese names as printed."""
    orcid: str = ""
    """The ORCID iD without the address, when known."""
    affiliations: tuple[str, ...] = ()
    """Affiliations as printed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Biblio:
    """The bibliographic facts of a document. Unknown facts stay empty, never guessed."""

    authors: tuple[Author, ...] = ()
    """In the order of the paper."""
    year: int | None = None
    """Year of publication, or of the first version."""
    date: str = ""
    """ISO date of the same event, as precise as known."""
    doi: str = ""
    """DOI without the address."""
    arxiv: str = ""
    """arXiv identifier, without version."""
    bibcode: str = ""
    """ADS bibcode."""
    venue: str = ""
    """Journal, volume and page, as printed."""
    categories: tuple[str, ...] = ()
    """Subject codes, the main one first (``astro-ph.CO``)."""
    keywords: tuple[str, ...] = ()
    """Keywords as printed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One section of a document's text, as character offsets into it."""

    title: str
    """The heading as printed; empty for text before the first heading."""
    level: int
    """1 for a section, 2 for a subsection, and so on; 0 for text before the first heading."""
    start: int
    """First character of the section (its heading included)."""
    end: int
    """One past its last character, before the next section of any level."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """One entry of a document's reference list."""

    key: str
    """The citation key or number used in the text."""
    raw: str = ""
    """The entry as printed."""
    doc_id: str = ""
    """The id of the same work as a document, when it is known (``arxiv:…``, ``local:…``)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A text and its bibliography. The id is stable in every version of a corpus."""

    id: str
    """``arxiv:2401.01234``, ``arxiv:hep-th/9301042`` or ``local:ID``."""
    title: str
    """The title; empty when the source has none."""
    text: str
    """The text that spans point into, without the title."""
    lang: str
    """ISO 639-1 code, ``"und"`` while undetermined."""
    source: Source
    """Where the text was read from."""
    biblio: Biblio = field(default_factory=Biblio)
    """Its bibliographic facts."""
    sections: tuple[Section, ...] = ()
    """In order of their start; empty for a text without headings."""
    references: tuple[Reference, ...] = ()
    """The works it cites."""
    text_hash: str = ""
    """Hash of ``text``; computed when left empty."""

    def __post_init__(self) -> None:
        if not self.text_hash:
            object.__setattr__(self, "text_hash", text_hash(self.text))

    def with_text(self, text: str, sections: tuple[Section, ...] = ()) -> "Document":
        """The same document with another text: same id, new hash, sections replaced."""
        return dataclasses.replace(self, text=text, sections=sections, text_hash="")

    def span(self, start: int, end: int) -> "Span":
        """The span of characters ``start`` to ``end`` of this version of the text."""
        return Span(doc_id=self.id, text_hash=self.text_hash, start=start, end=end)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Span:
    """Characters ``start`` to ``end`` of exactly one version of a document's text."""

    doc_id: str
    """The document."""
    text_hash: str
    """Which version of its text."""
    start: int
    """First character."""
    end: int
    """One past the last character."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredSpan:
    """A stretch of a marked text with a score."""

    start: int
    """First character."""
    end: int
    """One past the last character."""
    score: float
    """What the tagger thought, in its own unit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """What a filter, a tagger or an unknown column said about a document, beside it."""

    doc_id: str
    """The document."""
    name: str
    """``maker/what``, for instance ``"column/comments"`` or ``"clean/lang_confidence"``."""
    value: str = ""
    """The value as JSON; empty when the mark is its spans."""
    spans: tuple[ScoredSpan, ...] = ()
    """Scored spans of the document's text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drop:
    """A record that a step left out, and why. Nothing is dropped without one."""

    doc_id: str
    """The document, or ``file:NAME`` when a file could not be read at all."""
    reason: str
    """A short code that is counted, for instance ``"too_short"``."""
    detail: str = ""
    """The measured value and the limit, or the error's words."""
    excerpt: str = ""
    """The first characters of what was dropped, for a person to judge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Two texts found to be alike, and what was concluded: the evidence of deduplication."""

    a: str
    """The smaller of the two ids."""
    b: str
    """The larger of the two ids."""
    jaccard: float
    """Similarity of their shingles, computed, not estimated."""
    kind: str
    """``"exact"`` when their comparison texts are equal, else ``"near"``."""
    kept: str = ""
    """Id of the one that stays because of this pair; empty when both are kept apart."""
    apart: str = ""
    """Why they are different works all the same; empty when they are one."""
    cluster: str = ""
    """Id of the first member of their cluster of copies; empty when kept apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """A passage that gives away an exam question."""

    item_id: str
    """The question."""
    span: Span
    """The characters of the document that repeat it."""
    method: str
    """The rule that found it: ``"ngram"``, ``"overlap"`` or ``"short"``."""
    score: float
    """The share of the question's weighted n-grams that the passage repeats, 0 to 1."""
    passage: str
    """Those characters, for a person to judge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """What is indexed: a stretch of a document. Its text is read through its span."""

    id: str
    """``DOC_ID#START-END@HASH8``: stable as long as the text version is."""
    span: Span
    """The characters it covers."""
    heading: tuple[str, ...] = ()
    """Titles of the sections it lies in, outermost first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One question of an exam."""

    id: str
    """Unique within the exam."""
    prompt: str
    """The question."""
    choices: tuple[str, ...] = ()
    """Its options in order; empty for an open question."""
    targets: tuple[int, ...] = ()
    """Indices of the right options; several for multi-answer questions."""
    reference: str = ""
    """The reference answer of an open question."""
    lang: str = "en"
    """ISO 639-1 code."""
    subject: str = ""
    """The subfield, when the exam states one."""
    origin: str = ""
    """Exam and licence, or the id of the document it was made from."""
    evidence: str = ""
    """The sentence it rests on, when known."""
    split: str = ""
    """The part of the exam it stands in (``dev``, ``test``), empty when it states none; ``dev`` is never scored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRef:
    """A model's pedigree."""

    name: str
    """Hub name, package name or a name of ``gnomon.toml``."""
    revision: str = ""
    """Hub revision, or the hash of its weights."""
    kind: str = "embedder"
    """``embedder``, ``base``, ``instruct``, ``adapter``…"""
    licence: str = ""
    """SPDX name where there is one."""
    parents: tuple[str, ...] = ()
    """Names of the models it was made from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expert:
    """The pointer that ``search``, ``ask`` and ``trace`` open: which artifacts serve a name."""

    name: str
    """The expert's name, given by ``--name`` or the recipe."""
    recipe: str
    """The recipe that made it, with its arguments, so that it can be made again."""
    arguments: str
    """The recipe's arguments as JSON."""
    parts: tuple[tuple[str, str], ...]
    """(role, address) pairs, such as ``("index", "knowledge/index/1f…")``, sorted by role."""
    made: str
    """ISO time at which it was last written."""
