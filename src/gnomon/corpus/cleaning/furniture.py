"""Furniture: the lines of a page that are not its text.

Page numbers, running heads, copyright and licence lines, arXiv stamps and what publishers print
around a paper. Only whole lines go, and the copyright notice that closes many abstracts; a line
that says more than its pattern stays.
"""

import re
from collections import Counter
from itertools import pairwise

_MONTH = "(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*"
_NUMBER = r"arxiv:(?:\d{4}\.\d{4,5}|[a-z\-]+(?:\.[a-z]{2})?/\d{7})"
_PATTERNS = {
    "page": r"[-–—]\s?\d{1,4}\s?[-–—]|page\s\d{1,4}(?:\s(?:of|/)\s?\d{1,4})?"
    r"|p\.\s?\d{1,4}|\d{1,4}\s?/\s?\d{1,4}\sページ",
    "stamp": rf"{_NUMBER}(?:v\d+)?(?:\s+\[[\w.\-]+\])?(?:\s+\d{{1,2}}\s+{_MONTH}\s+\d{{4}})?",
    "draft": r"(?:draft version|preprint typeset using|typeset using|compiled using mnras|submitted to apj|to appear in"
    r"|accepted for publication in)\b.{0,120}",
    "dates": r"(?:received|accepted)\b.{0,40}(?:\d{4}|[XY]{3}).{0,80}"
    r"(?:accepted|received|revised|in original form|published).{0,60}",
    "copyright": r"(?:©|\(c\)\s?(?:19|20)\d\d|copyright\b).{0,200}",
    "rights": r".{0,80}\b(?:all rights reserved|no reproduction without permission)\b.{0,60}"
    r"|.{0,40}(?:無断転載を禁|無断転載禁止|著作権は.{1,40}に(?:帰属|ある)).{0,40}",
    "licence": r"(?:this (?:is an open access article|article is (?:distributed|licensed)|work is licensed)"
    r"|open access\b|licen[sc]ed under|distributed under the terms|cc[- ]by).{0,300}"
    r"|.{0,40}クリエイティブ・?コモンズ.{0,120}",
    "download": r"(?:downloaded from|article number, page|doi:|mnras \d+, ?\d+|issn\b|isbn\b).{0,120}"
    r"|https?://(?:dx\.)?doi\.org/\S+",
    "publisher": r"(?:published by|printed in)\b.{0,100}",
}
FURNITURE = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _PATTERNS.values())
"""What a whole line looks like that is furniture."""
_FIRST_SIGNS = re.compile(
    r"(?i)\W|\d|p|arxiv|draft|type|comp|sub|to ap|acc|rec|copy|this|open|lic|dist|cc|down|art|doi|mnras|is[sb]n"
    r"|https|pub|.{0,80}(?:rights? res|without permission|転載|著作権|コモンズ)"
)
"""What such a line may begin with: most lines are ruled out by it at once."""
_NOTICE_START = re.compile(r"(?:^|(?<=[.!?。]))\s*(?=©|copyright\s+(?:©|\(c\)|(?:19|20)\d\d))", re.IGNORECASE)
_LONGEST_LINE, _NOTICE, _SHORT_TEXT = 400, 300, 400
_REPEATS_OF_A_HEAD, _LINES_A_PAGE, _PAGE_RUN = 4, 20, 3
_FIGURES = re.compile(r"\d+")
_BARE_NUMBER = re.compile(r"\s*[0-9]{1,4}\s*")


def without_furniture(text: str, *, pages: bool) -> str:
    """A text without its furniture.

    Args:
        text: The text; a single line is only looked at for a closing copyright notice.
        pages: Whether it was read from pages, so that running heads and numbers may stand in it.
    """
    if "\n" in text:
        lines = text.split("\n")
        out = {i for i, line in enumerate(lines) if is_furniture(line)} | (_page_lines(lines) if pages else set())
        if out:
            text = "\n".join(line for i, line in enumerate(lines) if i not in out)
    return _without_notice(text)


def is_furniture(line: str) -> bool:
    """Whether a whole line is furniture."""
    line = line.strip()
    if not 0 < len(line) <= _LONGEST_LINE or _FIRST_SIGNS.match(line) is None:
        return False
    return any(pattern.fullmatch(line) for pattern in FURNITURE)


def _without_notice(text: str) -> str:
    """A text without the copyright notice that publishers glue to the end of abstracts."""
    tail = text[-_NOTICE:]
    if len(text) < _SHORT_TEXT or not ("©" in tail or "opyright" in tail):
        return text
    starts = list(_NOTICE_START.finditer(tail))
    return text[: len(text) - len(tail) + starts[-1].start()].rstrip() if starts else text


# Pages --------------------------------------------------------------------------------------


def _page_lines(lines: list[str]) -> set[int]:
    """Running heads (one line again and again but for its digits) and a run of bare page numbers."""
    shapes = [_FIGURES.sub("#", line.strip()) for line in lines]
    counts = Counter(shape for shape in shapes if 8 <= len(shape) <= 90)
    heads = {s for s, n in counts.items() if n >= _REPEATS_OF_A_HEAD and len(lines) >= _LINES_A_PAGE * n}
    out, seen = set[int](), set[str]()
    for i, shape in enumerate(shapes):
        if shape in heads and shape in seen:
            out.add(i)
        seen.add(shape)
    return out | _page_numbers(lines)


def _page_numbers(lines: list[str]) -> set[int]:
    found = [(i, int(line.strip())) for i, line in enumerate(lines) if _BARE_NUMBER.fullmatch(line)]
    rising = all(1 <= b - a <= 2 and at_b - at_a > 5 for (at_a, a), (at_b, b) in pairwise(found))
    return {i for i, _ in found} if rising and len(found) >= _PAGE_RUN else set()
