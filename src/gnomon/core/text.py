"""Text rules that every room shares: folding, words, n-grams, sentences, scripts.

*Folding* makes two writings of the same words equal (NFKC, case, white space). *Terms* are the
units of n-grams: words where words are spaced, single characters where they are not (Japanese,
Chinese), so that no tokeniser or dictionary is needed.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_UNSPACED_CHAR = re.compile(f"[{_UNSPACED}]")
_KANA = re.compile("[\u3041-\u30ff\uff66-\uff9f]")
_TERM = re.compile(rf"[{_UNSPACED}]|\d+(?:[.,]\d+)*|[^\W\d_{_UNSPACED}][^\W_{_UNSPACED}]*(?:['’][^\W\d_{_UNSPACED}]+)?")
_SPACE = re.compile(r"\s+")


def fold(text: str) -> str:
    """NFKC, lower case, every run of white space one space: for comparing, never for showing."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()


def terms(text: str) -> list[str]:
    """The folded terms of a text: words (``m87`` is one), numbers, single characters of unspaced scripts."""
    return _TERM.findall(unicodedata.normalize("NFKC", text).casefold())


def ngrams(units: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    """Every run of n units, in order."""
    return (tuple(units[i : i + n]) for i in range(len(units) - n + 1))


def unspaced_share(text: str) -> float:
    """Share of a text's letters and digits that belong to an unspaced script (0 for an empty one)."""
    unspaced = 0 if text.isascii() else len(_UNSPACED_CHAR.findall(text))
    letters = sum(c.isalnum() for c in text) if unspaced else 0
    return unspaced / letters if letters else 0.0


def has_kana(text: str) -> bool:
    """Whether a text holds kana, the plain sign of Japanese."""
    return _KANA.search(text) is not None


def document_text(title: str, body: str) -> str:
    """A document as language models read it, in training and in evaluation alike: title, blank line, body.

    A lone surrogate becomes a question mark: tokenisers speak UTF-8, which has none.
    """
    whole = "\n\n".join(part for part in (title.strip(), body.strip()) if part)
    return whole.encode("utf-8", "replace").decode("utf-8")


# Sentences -----------------------------------------------------------------------------------

_ABBREVIATIONS = (
    "al fig figs eq eqs eqn eqns sec sect secs ref refs tab no nos vol vols pp ch chap app approx ca cf vs"
    " etc e.g i.e viz resp dr mr mrs ms prof st jr sr inc ltd dept univ proc phys astron astrophys sci lett rev"
    " jan feb mar apr jun jul aug sep sept oct nov dec mag max min ser suppl obs natl acad soc roy"
).split()
_NO_END_AFTER = re.compile(
    r"\b(?:" + "|".join(re.escape(a) for a in _ABBREVIATIONS) + r")\.$|\b(?:[a-z]\.)+[a-z]\.$", re.IGNORECASE
)
_INITIAL = re.compile(r"(?<!\d )(?<!\d)(?<!/)\b[A-Z]\.$")  # "J. Smith", not the end of "at 1300 K."
_LETTER = re.compile(r"(?<![/\w])[a-z]\.$")  # "p. 12"
_ENGLISH_END = re.compile(r"[.!?]+[\"'”’)\]]*(?=\s)")
_JAPANESE_END = re.compile(r"[。！？．｡]+[」』）〉》】”’)]*|[!?]+(?=[\s" + _UNSPACED + "]|$)")
_PARAGRAPH = re.compile(r"\n\s*\n")
_OPENING, _CLOSING = "「『（〈《【", "」』）〉》】"


def sentences(text: str, lang: str = "") -> list[tuple[int, int]]:
    """Character ranges of a text's sentences, in order, without the white space between them.

    Args:
        text: The text; blank lines always end a sentence.
        lang: ``"ja"`` or ``"zh"`` for unspaced rules; read off the text when empty.
    """
    unspaced = lang in {"ja", "zh"} or (lang in {"", "und"} and unspaced_share(text) > 0.3)
    found: list[tuple[int, int]] = []
    start = 0
    for border in [*_PARAGRAPH.finditer(text), None]:
        end = border.start() if border else len(text)
        ends = _japanese_ends(text, start, end) if unspaced else _english_ends(text, start, end)
        cuts = [start, *ends, end]
        found += [part for a, b in pairwise(cuts) if (part := _trim(text, a, b))[0] < part[1]]
        start = border.end() if border else end
    return found


def _english_ends(text: str, start: int, end: int) -> Iterator[int]:
    for match in _ENGLISH_END.finditer(text, start, end):
        after = text[match.end() : match.end() + 40].lstrip()[:1]
        before = text[max(start, match.start() - 12) : match.start() + 1]
        if after.islower() or (text[match.start()] == "." and _goes_on(before, after)):
            continue
        yield match.end()


def _goes_on(before: str, after: str) -> bool:
    """Whether the full stop at the end of ``before`` belongs to an abbreviation."""
    if _NO_END_AFTER.search(before) or _INITIAL.search(before):
        return True
    return after.isdigit() and _LETTER.search(before) is not None


def _japanese_ends(text: str, start: int, end: int) -> Iterator[int]:
    depth, seen = 0, start
    for match in _JAPANESE_END.finditer(text, start, end):
        between = text[seen : match.end()]
        depth += sum(c in _OPENING for c in between) - sum(c in _CLOSING for c in between)
        depth, seen = max(depth, 0), match.end()
        if depth == 0:
            yield match.end()


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
