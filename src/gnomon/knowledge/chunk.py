"""Chunks: what is indexed, cut where a reader would cut.

A *chunk* is a stretch of one document between sentence borders, inside one section. A text that
fits is one chunk; a longer one is cut into parts of about equal length, so that no part is a stump.
Length is counted in words; two characters of an unspaced script (Japanese) weigh as one word.
A chunk holds no text: its span does, so an index can always be checked against its documents.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gnomon.core.errors import ConfigError
from gnomon.core.hashing import HASH_PREFIX
from gnomon.core.records import Chunk, Document, Section
from gnomon.core.tables import parquet_files, read_table, write_table
from gnomon.core.text import sentences
from gnomon.runs import Counts, Output

_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile(r"\S+")
Range = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class ChunkConfig:
    """How documents are cut."""

    whole: int = 320
    """A text of at most this many words is one chunk (the longest arXiv abstracts have about 300)."""
    words: int = 200
    """Words aimed at in a chunk of a longer text; never more than ``whole``."""
    overlap: int = 0
    """Sentences repeated from the end of one chunk at the start of the next, inside a section."""
    stump: int = 40
    """A section with fewer words joins the section after it."""

    def __post_init__(self) -> None:
        if not 1 <= self.words <= self.whole or self.overlap < 0:
            raise ConfigError(
                f"ChunkConfig: words = {self.words}, whole = {self.whole}, overlap = {self.overlap} do not fit.",
                "Wanted 1 <= words <= whole and overlap >= 0.",
            )


@dataclass(frozen=True, slots=True)
class _Block:
    """A stretch that no chunk may reach over."""

    start: int
    """First character."""
    end: int
    """One past the last."""
    heading: tuple[str, ...]
    """Titles of the sections it lies in, outermost first."""


def run(config: ChunkConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Cut every document; one shard of chunks per shard of documents.

    Args:
        config: How to cut.
        inputs: ``documents``.
        out: Receives ``chunks/*.parquet``.

    Returns:
        Documents taken and kept, and the chunks made.
    """
    files = {file.stem: file for file in parquet_files(inputs["documents"] / "documents")}
    out.meter.total(len(files), "shards")
    for key in out.pending(list(files)):
        documents = 0

        def cut_all(file: Path = files[key]) -> Iterator[Chunk]:
            nonlocal documents
            for document in read_table(file, Document):
                documents += 1
                yield from chunks(document, config)

        made = write_table(out.path / "chunks" / f"{key}.parquet", Chunk, cut_all())
        out.done(key, Counts(taken=documents, kept=documents, made={"chunks": made}))
        out.meter.advance(1)
    return out.counts(list(files))


def chunks(document: Document, config: ChunkConfig) -> Iterator[Chunk]:
    """The chunks of one document, in order; one with an empty span when it has no text at all."""
    text = document.text
    if length(text) <= config.whole:
        start, end = _trim(text, 0, len(text))
        yield _chunk(document, start, end, _shared_heading(document.sections))
        return
    for block in _blocks(document, config):
        for start, end in _pack(text, block, document.lang, config):
            yield _chunk(document, start, end, block.heading)


def length(text: str) -> float:
    """Words of a text, two unspaced characters weighing as one."""
    unspaced = len(_UNSPACED.findall(text))
    return len(text.split()) + unspaced / 2 if unspaced else len(text.split())


def _chunk(document: Document, start: int, end: int, heading: tuple[str, ...]) -> Chunk:
    tag = document.text_hash.removeprefix(HASH_PREFIX)[:8]
    return Chunk(id=f"{document.id}#{start}-{end}@{tag}", span=document.span(start, end), heading=heading)


def _shared_heading(sections: Sequence[Section]) -> tuple[str, ...]:
    return (sections[0].title,) if len(sections) == 1 and sections[0].title else ()


def _blocks(document: Document, config: ChunkConfig) -> list[_Block]:
    """The sections as stretches without gaps, stumps joined to what follows them."""
    end = len(document.text)
    pieces: list[_Block] = []
    path: list[tuple[int, str]] = []
    for section in document.sections:
        path = [(level, title) for level, title in path if level < section.level]
        path.append((section.level, section.title))
        pieces.append(_Block(section.start, section.end, tuple(title for _, title in path if title)))
    borders = [0, *(p.end for p in pieces)]
    gaps = [_Block(a, b, ()) for a, b in zip(borders, [*(p.start for p in pieces), end], strict=True) if a < b]
    ordered = sorted([*pieces, *gaps], key=lambda b: (b.start, b.end))
    return _join_stumps(document.text, [b for b in ordered if document.text[b.start : b.end].strip()], config.stump)


def _join_stumps(text: str, blocks: list[_Block], stump: int) -> list[_Block]:
    joined: list[_Block] = []
    waiting: _Block | None = None
    for block in blocks:
        whole = block if waiting is None else _Block(waiting.start, block.end, _common(waiting, block))
        waiting = whole if length(text[whole.start : whole.end]) < stump else None
        if waiting is None:
            joined.append(whole)
    if waiting is not None:
        last = joined.pop() if joined else waiting
        joined.append(_Block(last.start, waiting.end, last.heading))
    return joined


def _common(one: _Block, two: _Block) -> tuple[str, ...]:
    """The heading of two joined blocks: that of the first when the second lies under it, else what they share."""
    shared = []
    for a, b in zip(one.heading, two.heading, strict=False):
        if a != b:
            break
        shared.append(a)
    return tuple(shared)


def _pack(text: str, block: _Block, lang: str, config: ChunkConfig) -> Iterator[Range]:
    """Sentences of a block, packed into parts of about equal length."""
    units = [u for s in _sentences(text, block, lang) for u in _shorten(text, s, config.words)]
    sizes = [length(text[a:b]) for a, b in units]
    total = sum(sizes)
    parts = 1 if total <= config.whole else max(1, round(total / config.words))
    first, filled, goal = 0, 0.0, total / parts
    for i, size in enumerate(sizes):
        # A part is closed where that leaves it nearer to its goal than one more sentence would.
        if i > first and filled + size / 2 > goal:
            yield units[_stepped_back(first, config.overlap, sizes, config)][0], units[i - 1][1]
            first, goal = i, goal + total / parts
        filled += size
    if units:
        yield units[_stepped_back(first, config.overlap, sizes, config)][0], units[-1][1]


def _stepped_back(first: int, overlap: int, sizes: Sequence[float], config: ChunkConfig) -> int:
    """Where a part starts when it repeats sentences, which together stay under a third of a part."""
    start = first
    while start > 0 and first - start < overlap and sum(sizes[start - 1 : first]) <= config.words / 3:
        start -= 1
    return start


def _sentences(text: str, block: _Block, lang: str) -> list[Range]:
    piece = text[block.start : block.end]
    return [(block.start + a, block.start + b) for a, b in sentences(piece, lang)]


def _shorten(text: str, sentence: Range, words: int) -> Iterator[Range]:
    """A sentence, cut between words (or characters) when it alone is longer than a chunk may be."""
    start, end = sentence
    if length(text[start:end]) <= words:
        yield sentence
        return
    cuts, filled = [start], 0.0
    for match in _WORD.finditer(text, start, end):
        for a, b in _atoms(match.start(), match.end(), 2 * words):
            size = length(text[a:b])
            if filled and filled + size > words:
                cuts.append(a)
                filled = 0.0
            filled += size
    for a, b in pairwise([*cuts, end]):
        yield _trim(text, a, b)


def _atoms(start: int, end: int, longest: int) -> Iterator[Range]:
    """A run without white space, in pieces of bounded length."""
    for at in range(start, end, longest):
        yield at, min(end, at + longest)


def _trim(text: str, start: int, end: int) -> Range:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    kept = len(piece.strip())
    return (start + left, start + left + kept) if kept else (0, 0)
