"""Nodes of a parsed LaTeX document: their arguments, and what lies below them."""

import re
from collections.abc import Iterable
from typing import Any

from gnomon.corpus.readers import latex_names as names
from gnomon.corpus.readers.detex import to_text
from gnomon.corpus.readers.latex_tokens import BREAK


def arguments_of(node: Any) -> list[Any]:
    """The arguments of a macro, None for one that was left out."""
    return list(node.nodeargd.argnlist or ()) if node.nodeargd is not None else []


def find(nodes: Iterable[Any] | None, wanted: tuple[str, ...]) -> Iterable[Any]:
    """Every macro of these names below some nodes, in order."""
    for node in nodes or ():
        if node is None:
            continue
        if getattr(node, "macroname", None) in wanted:
            yield node
        yield from find(getattr(node, "nodelist", None), wanted)
        if getattr(node, "nodeargd", None) is not None and type(node).__name__ == "LatexMacroNode":
            yield from find(arguments_of(node), wanted)


def tabulars(nodes: Iterable[Any] | None) -> list[Any]:
    """Every table below some nodes, in order."""
    found = []
    for node in nodes or ():
        if getattr(node, "environmentname", None) in names.TABULARS:
            found.append(node)
        elif node is not None:
            found += tabulars(getattr(node, "nodelist", None))
    return found


def verbatim(node: Any) -> str:
    """The lines of a verbatim environment."""
    source = re.sub(r"^\\begin\s*\{\w+\*?\}(\[[^\]]*\])?|\\end\s*\{\w+\*?\}$", "", node.latex_verbatim())
    return source.strip("\n").replace("\n", BREAK)


def converted(node: Any) -> str:
    """What pylatexenc makes of an accent, a symbol or a macro nobody knows."""
    shown: str = to_text().node_to_text(node)
    return shown
