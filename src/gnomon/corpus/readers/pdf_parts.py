"""Parts of a PDF that are no running text: page furniture, the names before the abstract, the references.

What is cut off is not lost to the document: the names stand in a mark, the references in its references.
Running heads and page numbers alone go.
"""

import re
from collections import Counter, defaultdict

from gnomon.corpus.readers.pdf_lines import SOFT_HYPHEN, Line
from gnomon.corpus.readers.pdf_text import joined, vocabulary_of

REFERENCES = re.compile(
    r"(?:\d+\.?\s+)?(?:references|bibliography|literature cited|参考文献|引用文献|文献)[:.]?", re.IGNORECASE
)
ABSTRACT = re.compile(r"(?:a\s?b\s?s\s?t\s?r\s?a\s?c\s?t|概要|要旨|要約)[:.]?", re.IGNORECASE)
_FOOTER = re.compile(r"\W*(?:\d{1,4}|[ivxl]{1,6}|page \d+(?: of \d+)?)\W*", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:\.\s?){6,}\s*\d+\s*$")
EDGE_LINES = 2


def without_furniture(pages: list[list[Line]]) -> list[list[Line]]:
    """Pages without page numbers, tables of contents and the lines that recur at their upper and lower edges."""
    seen: Counter[tuple[str, int]] = Counter()
    for lines in pages:
        seen.update({_edge_key(line) for line in _edges(lines)})
    result = []
    for lines in pages:
        gone = {id(x) for x in _edges(lines) if seen[_edge_key(x)] > 1 or _FOOTER.fullmatch(x.text.strip())}
        gone |= {id(x) for x in lines if _CONTENTS.search(x.text)}
        result.append([line for line in lines if id(line) not in gone])
    return result


def _edges(lines: list[Line]) -> list[Line]:
    by_height = sorted(lines, key=lambda line: line.bottom)
    return by_height[:EDGE_LINES] + by_height[EDGE_LINES:][-EDGE_LINES:]


def _edge_key(line: Line) -> tuple[str, int]:
    words = re.sub(r"\d+", "#", line.text.lower())
    return re.sub(r"[^\w#]+", "", words), round(line.bottom / 10)


def front_and_body(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """The lines before the abstract on the first page (the second behind a cover), and the rest."""
    cover = sum(line.page == 1 for line in lines) < 15
    for number, line in enumerate(lines):
        if line.page > 1 + cover:
            break
        if ABSTRACT.fullmatch(line.text.strip()) and number < 80:
            return lines[:number], lines[number:]
    return [], lines


def split_references(lines: list[Line]) -> tuple[list[Line], list[str]]:
    """The lines without the reference list, and its entries."""
    start = next((n for n in range(len(lines) - 1, -1, -1) if REFERENCES.fullmatch(lines[n].text.strip())), None)
    if start is None or start < len(lines) * 0.2:
        return lines, []
    end = next((n for n in range(start + 1, len(lines)) if _after_references(lines[n])), len(lines))
    entries = reference_entries(lines[start + 1 : end])
    return (lines[:start] + lines[end:], entries) if len(entries) > 2 else (lines, [])


def _after_references(line: Line) -> bool:
    text = line.text.strip()
    return bool(re.match(r"(?:appendix|appendices|付録)\b", text, re.IGNORECASE)) or (
        (line.bold or text.isupper()) and bool(re.fullmatch(r"[A-C]\.?\s+[A-Z].{3,80}", text))
    )


def reference_entries(lines: list[Line]) -> list[str]:
    """Entries of a reference list, told apart by their numbers or their hanging indents."""
    vocabulary = vocabulary_of(lines)
    numbered = [bool(re.match(r"\[\d+\]|\d{1,3}\.\s", line.text.strip())) for line in lines]
    lefts: defaultdict[tuple[int, bool], float] = defaultdict(lambda: 1e9)
    middle = (min((x.left for x in lines), default=0) + max((x.right for x in lines), default=0)) / 2
    for line in lines:
        column = (line.page, line.left >= middle)
        lefts[column] = min(lefts[column], line.left)
    entries: list[str] = []
    for number, line in enumerate(lines):
        at_left = line.left - lefts[(line.page, line.left >= middle)] < 0.5 * line.size
        starts = numbered[number] if sum(numbered) > 0.1 * len(lines) else at_left
        if starts or not entries:
            entries.append(line.text.strip())
        else:
            left, right = joined(entries[-1], line.text.strip(), vocabulary)
            entries[-1] = left + right
    return [entry.replace(SOFT_HYPHEN, "-") for entry in entries]
