"""LaTeX remnants: from what authors leave in abstracts to text that can be searched and read.

``$z\\sim3$`` becomes ``z∼3``, ``10$^{12}$ M$_\\odot$`` ``10^12 M⊙``, ``Schr{\\"o}dinger`` his own
name. Digits are never lost or glued to others: exponents keep ``^``, only an index after a letter
drops its ``_`` (``H_2O`` is ``H2O``). What is not understood stays as it stands: an unknown
command, a brace or dollar without partner, money.

A tolerant reader of our own over the symbol table of pylatexenc: its own converter eats all that
follows a bare ``%``, runs exponents into what follows them, and takes 5 ms for an abstract.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator

from gnomon.corpus.cleaning.latex_words import (
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

_SIGNS = ("\\", "$", "{", "~", "--", "``")
_TOKEN = re.compile(r"\\([A-Za-z]+)\*?|\\(.)|[${}~^_]", re.DOTALL)
_ARGUMENT = re.compile(r"\s*(?:\{|\\[A-Za-z]+|\\.|[^\s\\${}])", re.DOTALL)
_DEPTH, _LONGEST_MATH, _LONGEST_SCRIPT = 24, 2_000, 60
_SOFT, _UNIT, _GLUE = "\ufdd0", "\ufdd1", "\ufdd2"
"""Noncharacters that mark, while a text is put together, where room may be needed."""
_ROOM = re.compile(f"(?<=[^\\W_]){_GLUE}?{_SOFT}(?=[^\\W_])|(?<=\\d){_UNIT}(?=[^\\W\\d_])")
_MARKS = re.compile(f"[{_SOFT}{_UNIT}{_GLUE}]")
_PLAIN_MATH = re.compile(r"[\s\w.,:;=<>+\-−±×*/()|\[\]%'′~≲≳≈∼∝°≤≥→∞!&@]+")
_WORD = re.compile(r"[^\W\d_]{4,}")
_SIMPLE = re.compile(r"[+\-−±∓]?(?:\d+(?:[.,]\d+)*|[^\W\d_]+\d*)%?|[^\w\s]|[+\-−]?\w+")
_ORDINAL = frozenset(("th", "st", "nd", "rd"))
_ROMAN = re.compile(r"[ivx]+")
_STANDING = frozenset("⊙⊕☉★⋆∗*†‡+−-∥⊥∘°")
_TIED_WORDS = frozenset(
    "of to in at by from and than the is are a an with for about or per on over up fig figs figure eq eqs equation"
    " sect section sec table tab ref refs type class band paper chapter appendix panel vol no model case run field"
    " region cluster abell lindsay mach".split()
)
_UNTIED = frozenset("SNR FWHM EW SFR RMS BIC AIC CL TS MAD HWHM SFE AUC ROC PSF".split())
_TEX_QUOTES = re.compile(r"``(.{1,400}?)''", re.DOTALL)


def has_latex(text: str) -> bool:
    """Whether a text may hold anything that ``plain_text`` changes."""
    return any(sign in text for sign in _SIGNS)


def plain_text(text: str) -> str:
    """A text with its LaTeX remnants replaced; equal to the text when it has none."""
    if not has_latex(text):
        return text
    pieces = _render(text, 0, len(text), math=False)
    joined = _settle("".join(pieces))
    joined = _TEX_QUOTES.sub(r"“\1”", joined)
    joined = re.sub(r"(?<=[^\W_])---(?=[^\W_])", "—", joined)
    return re.sub(r"(?<=[^\W_])--(?=[^\W_])", "–", joined)


def _settle(text: str) -> str:
    """Put room where a mark says that letters or digits would run together; remove the marks."""
    if _SOFT in text or _UNIT in text or _GLUE in text:
        text = _MARKS.sub("", _ROOM.sub(" ", text))
    return text


# Reading ------------------------------------------------------------------------------------


def _render(text: str, start: int, end: int, *, math: bool, depth: int = 0) -> Iterator[str]:
    """The plain pieces of ``text[start:end]``."""
    if depth > _DEPTH:
        yield text[start:end]
        return
    position, last = start, ""
    while (token := _TOKEN.search(text, position, end)) is not None:
        if token.start() > position:
            last = text[position : token.start()]
            yield last
        piece, position = _piece(text, token, end, (math, depth, last[-1:] or text[max(start - 1, 0) : start]))
        last = piece or last
        yield piece
    yield text[position:end]


_Place = tuple[bool, int, str]
"""Whether mathematics is being read, how deep, and the character before."""


def _piece(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    """One token's plain form, and where reading goes on."""
    sign = token.group()
    if token.group(1):
        return _command(text, token, end, place)
    if sign[0] == "\\":
        return _control(text, token, end, place)
    if sign == "$":
        return _dollar(text, token.start(), end, place)
    if sign == "{":
        return _group(text, token.start(), end, place)
    if sign in "^_":
        return _script(text, token.start(), end, place)
    if sign == "~":
        return _tie(text, token.start(), end, place[0]), token.end()
    return sign, token.end()


def _closing(text: str, start: int, end: int) -> int:
    """Where the brace opened at ``start`` is closed, -1 when it is not (within a sane distance)."""
    level = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start, min(end, start + _LONGEST_MATH)):
        sign = match.group()
        level += (sign == "{") - (sign == "}")
        if level == 0:
            return match.start()
    return -1


def _argument(text: str, start: int, end: int, place: _Place) -> tuple[str, int] | None:
    """The plain form of a command's next argument, and where it ends; None when there is none."""
    match = _ARGUMENT.match(text, start, end)
    if match is None:
        return None
    math, depth, _ = place
    if match.group()[-1] != "{":
        begin = match.end() - len(match.group().lstrip())
        token = _TOKEN.match(text, begin, end)
        if token is None or depth > _DEPTH:
            return match.group().strip(), match.end()
        piece, after = _piece(text, token, end, (math, depth + 1, " "))
        inner = iter((piece,))
    else:
        close = _closing(text, match.end() - 1, end)
        if close < 0:
            return None
        inner, after = _render(text, match.end(), close, math=math, depth=depth + 1), close + 1
    return "".join(inner).strip(), after


def _skip_option(text: str, start: int, end: int) -> int:
    while text.startswith("[", start) and (close := text.find("]", start, min(end, start + 200))) > 0:
        start = close + 1
    return start


# Commands -----------------------------------------------------------------------------------


def _command(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    name, after = token.group(1), token.end()
    math = place[0]
    if name in SWITCHES:
        return (_UNIT if math else ""), _past_space(text, after, end)
    if name in ACCENTS and (len(name) > 1 or _accent_follows(text, after)):
        return _accent(text, token, end, place)
    if name in SILENT:
        found = _argument(text, _skip_option(text, after, end), end, place)
        return ("", found[1]) if found else (token.group(), after)
    if name in CITES:
        found = _argument(text, _skip_option(text, after, end), end, place)
        return (f"[{found[0]}]", found[1]) if found else (token.group(), after)
    if name in DRESSES:
        return _dressed(text, token, end, place)
    if name in _TAKERS:
        return _TAKERS[name](text, token, end, place)
    if name in FUNCTIONS and math:
        return _SOFT + name + _SOFT, _past_space(text, after, end)
    if name in symbols():
        return _symbol(text, token, end, place)
    return _unknown(text, token, end, place)


def _past_space(text: str, start: int, end: int) -> int:
    while start < end and text[start] in " \t":
        start += 1
    return start


def _symbol(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    sign, after = symbols()[token.group(1)], token.end()
    if text.startswith("{}", after):
        return sign, after + 2
    if len(sign) > 1 and sign[-1].isalnum():
        return _SOFT + sign + _SOFT, after
    # In running text TeX eats the space behind a command; authors mean it nearly always.
    return sign, after if not place[0] or not _is_letter(sign) else _past_single_letter(text, after, end)


def _is_letter(sign: str) -> bool:
    return sign in "Δδ∂∇"


def _past_single_letter(text: str, start: int, end: int) -> int:
    """In mathematics a difference sign stands close to its letter: ``\\Delta v`` is ``Δv``."""
    return _past_space(text, start, end)


def _unknown(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    """A command nobody knows: what it dresses, or its name where a name may stand, else untouched."""
    name, before = token.group(1), text[token.start() - 1 : token.start()]
    if len(name) == 1 or not (place[0] or not before or before in " \t\n([{$~,-"):
        return token.group(), token.end()
    if text.startswith("{}", token.end()):
        return _SOFT + name + _SOFT, token.end() + 2
    if text.startswith("{", token.end()):
        found = _argument(text, token.end(), end, place)
        return found if found else (token.group(), token.end())
    if not place[0] and text.startswith(("[", "\\"), token.end()) and not text.startswith("\\ ", token.end()):
        return token.group(), token.end()
    return _SOFT + name + _SOFT, token.end()


def _dressed(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    name = token.group(1)
    after = _skip_option(text, token.end(), end) if text.startswith("[", token.end()) else token.end()
    starts_math = name in {"ensuremath", "ce", "ch"}
    found = _argument(text, after, end, (place[0] or starts_math, place[1], place[2]))
    if found is None:
        return token.group(), token.end()
    inner, after = found
    if name == "textsc" and _ROMAN.fullmatch(inner):
        inner = inner.upper()
    if name == "sqrt":
        return ("√" + inner if _SIMPLE.fullmatch(inner) else f"√({inner})"), after
    if name in {"textsubscript", "textsuperscript"}:
        return _scripted("_" if name == "textsubscript" else "^", inner, place[2], text[after : after + 1]), after
    return (_UNIT if place[0] else "") + inner, after


def _two(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, str, int] | None:
    first = _argument(text, _skip_option(text, token.end(), end), end, place)
    second = _argument(text, first[1], end, place) if first else None
    return (first[0], second[0], second[1]) if first and second else None


def _fraction(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    found = _two(text, token, end, place)
    if found is None:
        return token.group(), token.end()
    above, below = (_settle(part) for part in found[:2])
    return _SOFT + "/".join(p if _SIMPLE.fullmatch(p) else f"({p})" for p in (above, below)) + _SOFT, found[2]


def _second(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    """Commands of two arguments whose second is what a reader sees."""
    found = _two(text, token, end, place)
    if found is None:
        return token.group(), token.end()
    if token.group(1) == "href":
        return (found[1] if found[0] == found[1] else f"{found[1]} ({found[0]})"), found[2]
    over = {"<∼": "≲", ">∼": "≳", "∼<": "≲", "∼>": "≳"}.get((found[0] + found[1]).replace(" ", ""))
    return over or found[1], found[2]


def _pair(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    """Commands whose two arguments stand side by side: ``\\ion{C}{iv}``, ``\\SI{5}{km}``."""
    found = _two(text, token, end, place)
    if found is None:
        return token.group(), token.end()
    second = found[1].upper() if token.group(1) == "ion" and _ROMAN.fullmatch(found[1]) else found[1]
    return f"{found[0]} {second}{_SOFT}", found[2]


def _angle(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    found = _argument(text, _skip_option(text, token.end(), end), end, place)
    return (f"{found[0]}°", found[1]) if found else (token.group(), token.end())


def _footnote(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    found = _argument(text, _skip_option(text, token.end(), end), end, place)
    return (f" ({found[0]})", found[1]) if found else (token.group(), token.end())


def _environment(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    found = _argument(text, token.end(), end, place)
    if found is None or token.group(1) == "end":
        return ("", found[1]) if found else (token.group(), token.end())
    name, after = found
    stop = text.find(f"\\end{{{name}}}", after, end)
    if stop < 0 or name.rstrip("*") not in MATH_PLACES or stop - after > _LONGEST_MATH:
        return "", after
    inner = "".join(_render(text, after, stop, math=True, depth=place[1] + 1))
    return inner.replace("&", " "), stop + len(f"\\end{{{name}}}")


_TAKERS = {
    "frac": _fraction, "dfrac": _fraction, "tfrac": _fraction, "cfrac": _fraction, "nicefrac": _fraction,
    "textcolor": _second, "color": _second, "href": _second, "texorpdfstring": _second, "stackrel": _second,
    "overset": _second, "underset": _second, "ion": _pair, "SI": _pair, "qty": _pair, "ang": _angle,
    "footnote": _footnote, "begin": _environment, "end": _environment,
}  # fmt: skip


# Control symbols, accents, scripts ----------------------------------------------------------


def _control(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    sign, after = token.group(2), token.end()
    if sign in "([":
        stop = text.find("\\)" if sign == "(" else "\\]", after, min(end, after + _LONGEST_MATH))
        if stop >= 0:
            return "".join(_render(text, after, stop, math=True, depth=place[1] + 1)), stop + 2
        return token.group(), after
    if sign in "%&#_{}":
        return sign, after
    if sign in ACCENTS and not place[0]:
        return _accent(text, token, end, place)
    if (
        sign == ","
        and text[token.start() - 1 : token.start()].isdigit()
        and re.match(r"\d{3}(?!\d)", text[after : after + 4])
    ):
        return "\u2009", after
    if sign == "|":
        return "‖", after
    if sign in SPACES and (place[0] or sign in ", :/\n@\\;" or (sign == "-" and text[after : after + 1].isalnum())):
        return SPACES[sign], after
    return token.group(), after


def _accent_follows(text: str, after: int) -> bool:
    """Whether a one-letter command is an accent: a brace or a space and a single letter behind it."""
    return re.match(r"\{\\?\w?\}|\s\w\b|\{[^\W\d_]\}", text[after : after + 6]) is not None


def _accent(text: str, token: re.Match[str], end: int, place: _Place) -> tuple[str, int]:
    name = token.group(1) or token.group(2)
    found = _argument(text, token.end(), end, place)
    if found is None or not (base := _MARKS.sub("", found[0])):
        return token.group(), token.end()
    if name in {"'", "`", "^", '"', "~", "=", "."} and not base[0].isalpha():
        return token.group(), token.end()
    if len(base) > 1 and len(name) > 1:
        return found
    letter = {"ı": "i", "ȷ": "j"}.get(base[0], base[0])
    return unicodedata.normalize("NFC", letter + ACCENTS[name]) + base[1:], found[1]


def _script(text: str, start: int, end: int, place: _Place) -> tuple[str, int]:
    """An exponent or an index; outside mathematics only one in braces."""
    sign = text[start]
    if not place[0] and not text.startswith("{", start + 1):
        return sign, start + 1
    found = _argument(text, start + 1, end, (True, place[1], sign))
    if found is None or (not place[0] and found[1] - start > _LONGEST_SCRIPT):
        return sign, start + 1
    inner = _settle(found[0]).strip()
    return _scripted(sign, inner, place[2], _next_sign(text, found[1])), found[1]


def _next_sign(text: str, start: int) -> str:
    """The next character that a reader would see after a script, roughly."""
    match = re.match(r"(?:[${}\s]|\\(?:rm|mathrm|text|textrm|rm)\b)*", text[start : start + 40])
    after = text[start + match.end() :][:1] if match else ""
    return after


def _scripted(sign: str, inner: str, before: str, after: str) -> str:
    """How an exponent or index is written: the least that stays unmistakable."""
    before = before.strip(_SOFT + _UNIT + _GLUE)
    if not inner:
        return ""
    if sign == "^":
        if inner in {"∘", "°", "circ"}:
            return "°"
        if set(inner) <= {"′", "'", "″"}:
            return "″" if len(inner) == 2 else inner.replace("'", "′")
        if inner in _ORDINAL and before.isdigit():
            return inner + _SOFT
        if inner.isdigit() and (not before or before in " \t\n([/,-–{") and after.isalpha():
            return inner + _GLUE
    if sign == "_" and (inner in _STANDING or (inner.isdigit() and (before.isalpha() or before == ")"))):
        return inner
    return sign + (inner if _SIMPLE.fullmatch(inner) else f"({inner})") + _SOFT


# Dollars, groups, ties ----------------------------------------------------------------------


def _dollar(text: str, start: int, end: int, place: _Place) -> tuple[str, int]:
    width = 2 if text.startswith("$$", start) else 1
    stop = _dollar_end(text, start + width, end, width)
    if stop < 0 or place[0]:
        return "$" * width, start + width
    inner = text[start + width : stop]
    if not _is_mathematics(inner):
        return "$" * width, start + width
    before = place[2] if place[2] != "$" else ""
    after = _next_sign(text, stop + width)
    return _mathematics(inner, before, after if after.isalpha() else " "), stop + width


def _dollar_end(text: str, start: int, end: int, width: int) -> int:
    limit = min(end, start + _LONGEST_MATH)
    position = start
    while (position := text.find("$" * width, position, limit)) >= 0:
        if text[position - 1] != "\\" or position == start:
            return position
        position += 1
    return -1


def _is_mathematics(inner: str) -> bool:
    """Whether what stands between two dollars is mathematics, and not a text between two prices."""
    if not inner.strip() or "\n\n" in inner:
        return False
    if re.search(r"[\\^_{}]", inner):
        return not re.match(r"\d[\d.,]*(?: [^\W\d_]{2,}){2}", inner)
    if re.fullmatch(r"[^\W\d_]+(?:-[^\W\d_]+)*", inner):
        return True  # a name that was set in italics: $Gaia$
    return len(inner) <= 80 and _PLAIN_MATH.fullmatch(inner) is not None and _WORD.search(inner) is None


@functools.lru_cache(maxsize=20_000)
def _mathematics(inner: str, before: str, after: str) -> str:
    """One formula; the same few thousand make up most of a corpus, so they are remembered."""
    framed = f"{before}{inner}{after}"
    start, end = len(before), len(before) + len(inner)
    return "".join(_render(framed, start, end, math=True)).strip()


def _group(text: str, start: int, end: int, place: _Place) -> tuple[str, int]:
    close = _closing(text, start, end)
    if close < 0:
        return "{", start + 1
    math, depth, _ = place
    inner = text[start + 1 : close]
    if not math and "\\" not in inner and inner not in {"", ",", "-", "=", ".", "+"}:
        return "{", start + 1
    over = re.search(r"\\over(?![A-Za-z])", inner) if math else None
    if over and "{" not in inner[: over.start()]:
        halves = (inner[: over.start()], inner[over.end() :])
        above, below = (_settle("".join(_render(h, 0, len(h), math=True, depth=depth + 1))).strip() for h in halves)
        return _SOFT + "/".join(p if _SIMPLE.fullmatch(p) else f"({p})" for p in (above, below)) + _SOFT, close + 1
    plain = "".join(_render(text, start + 1, close, math=math, depth=depth + 1))
    if inner.startswith("\\sc") and _ROMAN.fullmatch(plain.strip()):
        plain = plain.strip().upper()
    return (plain if math else plain.lstrip(" ") if inner.startswith("\\") else plain), close + 1


def _tie(text: str, start: int, end: int, math: bool) -> str:
    """A tie is a space; ``z~3`` is not a tie but a value that is about three."""
    if math:
        return " "
    before, after = text[start - 1 : start] if start else "", text[start + 1 : start + 2] if start + 1 < end else ""
    if not before.strip() or not after.strip():
        return "~"
    if before in "$}.,)" or after in "$\\{":
        return " "
    if after.isalpha() and before.isalnum():
        return " "
    if not (after.isdigit() and before.isalpha()):
        return "~"
    word = re.search(r"[A-Za-z]+$", text[max(start - 20, 0) : start])
    name = word.group() if word else ""
    tied = name.lower() in _TIED_WORDS or (len(name) > 1 and name.isupper() and name not in _UNTIED)
    named = len(name) > 2 and name[0].isupper() and not name.isupper()
    return " " if tied or named else "~"
