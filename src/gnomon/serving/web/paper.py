"""The page of one document, and the page on which anything is led back to its source."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from gnomon.core.wording import say
from gnomon.serving import addresses
from gnomon.serving.facts.lineages import lineage
from gnomon.serving.facts.papers import Text, paper
from gnomon.serving.house import Housed
from gnomon.serving.web.maths import Range, Run, runs
from gnomon.serving.web.pages import page

router = APIRouter(include_in_schema=False)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
STEPS_SHOWN = 12
"""Optimizer steps that are named; the rest are counted."""


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Some lines of a text, between blank lines and headings."""

    start: int
    """Its first character."""
    parts: tuple[Run, ...]
    """Its words and mathematics."""
    heading: str
    """Its heading, when it is one."""
    level: int
    """How deep the heading stands."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The characters that an address points at."""

    span: Range | None
    """They, when they are of this text."""
    trouble: str
    """Why they cannot be shown; empty when they can."""


@router.get("/paper/{doc_id:path}")
async def paper_page(
    request: Request, house: Housed, doc_id: str, start: Annotated[int | None, Query()] = None,
    end: Annotated[int | None, Query()] = None, text_hash: Annotated[str, Query(max_length=200)] = "",
) -> Response:  # fmt: skip
    """A document; ``start`` and ``end`` mark some of its characters."""
    told = await house.readers.run(_told, house.opened, doc_id, (start, end), text_hash)
    return page(request, "paper.html", runs=runs, steps_shown=STEPS_SHOWN, **told)


def _told(opened: Any, doc_id: str, place: tuple[int | None, int | None], text_hash: str) -> dict[str, Any]:
    """What the page tells: all of it made on a worker, mathematics included."""
    found = paper(opened, doc_id)
    wanted = wanted_of(found, place, text_hash)
    return {"paper": found, "wanted": wanted, "paragraphs": paragraphs(found, wanted.span)}


@router.get("/lineage")
async def lineage_form(request: Request, id: Annotated[str, Query(max_length=1_000)] = "") -> Response:
    """A field for an id; one that is given leads to its page."""
    if id.strip():
        return RedirectResponse(addresses.lineage(id.strip()), 303)
    return page(request, "lineage.html", node=None)


@router.get("/lineage/{name:path}")
async def lineage_page(request: Request, house: Housed, name: str) -> Response:
    """Anything, led back to its source as a tree."""
    return page(request, "lineage.html", node=await house.readers.run(lineage, house.opened, name))


# Text -----------------------------------------------------------------------------------------


def wanted_of(text: Text, place: tuple[int | None, int | None], text_hash: str) -> Wanted:
    """The characters that an address points at, and why they cannot be shown when they cannot.

    Args:
        text: The document.
        place: First character, and one past the last.
        text_hash: The version of the text that they point into, when the address says it.
    """
    start, end = place
    if start is None and end is None:
        return Wanted(span=None, trouble="")
    if text_hash and text_hash != text.text_hash:
        return Wanted(span=None, trouble=say(
            "The address points into another version of this text: nothing is marked.",
            "このアドレスは本文の別の版を指しているため、印は付けない。"))  # fmt: skip
    first, last = start or 0, len(text.text) if end is None else end
    if not 0 <= first < last <= len(text.text):
        return Wanted(span=None, trouble=say(
            f"The text has {len(text.text):,} characters: there is none from {first:,} to {last:,}.",
            f"本文は {len(text.text):,} 文字。{first:,}–{last:,} の範囲はない。"))  # fmt: skip
    return Wanted(span=(first, last), trouble="")


def paragraphs(text: Text, span: Range | None) -> tuple[Paragraph, ...]:
    """A text cut for a page: headings by themselves, words between blank lines, a span marked.

    Args:
        text: The document.
        span: What is marked, if anything.
    """
    marks = [span] if span else []
    heads = {section.start: section for section in text.sections if section.title}
    cuts = sorted({0, len(text.text), *heads, *(section.start for section in text.sections), *_breaks(text.text)})
    made: list[Paragraph] = []
    for start, end in pairwise(cuts):
        head = heads.get(start)
        title_end = start + len(head.title) if head and text.text.startswith(head.title, start) else start
        if head is not None:
            parts = tuple(runs(text.text, marks, (start, title_end))) or (Run(head.title, None, False, start),)
            made.append(Paragraph(start=start, parts=parts, heading=head.title, level=head.level))
        parts = tuple(runs(text.text, marks, (title_end, end)))
        if any(part.text.strip() for part in parts):
            made.append(Paragraph(start=title_end, parts=parts, heading="", level=0))
    return tuple(made)


def _breaks(text: str) -> list[int]:
    """Where paragraphs begin: after blank lines."""
    return [match.end() for match in _BLANK_LINES.finditer(text)]
