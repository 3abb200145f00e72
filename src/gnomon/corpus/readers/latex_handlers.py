"""What is done at the LaTeX macros that do more than print: facts, notes, labels, inputs."""

import functools
import re
from typing import Any

from gnomon.corpus.readers.latex_nodes import arguments_of
from gnomon.corpus.readers.latex_tokens import BREAK, plain
from gnomon.corpus.readers.latex_walk import Handler, Walk


def _title(walk: Walk, node: Any) -> None:
    notes, walk.notes = walk.notes, []
    walk.title = walk.title or plain(walk.last(node))
    walk.notes = notes


def _keywords(walk: Walk, node: Any) -> None:
    text = walk.last(node) if hasattr(node, "macroname") else walk.one_line(node.nodelist)
    words = re.split(r"\s*(?:[;,]|---|--|–|—|\|)\s*", plain(text))
    walk.keywords = tuple(w for w in words if w)


def _ensured(walk: Walk, node: Any) -> None:
    inner = arguments_of(node)[-1]
    walk.math(inner.latex_verbatim().removeprefix("{").removesuffix("}") if inner else "", display=False)


def _label(walk: Walk, node: Any) -> None:
    walk.labels[walk.last(node)] = walk.here


def _appendix(walk: Walk, _node: Any) -> None:
    walk.appendix = True
    walk.counters["section1"] = 0


@functools.cache
def handlers() -> dict[str, Handler]:
    """What is done at each macro that does more than print."""
    return {
        "title": _title,
        "author": Walk.author,
        "affiliation": Walk.affiliation,
        "affil": Walk.affiliation,
        "altaffiliation": Walk.affiliation,
        "footnote": Walk.footnote,
        "footnotetext": Walk.footnote,
        "keywords": _keywords,
        "keyword": _keywords,
        "ensuremath": _ensured,
        "label": _label,
        "appendix": _appendix,
        "item": lambda walk, node: walk.put(f"{BREAK}- {walk.one_line(arguments_of(node))}".rstrip() + " "),
        "\\": lambda walk, node: walk.put(BREAK),
        "tabularnewline": lambda walk, node: walk.put(BREAK),
        "newline": lambda walk, node: walk.put(" "),
        "sep": lambda walk, node: walk.put("; "),
        "par": lambda walk, node: walk.paragraph(),
        "and": lambda walk, node: walk.put(" and "),
        "url": lambda walk, node: walk.put(walk.last(node)),
        "input": lambda walk, node: walk.inputs.append(walk.last(node)),
        "include": lambda walk, node: walk.inputs.append(walk.last(node)),
        "subfile": lambda walk, node: walk.inputs.append(walk.last(node)),
        "bibliography": lambda walk, node: walk.bibliographies.extend(walk.last(node).split(",")),
        "addbibresource": lambda walk, node: walk.bibliographies.append(walk.last(node)),
        "texorpdfstring": lambda walk, node: walk.nodes(arguments_of(node)[:1]),
        "ion": lambda walk, node: walk.put(" ".join(walk.one_line([part]) for part in arguments_of(node))),
        "xspace": lambda walk, node: None,
    }
