"""Markdown: YAML front matter is the bibliography, headings are the sections, the rest is the text.

The text stays as written (formulas, links and lists included); only front matter, comments and the
marks of headings go. markdown-it finds the headings, so a ``#`` inside a code block is none.
"""

import dataclasses
import functools
import re
from collections.abc import Iterator
from typing import Any

from gnomon.core.records import Section
from gnomon.corpus.readers.draft import Draft, Fault
from gnomon.corpus.readers.feed import Feed
from gnomon.corpus.readers.fields import one_line, record_draft
from gnomon.corpus.readers.jsonl import scrubbed
from gnomon.corpus.readers.plain import whole_text

_FRONT = re.compile(r"---[ \t]*\n(.{0,65536}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_EMPHASIS = re.compile(r"(\*\*|__|\*|_|`)(?=\S)(.+?)(?<=\S)\1")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


def read(feed: Feed) -> Iterator[Draft | Fault]:
    """The file as one draft."""
    text, marks = whole_text(feed)
    facts, body, problem = front_matter(text)
    if problem:
        marks["markdown/front_matter"] = problem
    title, body, sections = _body(_COMMENT.sub("", body).strip())
    if not body:
        yield Fault(reason="no_text", detail="headings only", excerpt=title[:200], whole=True)
        return
    draft = record_draft({"title": title, **facts, "text": body}, "markdown")
    if isinstance(draft, Draft):
        yield dataclasses.replace(draft, sections=_after_abstract(draft, sections), marks=marks)


def _after_abstract(draft: Draft, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Sections moved behind an abstract that the front matter states."""
    if not draft.sections:
        return sections
    head, rest = draft.sections
    moved = (dataclasses.replace(s, start=s.start + rest.start, end=s.end + rest.start) for s in sections)
    return (head, *moved) if sections else draft.sections


def front_matter(text: str) -> tuple[dict[str, Any], str, str]:
    """Facts, the rest of the text, and what was wrong with the front matter."""
    match = _FRONT.match(text)
    if not match:
        return {}, text, ""
    import yaml

    try:
        facts = yaml.load(match[1], Loader=_loader())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return {}, text[match.end() :], one_line(str(error))[:300]
    if not isinstance(facts, dict):
        return {}, text, ""
    return {str(k).lower(): scrubbed(_json(v)) for k, v in facts.items()}, text[match.end() :], ""


@functools.cache
def _loader() -> Any:
    import yaml

    class Plain(yaml.SafeLoader):  # type: ignore[misc]
        """Refuses aliases: a few lines of them can stand for gigabytes."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("aliases are not read")
            return super().compose_node(parent, index)

    return Plain


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _json(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [_json(v) for v in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _body(text: str) -> tuple[str, str, tuple[Section, ...]]:
    """Title, text without it and without the marks of headings, and sections."""
    lines = text.split("\n")
    headings = _headings(text)
    title = ""
    if headings and headings[0][2] == 1 and not any(line.strip() for line in lines[: headings[0][0]]):
        title = headings[0][3]
        lines, headings = _without(lines, headings)
    return title, *_sections(lines, headings)


Heading = tuple[int, int, int, str]
"""First line, one past the last, level, title."""


def _headings(text: str) -> list[Heading]:
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(text)
    return [
        (t.map[0], t.map[1], int(t.tag[1:]), _shown(tokens[i + 1].content))
        for i, t in enumerate(tokens)
        if t.type == "heading_open" and t.level == 0 and t.map
    ]


def _shown(title: str) -> str:
    return one_line(_EMPHASIS.sub(r"\2", _LINK.sub(r"\1", title)))


def _without(lines: list[str], headings: list[Heading]) -> tuple[list[str], list[Heading]]:
    """Lines and headings after the title."""
    cut = headings[0][1]
    while cut < len(lines) and not lines[cut].strip():
        cut += 1
    lines[cut : cut + 1] = [line.lstrip() for line in lines[cut : cut + 1]]
    return lines[cut:], [(a - cut, b - cut, level, title) for a, b, level, title in headings[1:]]


def _sections(lines: list[str], headings: list[Heading]) -> tuple[str, tuple[Section, ...]]:
    top = min((level for _, _, level, _ in headings), default=1)
    pieces: list[str] = []
    starts: list[tuple[str, int, int]] = []
    length = at = 0
    for first, after, level, title in headings:
        before = "".join(line + "\n" for line in lines[at:first])
        starts.append((title, level - top + 1, length + len(before)))
        pieces += [before, title + "\n"]
        length += len(before) + len(title) + 1
        at = after
    text = ("".join(pieces) + "\n".join(lines[at:])).rstrip()
    if not starts:
        return text, ()
    if text[: starts[0][2]].strip():
        starts.insert(0, ("", 0, 0))
    ends = [*(start for _, _, start in starts[1:]), len(text)]
    return text, tuple(
        Section(title=title, level=level, start=start, end=end)
        for (title, level, start), end in zip(starts, ends, strict=True)
    )
