r"""Commands: what stands in a plain text where ``\name`` or ``\,`` stood."""

import re

from gnomon.corpus.cleaning.tex.place import (
    BREAK,
    LONGEST,
    SOFT,
    UNIT,
    Place,
    Read,
    argument,
    bracketed,
    past_option,
    past_space,
    settled,
    two_arguments,
)
from gnomon.corpus.cleaning.tex.scripts import accent, accent_follows, scripted
from gnomon.corpus.cleaning.tex.words import (
    ACCENTS,
    CITES,
    DRESSES,
    FUNCTIONS,
    MATH_PLACES,
    SILENT,
    SPACES,
    SWITCHES,
    symbols,
)

_ROMAN = re.compile(r"[ivx]+")
_THOUSAND = re.compile(r"\d{3}(?!\d)")
_METRES = re.compile(r" +(?:\{?\\(?:rm|mathrm|text|textrm)\b[ {]*)?[mGKJ](?![\w^{])")
_POINT = re.compile(r"\s*\{x([0-9A-Fa-f]{2,5})\}")
_DIFFERENCES = frozenset("Δδ∂∇")
_STACKED = {"<∼": "≲", ">∼": "≳", "∼<": "≲", "∼>": "≳"}


def command(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    r"""A command with a name: ``\alpha``, ``\textit{…}``, ``\frac{…}{…}``."""
    name = token.group(1)
    if name in SWITCHES:
        return (UNIT if place.math else ""), past_space(text, token.end(), end)
    if name in ACCENTS and (len(name) > 1 or accent_follows(text, token.end())):
        return accent(text, token, end, place)
    if name in SILENT or name in CITES:
        found = argument(text, past_option(text, token.end(), end), end, place)
        if found is None:
            return token.group(), token.end()
        return (f"[{found[0]}]" if name in CITES else ""), found[1]
    if name in DRESSES:
        return _dressed(text, token, end, place)
    if name in _TAKERS:
        return _TAKERS[name](text, token, end, place)
    if name in FUNCTIONS and place.math:
        return SOFT + name + SOFT, past_space(text, token.end(), end)
    if name in symbols():
        return _symbol(text, token, end, place)
    return _unknown(text, token, end, place)


def _symbol(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    sign, after = symbols()[token.group(1)], token.end()
    if text.startswith("{}", after):
        return sign, after + 2
    if len(sign) > 1 and sign[-1].isalnum():
        return SOFT + sign + SOFT, after
    # In running text TeX eats the space behind a command; authors mean it nearly always.
    close = place.math and (sign in _DIFFERENCES or (sign == "μ" and _METRES.match(text, after, end)))
    return sign, past_space(text, after, end) if close else after


def _unknown(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    """A command nobody knows: what it dresses, or its name where a name may stand, else untouched."""
    name, after = token.group(1), token.end()
    before = text[token.start() - 1 : token.start()]
    if len(name) == 1 or not (place.math or not before or before in " \t\n([{$~,-"):
        return token.group(), after
    if text.startswith("{}", after):
        return SOFT + name + SOFT, after + 2
    if text.startswith("{", after):
        found = argument(text, after, end, place)
        return (BREAK + found[0] + BREAK, found[1]) if found else (token.group(), after)
    if not place.math and text.startswith(("[", "\\"), after) and not text.startswith("\\ ", after):
        return token.group(), after
    return SOFT + name + SOFT, after


def _dressed(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    name = token.group(1)
    inside = place._replace(math=place.math or name in {"ensuremath", "ce", "ch"})
    found = argument(text, past_option(text, token.end(), end), end, inside)
    if found is None:
        return token.group(), token.end()
    inner, after = found
    if name == "sqrt":
        return "√" + bracketed(settled(inner)), after
    if name in {"textsubscript", "textsuperscript"}:
        sign = "_" if name == "textsubscript" else "^"
        return scripted(sign, inner, place.before, text[after : after + 1]), after
    if name == "textsc" and _ROMAN.fullmatch(inner):
        inner = inner.upper()
    return (UNIT if place.math else "") + inner, after


# Commands with arguments of their own -------------------------------------------------------


def over(above: str, below: str) -> str:
    """A fraction on one line."""
    return SOFT + "/".join(bracketed(settled(part).strip()) for part in (above, below)) + SOFT


def _fraction(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    found = two_arguments(text, token.end(), end, place)
    return (over(found[0], found[1]), found[2]) if found else (token.group(), token.end())


def _second(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    """Commands of two arguments whose second is what a reader sees."""
    found = two_arguments(text, token.end(), end, place)
    if found is None:
        return token.group(), token.end()
    first, second, after = found
    if token.group(1) == "href" and first != second:
        return f"{second} ({first})", after
    return _STACKED.get((first + second).replace(" ", ""), second), after


def _pair(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    r"""Commands whose two arguments stand side by side: ``\ion{C}{iv}``, ``\SI{5}{km}``."""
    found = two_arguments(text, token.end(), end, place)
    if found is None:
        return token.group(), token.end()
    second = found[1].upper() if token.group(1) == "ion" and _ROMAN.fullmatch(found[1]) else found[1]
    return f"{found[0]} {second}{SOFT}", found[2]


def _unit(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    r"""A unit with its number in square brackets: ``\unit[60]{cm}``."""
    option = past_option(text, token.end(), end)
    found = argument(text, option, end, place)
    number = text[token.end() + 1 : option - 1]
    return (f"{number} {found[0]}{SOFT}".lstrip(), found[1]) if found else (token.group(), token.end())


def _code_point(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    found = _POINT.match(text, token.end(), end)
    return (chr(int(found.group(1), 16)), found.end()) if found else (token.group(), token.end())


def _angle(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    found = argument(text, past_option(text, token.end(), end), end, place)
    return (f"{found[0]}°", found[1]) if found else (token.group(), token.end())


def _footnote(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    found = argument(text, past_option(text, token.end(), end), end, place)
    return (f" ({found[0]})", found[1]) if found else (token.group(), token.end())


def _environment(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    found = argument(text, token.end(), end, place)
    if found is None:
        return token.group(), token.end()
    name, after = found
    stop = text.find(f"\\end{{{name}}}", after, min(end, after + LONGEST)) if token.group(1) == "begin" else -1
    if stop < 0 or name.rstrip("*") not in MATH_PLACES:
        return "", after
    inner = place.read(text, after, stop, math=True)
    return inner.replace("&", " "), stop + len(f"\\end{{{name}}}")


_TAKERS = {
    "frac": _fraction, "dfrac": _fraction, "tfrac": _fraction, "cfrac": _fraction, "nicefrac": _fraction,
    "textcolor": _second, "color": _second, "href": _second, "texorpdfstring": _second, "stackrel": _second,
    "overset": _second, "underset": _second, "ion": _pair, "SI": _pair, "qty": _pair, "ang": _angle,
    "unit": _unit, "unicode": _code_point, "footnote": _footnote, "begin": _environment, "end": _environment,
}  # fmt: skip


# Control symbols ----------------------------------------------------------------------------


def control(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    r"""A backslash with one sign: ``\%``, ``\,``, ``\'e``, ``\(…\)``; an unknown one stays."""
    sign, after = token.group(2), token.end()
    if sign in "([":
        stop = text.find("\\)" if sign == "(" else "\\]", after, min(end, after + LONGEST))
        return (place.read(text, after, stop, math=True), stop + 2) if stop >= 0 else (token.group(), after)
    if sign in "%&#_{}":
        return sign, after
    if sign == "|":
        return "‖", after
    if sign in ACCENTS and not place.math:
        return accent(text, token, end, place)
    if sign == "," and text[token.start() - 1 : token.start()].isdigit() and _THOUSAND.match(text, after):
        return "\u2009", after
    hyphen = sign == "-" and text[after : after + 1].isalnum()
    if sign in SPACES and (place.math or hyphen or sign in ", :/\n@\\;"):
        return SPACES[sign], after
    return token.group(), after
