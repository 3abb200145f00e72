"""Layout: spaces that carry nothing, HTML around words, and lines that end where the paper did.

*Hard-wrapped* paragraphs become one line each, so that a phrase is found across the end of a
line; lists, tables, verse and code keep their lines. A text that stands there twice, as some
abstracts do, is kept once.
"""

import re

_INNER_SPACE = re.compile(r"(?<=\S) {2,}")
_TRAILING = re.compile(r" +(?=\n)")
_BLANK_LINES = re.compile(r"\n{3,}")
_PAIR_TAG = re.compile(
    r"(?is)<(i|b|em|strong|u|sc|tt|p|span|jats:[a-z\-]+)(?:\s[^<>]{0,80})?>((?:(?!<\1\b).){0,5000}?)</\1>"
)
_BREAK_TAG = re.compile(r"(?i)<br\s?/?>")
_RAISED_TAG = re.compile(r"(?i)<(sup|sub|jats:sup|jats:sub)>([^<>\n]{1,40})</\1>")
_UNSPACED = "\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff60"
_WIDE = re.compile(f"[{_UNSPACED}]")
_KEEPS_LINES = re.compile(
    r"\s*(?:[-*+•·◦▪–—]\s|#{1,6}\s|>|\||```|~~~|\(?\d{1,3}[.)]\s|\(?[a-z]\)\s|\[\d+\])|.*\|.*\|| {4}|\t"
)
_BLOCKS = re.compile(r"(\n[ \t]*\n\s*|\n(?=[ \t]{2,4}\S))")
_WRAPPED_MIN, _WRAPPED_MAX, _RAGGED, _LAST = 45, 130, 40, 15
_TWICE = 160
_ENDS = re.compile(r"[.!?。！？．」』)）]\s*$")


def spaced(text: str) -> str:
    """A text with white space that carries nothing removed, and inline HTML markup resolved."""
    if "<" in text and ">" in text:
        text = _RAISED_TAG.sub(_raised, text)
        text = _BREAK_TAG.sub("\n", _PAIR_TAG.sub(_undressed, text))
    text = text.expandtabs(4) if "\t" in text else text
    if "  " in text:
        text = _INNER_SPACE.sub(" ", text)
    if "\n" in text:
        text = _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text))
    return _once(text)


def _raised(match: re.Match[str]) -> str:
    sign = "^" if match.group(1).lower().endswith("sup") else "_"
    return f"{sign}{{{match.group(2).strip()}}}"


def _undressed(match: re.Match[str]) -> str:
    return f"\n\n{match.group(2)}\n\n" if match.group(1).lower() in {"p", "jats:p"} else match.group(2)


def _once(text: str) -> str:
    """A text that is one text twice over, once."""
    half = len(text) // 2
    if half < _TWICE or (first := text[:half].strip()) != text[half:].strip():
        return text
    return first


# Hard-wrapped lines -------------------------------------------------------------------------


def unwrapped(text: str) -> str:
    """A text whose hard-wrapped paragraphs are one line each."""
    if "\n" not in text:
        return text
    return "".join(part if i % 2 else _joined(part) for i, part in enumerate(_BLOCKS.split(text)))


def _joined(block: str) -> str:
    lines = block.split("\n")
    if len(lines) < 2 or any(map(_KEEPS_LINES.match, lines)) or not _is_wrapped(lines):
        return block
    pieces = [lines[0].rstrip()]
    for number, line in enumerate(lines[1:], 2):
        following = line.lstrip() if number == len(lines) else line.strip()
        if not _closed_up(pieces[-1][-1:], following[:1]):
            pieces.append(" ")
        pieces.append(following)
    return "".join(pieces)


def _is_wrapped(lines: list[str]) -> bool:
    widths = [len(line) + len(_WIDE.findall(line)) for line in lines]
    if 2 * sum(_ENDS.search(line) is not None for line in lines[:-1]) > len(lines) - 1:
        return False  # a sentence a line, on purpose
    longest, shortest = max(widths[:-1]), min(widths[:-1])
    return (
        shortest >= _WRAPPED_MIN
        and longest <= _WRAPPED_MAX
        and longest - shortest <= _RAGGED
        and widths[-1] <= longest + _LAST
    )


def _closed_up(before: str, after: str) -> bool:
    """Whether two lines are joined without a space: at a hyphen, and between unspaced characters."""
    if before in set("、。，．」）") or (before in {"-", "‐"} and after.isalnum()):
        return True
    return bool(_WIDE.match(before) and _WIDE.match(after))
