r"""LaTeX: one file is one work: title, authors, abstract, sections, citations, references.

The source is prepared (``latex_source``), parsed by pylatexenc, and walked once. Formulas stay as LaTeX,
with their macros carried out; cross-references become numbers counted as LaTeX would; citations
become names and years when a bibliography is known. ``\input`` of other files is counted, not followed.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from gnomon.core.records import Biblio, Reference
from gnomon.corpus.ids import arxiv_id
from gnomon.corpus.readers.draft import Draft, Fault, Unreadable
from gnomon.corpus.readers.feed import Feed
from gnomon.corpus.readers.latex_handlers import handlers
from gnomon.corpus.readers.latex_names import context
from gnomon.corpus.readers.latex_source import prepared
from gnomon.corpus.readers.latex_tokens import plain, resolved, tidy
from gnomon.corpus.readers.latex_walk import Walk
from gnomon.corpus.readers.plain import whole_text

_BODY = re.compile(r"\\begin\s*\{document\}")
_END = re.compile(r"\\end\s*\{document\}")


def read(feed: Feed) -> Iterator[Draft | Fault]:
    """The file as one draft, its citations still tokens where its own bibliography does not tell.

    Raises:
        Unreadable: It holds no text.
    """
    source, marks = whole_text(feed)
    walk = walked(prepared(source))
    text = resolved(tidy(walk.text), walk.labels, walk.cited_as)
    if not plain(text).strip():
        raise Unreadable("no_text", "no text between \\begin{document} and \\end{document}")
    extra: dict[str, Any] = dict(marks)
    if walk.inputs:
        extra["latex/missing_inputs"] = walk.inputs
    if walk.bibliographies:
        extra["latex/bibliographies"] = walk.bibliographies
    yield Draft(
        kind="latex", title=walk.title, text=text, biblio=Biblio(authors=walk.authors(), keywords=walk.keywords),
        references=references(walk), marks=extra,
    )  # fmt: skip


def walked(source: str) -> Walk:
    """Everything that was found on one walk through a prepared source."""
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerError

    walk = Walk(handlers())
    begin = _BODY.search(source)
    end = _END.search(source, begin.end()) if begin else None
    parts = [(source[: begin.start()], False)] if begin else []
    parts.append((source[begin.end() if begin else 0 : end.start() if end else len(source)], True))
    for part, shown in parts:
        try:
            nodes = LatexWalker(part, latex_context=context(), tolerant_parsing=True).get_latex_nodes()[0]
        except LatexWalkerError as error:
            raise Unreadable("broken_latex", str(error)[:300]) from error
        walk.silent = not shown
        walk.nodes(nodes)
    walk.paragraph()
    return walk


def references(walk: Walk) -> tuple[Reference, ...]:
    """The bibliography, then what is cited and not in it, in order of citation."""
    listed = {key: raw for key, (_, raw) in walk.bibitems.items()}
    keys: Sequence[str] = [*listed, *(key for key in walk.citations if key not in listed)]
    return tuple(Reference(key=key, raw=listed.get(key, ""), doc_id=_doc_id(listed.get(key, ""))) for key in keys)


def _doc_id(raw: str) -> str:
    found = next((a for word in raw.split() if (a := arxiv_id(word.strip("[](),.;")))), "")
    return f"arxiv:{found}" if found else ""
