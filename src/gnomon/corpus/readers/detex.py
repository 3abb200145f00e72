"""Detex: short LaTeX (a bibliography field, an author's name) as plain text, math left as it is."""

import functools
import re
import unicodedata
from typing import Any

_JOURNALS = {
    "aj": "Astronomical Journal", "apj": "Astrophysical Journal", "apjl": "Astrophysical Journal Letters",
    "apjs": "Astrophysical Journal Supplement Series", "aap": "Astronomy and Astrophysics", "araa":
    "Annual Review of Astronomy and Astrophysics", "mnras": "Monthly Notices of the Royal Astronomical Society",
    "pasp": "Publications of the Astronomical Society of the Pacific", "pasj":
    "Publications of the Astronomical Society of Japan", "prd": "Physical Review D", "prl": "Physical Review Letters",
    "nat": "Nature", "icarus": "Icarus", "solphys": "Solar Physics", "aapr": "Astronomy and Astrophysics Review",
    "aaps": "Astronomy and Astrophysics Supplement", "jcap": "Journal of Cosmology and Astroparticle Physics",
    "ssr": "Space Science Reviews", "planss": "Planetary and Space Science", "psj": "Planetary Science Journal",
    "physrep": "Physics Reports", "apss": "Astrophysics and Space Science", "memsai":
    "Memorie della Societa Astronomica Italiana", "qjras": "Quarterly Journal of the Royal Astronomical Society",
}  # fmt: skip
_JOURNAL = re.compile(r"\\([a-z]+)\b")
_MATH = re.compile(r"(?<!\\)\$[^$]{1,400}(?<!\\)\$")
_SPACE = re.compile(r"\s+")
_ACCENT = re.compile(r"\{?\\([`'^\"~=.]|[uvHckr](?=[\s{\\]))\s*\{?\s*(\\[ij](?![A-Za-z])|[A-Za-z])\}?\}?")
_COMBINING = dict(
    zip("`'^\"~=.uvHckr", "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u0306\u030c\u030b\u0327\u0328\u030a", strict=True)
)


@functools.lru_cache(maxsize=50_000)
def detex(text: str) -> str:
    """One line of plain text from a short piece of LaTeX; inline math keeps its dollar signs."""
    if not any(c in text for c in "\\{}~$-`'"):
        return _SPACE.sub(" ", text).strip()
    maths: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        maths.append(match[0])
        return f"\ue000{len(maths) - 1}\ue001"

    plain = _ACCENT.sub(_accented, _MATH.sub(put_aside, text))
    if "\\" in plain or "``" in plain:
        plain = to_text().latex_to_text(plain)
    else:
        plain = plain.replace("{", "").replace("}", "").replace("~", " ").replace("---", "—").replace("--", "–")
    plain = re.sub("\ue000(\\d+)\ue001", lambda m: maths[int(m[1])] if int(m[1]) < len(maths) else "", plain)
    return _SPACE.sub(" ", plain).strip()


def _accented(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", match[2].lstrip("\\") + _COMBINING[match[1]])


@functools.cache
def to_text() -> Any:
    """The converter of pylatexenc, math kept verbatim."""
    from pylatexenc.latex2text import LatexNodes2Text

    return LatexNodes2Text(math_mode="verbatim", strict_latex_spaces=False, keep_comments=False)


def journal(text: str) -> str:
    r"""A journal's name; the macros of ADS (``\apj``) written out."""
    return detex(_JOURNAL.sub(lambda m: _JOURNALS.get(m[1], m[0]), text))
