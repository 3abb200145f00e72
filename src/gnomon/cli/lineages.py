"""How a lineage looks to a person: a tree, one line a link, the longest facts below it."""

from typing import TYPE_CHECKING

from gnomon.cli.output import count, safe
from gnomon.core.wording import say
from gnomon.runs.lineage import IN_LIBRARY, Link
from gnomon.runs.telling import kind_word, lines_below, words_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

LINE = 120
IDENTITY_SHOWN = 10
WITH_ADDRESS = {"step", "stage", "exam", "learnt", "choice", "merge"}
"""Kinds whose id is an address, which is long."""
TOLD_ONCE = {"document", "pair"}
TOLD_AT_LEAST = {"read", "changed", "dropped"}
"""What is told of the steps of a document below a quote; the others are counted."""


def show_lineage(out: "Console", link: Link) -> None:
    """Print a lineage as a tree."""
    from rich.tree import Tree

    tree = Tree(_label(link), guide_style="dim")
    _grow(tree, link, set())
    out.print(tree)


def _grow(tree: "Tree", link: Link, told: set[tuple[str, str]], *, folded: bool = False) -> None:
    """Add what a link rests on; what has a way of its own is told once, however often it is met."""
    from rich.text import Text

    for text in _details(link):
        tree.add(text)
    quiet = [b for b in link.below if folded and b.kind == "step" and b.facts.get("outcome") not in TOLD_AT_LEAST]
    for below in link.below:
        if below in quiet:
            continue
        label = _label(below)
        again = below.kind in TOLD_ONCE and (below.kind, below.id) in told
        if again and below.below:
            label.append(say("  (as above)", "  （上と同じ）"), style="dim")
        branch = tree.add(label)
        if not again:
            _grow(branch, below, told, folded=link.kind == "evidence")
        told.add((below.kind, below.id))
    if quiet:
        more = say(f"and {count(len(quiet))} more steps: gnomon lineage {link.id}",
                   f"ほか {count(len(quiet))} ステップ: gnomon lineage {link.id}")  # fmt: skip
        tree.add(Text(safe(more), style="dim"))


def _label(link: Link) -> "Text":
    from rich.text import Text

    kind = kind_word(link.kind)
    name = link.id
    if link.kind in WITH_ADDRESS:
        room, _, identity = link.id.rpartition("/")
        name = f"{room}/{identity[:IDENTITY_SHOWN]}"
    text = Text.assemble((f"{kind} ", "dim"), (safe(name), "bold"))
    told = words_of(link)
    if told:
        style = "red" if link.facts.get("outcome") in {"dropped", "not opened"} or _lost(link) else ""
        text.append("  ").append(_short(told), style=style)
    return text


def _lost(link: Link) -> bool:
    return link.kind == "document" and link.facts.get("state", IN_LIBRARY) != IN_LIBRARY


def _details(link: Link) -> list["Text"]:
    """What does not fit on the line: evidence beside a step, options of a question."""
    from rich.text import Text

    return [Text(_short(line), style="dim") for line in lines_below(link)]


def _short(text: str) -> str:
    line = " ".join(safe(text).split())
    return line if len(line) <= LINE else line[: LINE - 1].rstrip() + "…"
