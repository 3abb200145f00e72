"""Questions: the language a question is in, its telling terms, and what kind of answer it wants.

*Telling terms* are what is left of a text without the words every question has: stems of words in
English, pairs of kanji or katakana characters in Japanese, so that no dictionary is needed.
*Cues* are the kinds of answer a question asks for by its form: a number, a year, a name, a reason.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from gnomon.core.glyphs import visible
from gnomon.core.text import has_kana, unspaced_share

LONGEST_QUESTION = 2_000
"""Characters of a question that are read; what follows cannot make it clearer."""

_STOP = frozenset(
    (
        "a about above after again all also among an and any are as at be because been before being below between both"
        " but by can could did do does doing down during each few for from further had has have having he her here hers"
        " him his how however i if in into is it its itself just later like made make many may me might more most much"
        " must my no nor not of off on once one only or other our out over own per same she should so some such than"
        " that the their them then there these they this those through to too two under until up upon us use used using"
        " very was we were what when where which while who whom whose why will with within without would yet you your"
        " according much many please tell explain describe give find found show shown did turn come came get got"
    ).split()
)
_WORD = re.compile(
    "[\u3005\u4e00-\u9fff]+|[ァ-ヺー]+|(?:\\d+(?:[.,]\\d+)*)|[^\\W_\u3005-\u3007\u3040-\u30ff\u3400-\u9fff]+"
)
_UNSPACED = re.compile("[\u3005\u4e00-\u9fffァ-ヺー]")
_MEASURES = (
    "fraction|percentage|percent|share|number|value|mass|distance|speed|velocity|temperature|age|period|rate|radius"
    "|diameter|size|redshift|wavelength|frequency|energy|ratio|magnitude|factor|luminosity|density|limit|interval"
    "|length|strength"
)
_CUES = {
    "year": r"\b(?:when|which year|what year|in which decade)\b|何年|いつ|何年代",
    "number": r"\bhow (?:many|much|far|long|large|big|old|often|fast|hot|massive|heavy|bright|wide|deep|high|close)\b"
    rf"|\b(?:what|which) (?:\w+ ){{0,3}}(?:{_MEASURES})\b|いくら|いくつ|どれくらい|どのくらい|どれほど"
    r"|何(?:個|本|倍|度|人|台|枚|回|日|時間|割|パーセント|%|億|万|km|キロ|メートル|光年|等|分の)",
    "name": r"\b(?:who|whom|whose)\b|\bwhich (?:astronomer|person|team|group|telescope|satellite|instrument|survey|star"
    r"|galaxy|object|mission|spacecraft|observatory)s?\b|\bwhat (?:telescope|instrument|survey|mission)\b|誰|だれ|どの",
    "reason": r"\b(?:why|what made|what caused|what explain\w*|for what reason)\b|なぜ|どうして|理由|原因|何によって",
}
CUES = tuple(_CUES)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, read."""

    text: str
    """What is searched for: visible, one line, at most ``LONGEST_QUESTION`` characters."""
    lang: str
    """``"ja"`` or ``"en"``; a refusal is worded in it."""
    terms: frozenset[str]
    """Its telling terms."""
    cues: frozenset[str]
    """Kinds of answer it asks for, of ``CUES``."""


def read_question(text: str) -> Question:
    """A question of any text at all, also of none."""
    line = " ".join(visible(text[:LONGEST_QUESTION]).split())
    line = "".join(c for c in line if c.isprintable())
    japanese = has_kana(line) or unspaced_share(line) > 0.3
    cues = frozenset(name for name, pattern in _CUES.items() if re.search(pattern, line, re.IGNORECASE))
    return Question(line, "ja" if japanese else "en", telling_terms(line), cues)


@lru_cache(maxsize=20_000)
def telling_terms(text: str) -> frozenset[str]:
    """The telling terms of a text."""
    found: set[str] = set()
    for word in _WORD.findall(visible(text).casefold()):
        if _UNSPACED.match(word):
            found.update([word] if len(word) == 1 else (word[i : i + 2] for i in range(len(word) - 1)))
        elif word not in _STOP and (len(word) > 1 or word.isdigit()):
            found.add(stem(word))
    return frozenset(found)


def stem(word: str) -> str:
    """A light English stem: plural, past and -ing forms fall together, nothing cleverer."""
    if not word.isascii() or len(word) < 4 or word[-1].isdigit():
        return word
    for ending, put in (("ies", "y"), ("sses", "ss"), ("ations", "at"), ("ation", "at"), ("ingly", ""), ("edly", "")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)] + put
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed", "er", "ly"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            word = word[: -len(ending)]
            word = word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl" else word
            break
    return word.removesuffix("e") if len(word) > 4 else word
