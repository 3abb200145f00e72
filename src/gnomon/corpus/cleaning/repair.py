"""Repair: everything that changes a text, in one order, until nothing changes any more.

A text is cut where its sections start and end; each piece is repaired on its own, so the new
offsets are exact and no repair reaches across a heading. Repairs are repeated until they find
nothing: what one uncovers (``&amp;lt;``, a command inside a command) the next round sees, and
cleaning a cleaned text changes nothing.
"""

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from gnomon.core.records import Section
from gnomon.corpus.cleaning import characters, furniture, latex, layout
from gnomon.corpus.cleaning.config import CleanConfig

_ROUNDS = 12
_MANNERS = {"pdf": "pages", "markdown": "markdown", "arxiv": "tex", "oai-pmh": "tex", "bibtex": "tex", "latex": "tex"}
_FENCED = r"^(?:```|~~~)[^\n]*\n.*?^(?:```|~~~) *$"
_CODE = {
    "": re.compile(f"({_FENCED})", re.DOTALL | re.MULTILINE),
    "markdown": re.compile(f"({_FENCED}|(?<!`)`(?!`)[^`\\n]{{1,200}}`(?!`))", re.DOTALL | re.MULTILINE),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of repair that changed a text, with the place where it first did."""

    name: str
    """The repair."""
    before: str
    """The words there before."""
    after: str
    """The words there now."""


Repair = tuple[str, Callable[[str], str]]


def manner_of(kind: str) -> str:
    """What of a kind of source matters to repairs: ``pages``, ``markdown``, ``tex``, or nothing."""
    return _MANNERS.get(kind, "")


def repairs(config: CleanConfig, manner: str = "") -> tuple[Repair, ...]:
    """The repairs that a config asks for, in order.

    Args:
        config: The settings.
        manner: What ``manner_of`` says of the source.
    """
    outside = functools.partial(_outside_code, code=_CODE.get(manner, _CODE[""]))
    pages, tex = manner == "pages", manner in {"tex", "pages"}
    asked: tuple[tuple[bool, str, Callable[[str], str]], ...] = (
        (config.encoding, "encoding", characters.mended),
        (config.characters, "characters", characters.folded),
        (True, "spacing", outside(layout.spaced)),
        (config.furniture, "furniture", outside(functools.partial(furniture.without_furniture, pages=pages))),
        (config.unwrap, "unwrapping", outside(layout.unwrapped)),
        (config.latex, "latex", outside(functools.partial(latex.plain_text, tex=tex))),
    )
    return tuple((name, repair) for wanted, name, repair in asked if wanted)


def _outside_code(repair: Callable[[str], str], code: re.Pattern[str]) -> Callable[[str], str]:
    """A repair that leaves code blocks as they are: a brace there is no markup."""

    def careful(text: str) -> str:
        if "`" not in text and "~~~" not in text:
            return repair(text)
        return "".join(part if i % 2 else repair(part) for i, part in enumerate(code.split(text)))

    return careful


def repaired(text: str, steps: tuple[Repair, ...], changes: dict[str, Change]) -> str:
    """A text after all repairs, nothing left for them to do; what they did is added to ``changes``."""
    for _ in range(_ROUNDS):
        start = text
        for name, repair in steps:
            after = repair(text)
            if after != text:
                changes.setdefault(name, _change(name, text, after))
                text = after
        if text == start:
            return text
    return _settled_without_latex(text, steps)


def _settled_without_latex(text: str, steps: tuple[Repair, ...]) -> str:
    """A text whose markup never comes to rest is left with its markup."""
    rest = tuple(step for step in steps if step[0] != "latex")
    return repaired(text, rest, {}) if len(rest) < len(steps) else text


def _change(name: str, before: str, after: str) -> Change:
    """Where two texts first differ, with some words around it."""
    low, high = 0, min(len(before), len(after))
    while low < high:  # bisect on equal beginnings: slices compare in C
        middle = (low + high + 1) // 2
        low, high = (middle, high) if before[:middle] == after[:middle] else (low, middle - 1)
    start = max(low - 40, 0)
    return Change(name, before[start : low + 60], after[start : low + 60])


# Sections -----------------------------------------------------------------------------------


def repaired_sections(
    text: str, sections: tuple[Section, ...], steps: tuple[Repair, ...], changes: dict[str, Change]
) -> tuple[str, tuple[Section, ...]]:
    """A text after all repairs, with its sections at their new places and their titles repaired."""
    if not sections:
        return repaired(text, steps, changes).strip(), ()
    cuts = sorted({0, len(text), *(min(max(p, 0), len(text)) for s in sections for p in (s.start, s.end))})
    titles = {min(max(s.start, 0), len(text)): s.title for s in reversed(sections)}
    places, parts = {cuts[0]: 0}, list[str]()
    length = 0
    for start, end in pairwise(cuts):
        part = "".join(_piece(text[start:end], titles.get(start, ""), steps, changes))
        part = part if start else part.lstrip()
        part = part if end < len(text) else part.rstrip()
        parts.append(part)
        length += len(part)
        places[end] = length
    moved = (_moved(section, places, len(text), steps) for section in sections)
    return "".join(parts), tuple(moved)


def _piece(text: str, title: str, steps: tuple[Repair, ...], changes: dict[str, Change]) -> Iterator[str]:
    """One section's text: its heading on its own, what follows, and the blank lines before the next."""
    head, line_end, body = text.partition("\n")
    cleaned = one_line(title, steps)
    at = head.find(title) if cleaned else -1
    if at >= 0:
        before, after = (_inline(part, steps, changes) for part in (head[:at], head[at + len(title) :]))
        yield f"{before}{cleaned}{after}".rstrip(" ") + line_end
    else:
        body = text
    inner = body.strip()
    before, _, after = body.partition(inner) if inner else ("", "", body)
    yield "\n" * min(before.count("\n"), 2)
    yield repaired(inner, steps, changes).strip()
    yield "\n" * min(after.count("\n"), 2)


def _inline(text: str, steps: tuple[Repair, ...], changes: dict[str, Change]) -> str:
    return repaired(text, tuple(s for s in steps if s[0] not in {"furniture", "unwrapping"}), changes)


def one_line(text: str, steps: tuple[Repair, ...], changes: dict[str, Change] | None = None) -> str:
    """A title after all repairs that suit one line, as one line."""
    steps = tuple(step for step in steps if step[0] not in {"furniture", "unwrapping"})
    steps = (*steps, ("spacing", lambda line: " ".join(line.split())))
    return repaired(" ".join(text.split()), steps, {} if changes is None else changes)


def _moved(section: Section, places: dict[int, int], length: int, steps: tuple[Repair, ...]) -> Section:
    start, end = (places[min(max(p, 0), length)] for p in (section.start, section.end))
    return Section(title=one_line(section.title, steps), level=section.level, start=start, end=max(start, end))
