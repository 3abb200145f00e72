"""Kept apart: texts that look like copies and are not.

Paper I and Paper II of a series share half their words, yearly reports share nearly all, and two
arXiv records may hold the same abstract by mistake. What a text cannot tell, the bibliography can:
numbers in the titles, registered identifiers, and the titles themselves. A shared title alone is
never evidence that two documents are one.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from gnomon.core.records import Document
from gnomon.core.text import terms

SHORT_UNITS = 50
"""Texts below this many units say too little alone: their titles have to agree."""
TITLE_OVERLAP = 0.5
"""Share of title words (Jaccard) below which two titles name different works."""

_VERSION = re.compile(r"v\d+$")
_MARKUP = re.compile(r"\\[A-Za-z]+|[$^_{}~\\]")
_NUMBER = re.compile(r"\d+")
_AFTER_WORD = re.compile(r"\b(?:paper|part|vol\.?|volume|no\.?|report)\s+([ivxl]+|one|two|three|four|five)\b", re.I)
_ROMAN = re.compile(r"\b([IVXL]+)(?=\s*(?:[.:;,–—-]|$))")
_JAPANESE = re.compile(
    r"第?\s*([一二三四五六七八九十]+)\s*(?:報|部|編|巻|章)|(前編|後編|上巻|下巻|中巻)|(?:その)([一二三四五])"
)
_KIND = re.compile(
    r"\b(erratum|corrigendum|addendum|reply|comment|response|correction|retraction)\b|(訂正|正誤|追補)", re.I
)
_WORDS = {"one": "I", "two": "II", "three": "III", "four": "IV", "five": "V"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known about a text besides its words."""

    id: str
    """Its id."""
    title: str = ""
    """Its title, empty when it has none."""
    arxiv: str = ""
    """arXiv identifier without version."""
    doi: str = ""
    """DOI of the work; DOIs that arXiv gives to its own records are left out."""
    date: str = ""
    """ISO date or year, empty when unknown."""
    length: int = 0
    """Characters of its text."""


def facts_of(document: Document) -> Facts:
    """The facts of a document."""
    biblio = document.biblio
    arxiv = biblio.arxiv or (document.id.removeprefix("arxiv:") if document.id.startswith("arxiv:") else "")
    doi = biblio.doi.strip().casefold().removeprefix("https://doi.org/")
    return Facts(
        id=document.id, title=document.title, arxiv=_VERSION.sub("", arxiv),
        doi="" if doi.startswith("10.48550/") else doi,
        date=biblio.date or str(biblio.year or ""), length=len(document.text),
    )  # fmt: skip


def why_apart(a: Facts, b: Facts, *, same_text: bool, units: int) -> str:
    """Why two like texts are different works, or ``""`` when nothing speaks for it.

    Args:
        a: One of them.
        b: The other.
        same_text: Whether their comparison texts are equal, not only alike.
        units: Units of the shorter text.

    Returns:
        ``"series"`` (their titles are numbered differently, or one is an erratum or reply),
        ``"identifiers"`` (both have an arXiv id, or both a DOI, and these differ; equal texts
        under equal titles are one all the same), ``"titles"`` (both have one, and these differ).
    """
    titled = bool(a.title and b.title)
    same_title = titled and terms(plain_title(a.title)) == terms(plain_title(b.title))
    if titled and not same_title and series_signs(a.title) != series_signs(b.title):
        return "series"
    conflict = _differ(a.doi, b.doi) or (_differ(a.arxiv, b.arxiv) and not (a.doi and a.doi == b.doi))
    if conflict and not (same_text and same_title):
        return "identifiers"
    long_copy = same_text and units >= SHORT_UNITS
    if titled and not same_title and not long_copy and title_overlap(a.title, b.title) < TITLE_OVERLAP:
        return "titles"
    return "titles" if titled and not same_title and units < SHORT_UNITS else ""


def _differ(a: str, b: str) -> bool:
    return bool(a and b and a != b)


def plain_title(title: str) -> str:
    """A title without markup, case kept."""
    return _MARKUP.sub("", unicodedata.normalize("NFKC", title))


def title_overlap(a: str, b: str) -> float:
    """Jaccard similarity of two titles' terms."""
    first, second = set(terms(plain_title(a))), set(terms(plain_title(b)))
    return len(first & second) / len(first | second) if first | second else 1.0


def series_signs(title: str) -> Counter[str]:
    """Everything in a title that numbers it within a series or says what kind of note it is."""
    plain = plain_title(title)
    signs = [str(int(number)) for number in _NUMBER.findall(plain)]
    signs += [_WORDS.get(word.lower(), word.upper()) for word in _AFTER_WORD.findall(plain)]
    signs += _ROMAN.findall(_AFTER_WORD.sub(" ", plain))
    for match in [*_JAPANESE.finditer(plain), *_KIND.finditer(plain)]:
        signs.append(next(group for group in match.groups() if group).lower())
    return Counter(signs)
