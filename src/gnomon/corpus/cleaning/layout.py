"""Layout: lines and spaces, and the lines that are furniture of the page rather than text.

*Furniture* is page numbers, running heads, copyright and licence lines, arXiv stamps and what
publishers print around a paper. *Hard-wrapped* paragraphs, whose lines end where the paper did,
become one line each; lists, tables, verse and code keep their lines.
"""

import re
from collections import Counter
from itertools import pairwise

_INNER_SPACE = re.compile(r"(?<=\S) {2,}")
_TRAILING = re.compile(r" +(?=\n)")
_BLANK_LINES = re.compile(r"\n{3,}")
_PAIR_TAG = re.compile(r"(?is)<(i|b|em|strong|u|sc|tt|p|span|jats:[a-z\-]+)(?:\s[^<>]{0,80})?>((?:(?!<\1\b).)*?)</\1>")
_BREAK_TAG = re.compile(r"(?i)<br\s?/?>")
_RAISED_TAG = re.compile(r"(?i)<(sup|sub|jats:sup|jats:sub)>([^<>\n]{1,40})</\1>")
_UNSPACED = "\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff60"
_KEEPS_LINES = re.compile(
    r"\s*(?:[-*+•·◦▪–—]\s|#{1,6}\s|>|\||```|~~~|\(?\d{1,3}[.)]\s|\(?[a-z]\)\s|\[\d+\]|.*\|.*\|| {4}|\t)"
)
_WRAPPED_MIN, _WRAPPED_MAX, _RAGGED = 45, 130, 40

_MONTHS = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
FURNITURE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("page", r"(?:[-–—]\s?\d{1,4}\s?[-–—]|page\s\d{1,4}(?:\s(?:of|/)\s?\d{1,4})?|p\.\s?\d{1,4}|\d{1,4}\s?/\s?\d{1,4}\sページ)"),
        ("arxiv", rf"arxiv:(?:\d{{4}}\.\d{{4,5}}|[a-z\-]+(?:\.[a-z]{{2}})?/\d{{7}})(?:v\d+)?(?:\s+\[[\w.\-]+\])?(?:\s+\d{{1,2}}\s+(?:{_MONTHS})\s+\d{{4}})?"),
        ("draft", r"(?:draft version|preprint typeset using|typeset using|compiled using mnras|submitted to apj|to appear in|accepted for publication in)\b.{0,120}"),
        ("dates", r"(?:received|accepted)\b.{0,40}(?:\d{4}|[XY]{3}).{0,80}(?:accepted|received|revised|in original form|published).{0,60}"),
        ("copyright", r"(?:©|\(c\)\s?(?:19|20)\d\d|copyright\b|c\s?○).{0,200}"),
        ("rights", r".{0,80}\b(?:all rights reserved|no reproduction without permission)\b.{0,60}|.{0,40}(?:無断転載を禁|無断転載禁止|著作権は.{1,40}に(?:帰属|ある)).{0,40}"),
        ("licence", r"(?:this (?:is an open access article|article is (?:distributed|licensed)|work is licensed)|open access\b|licen[sc]ed under|distributed under the terms|cc[- ]by).{0,300}|.{0,40}クリエイティブ・?コモンズ.{0,120}"),
        ("download", r"(?:downloaded from|article number, page|doi:|https?://(?:dx\.)?doi\.org/\S+$|mnras \d+, ?\d+|issn\b|isbn\b).{0,120}"),
        ("publisher", r"(?:published by|printed in)\b.{0,100}"),
    )
)  # fmt: skip
"""What a whole line looks like that is furniture."""
_TAIL_NOTICE = re.compile(
    r"\s*(?:©|copyright\s+(?:©|\(c\)|(?:19|20)\d\d))[^\n]{0,160}?(?:(?:19|20)\d\d)?[^\n]{0,100}$", re.IGNORECASE
)
_TAIL_START = re.compile(r"(?:^|(?<=[.!?。])\s*)(?=(?:©|copyright\s+(?:©|\(c\)|(?:19|20)\d\d)))", re.IGNORECASE)
_LONGEST_LINE = 400
_REPEATS_OF_A_HEAD = 4
_PAGE_RUN = 3


def spaced(text: str) -> str:
    """A text with white space that carries nothing removed, and inline HTML markup resolved."""
    if "<" in text:
        text = _RAISED_TAG.sub(_raised, text)
        text = _BREAK_TAG.sub("\n", _PAIR_TAG.sub(_undressed, text))
    text = text.expandtabs(4) if "\t" in text else text
    if "  " in text:
        text = _INNER_SPACE.sub(" ", text)
    if "\n" in text:
        text = _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text))
    return text.rstrip(" ")


def _raised(match: re.Match[str]) -> str:
    inner = match.group(2).strip()
    if match.group(1).lower().endswith("sup"):
        return f"^{{{inner}}}"
    return f"_{{{inner}}}"


def _undressed(match: re.Match[str]) -> str:
    return f"\n\n{match.group(2)}\n\n" if match.group(1).lower() in {"p", "jats:p"} else match.group(2)


# Furniture ----------------------------------------------------------------------------------


def without_furniture(text: str, *, pages: bool) -> str:
    """A text without its furniture.

    Args:
        text: The text; a single line is only looked at for a closing copyright notice.
        pages: Whether it was read from pages, so that running heads and numbers may stand in it.
    """
    if "\n" in text:
        lines = text.split("\n")
        out = _page_lines(lines) if pages else set[int]()
        out |= {i for i, line in enumerate(lines) if _is_furniture(line.strip())}
        if out:
            text = "\n".join(line for i, line in enumerate(lines) if i not in out)
    return _without_tail(text)


def _is_furniture(line: str) -> bool:
    return 0 < len(line) <= _LONGEST_LINE and any(pattern.fullmatch(line) for _, pattern in FURNITURE)


def _without_tail(text: str) -> str:
    """A text without the copyright notice that publishers glue to the end of abstracts."""
    tail = text[-300:]
    if len(text) < 400 or not ("©" in tail or "opyright" in tail):
        return text
    starts = list(_TAIL_START.finditer(tail))
    if not starts:
        return text
    cut = max(len(text) - 300, 0) + starts[-1].start()
    return text[:cut].rstrip() if _TAIL_NOTICE.fullmatch(text[cut:]) else text


def _page_lines(lines: list[str]) -> set[int]:
    """Running heads (one line again and again but for its digits) and a run of bare page numbers."""
    shapes = Counter(_shape(line) for line in lines if 8 <= len(line.strip()) <= 90)
    heads = {shape for shape, count in shapes.items() if count >= _REPEATS_OF_A_HEAD and len(lines) >= 20 * count}
    out, seen = set[int](), set[str]()
    for i, line in enumerate(lines):
        shape = _shape(line)
        if shape in heads:
            if shape in seen:
                out.add(i)
            seen.add(shape)
    return out | _page_numbers(lines)


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())


def _page_numbers(lines: list[str]) -> set[int]:
    found = [(i, int(line.strip())) for i, line in enumerate(lines) if re.fullmatch(r"\s*[0-9]{1,4}\s*", line)]
    steps = [(b[1] - a[1]) for a, b in pairwise(found) if b[0] - a[0] > 5]
    rising = len(steps) >= _PAGE_RUN - 1 and len(steps) == len(found) - 1 and all(1 <= s <= 2 for s in steps)
    return {i for i, _ in found} if rising else set()


# Hard-wrapped lines -------------------------------------------------------------------------


def unwrapped(text: str) -> str:
    """A text whose hard-wrapped paragraphs are one line each."""
    if "\n" not in text:
        return text
    return "".join(
        part if i % 2 else _joined(part) for i, part in enumerate(re.split(r"(\n[ \t]*\n\s*|\n(?=[ \t]{2,4}\S))", text))
    )


def _joined(block: str) -> str:
    lines = block.split("\n")
    if len(lines) < 2 or any(_KEEPS_LINES.match(line) for line in lines) or not _is_wrapped(lines):
        return block
    text = lines[0]
    for line in lines[1:]:
        first = line.lstrip()
        text = text.rstrip()
        glue = "" if _no_space_between(text[-1:], first[:1]) else " "
        text += glue + first
    return text


def _is_wrapped(lines: list[str]) -> bool:
    widths = [_width(line) for line in lines[:-1]]
    full = max(widths)
    return (
        all(_WRAPPED_MIN <= w <= _WRAPPED_MAX for w in widths)
        and full - min(widths) <= _RAGGED
        and _width(lines[-1]) <= full + 15
    )


def _width(line: str) -> int:
    return len(line) + len(re.findall(f"[{_UNSPACED}]", line))


def _no_space_between(before: str, after: str) -> bool:
    if before in "-‐" and after.isalnum():
        return True
    return re.fullmatch(f"[{_UNSPACED}]{{2}}", before + after) is not None
