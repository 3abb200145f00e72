"""Text of a PDF: lines become paragraphs and sections.

Each rule here answers one ugliness of printed pages: hyphens at line ends, footnotes in the middle of
a sentence, paragraphs cut by columns, headings that look like any other line.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from gnomon.core.records import Section
from gnomon.core.text import unspaced_share
from gnomon.corpus.readers.pdf_lines import SOFT_HYPHEN, Line

KNOWN = re.compile(
    r"(?:abstract|summary|introduction|background|observations?|data|methods?|methodology|analysis|results|discussion"
    r"|conclusions?|summary and (?:conclusions?|discussion)|discussion and conclusions?|acknowledge?ments?|references"
    r"|bibliography|literature cited|appendix(?: [A-Z])?|appendices|data availability|software|facilities"
    r"|author contributions?|概要|要旨|要約|はじめに|序論|方法|結果|考察|議論|結論|まとめ|謝辞"
    r"|参考文献|引用文献|文献)[:.]?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"((?:\d{1,2}|[A-H])(?:\.\d{1,2}){0,3})\.?\s+([A-Z\u3040-\u9fff].*)")
_SENTENCE_END = re.compile(r"[.!?。！？:]['\"”’)\]]*$")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
SMALL = 0.88


@dataclass(slots=True)
class Heading:
    """A heading among the lines."""

    title: str
    """Its words, without the number."""
    level: int
    """1 for a section."""
    runs_on: bool = False
    """Whether the paragraph goes on in the same line."""


@dataclass(slots=True)
class Page:
    """The text under construction."""

    vocabulary: Counter[str]
    """Words and hyphenated words seen inside lines."""
    pieces: list[str] = field(default_factory=list)
    """Paragraphs and the breaks between them."""
    length: int = 0
    """Characters so far."""
    pages: list[list[int]] = field(default_factory=list)
    """``[start, end, page]`` of every stretch from one page."""
    heads: list[tuple[int, Heading]] = field(default_factory=list)
    """Where each heading starts."""
    last: int = 0
    """Characters of the last paragraph."""

    def add(self, lines: list[Line]) -> None:
        """Add a paragraph."""
        if self.length:
            self._put("\n\n", lines[0].page)
        text, before = "", self.length
        for number, line in enumerate(lines):
            piece = line.text.strip()
            if number:
                text, piece = joined(text, piece, self.vocabulary)
                self._replace(text)
            self._put(piece, line.page)
            text = piece
        self._replace(text.replace(SOFT_HYPHEN, "-"))
        self.last = self.length - before

    def _put(self, text: str, page: int) -> None:
        if self.pages and self.pages[-1][2] == page:
            self.pages[-1][1] = self.length + len(text)
        else:
            self.pages.append([self.length, self.length + len(text), page])
        self.pieces.append(text)
        self.length += len(text)

    def _replace(self, text: str) -> None:
        """Change the last piece."""
        self.length += len(text) - len(self.pieces[-1])
        self.pieces[-1] = text
        self.pages[-1][1] = self.length

    @property
    def text(self) -> str:
        """The text."""
        return "".join(self.pieces)

    def sections(self) -> tuple[Section, ...]:
        """The sections."""
        heads = list(self.heads)
        if not heads:
            return ()
        if heads[0][0] > 0:
            heads.insert(0, (0, Heading("", 0)))
        ends = [*(start for start, _ in heads[1:]), self.length]
        return tuple(
            Section(title=head.title, level=head.level, start=start, end=end)
            for (start, head), end in zip(heads, ends, strict=True)
        )


def joined(left: str, right: str, vocabulary: Counter[str]) -> tuple[str, str]:
    """Two lines made to follow each other: a space between words, none in Japanese, hyphens undone."""
    if left.endswith((SOFT_HYPHEN, "-", "‐")) and len(left) > 1 and not left[-2].isspace():
        first, second = re.search(r"[^\W_]*$", left[:-1]), re.match(r"[^\W\d_]*", right)
        head, tail = first[0] if first else "", second[0] if second else ""
        if not tail or not tail[0].islower() or not head or head.isdigit():
            return left[:-1] + "-", right
        whole, split = vocabulary[(head + tail).lower()], vocabulary[f"{head}-{tail}".lower()]
        keeps = split > whole or (len(head) == 1 and not whole)
        return left[:-1] + ("-" if keeps else ""), right
    tight = left.endswith("/") or unspaced_share(left[-1:] + right[:1]) == 1.0
    return left, right if tight else f" {right}"


def vocabulary_of(lines: list[Line]) -> Counter[str]:
    """Words and hyphenated words inside lines, not at their ends."""
    found: Counter[str] = Counter()
    for line in lines:
        words = [m[0].lower() for m in _WORD.finditer(line.text)]
        found.update(words[:-1] if line.text.rstrip().endswith((SOFT_HYPHEN, "-")) else words)
    return found


class Numbering:
    """Which section numbers may come next; keeps figures in the text from passing for headings."""

    def __init__(self) -> None:
        self._last: list[int] = [0]
        self._lettered = False

    def accepts(self, number: str) -> bool:
        """Whether this number follows the last one, and if so takes it for the last."""
        first, *rest = number.split(".")
        lettered = first.isalpha()
        parts = [ord(first) - ord("A") + 1 if lettered else int(first), *map(int, rest)]
        last = self._last if lettered == self._lettered else [0]
        if lettered and not self._lettered and self._last == [0]:
            return False
        depth = len(parts)
        known = [*last, 0, 0, 0, 0][: depth - 1]
        step = parts[-1] - (last[depth - 1] if len(last) >= depth else 0)
        if parts[:-1] != known or not 1 <= step <= 2:
            return False
        self._last, self._lettered = parts, lettered
        return True


def heading_of(line: Line, above: Line | None, body: float, numbering: Numbering) -> Heading | None:
    """The heading a line is, or None."""
    text = line.text.strip().replace(SOFT_HYPHEN, "-")
    if len(text) > 100 or text.count("....") or sum(c.isalpha() for c in text) < 0.5 * len(text):
        return None
    styled = line.bold or line.size > 1.08 * body or text.isupper()
    alone = above is None or above.page != line.page or not 0 < above.bottom - line.bottom < 1.45 * body
    match = _NUMBERED.fullmatch(text)
    if match and (styled or alone) and not text.endswith((",", ";")):
        title, stop, _ = match[2].partition(". ")
        runs_on = (bool(stop) and not match[2].endswith(".")) or match[2].endswith((".", ":"))
        if numbering.accepts(match[1]):
            return Heading(title.rstrip(".:"), match[1].count(".") + 1, runs_on)
    if KNOWN.fullmatch(text) and styled and text[0].isupper():
        return Heading(text.rstrip(":."), 1)
    return None


def _goes_on(heading: list[Line], line: Line) -> bool:
    """Whether a line is the second line of a heading."""
    last = heading[-1]
    if len(heading) > 2 or line.page != last.page or not 0 < last.bottom - line.bottom < 1.7 * last.size:
        return False
    if abs(line.size - last.size) > 0.13 * last.size or line.bold != last.bold or len(last.text.strip()) < 22:
        return False
    if _NUMBERED.fullmatch(line.text.strip()) or KNOWN.fullmatch(last.text.strip()):
        return False
    centred = abs((line.left + line.right) - (last.left + last.right)) < 30 and line.left > heading[0].left + 2
    return last.bold or (last.text.isupper() and line.text.isupper()) or centred


class Layout:
    """Lines as text with sections; small type waits until the sentence it interrupts has ended."""

    def __init__(self, lines: list[Line], body: float) -> None:
        self.page = Page(vocabulary_of(lines))
        self._body = body
        self._numbering = Numbering()
        self._paragraph: list[Line] = []
        self._waiting: list[list[Line]] = []
        self._heading: Heading | None = None
        self._open_heading = False
        above: Line | None = None
        for line in lines:
            self._take(line, above)
            above = line
        self._close()

    def _close(self) -> None:
        heading, self._heading = self._heading, None
        for part in [self._paragraph, *self._waiting]:
            if not part:
                continue
            self.page.add(part)
            if heading:
                start = self.page.length - self.page.last
                if not heading.runs_on and len(part) > 1:
                    heading.title = _NUMBERED.sub(r"\2", self.page.text[start:].strip())
                self.page.heads.append((start, heading))
                heading = None
        self._paragraph, self._waiting, self._open_heading = [], [], False

    def _take(self, line: Line, above: Line | None) -> None:
        heading = heading_of(line, above, self._body, self._numbering)
        if heading:
            self._close()
            self._heading, self._paragraph = heading, [line]
            self._open_heading = not heading.runs_on
            return
        if self._open_heading and not _goes_on(self._paragraph, line):
            self._close()
        small = line.size < SMALL * self._body
        if self._open_heading:
            self._paragraph.append(line)
        elif small and self._paragraph and not _SENTENCE_END.search(self._paragraph[-1].text.strip()):
            self._wait(line)
        elif self._fits(line, small=small):
            self._paragraph.append(line)
        else:
            self._close()
            self._paragraph = [line]

    def _wait(self, line: Line) -> None:
        if self._waiting and not _new_paragraph(self._waiting[-1][-1], line):
            self._waiting[-1].append(line)
        else:
            self._waiting.append([line])

    def _fits(self, line: Line, *, small: bool) -> bool:
        if not self._paragraph or (self._paragraph[-1].size < SMALL * self._body) != small:
            return False
        return not _new_paragraph(self._paragraph[-1], line)


def _new_paragraph(last: Line, line: Line) -> bool:
    """Whether a line begins a paragraph of its own."""
    ended = bool(_SENTENCE_END.search(last.text.strip()))
    drop = last.bottom - line.bottom
    height = max(last.size, line.size, 1.0)
    if line.page != last.page or drop < -0.5 * height or abs(line.left - last.left) > 12 * height:
        return ended
    if drop > 1.75 * height:
        return True
    indent = line.left - last.left
    if 0.6 * height < indent < 4 * height:
        return ended
    return ended and last.right < line.right - 3 * height
