"""The walk through a parsed LaTeX document: what each node adds to the text and to the facts."""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gnomon.core.records import Author
from gnomon.corpus.readers import latex_names as names
from gnomon.corpus.readers.detex import to_text
from gnomon.corpus.readers.latex_nodes import arguments_of, converted, find, tabulars, verbatim
from gnomon.corpus.readers.latex_tokens import (
    BREAK,
    Citation,
    citation_token,
    plain,
    reference_token,
    section_token,
    tidy,
)
from gnomon.corpus.readers.people import split_names, surname_first

_LABEL = re.compile(r"\\label\s*\{([^}]*)\}")
_ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")
_SPACE = re.compile(r"\s+")
_BIB_LABEL = re.compile(r"(.+?)\s*\((\d{4}[a-z]?)\)", re.DOTALL)
_NOT_A_NAME = re.compile(r"\$[^$]*\$|\\\w+|[\d*†‡§∗⋆]+(?=\s|,|$)")


Handler = Callable[["Walk", Any], None]
"""What is done at a macro."""


class Walk:
    """One walk; the fields are what it found."""

    def __init__(self, handlers: "Mapping[str, Handler]") -> None:
        self._handlers = handlers
        self.title = ""
        self.labels: dict[str, str] = {}
        self.citations: dict[str, None] = {}
        self.bibitems: dict[str, tuple[str, str]] = {}
        self.inputs: list[str] = []
        self.bibliographies: list[str] = []
        self.keywords: tuple[str, ...] = ()
        self.silent = False
        self._people: list[tuple[str, str, list[str]]] = []
        self._out: list[str] = []
        self.notes: list[str] = []
        self.counters: Counter[str] = Counter()
        self.here = ""
        self.appendix = False

    @property
    def text(self) -> str:
        """The text so far, with tokens."""
        return "".join(self._out)

    def authors(self) -> tuple[Author, ...]:
        """The authors, with ORCID and affiliations where the source ties them to one author."""
        return tuple(
            Author(name=surname_first(name), orcid=orcid, affiliations=tuple(places))
            for names_, orcid, places in self._people
            for name in _names(names_)
        )

    def cited_as(self, key: str) -> tuple[str, str] | None:
        """How a work of the document's own bibliography is cited, when its label says so."""
        match = _BIB_LABEL.match(self.bibitems.get(key, ("", ""))[0])
        return (_SPACE.sub(" ", match[1]), match[2]) if match else None

    def nodes(self, nodes: Iterable[Any] | None) -> None:
        """Walk through some nodes."""
        for node in nodes or ():
            if node is not None:
                self._node(node)

    def paragraph(self) -> None:
        """End a paragraph; the footnotes met in it follow it."""
        self.put("\n\n")
        notes, self.notes = self.notes, []
        for note in notes:
            self.put(f"{note}\n\n")

    def one_line(self, nodes: Iterable[Any] | None) -> str:
        """The text of some nodes on one line, tokens of citations included."""
        out, self._out = self._out, []
        silent, self.silent = self.silent, False
        self.nodes(nodes)
        text, self._out, self.silent = self.text, out, silent
        return _SPACE.sub(" ", text.replace(BREAK, " ")).strip()

    def put(self, text: str) -> None:
        if not self.silent:
            self._out.append(text)

    def _node(self, node: Any) -> None:
        kind = type(node).__name__
        if kind == "LatexCharsNode":
            self._characters(node.chars)
        elif kind == "LatexGroupNode":
            self.nodes(node.nodelist)
        elif kind == "LatexMathNode":
            self.math(node.latex_verbatim(), display=node.displaytype == "display")
        elif kind == "LatexSpecialsNode":
            self._special(node)
        elif kind == "LatexMacroNode":
            self._macro(node)
        elif kind == "LatexEnvironmentNode":
            self._environment(node)

    def _characters(self, chars: str) -> None:
        first, *rest = re.split(r"\n[ \t]*\n\s*", chars)
        self.put(first)
        for part in rest:
            self.paragraph()
            self.put(part)

    def _special(self, node: Any) -> None:
        if node.specials_chars == "&":
            self.put(" | ")
        elif node.specials_chars == "\n\n":
            self.paragraph()
        else:
            self.put(to_text().node_to_text(node))

    def math(self, source: str, *, display: bool) -> None:
        inner = re.sub(r"^(\$\$?|\\\(|\\\[)|(\$\$?|\\\)|\\\])$", "", source.strip())
        inner = re.sub(r"\\ensuremath\s*(?=\{)", "", _LABEL.sub("", inner))
        inner = _SPACE.sub(" ", inner).strip()
        if inner:
            self.put(f"\n\n$$ {inner} $$\n\n" if display else f"${inner}$")

    # Macros ----------------------------------------------------------------------------------

    def _macro(self, node: Any) -> None:
        name = node.macroname
        handler = self._handlers.get(name)
        if handler is not None:
            handler(self, node)
        elif name in names.SECTIONS:
            self._section(node)
        elif name in names.CITATIONS:
            self._cite(node)
        elif name in names.REFERENCES:
            labels = self.last(node).split(",")
            self.put(", ".join(reference_token(x.strip(), names.REFERENCES[name]) for x in labels))
        elif name in names.TEXT_MACROS or name in names.SECOND_IS_TEXT or name in names.THIRD_IS_TEXT:
            self.nodes(arguments_of(node)[-1:])
        elif name in names.NAMED_MACROS:
            self.put(section_token(1, names.NAMED_MACROS[name]))
            self.nodes(arguments_of(node))
        elif name not in _swallowed():
            self.put(names.SYMBOLS.get(name) or converted(node))

    def last(self, node: Any) -> str:
        return self.one_line(arguments_of(node)[-1:])

    def _section(self, node: Any) -> None:
        level = names.SECTIONS[node.macroname]
        title = plain(self.last(node))
        starred = arguments_of(node)[0] is not None
        if not starred and level > 0:
            self._number(level)
        self.paragraph()
        self.put(section_token(max(level, 1), title))

    def _number(self, level: int) -> None:
        self.counters[f"section{level}"] += 1
        for deeper in range(level + 1, 5):
            self.counters[f"section{deeper}"] = 0
        numbers = [str(self.counters[f"section{k}"]) for k in range(1, level + 1)]
        if self.appendix:
            numbers[0] = chr(ord("A") + (self.counters["section1"] - 1) % 26)
        self.here = ".".join(numbers)

    def _cite(self, node: Any) -> None:
        _, first, second, keys = (*arguments_of(node), None, None, None, None)[:4]
        listed = tuple(k.strip() for k in plain(self.one_line([keys])).split(",") if k.strip())
        self.citations.update(dict.fromkeys(listed))
        notes = [plain(self.one_line([n])) if n is not None else "" for n in (first, second)]
        before, after = (notes[0], notes[1]) if second is not None else ("", notes[0])
        if listed:
            self.put(citation_token(Citation(names.CITATIONS[node.macroname], before, after, listed)))

    def author(self, node: Any) -> None:
        optional = _ORCID.search(self.one_line(arguments_of(node)[:1]))
        self._people.append((self.last(node), optional[0] if optional else "", []))

    def affiliation(self, node: Any) -> None:
        if self._people:
            self._people[-1][2].append(plain(self.last(node)))

    def footnote(self, node: Any) -> None:
        note = self.last(node)
        if note and not self.silent:
            self.notes.append(note)

    # Environments ----------------------------------------------------------------------------

    def _environment(self, node: Any) -> None:
        name = node.environmentname
        if name in names.DROPPED_ENVIRONMENTS:
            return
        if name in names.MATH_ENVIRONMENTS:
            self._equation(node)
        elif name in names.FLOATS:
            self._float(node)
        elif name == "thebibliography":
            self._bibliography(node)
        elif name in names.NAMED_ENVIRONMENTS:
            self.paragraph()
            self.put(section_token(1, names.NAMED_ENVIRONMENTS[name]))
            self.nodes(node.nodelist)
            self.paragraph()
        elif name in ("keyword", "keywords"):
            self._handlers["keywords"](self, node)
        elif name in ("verbatim", "lstlisting", "minted"):
            self.put(f"\n\n{verbatim(node)}\n\n")
        else:
            self.put("\n\n" if name not in ("small", "center") else " ")
            self.nodes(node.nodelist)
            self.put("\n\n")

    def _equation(self, node: Any) -> None:
        source = node.latex_verbatim()
        name = re.escape(node.environmentname)
        inner = re.sub(rf"^\\begin\s*\{{{name}\}}|\\end\s*\{{{name}\}}$", "", source)
        rows = inner.split("\\\\") if node.environmentname.rstrip("*") in ("align", "eqnarray", "gather") else [inner]
        for row in rows:
            if not node.environmentname.endswith("*") and "\\nonumber" not in row and row.strip():
                self.counters["equation"] += 1
            for label in _LABEL.findall(row):
                self.labels[label] = str(self.counters["equation"])
        self.math(inner.replace("\\nonumber", ""), display=True)

    def _float(self, node: Any) -> None:
        kind = names.FLOATS[node.environmentname]
        self.counters[kind] += 1
        here, self.here = self.here, str(self.counters[kind])
        caption = ""
        for part in find(node.nodelist, ("caption", "tablecaption")):
            caption = caption or self.one_line(arguments_of(part)[-1:])
        rows = self._rows(node) if kind == "Table" else ""
        for part in find(node.nodelist, ("label",)):
            self.labels[self.last(part)] = self.here
        self.paragraph()
        if caption or rows:
            self.put(f"{kind} {self.here}. {caption}\n\n{rows}\n\n")
        self.here = here

    def _rows(self, node: Any) -> str:
        """The cells of a float's tables, one row a line."""
        tables = [node] if node.environmentname in names.TABULARS else tabulars(node.nodelist)
        rows: list[str] = []
        for table in tables:
            out, self._out = self._out, []
            self.nodes(table.nodelist)
            text, self._out = self.text, out
            cells = (re.sub(r"[\s\ue003]+", " ", row).strip(" |") for row in re.split(f"{BREAK}", text))
            rows += [row for row in cells if row and "|" in row]
        return BREAK.join(rows)

    def _bibliography(self, node: Any) -> None:
        key, label, raw = "", "", list[Any]()
        for part in [*node.nodelist, None]:
            new = part is None or (type(part).__name__ == "LatexMacroNode" and part.macroname == "bibitem")
            if not new:
                raw.append(part)
                continue
            if key:
                self.bibitems[key] = (label, plain(tidy(self.one_line(raw))))
            raw = []
            if part is not None:
                optional, wanted = (*arguments_of(part), None, None)[:2]
                key, label = plain(self.one_line([wanted])), plain(self.one_line([optional]))


def _names(text: str) -> list[str]:
    r"""The names in one ``\author``; marks of affiliations are gone."""
    text = text.split(BREAK)[0]
    return [n for part in split_names(_SPACE.sub(" ", _NOT_A_NAME.sub("", plain(text)))) if (n := part.strip(" ,;"))]


@functools.cache
def _swallowed() -> frozenset[str]:
    kept = {*names.TEXT_MACROS, *names.SECOND_IS_TEXT, *names.THIRD_IS_TEXT}
    return names.SILENT | {n for group in names.ARGUMENTS.values() for n in group if n not in kept}
