r"""LaTeX source: what is done to the characters before they are parsed.

Comments go, ``\newcommand`` and its relatives are carried out, so that the parser and the reader of a
formula see ``\mathrm{km\,s^{-1}}`` and not ``\kms``. Only plain macros are carried out (fixed number
of arguments, no conditions); one that takes no argument and decides something is left out. Growth is
bounded, so that a macro bomb stays small.
"""

import re
from dataclasses import dataclass

MAX_ROUNDS = 8
MAX_GROWTH = 4
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*(?:\n[ \t]*(?=\S)|(?=\n)|\Z)")
_VERBATIM = re.compile(r"\\begin\{(verbatim\*?|lstlisting|minted|comment)\}.*?\\end\{\1\}", re.DOTALL)
_DEFINITION = re.compile(
    r"\\(?:(?:re|provide)?newcommand|renewcommand|providecommand|DeclareRobustCommand)\*?\s*\{?\s*\\([A-Za-z@]+)\s*\}?"
    r"\s*(?:\[(\d)\])?\s*(\[[^\]]*\])?\s*(?=\{)"
)
_DEF = re.compile(r"\\(?:g|e|x)?def\s*\\([A-Za-z@]+)\s*((?:#\d)*)\s*(?=\{)")
_OPERATOR = re.compile(r"\\DeclareMathOperator\*?\s*\{?\s*\\([A-Za-z@]+)\s*\}?\s*(?=\{)")
_CONDITION = re.compile(r"\\(?:if[a-zA-Z@]*|expandafter|csname|@ifnextchar|futurelet)\b")
_PRIVATE = re.compile("[\ue000-\uf8ff]")


@dataclass(frozen=True)
class Macro:
    """A plain macro."""

    arguments: int
    """How many it takes."""
    default: str | None
    """Value of the first one when it is left out; None when it may not be."""
    body: str
    """What it stands for, with ``#1``…"""


def prepared(source: str) -> str:
    """The source without comments and definitions, with its plain macros carried out."""
    source = _PRIVATE.sub("", source)
    source, kept = _set_aside(source)
    source = _COMMENT.sub(r"\1", source)
    source, macros = _definitions(source)
    source = expanded(source, macros)
    return re.sub("\ue010(\\d+)\ue011", lambda m: kept[int(m[1])], source)


def _set_aside(source: str) -> tuple[str, list[str]]:
    """Verbatim parts replaced by placeholders, because a percent sign in them is no comment."""
    kept: list[str] = []

    def put(match: re.Match[str]) -> str:
        line = source.rfind("\n", 0, match.start()) + 1
        if "%" in source[line : match.start()].replace("\\%", ""):
            return match[0]
        kept.append("" if match[1] == "comment" else match[0])
        return f"\ue010{len(kept) - 1}\ue011"

    return _VERBATIM.sub(put, source), kept


def group_end(text: str, start: int) -> int:
    """One past the brace that closes the one at ``start``; -1 when none does."""
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if depth == 0:
                return match.end()
    return -1


def _definitions(source: str) -> tuple[str, dict[str, Macro]]:
    macros: dict[str, Macro] = {}
    pieces: list[str] = []
    at = 0
    finds = [*_DEFINITION.finditer(source), *_DEF.finditer(source), *_OPERATOR.finditer(source)]
    for match in sorted(finds, key=lambda m: m.start()):
        end = group_end(source, match.end())
        if match.start() < at or end < 0:
            continue
        name, macro = _macro(match, source[match.end() + 1 : end - 1])
        if macro is not None:
            macros[name] = macro
        elif match.re is not _OPERATOR and not (match[2] or "").strip("0"):
            macros[name] = Macro(0, None, "")
        pieces.append(source[at : match.start()])
        at = end
    return "".join(pieces) + source[at:], macros


def _macro(match: re.Match[str], body: str) -> tuple[str, Macro | None]:
    if match.re is _OPERATOR:
        return match[1], Macro(0, None, f"\\operatorname{{{body}}}")
    if _CONDITION.search(body) or f"\\{match[1]}" in body:
        return match[1], None
    if match.re is _DEF:
        return match[1], Macro(match[2].count("#"), None, body)
    default = match[3][1:-1] if match[3] is not None else None
    return match[1], Macro(int(match[2] or 0), default, body)


def expanded(source: str, macros: dict[str, Macro]) -> str:
    """The source with these macros carried out, until none is left or it grows too much."""
    if not macros:
        return source
    names = "|".join(sorted(map(re.escape, macros), key=len, reverse=True))
    pattern = re.compile(rf"\\({names})(?![A-Za-z@])")
    limit = MAX_GROWTH * len(source) + 10_000
    for _ in range(MAX_ROUNDS):
        new = _round(source, pattern, macros)
        if new == source or len(new) > limit:
            break
        source = new
    return source


def _round(source: str, pattern: re.Pattern[str], macros: dict[str, Macro]) -> str:
    pieces: list[str] = []
    at = 0
    for match in pattern.finditer(source):
        if match.start() < at:
            continue
        taken = _arguments(source, match.end(), macros[match[1]])
        if taken is None:
            continue
        values, end = taken
        body = macros[match[1]].body
        spaced = "\\xspace" in body
        body = re.sub(r"\\xspace\b\s*", "", body)
        body = re.sub(r"#(\d)", lambda m, v=values: v[int(m[1]) - 1] if int(m[1]) <= len(v) else "", body)  # type: ignore[misc]
        pieces += [source[at : match.start()], body]
        at = end
        if not values:
            at = _after_name(source, end, body, pieces, spaced=spaced)
    return "".join(pieces) + source[at:]


def _after_name(source: str, end: int, body: str, pieces: list[str], *, spaced: bool) -> int:
    r"""TeX swallows the space after a macro's name; ``\xspace`` brings it back, ``{}`` ends the name."""
    if source.startswith("{}", end):
        return end + 2
    following = source[end : end + 1]
    if spaced or source[end:].lstrip(" \t").startswith("\n\n"):
        return end
    if following in " \t\n" and following:
        rest = source[end:].lstrip(" \t")
        end = len(source) - len(rest)
        following = source[end : end + 1]
    if re.search(r"\\[A-Za-z]+$", body) and following.isalpha():
        pieces.append(" ")
    return end


def _arguments(source: str, at: int, macro: Macro) -> tuple[list[str], int] | None:
    """The values of a macro's arguments at ``at``, and where they end; None when they are not plain."""
    values: list[str] = []
    if macro.default is not None and macro.arguments:
        match = re.compile(r"\s*\[([^\]]*)\]").match(source, at)
        values.append(match[1] if match else macro.default)
        at = match.end() if match else at
    while len(values) < macro.arguments:
        space = re.compile(r"[ \t]*\n?[ \t]*").match(source, at)
        at = space.end() if space else at
        if source.startswith("{", at):
            end = group_end(source, at)
            if end < 0:
                return None
            values.append(source[at + 1 : end - 1])
            at = end
            continue
        token = re.compile(r"\\[A-Za-z]+|\\.|[^\s{}\\]").match(source, at)
        if token is None:
            return None
        values.append(token[0])
        at = token.end()
    return values, at
