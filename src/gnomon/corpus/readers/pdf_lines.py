"""Lines of a PDF page: characters with their places, put together again as lines in reading order.

PDFium gives characters in the order in which the file draws them, which for nearly all papers is the
order of reading, columns included. A *fragment* is a run of them on one baseline; fragments that
belong to one line (a superscript, a table's cells) are joined; where a page was drawn row by row across
two columns, its fragments are sorted into columns.
"""

import ctypes
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

SOFT_HYPHEN = "\ufffe"
"""What PDFium gives for a hyphen at the end of a line."""
_BREAKS = frozenset("\r\n\0")
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "\x02": SOFT_HYPHEN, "\u00ad": SOFT_HYPHEN}
)
_ACCENTS = {
    "¨": "\u0308",
    "´": "\u0301",
    "˝": "\u030b",
    "ˇ": "\u030c",
    "˜": "\u0303",
    "ˆ": "\u0302",
    "˘": "\u0306",
    "˚": "\u030a",
}
_ACCENT = re.compile(f"([{''.join(_ACCENTS)}]) ?([A-Za-zı])")
"""Old TeX fonts print an accent as a character of its own, before its letter."""
UPRIGHT = 0.05
"""Radians up to which a character counts as upright."""
MIN_LINE_NUMBERS = 8
"""So many figures under each other are line numbers, and not a table."""
GAP = 1.3
"""A gap of this many font sizes starts a new fragment."""


@dataclass(slots=True)
class Line:
    """A fragment or a line; coordinates in points, y upwards."""

    text: str
    """Its characters."""
    left: float
    """Left edge."""
    right: float
    """Right edge."""
    bottom: float
    """Bottom of its line box."""
    top: float
    """Top of its line box."""
    size: float
    """Font size of its first character."""
    bold: bool
    """Whether its first character is bold."""
    page: int = 0
    """Page, from 1."""

    @property
    def height(self) -> float:
        """Height of the line box."""
        return self.top - self.bottom


def page_lines(page: Any, number: int) -> tuple[list[Line], str]:
    """The lines of one page in reading order, and what is printed on it at an angle (arXiv's stamp)."""
    textpage = page.get_textpage()
    try:
        fragments, slanted = _fragments(textpage)
    finally:
        textpage.close()
    width = page.get_width()
    fragments = _without_margins(fragments)
    gutter = _gutter(fragments, width)
    if gutter and _drawn_across(fragments, gutter):
        fragments = _by_columns(fragments, gutter)
    lines = _joined(fragments, gutter)
    for line in lines:
        line.page, line.text = number, _ACCENT.sub(_composed, line.text)
    return [line for line in lines if line.text.strip()], slanted


def _composed(match: re.Match[str]) -> str:
    letter = match[2].replace("ı", "i")
    return unicodedata.normalize("NFC", letter + _ACCENTS[match[1]])


def _fragments(textpage: Any) -> tuple[list[Line], str]:
    import pypdfium2.raw as raw

    box = raw.FS_RECTF()
    found: list[Line] = []
    current: Line | None = None
    space = False
    slanted: list[str] = []
    for index in range(textpage.count_chars()):
        code = raw.FPDFText_GetUnicode(textpage, index)
        char = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\0"
        if char in _BREAKS or char.isspace():
            space = space or char.isspace()
            slanted.append(" " if slanted else "")
            continue
        if abs(raw.FPDFText_GetCharAngle(textpage, index)) > UPRIGHT:
            slanted.append(char)
            continue
        raw.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(box))
        if current is None or not _continues(current, box):
            size = raw.FPDFText_GetFontSize(textpage, index) or 1.0
            bold = _is_bold(textpage, index, raw)
            height = box.top - box.bottom
            current = Line("", box.left, box.right, box.bottom, box.top, height or size, bold)
            found.append(current)
            space = False
        elif space or box.left - current.right > 0.22 * current.height:
            current.text += " "
            space = False
        current.text += char.translate(_LIGATURES)
        current.right = max(current.right, box.right)
    return found, " ".join("".join(slanted).split())


def _is_bold(textpage: Any, index: int, raw: Any) -> bool:
    if raw.FPDFText_GetFontWeight(textpage, index) >= 600:
        return True
    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    raw.FPDFText_GetFontInfo(textpage, index, name, 128, ctypes.byref(flags))
    return any(sign in name.value for sign in (b"Bold", b"bold", b"CMBX", b"Heavy", b"Black", b"BX1", b"bx1"))


def _continues(line: Line, box: Any) -> bool:
    """Whether a character stands on the baseline of a fragment and close behind it."""
    height = box.top - box.bottom
    same = abs(box.bottom - line.bottom) < 0.25 * max(line.height, 1) and abs(height - line.height) < 0.3 * line.height
    gap = box.left - line.right
    return bool(same and -1.2 * line.height < gap < GAP * line.height)


def _without_margins(fragments: list[Line]) -> list[Line]:
    """The fragments without line numbers: figures that stand under each other and count upwards."""
    columns: defaultdict[int, list[Line]] = defaultdict(list)
    for fragment in fragments:
        if fragment.text.strip().isdecimal() and len(fragment.text.strip()) <= 4:
            columns[round(fragment.right / 4)].append(fragment)
    gone: set[int] = set()
    for numbers in columns.values():
        values = [int(f.text) for f in sorted(numbers, key=lambda f: -f.top)]
        rising = sum(b == a + 1 for a, b in pairwise(values))
        if len(numbers) >= MIN_LINE_NUMBERS and rising >= 0.5 * len(values):
            gone.update(id(f) for f in numbers)
    return [f for f in fragments if id(f) not in gone]


def _gutter(fragments: list[Line], width: float) -> float:
    """The x of the gap between two columns, 0 when the page has one column."""
    wide = [f for f in fragments if len(f.text) > 12]
    if len(wide) < 10:
        return 0.0
    best, crossing = 0.0, len(wide)
    for step in range(44, 57):
        x = width * step / 100
        count = sum(f.left < x < f.right for f in wide)
        sides = min(sum(f.right <= x for f in wide), sum(f.left >= x for f in wide))
        if sides >= 0.2 * len(wide) and count < crossing:
            best, crossing = x, count
    return best if best and crossing <= 0.35 * len(wide) else 0.0


def _drawn_across(fragments: list[Line], gutter: float) -> bool:
    """Whether the page was drawn row by row, so that neighbours in the file lie in different columns."""
    sides = [f.left >= gutter for f in fragments if len(f.text) > 12 and (f.right <= gutter or f.left >= gutter)]
    return sum(a != b for a, b in pairwise(sides)) > 0.3 * len(sides)


def _by_columns(fragments: list[Line], gutter: float) -> list[Line]:
    """Fragments in bands between those that cross the gutter; each band left column first."""
    ordered = sorted(fragments, key=lambda f: (-f.top, f.left))
    result: list[Line] = []
    band: list[Line] = []
    for fragment in [*ordered, None]:
        if fragment is not None and not (fragment.left < gutter < fragment.right):
            band.append(fragment)
            continue
        result += [f for f in band if f.left < gutter] + [f for f in band if f.left >= gutter]
        band = []
        if fragment is not None:
            result.append(fragment)
    return result


def _joined(fragments: Iterable[Line], gutter: float) -> list[Line]:
    """Fragments that share a line, as one line each."""
    lines: list[Line] = []
    for fragment in fragments:
        last = lines[-1] if lines else None
        if last is None or not _same_line(last, fragment, gutter):
            lines.append(fragment)
            continue
        close = fragment.left - last.right < 0.22 * max(last.size, fragment.size)
        if len(fragment.text) > len(last.text):
            last.bottom, last.top, last.size = fragment.bottom, fragment.top, fragment.size
        last.bold = last.bold and fragment.bold
        last.text += fragment.text if close else f" {fragment.text}"
        last.right = max(last.right, fragment.right)
    return lines


def _same_line(line: Line, fragment: Line, gutter: float) -> bool:
    overlap = min(line.top, fragment.top) - max(line.bottom, fragment.bottom)
    if overlap < 0.4 * min(line.height, fragment.height) or fragment.left < line.right - 0.5 * line.height:
        return False
    return not (gutter and line.right <= gutter <= fragment.left)


def body_size(lines: Iterable[Line]) -> float:
    """The line height in which most characters are set."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0
