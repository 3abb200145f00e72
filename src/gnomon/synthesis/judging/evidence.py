"""Evidence: whether the words that a pair rests on say what its answer says.

Each check is a *suspicion* between 0 and 1 with its reason: nothing found is 0.
"""

import math
import re
from dataclasses import dataclass

from gnomon.core.checks import facts
from gnomon.core.figures import figures
from gnomon.core.glyphs import visible
from gnomon.core.units import read_unit
from gnomon.synthesis.judging.passages import SHARED, Passage, named, stands
from gnomon.synthesis.judging.words import Word, vocabulary, words

_COUNTS = frozenset(
    (
        "once twice thrice half halves third thirds quarter quarters fourth fourths fifth sixth seventh eighth tenth"
        " hundredth thousandth millionth double doubled triple tripled quadruple square squared cube cubed inverse"
        " dozen dozens hundreds thousands millions billions single pair both"
    ).split()
)
"""Words that say how much and are no figures."""

_KATAKANA = re.compile("[ァ-ヺー]+")
_PROPER_JA = "(?:ら|氏|座|衛星|望遠鏡|天文台|[がはとの、])"
"""What follows a katakana word that is a name rather than a loanword."""
_FEW = frozenset({"one", "two"})
"""Numbers that are said without counting."""
_OWN_WORDS = 0.6
"""Share of a question that may be worded otherwise than its document."""
_ELSEWHERE = 0.5
"""What a missing word counts that stands elsewhere in the document."""
_SHORTEST = 3
"""Characters below which an answer without words says nothing that could be looked for."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What one check holds against a pair."""

    share: float = 0.0
    """How much, 0 to 1."""
    reason: str = ""
    """Why, in words."""


NONE = Suspicion()


def unsaid(question: str, answer: str, quote: str, passage: str, lang: str) -> Suspicion:
    """Whether the answer has words that neither quote nor question has: the root of their share, as one may decide.

    Args:
        question: The question.
        answer: The answer.
        quote: The words it rests on.
        passage: The whole document.
        lang: ISO 639-1.
    """
    own = words(answer, lang)
    if not own:
        bare = visible(answer).strip(" 。.、")
        told = bool(figures(answer)) or bare.casefold() in visible(quote).casefold() or len(bare) < _SHORTEST
        return NONE if told else Suspicion(1.0, f"not in the quote: {bare}")
    missing = _missing(own, quote, question, lang=lang)
    if not missing:
        return NONE
    there = vocabulary(passage, lang)
    weight = sum(_ELSEWHERE if word in there else 1.0 for word in missing)
    return Suspicion(math.sqrt(weight / len(own)), "not in the quote: " + ", ".join(missing[:5]))


def missing_figures(answer: str, quote: str, lang: str) -> Suspicion:
    """A figure of the answer that the quote does not have, its unit included; or such a word as "twice"."""
    wrong = [fact.text for fact in facts(answer, quote) if fact.kind != "name" and not fact.supported]
    wrong += [word.text for word in words(answer, lang) if word.text in _COUNTS and not _counted(word, quote, lang)]
    wrong += [unit for unit in _unit_words(answer) if unit not in visible(quote).casefold()]
    if not wrong:
        return NONE
    return Suspicion(1.0, "no such figure in the quote: " + ", ".join(dict.fromkeys(wrong)))


def _counted(word: Word, quote: str, lang: str) -> bool:
    numbers = {
        "twice": 2,
        "double": 2,
        "doubled": 2,
        "pair": 2,
        "both": 2,
        "once": 1,
        "single": 1,
        "thrice": 3,
        "triple": 3,
    }
    if word.text in numbers and any(figure.value == numbers[word.text] for figure in figures(quote)):
        return True
    return word.text in vocabulary(quote, lang) or word.text in visible(quote).casefold()


def _unit_words(answer: str) -> list[str]:
    """Words of units in an answer that stand apart from their figure: "28 square degrees"."""
    shown = visible(answer)
    taken = [(figure.start, figure.end) for figure in figures(answer)]
    apart = [m for m in re.finditer(r"[A-Za-z]{3,}", shown) if not any(a <= m.start() < b for a, b in taken)]
    found = []
    for match in apart if taken else ():
        unit = read_unit(shown, match.start())
        if unit is not None and unit.end >= match.end():
            found.append(match.group().casefold().removesuffix("s"))
    return found


def missing_names(question: str, answer: str, quote: str, lang: str) -> Suspicion:
    """The share of the answer's names that the quote does not have; names of the question may be repeated."""
    own = [name for name in named(answer, lang) if not stands(name, question)]
    wrong = [name for name in own if not stands(name, quote) and name.casefold() not in vocabulary(quote, lang)]
    if not wrong:
        return NONE
    return Suspicion(len(wrong) / len(own), "no such name in the quote: " + ", ".join(wrong))


def strange_names(question: str, passage: Passage, lang: str) -> Suspicion:
    """A name or figure of the question that the document does not have."""
    shown = visible(question)
    wrong = [name for name in named(SHARED.sub(" ", shown), lang) if not passage.knows(name) and name != "何"]
    written = [(figure, shown[figure.start : figure.end]) for figure in figures(question)]
    wrong += [text for figure, text in written if not passage.counts(figure) and text.casefold() not in _FEW]
    if not wrong:
        return NONE
    weak = all(_KATAKANA.fullmatch(name) and not re.search(re.escape(name) + _PROPER_JA, shown) for name in wrong)
    return Suspicion(0.3 if weak else 1.0, "not in the document: " + ", ".join(wrong))


def usurped(question: str, answer: str, passage: Passage, around: str, lang: str) -> Suspicion:
    """A name of the question that its sentence does not have, where the sentence has another that nobody mentions.

    What the document is about may always be named. The suspicion grows with how much the sentence otherwise says what
    is asked.
    """
    asked = [name for name in named(question, lang) if not stands(name, f"{around} {passage.about}")]
    there = [name for name in named(around, lang) if not stands(name, f"{question} {answer}")]
    if not asked or not there:
        return NONE
    plain = {name.casefold() for name in asked}
    own = tuple(word for word in words(question, lang) if word.text not in plain)
    share = 1 - len(_missing(own, around, lang=lang)) / len(own) if own else 0.0
    return Suspicion(share, f"the sentence names {', '.join(there[:3])}, not {', '.join(asked[:3])}")


def foreign(question: str, passage: Passage, lang: str) -> Suspicion:
    """How far the question speaks of what its document never mentions; three fifths of its words may be its own."""
    own = words(question, lang)
    missing = _missing(own, passage.everything, lang=lang)
    share = len(missing) / len(own) if own else 1.0
    if share <= _OWN_WORDS:
        return NONE
    return Suspicion((share - _OWN_WORDS) / (1 - _OWN_WORDS), "foreign to the document: " + ", ".join(missing[:5]))


def _missing(own: tuple[Word, ...], *texts: str, lang: str) -> list[str]:
    """The words that none of some texts has."""
    known = [vocabulary(text, lang) for text in texts]
    return [word.text for word in own if not any(word.text in there for there in known)]
