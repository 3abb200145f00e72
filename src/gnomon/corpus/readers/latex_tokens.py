"""Tokens: places in a text that is being made which get their words only at the end.

A *token* stands between two private-use characters: ``S`` a section's heading, ``R`` a cross-reference,
``C`` a citation. Rendering replaces them and finds where each section lies. Citations are rendered
when the bibliography is known, which may lie in another file.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gnomon.core.records import Section

OPEN, CLOSE, PART = "\ue000", "\ue001", "\ue002"
BREAK = "\ue003"
"""A line break that survives tidying."""
_TOKEN = re.compile(f"{OPEN}([SRC])([^{CLOSE}]*){CLOSE}")

Lookup = Callable[[str], "tuple[str, str] | None"]
"""From a citation key to (authors as cited, year)."""


@dataclass(frozen=True)
class Citation:
    """One citation command."""

    style: str
    """``p`` in parentheses, ``t`` textual, ``a`` bare, ``n`` names only, ``y`` year only."""
    before: str
    """Words before the first work."""
    after: str
    """Words after the last work."""
    keys: tuple[str, ...]
    """The works."""


def section_token(level: int, title: str) -> str:
    """A heading."""
    return f"\n\n{OPEN}S{level}{PART}{plain(title)}{CLOSE}\n\n"


def reference_token(label: str, form: str) -> str:
    """A cross-reference; ``form`` is a pattern such as ``"({})"``."""
    return f"{OPEN}R{plain(label)}{PART}{form}{CLOSE}"


def citation_token(citation: Citation) -> str:
    """A citation."""
    parts = (citation.style, citation.before, citation.after, ",".join(citation.keys))
    return f"{OPEN}C{PART.join(plain(p) for p in parts)}{CLOSE}"


def plain(text: str) -> str:
    """Text without any token."""
    return re.sub(f"[{OPEN}{CLOSE}{PART}]", "", _TOKEN.sub("", text))


def tidy(text: str) -> str:
    """Paragraphs on one line each, a blank line between them; line breaks of lists and tables stay."""
    text = re.sub(r"[ \t\u00a0\u2009]+", " ", text)
    paragraphs = (re.sub(r" ?\n ?", " ", p.strip()) for p in re.split(r"\n\s*\n", text))
    lined = (re.sub(f" *{BREAK} *", "\n", p).strip() for p in paragraphs)
    return "\n\n".join(p for p in lined if p)


def resolved(text: str, labels: Mapping[str, str], lookup: Lookup) -> str:
    """The text with its cross-references, and those of its citations that are known, in words."""

    def word(match: re.Match[str]) -> str:
        if match[1] == "R":
            label, _, form = match[2].partition(PART)
            return form.format(labels.get(label, "??"))
        if match[1] == "C":
            citation = citation_of(match[2])
            found = [lookup(key) for key in citation.keys]
            return cited(citation, found) if all(found) else match[0]
        return match[0]

    return _TOKEN.sub(word, text)


def citation_of(payload: str) -> Citation:
    """The citation a token holds."""
    style, before, after, keys = payload.split(PART)
    return Citation(style, before, after, tuple(k for k in keys.split(",") if k))


def cited(citation: Citation, found: list[tuple[str, str] | None]) -> str:
    """A citation in words; an unknown work is its key in brackets."""
    style = citation.style
    works = []
    for key, work in zip(citation.keys, found, strict=True):
        name, year = work or (f"[{key}]", "")
        forms = {"t": f"{name} ({year})" if year else name, "n": name, "y": year or name}
        works.append(forms.get(style, f"{name} {year}".strip()))
    joined = f"{', '.join(works[:-1])} and {works[-1]}" if style == "t" and len(works) > 1 else "; ".join(works)
    if style == "t":
        return f"{citation.before} {joined}".strip() + (f" ({citation.after})" if citation.after else "")
    words = f"{citation.before} {joined}".strip() + (f", {citation.after}" if citation.after else "")
    return f"({words})" if style == "p" else words


def rendered(text: str, lookup: Lookup) -> tuple[str, tuple[Section, ...]]:
    """The finished text and its sections; every token is gone."""
    pieces: list[str] = []
    heads: list[tuple[int, str, int]] = []
    at = length = 0
    for match in _TOKEN.finditer(text):
        word = ""
        before = text[at : match.start()]
        length += len(before)
        if match[1] == "S":
            level, _, word = match[2].partition(PART)
            heads.append((length, word, int(level)))
        elif match[1] == "C":
            citation = citation_of(match[2])
            word = cited(citation, [lookup(key) for key in citation.keys])
        pieces += [before, word]
        length += len(word)
        at = match.end()
    whole = "".join(pieces) + text[at:]
    if not heads:
        return whole, ()
    if heads[0][0] > 0:
        heads.insert(0, (0, "", 0))
    ends = [*(start for start, _, _ in heads[1:]), len(whole)]
    return whole, tuple(
        Section(title=title, level=level, start=start, end=end)
        for (start, title, level), end in zip(heads, ends, strict=True)
    )
