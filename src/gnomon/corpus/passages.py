"""Passages: does this document really repeat this exam item, and where?

The parts of an item (stem, options, reference answer) are looked for as *runs*: maximal stretches
of equal letters. Runs that lie close together make a passage. Its *score* is the share of the
item's letters that it repeats, each word weighing what it tells: its inverse document frequency.
So the order of options does not matter, numbers and spacing do not, and "which of the following"
counts for little.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnomon.core.records import Item
from gnomon.corpus.letters import BETWEEN, NUMBER, Letters, is_unspaced, letters_of, words

UNSPACED_WEIGHT = 3
"""Letters of a spaced script that one character of an unspaced script is worth."""
SHORTEST_RUN = 12
"""Worth of the shortest run that counts: about two words."""
FREE_SHARE = 0.75
"""Share of a run that must not have been counted already."""
_NUMBER = chr(NUMBER)
MOST_OCCURRENCES = 16
"""Places of a document looked at for one window of an item."""
MOST_PASSAGES = 8
"""Passages of one document reported for one item."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a passage is a leak. A letter is worth 1, an unspaced character 3."""

    run: int = 70
    """Worth of one run of the stem or the reference from which it is a leak (``ngram``)."""
    whole_stem: int = 30
    """Worth of a stem from which repeating all of it is a leak (``ngram``); below, an item is short."""
    overlap: float = 0.5
    """Weighted share of the item from which a passage is a leak (``overlap``)."""
    overlap_worth: int = 60
    """What the repeated letters must be worth together for that."""
    short_overlap: float = 0.85
    """The same for an item whose stem is short: it must be there whole, and either this share of the
    item or every right option (``short``)."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of an item."""

    string: str
    """Its letters."""
    worth: int
    """What they are worth together."""
    weights: npt.NDArray[np.float64]
    """What each letter tells: its word's inverse document frequency, spread over the word."""
    shortest: int
    """Letters of the shortest run that counts; a part below that counts only whole."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """An item as it is looked for."""

    id: str
    """The item's id."""
    parts: tuple[Part, ...]
    """The stem first, then options and reference."""
    leaking: tuple[int, ...]
    """Parts of which one long run is a leak: the stem and the reference."""
    answers: tuple[int, ...]
    """Parts that are right options."""

    @property
    def stem(self) -> Part:
        """The question."""
        return self.parts[0]

    @property
    def reach(self) -> int:
        """Letters within which the parts must lie."""
        return int(2.5 * sum(len(part.string) for part in self.parts)) + 120


@dataclass(kw_only=True)
class Found:
    """A passage of a document that repeats an item."""

    method: str
    """The rule that found it."""
    score: float
    """Weighted share of the item that it repeats."""
    start: int
    """First letter of the document."""
    end: int
    """One past the last."""


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A stretch of equal letters."""

    part: int
    """Number of the item's part."""
    start: int
    """First letter of the part."""
    place: int
    """First letter of the document."""
    length: int
    """Letters."""


class _Cover:
    """What a stretch of a document repeats of an item; no letter of either counts twice."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.masks = [np.zeros(len(part.string), bool) for part in target.parts]
        self.longest = [0] * len(target.parts)
        self.taken: list[tuple[int, int]] = []

    def add(self, run: _Run) -> None:
        """Count a run, unless its letters are counted already."""
        mask = self.masks[run.part][run.start : run.start + run.length]
        free = run.length - sum(_common(run.place, run.place + run.length, *taken) for taken in self.taken)
        if mask.all() or free < FREE_SHARE * run.length:
            return
        mask[:] = True
        self.taken.append((run.place, run.place + run.length))
        string = self.target.parts[run.part].string[run.start : run.start + run.length]
        self.longest[run.part] = max(self.longest[run.part], _worth(string))

    @property
    def start(self) -> int:
        """First letter of the document that counts."""
        return min(start for start, _ in self.taken)

    @property
    def end(self) -> int:
        """One past the last."""
        return max(end for _, end in self.taken)

    @property
    def score(self) -> float:
        """Weighted share of the item that is repeated."""
        total = sum(float(part.weights.sum()) for part in self.target.parts)
        covered = sum(float(p.weights[m].sum()) for p, m in zip(self.target.parts, self.masks, strict=True))
        return min(covered / total, 1.0) if total else 0.0

    @property
    def worth(self) -> int:
        """What the repeated letters are worth."""
        pairs = zip(self.target.parts, self.masks, strict=True)
        return sum(_worth("".join(np.array(list(part.string))[mask])) for part, mask in pairs if mask.any())


def _common(start: int, end: int, other_start: int, other_end: int) -> int:
    return max(0, min(end, other_end) - max(start, other_start))


def to_target(item: Item, idf: Mapping[str, float], unknown: float) -> Target:
    """An item as it is looked for; ``unknown`` is the weight of words that no document has."""
    texts = [item.prompt, *item.choices, *([item.reference] if item.reference else [])]
    parts = tuple(_part(letters_of(text), idf, unknown) for text in texts)
    leaking = (0, len(parts) - 1) if item.reference else (0,)
    return Target(id=item.id, parts=parts, leaking=leaking, answers=tuple(1 + number for number in item.targets))


def _part(letters: Letters, idf: Mapping[str, float], unknown: float) -> Part:
    string = letters.string
    weights = np.zeros(len(string))
    for start, end in words(letters):
        if string[start:end] != _NUMBER:  # any number of a text would do: it tells nothing
            weights[start:end] = idf.get(string[start:end], unknown) / (end - start)
    unspaced = bool(len(string)) and float(is_unspaced(letters.codes).mean()) > 0.3
    shortest = math.ceil(SHORTEST_RUN / UNSPACED_WEIGHT) if unspaced else SHORTEST_RUN
    return Part(string=string, worth=_worth(string), weights=weights, shortest=shortest)


def _worth(string: str) -> int:
    unspaced = sum("\u3005" <= char < "\ua000" for char in string)
    return len(string) + (UNSPACED_WEIGHT - 1) * unspaced


def find_passages(document: str, target: Target, rules: Rules) -> list[Found]:
    """Every passage of a document's letters that leaks an item, best first."""
    found: list[Found] = []
    while len(found) < MOST_PASSAGES:
        cover = _best_cover(document, target, rules)
        method = _method(cover, rules) if cover else ""
        if cover is None or not method:
            break
        found.append(Found(method=method, score=round(cover.score, 4), start=cover.start, end=cover.end))
        document = document[: cover.start] + chr(BETWEEN) * (cover.end - cover.start) + document[cover.end :]
    return found


def _method(cover: _Cover, rules: Rules) -> str:
    target = cover.target
    if target.stem.worth < rules.whole_stem and not _long_reference(target, rules):
        enough = cover.score >= rules.short_overlap or _answered(cover)
        return "short" if enough and cover.masks[0].all() else ""
    if any(cover.longest[number] >= rules.run for number in target.leaking):
        return "ngram"
    if target.stem.worth >= rules.whole_stem and cover.masks[0].all():
        return "ngram"
    return "overlap" if cover.score >= rules.overlap and cover.worth >= rules.overlap_worth else ""


def _answered(cover: _Cover) -> bool:
    """Whether every right option stands there whole, and is more than a number."""
    parts = [(cover.target.parts[number], cover.masks[number]) for number in cover.target.answers]
    return bool(parts) and all(mask.all() and part.weights.any() for part, mask in parts)


def _long_reference(target: Target, rules: Rules) -> bool:
    return len(target.leaking) > 1 and target.parts[-1].worth >= rules.run


def _best_cover(document: str, target: Target, rules: Rules) -> _Cover | None:
    """What the best stretch of a document repeats of an item."""
    runs = list(_runs(document, target))
    if len(target.stem.string) < target.stem.shortest and target.stem.worth < rules.whole_stem:
        runs += _whole(document, target, 0, 0, len(document))
    if not runs:
        return None
    runs.sort(key=lambda run: (run.place, run.part, run.start))
    first, last = _densest(runs, target.reach)
    cover = _Cover(target)
    for run in sorted(runs[first:last], key=lambda run: (-run.length, run.place, run.part, run.start)):
        cover.add(run)
    middle, low, high = cover.start, max(0, cover.end - target.reach), cover.start + target.reach
    for number, part in enumerate(target.parts):
        if len(part.string) < part.shortest and part.weights.any():
            for run in [
                *_whole(document, target, number, middle, high),
                *_whole(document, target, number, low, middle),
            ]:
                cover.add(run)
    return cover


def _densest(runs: list[_Run], reach: int) -> tuple[int, int]:
    """The range of runs (in order of place) within reach of each other that holds most letters."""
    best, first, letters = (0, 0, 0), 0, 0
    for last, run in enumerate(runs):
        letters += run.length
        while run.place + run.length - runs[first].place > reach and first < last:
            letters -= runs[first].length
            first += 1
        if letters > best[0]:
            best = (letters, first, last + 1)
    return best[1], best[2]


def _runs(document: str, target: Target) -> Iterator[_Run]:
    """Maximal stretches of the parts that stand in the document."""
    for number, part in enumerate(target.parts):
        start, width = 0, part.shortest
        while start + width <= len(part.string):
            places = list(_occurrences(document, part.string[start : start + width]))
            lengths = [_extent(document, place, part.string, start, width) for place in places]
            for place, length in zip(places, lengths, strict=True):
                if length == max(lengths):
                    yield _Run(part=number, start=start, place=place, length=length)
            start += max(lengths, default=1)


def _whole(document: str, target: Target, number: int, low: int, high: int) -> Iterator[_Run]:
    """Where a whole part stands within a stretch of the document."""
    string = target.parts[number].string
    if string:
        for place in _occurrences(document, string, low, high):
            yield _Run(part=number, start=0, place=place, length=len(string))


def _occurrences(document: str, window: str, low: int = 0, high: int | None = None) -> Iterator[int]:
    place, left = document.find(window, low, high), MOST_OCCURRENCES
    while place >= 0 and left:
        yield place
        place, left = document.find(window, place + 1, high), left - 1


def _extent(document: str, place: int, string: str, start: int, width: int) -> int:
    """How far letters stay equal, from a window that is equal."""
    length, most = width, min(len(document) - place, len(string) - start)
    while length < most and document[place + length] == string[start + length]:
        length += 1
    return length
