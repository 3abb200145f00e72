"""Mathematics in running text: LaTeX between its usual signs, shown as MathML that is made here.

The converter is no guard: it copies text and addresses of its source into its output. So its tree is written out anew,
element by element, with what MathML needs and nothing else; what it cannot read, or has not read whole, stays the
source that the author wrote.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from markupsafe import Markup

LONGEST = 1_000
"""Characters of an expression that is read."""
MOST = 400
"""Expressions of one text that are read; the rest are shown as their source."""
DEEPEST = 40
"""Elements inside each other, at most."""
PLACE = re.compile(
    r"(?<!\\)\$\$(?P<shown>.{1,1000}?)\$\$|\\\[(?P<bracket>.{1,1000}?)\\\]|\\\((?P<paren>.{1,1000}?)\\\)"
    r"|(?<![\\$])\$(?=[^\s$])(?P<dollar>(?:[^$\\\n]|\\.|\n(?!\s*\n)){1,1000}?)(?<=\S)(?<!\\)\$(?![\d$])",
    re.DOTALL,
)
"""An expression: ``$$…$$``, ``\\[…\\]``, ``\\(…\\)`` or ``$…$``; amounts of dollars are none."""
_ARITY = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
_TAGS = frozenset(
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd mstyle"
    " mpadded mphantom mmultiscripts mprescripts none".split()
)
_ATTRIBUTES = frozenset(
    "display mathvariant stretchy fence separator form lspace rspace minsize maxsize width height depth linethickness"
    " displaystyle scriptlevel columnalign rowspacing columnspacing accent accentunder largeop movablelimits".split()
)
_VALUE = re.compile(r"[A-Za-z0-9 .%+-]{1,40}")
_ALPHABETS = {"double-struck": "DOUBLE-STRUCK", "script": "SCRIPT", "fraktur": "FRAKTUR", "bold": "BOLD"}
_SIGNS = {"~": "\u223c"}
"""What the converter writes otherwise than mathematicians do."""
Range = tuple[int, int]


class _NotMathematics(Exception):
    """The converter made something that is not to be shown."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a text as a page shows it."""

    text: str
    """Its characters, those of an expression with their signs."""
    math: Markup | None
    """The expression as MathML; None for words, and for one that could not be read."""
    marked: bool
    """Whether some of it is marked."""
    start: int
    """Its first character."""


def runs(text: str, marks: Sequence[Range] = (), window: Range | None = None) -> list[Run]:
    """A text as words and mathematics, cut where marks begin and end.

    An expression is never cut: it is marked as soon as some of it is, and a window reaches to its end.

    Args:
        text: The text.
        marks: What is marked, as characters of the text, in order and apart.
        window: Which characters are shown; all when not given.
    """
    first, last = window or (0, len(text))
    made: list[Run] = []
    at = first
    for place in _places(text):
        if place.end() <= first or place.start() >= last:
            continue
        if place.start() >= first:
            made += _words(text, marks, at, place.start())
            marked = any(start < place.end() and place.start() < end for start, end in marks)
            made.append(Run(place.group(), _mathml(place), marked, place.start()))
        at = place.end()
    return made + _words(text, marks, at, last)


@lru_cache(maxsize=64)
def _places(text: str) -> tuple[re.Match[str], ...]:
    """The expressions of a text, which is read piece by piece; an expression belongs to the piece it begins in."""
    return tuple(islice(PLACE.finditer(text), MOST))


def _words(text: str, marks: Sequence[Range], first: int, last: int) -> list[Run]:
    made: list[Run] = []
    for start, end in marks:
        start, end = max(start, first), min(end, last)
        if start < end:
            made += [_plain(text, first, start), _plain(text, start, end, marked=True)]
            first = end
    return [run for run in (*made, _plain(text, first, last)) if run.text]


def _plain(text: str, start: int, end: int, *, marked: bool = False) -> Run:
    return Run(text[start:end], None, marked, start)


def _mathml(place: re.Match[str]) -> Markup | None:
    latex = next(part for part in place.groups() if part is not None)
    shown = place.group("shown") is not None or place.group("bracket") is not None
    return mathml(latex.strip(), shown=shown)


@lru_cache(maxsize=4_096)
def mathml(latex: str, *, shown: bool = False) -> Markup | None:
    """An expression as MathML; None when it cannot be read.

    Args:
        latex: The expression, without signs around it.
        shown: Whether it stands on a line of its own.
    """
    from latex2mathml.converter import convert_to_element

    if not latex or len(latex) > LONGEST:
        return None
    try:
        bare = latex[:1] in "^_"  # as in ``10$^{12}$``: what it is raised from stands outside
        made = convert_to_element("{}" + latex if bare else latex, display="block" if shown else "inline")
        made.set("alttext", latex)
        return Markup("".join(_written(made, 0)))  # every part of it was escaped where it was written
    except Exception:  # noqa: BLE001 -- it raises whatever a broken expression makes it stumble over
        return None


def _written(element: Any, depth: int) -> Iterator[str]:
    """An element of the converter's tree, written out with nothing that is not on our lists."""
    tag, children = str(element.tag), list(element)
    text = _letters(html.unescape(element.text or ""), element.get("mathvariant", ""))
    text = _SIGNS.get(text, text)
    if tag not in _TAGS or depth > DEEPEST or len(children) != _ARITY.get(tag, len(children)) or text[:1] == "\\":
        raise _NotMathematics
    told = {name: value for name, value in element.items() if name in _ATTRIBUTES and _VALUE.fullmatch(value)}
    if tag == "math":
        told["alttext"] = element.get("alttext", "")
    yield f"<{tag}" + "".join(f' {name}="{html.escape(value)}"' for name, value in told.items()) + ">"
    yield html.escape(text)
    for child in children:
        yield from _written(child, depth + 1)
    yield f"</{tag}>"


def _letters(text: str, variant: str) -> str:
    """Letters of an alphabet that browsers only know as letters of its own."""
    alphabet = _ALPHABETS.get(variant, "")
    return "".join(_letter(char, alphabet) for char in text) if alphabet else text


def _letter(char: str, alphabet: str) -> str:
    kind = "CAPITAL" if char.isupper() else "SMALL"
    for name in (f"MATHEMATICAL {alphabet} {kind} {char.upper()}", f"{alphabet} {kind} {char.upper()}"):
        with suppress(KeyError):
            return unicodedata.lookup(name)
    return char
