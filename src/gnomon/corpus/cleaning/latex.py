r"""LaTeX remnants: from what authors leave in abstracts to text that can be searched and read.

``$z\sim3$`` becomes ``z∼3``, ``10$^{12}$ M$_\odot$`` ``10^12 M⊙``, ``Schr{\"o}dinger`` his own
name. Digits are never lost or glued to others: exponents keep ``^``, only an index after a letter
drops its ``_`` (``H_2O`` is ``H2O``). What is not understood stays as it stands: an unknown
control sign, a brace or dollar without partner, money.

A tolerant reader of our own over the symbol table of pylatexenc: its own converter eats all that
follows a bare ``%``, runs exponents into what follows them, and takes 5 ms for an abstract.
"""

import functools
import re

from gnomon.corpus.cleaning.tex.commands import command, control, over
from gnomon.corpus.cleaning.tex.place import BREAK, DEPTH, LONGEST, TOKEN, Place, Read, bare, closing, settled
from gnomon.corpus.cleaning.tex.scripts import script, seen_next

_SIGNS = ("\\", "$", "{", "~", "--", "``")
_FORMULA = re.compile(r"[\\^_{}]")
_PRICE = re.compile(r"\d[\d.,]*(?: [^\W\d_]{2,}){2}")
_FONT = re.compile(r"\\[A-Za-z]+")
_AMOUNT = re.compile(r"\d[\d.,]*\s+[^\W\d_]{2,}")
_NAME = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_PLAIN_MATH = re.compile(r"[\s\w.,:;=<>+\-−±×*/()|\[\]%'′~≲≳≈∼∝°≤≥→∞!&@]+")
_WORD = re.compile(r"[^\W\d_]{4,}")
_ROMAN = re.compile(r"[ivx]+")
_OVER = re.compile(r"\\over(?![A-Za-z])")
_TIED_WORDS = frozenset(
    "of to in at by from and than the is are a an with for about or per on over up fig figs figure eq eqs equation"
    " sect section sec table tab ref refs type class band paper chapter appendix panel vol no model case run field"
    " region cluster abell lindsay mach".split()
)
_UNTIED = frozenset("SNR FWHM EW SFR RMS BIC AIC CL TS MAD HWHM SFE AUC ROC PSF".split())
_VARIABLES = re.compile(r".{0,2}[_^]\w~|.{0,2}\b[a-zA-Z]~[a-zA-Z]\b(?![IVX])|.{0,3}~[a-zA-Z][_^]", re.DOTALL)
_RELATION = re.compile(
    r"(?:(?:sim|approx|simeq|equiv|[lg]esssim|gtrsim|[lg]e|[lg]eq|times|pm|to)|[<>=±×∼≈≃≲≳≤≥\-+])\s*[$}]$"
)
_LAST_WORD = re.compile(r"[A-Za-z]+$")
_TEX_QUOTES = re.compile(r"``(.{1,400}?)''", re.DOTALL)
_LATIN = "0-9A-Za-z\u00c0-\u03ff"
_LONG_DASH = re.compile(f"(?<=[{_LATIN}])---(?=[{_LATIN}])")
_DASH = re.compile(f"(?<=[{_LATIN}])--(?=[{_LATIN}])")
_LATIN_SIGN = re.compile(f"[{_LATIN}]")
_REMEMBERED = 20_000


def plain_text(text: str, *, tex: bool = True) -> str:
    """A text with its LaTeX remnants replaced; the text itself when it has none.

    Args:
        text: The text.
        tex: Whether two hyphens are surely TeX's dash; otherwise only where other markup stands by.
    """
    if not any(sign in text for sign in _SIGNS):
        return text
    plain = settled(_span(text, 0, len(text), False, 0))
    if "``" in plain:
        plain = _TEX_QUOTES.sub(r"“\1”", plain)
    dashes = "--" in plain and (tex or plain != text)
    return _DASH.sub("–", _LONG_DASH.sub("—", plain)) if dashes else plain


def _span(text: str, start: int, end: int, math: bool, depth: int) -> str:  # noqa: FBT001
    """The plain form of ``text[start:end]``, marks included."""
    if depth > DEPTH:
        return text[start:end]
    position, pieces = start, list[str]()
    last = text[start - 1 : start] if start else ""
    while (token := TOKEN.search(text, position, end)) is not None:
        if token.start() > position:
            pieces.append(text[position : token.start()])
            last = pieces[-1][-1]
        piece, position = _piece(text, token, end, Place(math, depth, last, _span, _piece))
        pieces.append(piece)
        last = bare(piece[-3:])[-1:] or last
    pieces.append(text[position:end])
    return "".join(pieces)


def _piece(text: str, token: re.Match[str], end: int, place: Place) -> Read:
    """One token's plain form, and where reading goes on."""
    sign = token.group()
    if token.group(1):
        return command(text, token, end, place)
    if sign[0] == "\\":
        return control(text, token, end, place)
    if sign == "$":
        return _dollar(text, token.start(), end, place)
    if sign == "{":
        return _group(text, token.start(), end, place)
    if sign in "^_":
        return script(text, token.start(), end, place)
    return (_tie(text, token.start(), end, place) if sign == "~" else sign), token.end()


# Mathematics --------------------------------------------------------------------------------


def _dollar(text: str, start: int, end: int, place: Place) -> Read:
    width = 2 if text.startswith("$$", start) else 1
    stop = _dollar_end(text, start + width, end, width)
    inner = text[start + width : stop]
    if place.math or stop < 0 or not _is_mathematics(inner):
        return "$" * width, start + width
    after = seen_next(text, stop + width)
    return _mathematics(inner, place.before, after if after.isalpha() else " "), stop + width


def _dollar_end(text: str, start: int, end: int, width: int) -> int:
    limit, position = min(end, start + LONGEST), start
    while (position := text.find("$" * width, position, limit)) >= 0:
        if text[position - 1] != "\\" or position == start:
            return position
        position += 1
    return -1


def _is_mathematics(inner: str) -> bool:
    """Whether what stands between two dollars is mathematics, and not a text between two prices."""
    if not inner.strip() or "\n\n" in inner:
        return False
    if _FORMULA.search(inner):
        return _PRICE.match(inner) is None
    if _NAME.fullmatch(inner):
        return True  # a name that was set in italics: $Gaia$
    if _AMOUNT.match(inner) and inner[-1].isspace():
        return False
    return len(inner) <= 80 and _PLAIN_MATH.fullmatch(inner) is not None and _WORD.search(inner) is None


@functools.lru_cache(maxsize=_REMEMBERED)
def _mathematics(inner: str, before: str, after: str) -> str:
    """One formula; the same few thousand make up most of a corpus, so they are remembered."""
    inner = inner.strip() + " " * inner.endswith("\\ ")  # blanks mean nothing here, a commanded space does
    start = len(before)
    return _span(f"{before}{inner}{after}", start, start + len(inner), True, 0)


def _group(text: str, start: int, end: int, place: Place) -> Read:
    close = closing(text, start, end)
    if close < 0:
        return "{", start + 1
    inner = text[start + 1 : close]
    if not place.math and not _is_dressing(inner):
        return "{", start + 1
    bar = _OVER.search(text, start + 1, close) if place.math else None
    if bar and "{" not in text[start + 1 : bar.start()]:
        halves = (place.read(text, *part, math=True) for part in ((start + 1, bar.start()), (bar.end(), close)))
        return over(*halves), close + 1
    plain = place.read(text, start + 1, close, math=place.math)
    if inner.startswith("\\sc") and _ROMAN.fullmatch(plain.strip()):
        plain = plain.strip().upper()
    return (f"{BREAK}{plain}{BREAK}" if place.math else plain), close + 1


def _is_dressing(inner: str) -> bool:
    """Whether braces in running text are TeX's, and not those of a set or of a program."""
    if inner in {"", ",", "-", "=", ".", "+"} or _FONT.match(inner):
        return True
    return ("\\" in inner or "$" in inner) and "\n" not in inner


# Ties ---------------------------------------------------------------------------------------


def _tie(text: str, start: int, end: int, place: Place) -> str:
    """A tie is a space; ``z~3`` is not a tie but a value that is about three."""
    if place.math:
        return " "
    before, after = text[start - 1 : start] if start else "", text[start + 1 : start + 2] if start + 1 < end else ""
    if not before.strip() or not after.strip():
        return "~"
    if before in "([<=>/|" or (
        before in "$}" and after.isdigit() and not _RELATION.search(text[max(start - 12, 0) : start])
    ):
        return "~"
    if before in "$}.,)" or after in "$\\{":
        return " "
    if after.isalpha() and before.isalnum():
        if not (_LATIN_SIGN.match(before) and _LATIN_SIGN.match(after)):
            return "~"  # a range in Japanese
        return "~" if _VARIABLES.match(text, max(start - 3, 0)) else " "
    if not (after.isdigit() and before.isalpha()):
        return "~"
    word = _LAST_WORD.search(text[max(start - 20, 0) : start])
    return " " if word and _is_tied(word.group()) else "~"


def _is_tied(name: str) -> bool:
    """Whether a word before a tie and a number is a name or a preposition, not a quantity."""
    if name.lower() in _TIED_WORDS:
        return True
    if name.isupper():
        return len(name) > 1 and name not in _UNTIED
    return len(name) > 2 and name[0].isupper()
