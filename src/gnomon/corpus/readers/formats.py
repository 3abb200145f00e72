"""Formats: which reader a file gets, by its ending and by what it holds.

The ending decides where there is one we know; a file without one is judged by its first bytes.
*Order* says which files are read first: where two files hold the same work, the first wins, so the
clean full text comes before the PDF, and both before bare bibliography.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

from gnomon.core.protocols import resolve
from gnomon.corpus.readers.draft import Draft, Fault, Unreadable
from gnomon.corpus.readers.feed import PACKED, Feed

Reader = Callable[[Feed], Iterator[Draft | Fault]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """One readable format."""

    name: str
    """As counted in the metrics."""
    entry: str
    """``module:function`` of its reader."""
    endings: tuple[str, ...]
    """Endings of file names, lower case."""
    order: int
    """Files of a lower order are read first."""
    many: bool
    """Whether a file holds many records."""
    slow: bool = False
    """Whether reading is slow or risky, so that it is done in another process and cached."""
    binary: bool = False
    """Whether NUL bytes are normal in it."""

    def reader(self) -> Reader:
        """Its reader, imported now."""
        return cast(Reader, resolve(self.entry))


READER_ERRORS = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What a parser meets in a file nobody foresaw: it costs that file, and is named."""
_HERE = "gnomon.corpus.readers"
FORMATS = (
    Format(
        name="latex", entry=f"{_HERE}.latex:read", endings=(".tex", ".ltx", ".latex"), order=0, many=False, slow=True
    ),
    Format(name="pdf", entry=f"{_HERE}.pdf:read", endings=(".pdf",), order=1, many=False, slow=True, binary=True),
    Format(name="markdown", entry=f"{_HERE}.markdown:read", endings=(".md", ".markdown", ".mkd"), order=2, many=False),
    Format(name="text", entry=f"{_HERE}.plain:read", endings=(".txt", ".text"), order=2, many=False),
    Format(name="jsonl", entry=f"{_HERE}.jsonl:read", endings=(".jsonl", ".ndjson"), order=3, many=True),
    Format(name="json", entry=f"{_HERE}.jsonl:read_json", endings=(".json",), order=3, many=True),
    Format(name="parquet", entry=f"{_HERE}.parquet:read", endings=(".parquet",), order=3, many=True, binary=True),
    Format(name="csv", entry=f"{_HERE}.table:read", endings=(".csv", ".tsv"), order=3, many=True),
    Format(name="oai-pmh", entry=f"{_HERE}.oai_page:read", endings=(".oai.xml",), order=3, many=True),
    Format(name="bibtex", entry=f"{_HERE}.bibtex:read", endings=(".bib", ".bibtex"), order=4, many=True),
    Format(name="ris", entry=f"{_HERE}.ris:read", endings=(".ris",), order=4, many=True),
)
BY_NAME = {f.name: f for f in FORMATS}
ENDINGS = tuple((ending, f) for f in FORMATS for ending in f.endings)

_SIGNS = (
    ("pdf", re.compile(rb"%PDF-")),
    ("parquet", re.compile(rb"PAR1")),
    ("latex", re.compile(rb"(?:[ \t]*%[^\n]*\n|\s)*\\document(?:class|style)\b")),
    ("bibtex", re.compile(rb"(?:[ \t]*%[^\n]*\n|\s)*@[A-Za-z]{3,20}\s*\{")),
    ("ris", re.compile(rb"(?:\xef\xbb\xbf)?\s*TY  - ")),
    ("jsonl", re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*\"")),
    ("oai-pmh", re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<OAI-PMH\b")),
)


def guarded(form: Format, feed: Feed) -> Iterator[Draft | Fault]:
    """What a reader finds; where it can read no further, a fault says so and the records before it stay."""
    empty = True
    try:
        for item in form.reader()(feed):
            empty = False
            yield item
    except Unreadable as error:
        yield Fault(reason=error.reason, detail=error.detail, whole=True)
        return
    except OSError as error:
        yield Fault(reason="unreadable", detail=error.strerror or type(error).__name__, whole=True)
        return
    except READER_ERRORS as error:
        yield Fault(reason="reader_failed", detail=f"{type(error).__name__}: {error}"[:300], whole=True)
        return
    if empty:
        yield Fault(reason="no_records", detail=f"no record in {feed.size} bytes", whole=True)


def detect(feed: Feed) -> Format | Fault:
    """The format of a file, or why it has none."""
    if feed.size == 0:
        return _fault("empty_file", "0 bytes")
    try:
        head = feed.head()
    except Unreadable as error:
        return _fault(error.reason, error.detail)
    except OSError as error:
        return _fault("unreadable", error.strerror or type(error).__name__)
    named = next((f for ending, f in ENDINGS if feed.plain_name.lower().endswith(ending)), None)
    if not head:
        return _fault("empty_file", f"unpacks to 0 bytes from {feed.size}")
    if named and named.name == "parquet" and feed.packing:
        return _fault("unknown_format", "a packed Parquet file; unpack it first")
    return _judged(named, head, feed)


def _judged(named: Format | None, head: bytes, feed: Feed) -> Format | Fault:
    sign = next((BY_NAME[name] for name, pattern in _SIGNS if pattern.match(head)), None)
    if named is None:
        return sign or _unknown(feed, head)
    if named.name == "pdf" and b"%PDF-" not in head[:1024]:
        return _fault("broken_pdf", "does not begin with %PDF-")
    if not named.binary and (sign is not None and sign.binary):
        return sign
    if not named.binary and b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _fault("binary", "holds NUL bytes")
    return named


def _unknown(feed: Feed, head: bytes) -> Fault:
    base = feed.plain_name.rpartition("/")[2]
    ending = f"ending {base[base.rindex('.') :]!r}" if "." in base[1:] else "no ending"
    if b"\0" in head:
        return _fault("unknown_format", f"{ending}, binary")
    return _fault("unknown_format", f"{ending}; if it is text to be read, name it .txt or .md")


def _fault(reason: str, detail: str) -> Fault:
    return Fault(reason=reason, detail=detail, whole=True)


def stem(name: str) -> str:
    """A file's name without folders, packing and known ending."""
    base = name.rpartition("/")[2]
    for packing in PACKED:
        base = base.removesuffix(packing)
    ending = next((e for e, _ in ENDINGS if base.lower().endswith(e)), "")
    return base[: len(base) - len(ending)]
