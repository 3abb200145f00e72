"""People: author names as sources print them, surname first.

Names of groups and names written in Japanese or Chinese stay as printed. ``Lee Samuel Finn`` becomes
``Finn, Lee Samuel``; particles (``de``, ``van``) stay with the surname.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any

from gnomon.core.records import Author
from gnomon.core.text import unspaced_share

_PARTICLES = frozenset(
    "van von der den de del della di da dos das du la le les el ten ter te zu zur af av bin ibn al st. st".split()
)
_SUFFIXES = frozenset("jr jr. sr sr. ii iii iv".split())
_GROUP = re.compile(r"\b(collaborations?|consortium|team|group|survey|project|committee|council|society)\b", re.I)
_AND = re.compile(r"\s+and\s+|\s*&\s*|\s*;\s*", re.I)
_ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[\s-]*){1,4}")


@functools.lru_cache(maxsize=100_000)
def surname_first(name: str) -> str:
    """One name with its surname first."""
    name = " ".join(name.split())
    if "," in name or " " not in name or _GROUP.search(name):
        return name
    if not name.isascii() and unspaced_share(name) > 0.3:
        return name
    words = name.split(" ")
    suffix = words.pop() if words[-1].lower() in _SUFFIXES and len(words) > 2 else ""
    at = len(words) - 1
    while at > 1 and words[at - 1].lower() in _PARTICLES and words[at - 1][:1].islower():
        at -= 1
    return ", ".join(part for part in (" ".join(words[at:]), " ".join(words[:at]), suffix) if part)


def authors_of(value: Any) -> tuple[Author, ...]:
    """Authors from any usual shape: a list of names or of objects, or one string."""
    if isinstance(value, str):
        return tuple(Author(name=surname_first(n)) for n in split_names(value))
    if isinstance(value, Mapping):
        return authors_of([value])
    if not isinstance(value, list | tuple):
        return ()
    return tuple(author for item in value if (author := _author(item)) and author.name)


def _author(item: Any) -> Author | None:
    if isinstance(item, str):
        return Author(name=surname_first(item))
    if isinstance(item, list | tuple) and item:
        return _parsed(item)
    if not isinstance(item, Mapping):
        return None
    given = _first(item, "forenames", "given", "first", "first_name", "givenName")
    family = _first(item, "keyname", "family", "last", "last_name", "familyName", "surname")
    name = (
        f"{family}, {given}" if given and family else family or surname_first(_first(item, "name", "literal", "author"))
    )
    orcid = _ORCID.search(_first(item, "orcid", "ORCID"))
    places = item.get("affiliations") or item.get("affiliation") or []
    places = [places] if isinstance(places, str) else places
    shown = tuple(str(p.get("name", "")) if isinstance(p, Mapping) else str(p) for p in places)
    return Author(name=name, orcid=orcid[0] if orcid else "", affiliations=tuple(p for p in shown if p))


def _parsed(item: list[Any] | tuple[Any, ...]) -> Author:
    """One row of ``authors_parsed``: surname, given names, suffix, affiliations."""
    parts = [" ".join(str(p).split()) for p in item]
    name = ", ".join(p for p in parts[:3] if p)
    return Author(name=name, affiliations=tuple(p for p in parts[3:] if p))


def _first(item: Mapping[str, Any], *names: str) -> str:
    return next((str(item[n]).strip() for n in names if item.get(n)), "")


def split_names(text: str) -> list[str]:
    """The names in one string, split at ``and``, semicolons, or commas where those do not mean surname first."""
    text = " ".join(text.replace("、", ";").split())
    parts = [p.strip(" ,") for p in _AND.split(text)]
    if ";" in text or not any("," in p for p in parts):
        return [p for p in parts if p]
    if len(parts) == 1 and text.count(",") == 1 and " " not in text.partition(",")[0]:
        return [text]
    if len(parts) > 1 and all(p.count(",") == 1 for p in parts):
        return parts
    pieces = [n for p in parts for n in (q.strip() for q in p.split(",")) if n]
    if len(pieces) % 2 == 0 and all(_INITIALS.fullmatch(p) for p in pieces[1::2]):
        return [f"{a}, {b}" for a, b in zip(pieces[::2], pieces[1::2], strict=True)]
    return pieces
