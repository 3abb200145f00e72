"""Lineages: anything led back to its source, as a tree that a page can show and a program can walk.

A chain of steps is a web: the same step stands behind many. What was told once is only named where it is met again, and
a link with very many below it names the first: so a tree stays small enough to read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gnomon.research.lineages import walk_back
from gnomon.research.opened import OpenExpert
from gnomon.runs.lineage import IN_LIBRARY, Link
from gnomon.runs.telling import kind_word, lines_below, words_of
from gnomon.serving import addresses

MOST_LINKS, MOST_BELOW = 1_500, 100
"""Links of a tree, and of one link, that are told."""
LEFT_OUT = ("dropped", "not opened")
_OF_STEPS = frozenset({"step", "stage", "exam", "learnt", "choice", "merge"})
_NAMED = frozenset({"model", "pair", "example", "preference", "question", "answer"})


class Node(BaseModel):
    """One thing in a lineage, and what it rests on."""

    model_config = ConfigDict(frozen=True)

    kind: str = Field(description="`document`, `step`, `source`, `pair`, `question`, `model`…", examples=["step"])
    word: str = Field(description="The kind in the reader's language.", examples=["step"])
    id: str = Field(description="Its id or address.", examples=["corpus/dedup/023a5894761cacf3dc2d78b4da9fb2cd"])
    told: str = Field(description="The one thing to know about it, in the reader's language.", examples=["kept"])
    lines: tuple[str, ...] = Field(description="What else is told of it, line by line.")
    bad: bool = Field(description="Whether it says that something was left out or is not as it was.")
    page: str = Field(description="Where on this server it is shown; empty when only here.")
    facts: dict[str, Any] = Field(description="What is known of it, for programs.")
    again: bool = Field(description="Whether it was told before in this tree, with what is below it.")
    more: int = Field(description="How many more there are below it that are not told.")
    below: tuple["Node", ...] = Field(description="What it rests on, and what became of it.")


@dataclass
class _Telling:
    """What a tree has told so far."""

    links: int = 0
    """How many links."""
    told: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    """Facts of those with something below them."""


def lineage(opened: OpenExpert, name: str) -> Node:
    """Lead an id back to its source.

    Args:
        opened: The expert, whose chain is looked at first.
        name: A model, document, chunk, answer, pair, example, question, step or file.

    Raises:
        NotFound: Nothing has this id; the hint names the nearest ids.
    """
    return node_of(walk_back(opened.workspace, name, opened.expert))


def node_of(link: Link) -> Node:
    """A link and what is below it as a tree that is told once."""
    return _node(link, _Telling())


def _node(link: Link, telling: _Telling) -> Node:
    key = (link.kind, link.id)
    again = bool(link.below) and telling.told.get(key) == link.facts
    telling.links += 1
    if link.below:
        telling.told.setdefault(key, link.facts)
    below: list[Node] = []
    for other in link.below[:MOST_BELOW] if not again else ():
        if telling.links >= MOST_LINKS:
            break
        below.append(_node(other, telling))
    return Node(
        kind=link.kind, word=kind_word(link.kind), id=link.id, told=words_of(link), lines=tuple(lines_below(link)),
        bad=_bad(link), page=page_of(link), facts=dict(link.facts), again=again,
        more=0 if again else len(link.below) - len(below), below=tuple(below),
    )  # fmt: skip


def _bad(link: Link) -> bool:
    facts = link.facts
    lost = link.kind == "document" and facts.get("state", IN_LIBRARY) != IN_LIBRARY
    return lost or facts.get("outcome") in LEFT_OUT or facts.get("verbatim") is False


def page_of(link: Link) -> str:
    """Where on this server a link is shown; empty when nowhere else."""
    facts = link.facts
    if link.kind in _OF_STEPS or link.kind in _NAMED:
        return addresses.lineage(link.id)
    if link.kind == "candidate":
        return addresses.lineage(str(facts["step"]))
    if link.kind in {"source", "file"}:
        return addresses.lineage(str(facts.get("file", link.id)))
    if link.kind in {"document", "shown"}:
        return "" if link.id.startswith("file:") else addresses.paper(link.id)
    span = facts.get("span", facts)
    if link.kind in {"citation", "evidence", "chunk", "leak"} and "start" in span:
        return addresses.paper(str(span.get("doc_id", link.id)), (int(span["start"]), int(span["end"])))
    return ""
