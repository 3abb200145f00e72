"""Features of an option in words: how well it fits each sentence that was found, compared with the other options.

What all options have in common decides nothing, so an option is read by its *own words*: terms that not every
option has, each weighed by how few have it. Where a sentence fits the question too, the option counts for more: it is
looked for where the answer stands, and not merely anywhere in a passage on the subject, since distractors of a good
exam come from the same passage.
"""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from gnomon.research.asked import Question, telling_terms
from gnomon.research.selection import Candidate, covered, rarity
from gnomon.research.solving.meaning import Reader, aligned
from gnomon.research.solving.places import Places, places

OF_SENTENCE = ("passage", "rank", "vector", "length")
"""What ``ask`` sees in a sentence, of ``selection.FEATURES``."""
OF_QUESTION = (*OF_SENTENCE, "here", "asked")
"""How well a sentence fits the question: by terms rare in its passage, and by alignment of tokens."""
OF_OPTION = ("own", "around", "whole", "aligned", "aligned_asked", "weakest", "given", "aligned_given")
"""How well an option fits a sentence: its own words there and around; cosine of question with option to question with
sentence; its tokens aligned alone, after the question, and the worst aligned; cosine to the sentence with the one
before it, which tells what is new in the sentence from what was given already, and its tokens aligned in that context.
"""
WORDS = (*OF_QUESTION, *OF_OPTION)
"""Features of an option at a sentence, in the order of a row."""
LOOKED_AT = 16
"""Sentences that an option is held against: those that fit the question best."""
AROUND = 400
"""Characters within which sentences of a passage are neighbours."""
_STEM = 5
"""Letters that two words must share to count as kin."""
_KIN = 0.7
"""What a word of the same beginning counts beside the same word; and two kanji that both stand there, apart."""
_DENIES = re.compile(
    r"\b(?:except|false|incorrect|wrong|least likely|untrue)\b"
    r"|\b(?:following|these|those|statements?|options?)\b.*(?:\b(?:not|never)\b|n't\b)"
    r"|誤っている|誤り|間違|正しくない|当てはまらない|適切でない|不適切|ではない(?:もの|の)|でないもの",
    re.IGNORECASE,
)
"""A plain "not" turns a question only among options: "which fact could he not explain?" asks for that fact."""


def denies(question: str) -> bool:
    """Whether a question asks for the option that does *not* fit."""
    last = ([part for part in re.split(r"(?<=[.。!])\s*", question.strip()) if part] or [""])[-1]
    emphasised = re.search(r"\b(?:NOT|EXCEPT|FALSE|INCORRECT)\b", question)
    asks = re.search(r"\b(?:which|what)\b|どれ|どの|何", last, re.IGNORECASE)
    return bool(emphasised) or bool(asks and _DENIES.search(last))


def own_words(options: Sequence[str]) -> list[dict[str, float]]:
    """The telling terms of each option with their weight: 1 for a word of one option only, 0 for one that all have."""
    terms = [telling_terms(option) for option in options]
    most = math.log(len(options)) if len(options) > 1 else 1.0
    counts = {term: sum(term in found for found in terms) for found in terms for term in found}
    return [{term: math.log(len(options) / counts[term]) / most for term in sorted(found)} for found in terms]


def share(words: Mapping[str, float], there: frozenset[str]) -> float:
    """The part of an option's own words that stand in a text, kin for less; 0 for an option without any."""
    whole = sum(words.values())
    return sum(weight * _stands(term, there) for term, weight in words.items()) / whole if whole else 0.0


def _stands(term: str, there: frozenset[str]) -> float:
    if term in there:
        return 1.0
    if not term.isascii():
        return _KIN * (len(term) > 1 and all(any(sign in other for other in there) for sign in term))
    if len(term) < _STEM or term[0].isdigit():
        return 0.0
    return _KIN * any(other.startswith(term[:_STEM]) for other in there)


def word_places(
    question: Question, options: Sequence[str], found: Sequence[Candidate], reader: Reader | None
) -> Places:
    """Every option at every sentence.

    Args:
        question: As it was read.
        options: The options.
        found: Sentences of what was found, best first (``selection.candidates``).
        reader: Compares meanings; None leaves those features 0.
    """
    words = own_words(options)
    rows: list[tuple[int, Sequence[float]]] = []
    for candidate in found[:LOOKED_AT]:
        fits = _of_question(question, candidate, found, reader)
        near, fresh = _near(candidate, found) - question.terms, candidate.terms - question.terms
        table = [
            [share(own, fresh), share(own, near), *_meant(option, candidate, reader)]
            for option, own in zip(options, words, strict=True)
        ]
        beside = np.array(table) - np.mean(table, axis=0)
        rows += [(option, [*fits, *row]) for option, row in enumerate(beside.tolist())]
    return places("words" if reader else "words_alone", WORDS, rows, -np.inf)


def _of_question(
    question: Question, candidate: Candidate, found: Sequence[Candidate], reader: Reader | None
) -> list[float]:
    weigh = rarity(question, [other for other in found if other.hit is candidate.hit])
    asked = 0.0
    if reader is not None:
        asked = float(aligned(reader.telling(), reader.alone(candidate.text).tokens).mean())
    return [*(candidate.features[name] for name in OF_SENTENCE), covered(weigh, candidate.terms), asked]


def _meant(option: str, candidate: Candidate, reader: Reader | None) -> tuple[float, ...]:
    """The last six of ``OF_OPTION``."""
    if reader is None:
        return (0.0,) * 6
    told, there, itself = reader.asked(option), reader.asked(candidate.text), reader.alone(option)
    before = candidate.hit.text[candidate.before : candidate.start].strip() or candidate.hit.title
    alone = aligned(itself.tokens, reader.alone(candidate.text).tokens)
    given = reader.after(before, candidate.text)
    after, context = aligned(told.tokens, there.tokens), aligned(told.tokens, given.tokens)
    cosines = float(told.whole @ there.whole), float(itself.whole @ given.whole)
    return cosines[0], float(alone.mean()), float(after.mean()), float(alone.min()), cosines[1], float(context.mean())


def _near(candidate: Candidate, found: Sequence[Candidate]) -> frozenset[str]:
    """The terms of a sentence and of those next to it in its passage."""
    close = [c.terms for c in found if c.hit is candidate.hit and abs(c.start - candidate.start) < AROUND]
    return frozenset().union(candidate.terms, *close)
