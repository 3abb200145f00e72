"""Opposites: words that contradict each other, and words that deny.

Pairs of opposites of general and of astronomical English and Japanese stand in ``opposites.LANG.txt``, written down
once. They say nothing about what is true, only that what is "brighter" is not also "fainter". A word belongs to a
*denied* clause when an odd number of denials ("not", 「ない」) stand in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gnomon.core.glyphs import visible
from gnomon.synthesis.judging.evidence import NONE, Suspicion
from gnomon.synthesis.judging.words import alike, clauses, words

Sides = frozenset[tuple[int, int]]
_DENIES_EN = re.compile(
    r"\b(?:not|no|never|none|neither|nor|cannot|without|nothing|nobody|nowhere|hardly|scarcely|barely|fail(?:ed|s)? to"
    r"|unable|lack(?:ed|s|ing)?|instead of|rather than|far from|free of)\b|n['’]t\b",
    re.I,
)
_NO_DENIAL_EN = re.compile(
    r"\bno (?:fewer|less|more|later|earlier) than\b|\bnot only\b|\bno\. ?\d|\bnot until\b|^no,", re.I
)
_DENIES_JA = re.compile(
    "な(?:い|かっ|く(?!な)|ければ|し(?=[。、にで]|$))|ません|[かさたなばまらわれせけげてねべめえし]ず(?:に|、|$|とも)|ぬ(?:。|$)|不可能"
)
_NO_DENIAL_JA = re.compile(
    "少な[いくか]|だけで(?:は)?なく|のみならず|ばかりか|間もなく|まもなく|さりげな|に(?:すぎ|過ぎ)ない|かもしれない|違いない|ちがいない"
    "|ほかならない|限りな|必ず|まず"
)
_YES = re.compile(r"^(?:yes\b|はい)", re.I)
_NO = re.compile(r"^(?:no\b(?! \w)|いいえ)", re.I)
_PREFIXES = ("un", "in", "im", "ir", "dis", "non", "non-", "anti", "a")
_TOKEN = re.compile(r"[a-z]+(?:-[a-z]+)?", re.I)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two words that do not go together."""

    said: str
    """In the answer."""
    read: str
    """In the quote; empty when the quote has nothing of the kind."""


def contradictions(answer: str, quote: str, lang: str) -> list[Contradiction]:
    """Words of the answer that say how or which way, are not in the quote, and have their opposite in it, if any.

    Args:
        answer: The answer.
        quote: The words it rests on.
        lang: ``"ja"`` or anything else for English.
    """
    said, read = polar(answer, lang), polar(quote, lang)
    found = []
    for word, sides in said.items():
        if word in read or any(alike(word, other) and sides & read[other] for other in read):
            continue
        turned = {(axis, 1 - side) for axis, side in sides}
        against = [other for other, theirs in read.items() if theirs & turned and other not in said]
        backed = [other for other, theirs in read.items() if theirs & sides]
        if against or not backed:
            found.append(Contradiction(word, against[0] if against else ""))
    return found if lang == "ja" else found + _prefixed(answer, quote)


def _prefixed(answer: str, quote: str) -> list[Contradiction]:
    """Words that differ in a prefix of denial: "likely" and "unlikely"."""
    said, read = ({token.casefold() for token in _TOKEN.findall(visible(text))} for text in (answer, quote))
    pairs = [(one, other) for one in sorted(said - read) for other in sorted(read - said)]
    return [
        Contradiction(one, other)
        for one, other in pairs
        if any(one == prefix + other or other == prefix + one for prefix in _PREFIXES)
    ]


def contradicted(answer: str, quote: str, lang: str) -> tuple[Suspicion, Suspicion]:
    """A word of the answer whose opposite the quote has; and one that the quote has nothing of the kind for."""
    found = contradictions(answer, quote, lang)
    against = [f"{one.said} against {one.read}" for one in found if one.read]
    alone = [one.said for one in found if not one.read]
    return (
        Suspicion(1.0, "the quote says the opposite: " + ", ".join(against[:3])) if against else NONE,
        Suspicion(1.0, "the quote does not say which way: " + ", ".join(alone[:3])) if alone else NONE,
    )


def denial(question: str, answer: str, quote: str, lang: str) -> Suspicion:
    """Words that one of answer and quote denies and the other does not."""
    _, against = turned(question, answer, quote, lang)
    return Suspicion(1.0, "denied in only one of answer and quote: " + ", ".join(against[:3])) if against else NONE


def polar(text: str, lang: str) -> Mapping[str, Sides]:
    """The words of a text that have an opposite, with the (axis, side) pairs they belong to."""
    shown, table = visible(text).casefold(), axes(lang)
    if lang == "ja":
        met = [word for word in table if word in shown]
        return {word: table[word] for word in met if not any(word in other and word != other for other in met)}
    parts = (part for token in _TOKEN.findall(shown) for part in {token, *token.split("-")})
    return {part: table[part] for part in parts if part in table}


@lru_cache(maxsize=2)
def axes(lang: str) -> Mapping[str, Sides]:
    """The table of opposites of a language: word to its (axis, side) pairs."""
    name = "ja" if lang == "ja" else "en"
    lines = (Path(__file__).parent / f"opposites.{name}.txt").read_text(encoding="utf-8").splitlines()
    table: dict[str, set[tuple[int, int]]] = {}
    for axis, line in enumerate(line for line in lines if not line.startswith("#")):
        for side, listed in enumerate(line.split("|")):
            for word in listed.split():
                table.setdefault(word, set()).add((axis, side))
    return {word: frozenset(sides) for word, sides in table.items()}


# Denials --------------------------------------------------------------------------------------


def denied(text: str, lang: str) -> dict[int, bool]:
    """Which clauses of a text, by number, are denied."""
    shown = visible(text)
    masked = (_NO_DENIAL_JA if lang == "ja" else _NO_DENIAL_EN).sub(lambda m: "・" * len(m.group()), shown)
    pattern = _DENIES_JA if lang == "ja" else _DENIES_EN
    return {
        number: len(pattern.findall(masked[start:end])) % 2 == 1
        for number, (start, end) in enumerate(clauses(shown, lang))
    }


def turned(question: str, answer: str, quote: str, lang: str) -> tuple[list[str], list[str]]:
    """The words that answer and quote share, and those of them that one denies and the other does not.

    A "yes" or "no" is read with the question: its words count as the answer's.
    """
    yes, no = bool(_YES.search(answer.strip())), bool(_NO.search(answer.strip()))
    own, theirs = denied(answer, lang), denied(quote, lang)
    there = words(quote, lang)
    pairs = [(word, own[word.clause]) for word in words(answer, lang)]
    if yes or no:
        asked = denied(question, lang)
        pairs += [(word, asked[word.clause] != no) for word in words(question, lang)]
    shared, against = [], []
    for word, flag in pairs:
        flags = {theirs[other.clause] for other in there if alike(word.text, other.text)}
        shared += [word.text] if flags else []
        against += [word.text] if flags and flag not in flags else []
    return shared, against
