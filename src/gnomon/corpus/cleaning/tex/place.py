"""Places: where in a text with LaTeX remnants the reader stands, and what it needs to go on.

Pieces of plain text are put together with *marks* between them, noncharacters that say where
letters or digits would run together; ``settled`` turns them into spaces or nothing at the end.
"""

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

TOKEN = re.compile(r"\\([A-Za-z]+)\*?|\\(.)|[${}~^_]", re.DOTALL)
"""What the reader stops at: a command, a control symbol, a sign."""
DEPTH, LONGEST = 24, 2_000
"""How deep groups may nest, and how long one may be, before they are left as they stand."""
SOFT, UNIT, GLUE, BREAK = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
"""Marks: room between letters or digits; room between a number and a unit; no room after an isotope;
room between digits."""
_ARGUMENT = re.compile(r"\s*(?:\{|\\[A-Za-z]+|\\.|[^\s\\${}])", re.DOTALL)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_MARKS = re.compile(f"[{SOFT}{UNIT}{GLUE}{BREAK}]+")
_SIMPLE = re.compile(r"[+\-−±∓]?√?(?:\d+(?:[.,]\d+)*|[^\W\d_]+\d*)%?|[^\w\s]|[+\-−]?\w+|\([^()]*\)")

Read = tuple[str, int]
"""A piece of plain text, and where reading goes on."""


class Place(NamedTuple):
    """How the reader reads where it stands."""

    math: bool
    """Whether this is mathematics."""
    depth: int
    """How many groups it is inside of."""
    before: str
    """The character before, empty at the start."""
    span: Callable[[str, int, int, bool, int], str]
    """Reads ``text[start:end]``: (text, start, end, math, depth)."""
    piece: "Callable[[str, re.Match[str], int, Place], Read]"
    """Reads one token."""

    def read(self, text: str, start: int, end: int, *, math: bool) -> str:
        """The plain form of ``text[start:end]``, one group deeper."""
        return self.span(text, start, end, math, self.depth + 1)


def settled(text: str) -> str:
    """Plain text with room where a mark says that letters or digits would run together."""
    return _MARKS.sub(_room, text)


def _room(match: re.Match[str]) -> str:
    marks, text = match.group(), match.string
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    if after > "\u3000":
        return ""  # Japanese sets its letters against formulas without a space
    if SOFT in marks and before.isalnum() and after.isalnum():
        return " "
    if UNIT in marks and GLUE not in marks and before.isdigit() and after.isalpha():
        return " "
    return " " if BREAK in marks and before.isdigit() and after.isdigit() else ""


def bare(text: str) -> str:
    """A piece without marks."""
    return _MARKS.sub("", text)


def bracketed(part: str) -> str:
    """A part of a formula, in brackets unless it is one number, word or sign."""
    return part if _SIMPLE.fullmatch(part) else f"({part})"


def closing(text: str, start: int, end: int) -> int:
    """Where the brace opened at ``start`` is closed, -1 when it is not (within a sane distance)."""
    close = _partners(text).get(start, -1)
    return close if start < close < min(end, start + LONGEST) else -1


@functools.lru_cache(maxsize=4)
def _partners(text: str) -> dict[int, int]:
    """The closing brace of every opening one that has one; found once for a text, in one pass."""
    opened, found = list[int](), dict[int, int]()
    for match in _BRACE.finditer(text):
        if match.group() == "{":
            opened.append(match.start())
        elif match.group() == "}" and opened:
            found[opened.pop()] = match.start()
    return found


def argument(text: str, start: int, end: int, place: Place) -> Read | None:
    """The plain form of a command's next argument, and where it ends; None when there is none."""
    match = _ARGUMENT.match(text, start, end)
    if match is None:
        return None
    if match.group()[-1] == "{":
        close = closing(text, match.end() - 1, end)
        return None if close < 0 else (place.read(text, match.end(), close, math=place.math).strip(), close + 1)
    token = TOKEN.match(text, match.end() - len(match.group().lstrip()), end)
    if token is None or place.depth > DEPTH:
        return match.group().strip(), match.end()
    plain, after = place.piece(text, token, end, place._replace(depth=place.depth + 1, before=" "))
    return plain.strip(), after


def two_arguments(text: str, start: int, end: int, place: Place) -> tuple[str, str, int] | None:
    """The plain forms of two arguments, and where the second ends."""
    first = argument(text, past_option(text, start, end), end, place)
    second = argument(text, first[1], end, place) if first else None
    return (first[0], second[0], second[1]) if first and second else None


def past_option(text: str, start: int, end: int) -> int:
    """Where a command's options in square brackets end."""
    while text.startswith("[", start) and (close := text.find("]", start, min(end, start + 200))) > 0:
        start = close + 1
    return start


def past_space(text: str, start: int, end: int) -> int:
    """Where blanks and tabs end."""
    while start < end and text[start] in " \t":
        start += 1
    return start
