"""Words: the telling units of a question, an answer or a quote, each with the place and the clause it stands in.

English words are compared by their stems, and by a long common beginning ("oscillate", "oscillations"); Japanese, which
is not spaced, by pairs of neighbouring characters inside runs of kanji, katakana or letters. No dictionary is needed.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from gnomon.core.figures import blank_figures
from gnomon.core.glyphs import visible

_STOP = frozenset(
    (
        "a about above according account after again all almost along already also although among amount an and"
        " another any approximately are around as at based be became because become been before began being below"
        " beside besides between both but by call came can come compared conclude concluded could describe described"
        " describes did do does doing done down during each either else even ever every factor few fold for form"
        " found from further gave get give given go had half happen happened has have having he hence her here him"
        " himself his how however i if in indeed indicate indicated indicates indicating inside instead into is it"
        " its itself just kind large least less lie like made mainly make many may me mention mentioned might more"
        " most mostly much must namely near nearly neither no none nor not note noted nothing now occur occurred of"
        " off often on once one ones only onto or other others our out over own part per perhaps put quite rather"
        " report reported reports respectively roughly said same say says seem seen several shall she should show"
        " shown since so some state stated states such suggest suggested suggests take taken tell than that the"
        " their them themselves then there thereby therefore these they thing this those though through throughout"
        " thus times to together told too toward towards turn two under until up upon us use used uses using very"
        " via was way we went were what when where whether which while who whom whose why will with within without"
        " would yes yet you your"
    ).split()
)
"""Words that tell nothing about a subject; those that say *how much* or *which way* are looked at elsewhere."""
_STOP_JA = frozenset("所物点形方際等者中時間事後前上下内何誰見言用")
"""Single characters that tell as little."""
_RUN = re.compile(
    "[\u3005\u4e00-\u9fff]+|[ァ-ヺー]+|[A-Za-zÀ-ɏͰ-Ͽ][A-Za-zÀ-ɏͰ-Ͽ0-9]*(?:['’.&](?=[A-Za-z])[A-Za-z]+)*"
    "|[0-9]+(?:[.,][0-9]+)*[A-Za-z]*"
)
_UNSPACED = re.compile("[\u3005\u4e00-\u9fffァ-ヺー]")
_CLAUSE_EN = re.compile(
    r"[,;:.!?()](?:\s|$)|\b(?:but|while|whereas|although|though|because|since|so that|so|if|when|unless|and|which|who"
    r"|yet|until)\b|\s[-–—]\s"
)
_CLAUSE_JA = re.compile("[、。，．；！？（）()]")
_SAME = tuple(
    frozenset(group.split())
    for group in (
        "sun solar suns", "star stellar stars", "galaxy galactic galaxies", "earth terrestrial", "moon lunar",
        "planet planetary", "center centre central", "percent per cent", "grow grew growing grows increase",
        "drop dropped fall fell falling falls", "rise rose rising", "find found", "hold held", "begin began start",
        "largest biggest", "size diameter", "across wide", "ratio proportion share fraction", "speed velocity",
        "brightness luminosity", "error uncertainty", "inside within", "heavy massive", "visible optical light",
        "create made make produce", "strength strong", "length long", "width wide", "depth deep", "high height",
        "colour color", "grey gray", "sulphur sulfur", "aluminium aluminum", "metre meter", "x-ray x-rays",
    )
)  # fmt: skip
_ENDINGS = (
    ("ications", "y"), ("ication", "y"), ("ations", "at"), ("ation", "at"), ("itions", "it"), ("ition", "it"),
    ("sions", "s"), ("sion", "s"), ("tions", "t"), ("tion", "t"), ("nesses", ""), ("ness", ""), ("ingly", ""),
    ("edly", ""), ("ments", ""), ("ment", ""), ("ities", ""), ("ity", ""), ("ically", "ic"), ("ies", "y"),
    ("sses", "ss"), ("ly", ""),
)  # fmt: skip
_BEGINNING, _COMMON = 4, 0.62


@dataclass(frozen=True, slots=True)
class Word:
    """One telling unit of a text."""

    text: str
    """As it is compared: folded, without figures."""
    stem: str
    """Its stem; of an unspaced pair, the pair."""
    start: int
    """Where it stands in the visible text."""
    clause: int
    """Number of its clause."""


@lru_cache(maxsize=20_000)
def words(text: str, lang: str, *, units: bool = False) -> tuple[Word, ...]:
    """The telling words of a text, in order, figures left out.

    Args:
        text: Any text.
        lang: ``"ja"`` or anything else for English rules; runs of kanji are cut in pairs in both.
        units: Keep the words of figures and units too.
    """
    shown = visible(text) if units else blank_figures(text)
    cuts = [start for start, _ in clauses(visible(text), lang)[1:]]
    found: list[Word] = []
    for match in _RUN.finditer(shown):
        clause = bisect_right(cuts, match.start())
        run = match.group().casefold()
        if _UNSPACED.match(run):
            pairs = [run] * (run not in _STOP_JA) if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]
            found += [Word(pair, pair, match.start() + i, clause) for i, pair in enumerate(pairs)]
        elif run not in _STOP and (len(run) > 1 or not run.isalpha()):
            plain = re.sub(r"['’]s?$", "", run)
            found.append(Word(plain, stem(plain), match.start(), clause))
    return tuple(found)


@lru_cache(maxsize=20_000)
def clauses(shown: str, lang: str) -> tuple[tuple[int, int], ...]:
    """The clauses of a visible text, from punctuation and conjunctions alone."""
    cuts = [match.end() for match in (_CLAUSE_JA if lang == "ja" else _CLAUSE_EN).finditer(shown)]
    return tuple(pairwise([0, *cuts, len(shown)]))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A light English stem: plural, past, -ing and the commonest nouns made of verbs fall together."""
    if not word.isascii() or len(word) < 4 or word[-1].isdigit():
        return word
    for ending, put in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 3:
            return _bare(word[: -len(ending)] + put)
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed", "est", "er", "al"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            word = word[: -len(ending)]
            return _bare(word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl" else word)
    return _bare(word)


def _bare(word: str) -> str:
    return word.removesuffix("e") if len(word) > 4 else word


@lru_cache(maxsize=100_000)
def alike(one: str, other: str) -> bool:
    """Whether two folded words are forms of one, by stem, by beginning or as names of one thing."""
    if one == other or any(one in group and other in group for group in _SAME):
        return True
    if one[0] != other[0] or _UNSPACED.match(one):
        return False
    if stem(one) == stem(other):
        return True
    common = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return common >= _BEGINNING and common >= _COMMON * max(len(one), len(other)) and one.isalpha() and other.isalpha()


class Vocabulary:
    """The words of a text, to look others up in.

    Args:
        text: The text.
        lang: Its language.
    """

    def __init__(self, text: str, lang: str) -> None:
        self.texts = frozenset(word.text for word in words(text, lang, units=True))
        self._stems = frozenset(stem(word) for word in self.texts)
        self._beginnings: dict[str, list[str]] = {}
        for word in self.texts:
            self._beginnings.setdefault(word[:_BEGINNING], []).append(word)

    def __contains__(self, word: str) -> bool:
        """Whether a form of a word is among them."""
        if word in self.texts or stem(word) in self._stems:
            return True
        if len(word) == 1 and _UNSPACED.match(word):
            return any(word in other for other in self.texts)
        if any(alike(word, other) for other in self._beginnings.get(word[:_BEGINNING], ())):
            return True
        return any(word in group and not group.isdisjoint(self.texts) for group in _SAME)


@lru_cache(maxsize=2_000)
def vocabulary(text: str, lang: str) -> Vocabulary:
    """The words of a text, read once."""
    return Vocabulary(text, lang)
