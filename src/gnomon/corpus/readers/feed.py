"""Feed: the bytes of one file, unpacked, bounded and decoded.

Readers never open a file themselves. A feed unpacks ``.gz`` and ``.zst``, stops at bombs, cuts
lines without holding more than one of them, and turns bytes into text.
"""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gnomon.core.text import unspaced_share
from gnomon.corpus.readers.draft import Fault, Limits, Unreadable

HEAD_BYTES = 1 << 16
BLOCK = 1 << 20
PACKED = (".gz", ".zst")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_JAPANESE_ENCODINGS = ("euc_jp", "cp932")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Feed:
    """One file as readers see it."""

    def __init__(self, name: str, path: str, size: int, limits: Limits) -> None:
        self.name = name
        self.path = Path(path)
        self.size = size
        self.limits = limits
        self.position = 0
        """Bytes of the file that have been used so far: for progress only."""

    @property
    def plain_name(self) -> str:
        """The name without the ending of its packing."""
        return self.name[: -len(self.packing)] if self.packing else self.name

    @property
    def packing(self) -> str:
        """``.gz``, ``.zst`` or nothing."""
        return next((p for p in PACKED if self.name.lower().endswith(p)), "")

    def open(self) -> io.BufferedReader:
        """The unpacked bytes, to be read once from the start; close it."""
        packed: Any = _Counted(self.path.open("rb", buffering=0), self)
        if not self.packing:
            return io.BufferedReader(packed, BLOCK)
        inner: Any
        if self.packing == ".gz":
            inner = gzip.GzipFile(fileobj=io.BufferedReader(packed, BLOCK))
        else:
            import zstandard

            inner = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(packed, read_across_frames=True)
        return io.BufferedReader(_Unpacked(inner, self), BLOCK)

    def head(self) -> bytes:
        """The first bytes, unpacked.

        Raises:
            Unreadable: The packing is broken.
        """
        with self.open() as file:
            return file.peek(HEAD_BYTES)[:HEAD_BYTES]

    def whole(self) -> bytes:
        """All of the unpacked bytes.

        Raises:
            Unreadable: There are more of them than ``max_file_bytes``, or the packing is broken.
        """
        limit = self.limits.max_file_bytes
        with self.open() as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise Unreadable("too_large", f"more than {limit} bytes, the limit max_file_bytes")
        return data

    def lines(self) -> Iterator[tuple[int, bytes | Fault]]:
        """Numbered lines from 1, without their ends; one that is too long is a fault.

        Raises:
            Unreadable: The packing is broken.
        """
        limit, number = self.limits.max_line_bytes, 0
        with self.open() as file:
            while line := file.readline(limit + 1):
                number += 1
                if len(line) <= limit or line.endswith(b"\n"):
                    yield number, line.rstrip(b"\r\n")
                    continue
                excerpt, size = clean_text(line[:200].decode("utf-8", "replace")), len(line)
                while not line.endswith(b"\n") and (line := file.readline(BLOCK)):
                    size += len(line)
                detail = f"line {number}: {size} bytes, limit {limit} (max_line_bytes)"
                yield number, Fault(reason="line_too_long", detail=detail, excerpt=excerpt)


class _Counted(io.RawIOBase):
    """The packed file; tells the feed how far it has been read."""

    def __init__(self, file: io.FileIO, feed: Feed) -> None:
        self._file, self._feed = file, feed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        count = self._file.readinto(buffer) or 0  # type: ignore[arg-type]
        self._feed.position += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _Unpacked(io.RawIOBase):
    """Unpacked bytes; stops at a bomb and gives broken packing a reason."""

    def __init__(self, file: Any, feed: Feed) -> None:
        self._file, self._feed, self._count = file, feed, 0
        self._limit = max(feed.limits.free_expansion_bytes, feed.limits.max_expansion * feed.size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        import zstandard

        view = memoryview(buffer)  # type: ignore[arg-type]
        try:
            data = self._file.read1(min(len(view), BLOCK))
        except EOFError as error:
            raise Unreadable("truncated", f"{self._feed.packing}: {error}") from error
        except (OSError, zlib.error, zstandard.ZstdError) as error:
            raise Unreadable("broken_packing", f"{self._feed.packing}: {error}") from error
        self._count += len(data)
        if self._count > self._limit:
            raise Unreadable("packed_bomb", f"{self._feed.size} bytes unpack to more than {self._limit}")
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def decode(data: bytes) -> tuple[str, str]:
    """Text of some bytes, and the encoding used: UTF, else a Japanese one that fits, else Western.

    Legacy Japanese encodings are tried first because their bytes are also valid Western ones; they
    are taken only when what they give is largely Japanese.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    for encoding in _JAPANESE_ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if unspaced_share(text[:20_000]) > 0.3:
            return text, encoding
    try:
        return data.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def encoding_mark(encoding: str) -> dict[str, str]:
    """The mark that says which encoding was assumed, when it was not UTF-8."""
    return {} if encoding.startswith("utf-8") else {"read/encoding": encoding}


def clean_text(text: str) -> str:
    r"""The text without what no file can hold: lone surrogates become U+FFFD, NUL goes, line ends are ``\n``."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
