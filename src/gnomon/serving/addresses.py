"""Addresses: where on this server a document, a span of it, or an id's lineage is shown."""

from urllib.parse import quote, urlencode

_READABLE = ":/"
"""Characters of ids that need no escaping in a path."""


def paper(doc_id: str, span: tuple[int, int] | None = None) -> str:
    """The page of a document, at a span of its text when one is given."""
    path = f"/paper/{quote(doc_id, safe=_READABLE)}"
    return path if span is None else f"{path}?{urlencode({'start': span[0], 'end': span[1]})}#span"


def lineage(name: str) -> str:
    """The page on which anything with an id is led back to its source."""
    return f"/lineage/{quote(name, safe=_READABLE)}"
