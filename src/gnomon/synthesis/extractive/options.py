"""Options: wrong answers of the same type as the right one, out of the same document first, then of its field.

Nothing is invented: every wrong option is what some document says of something else. A quantity stands beside
quantities of its unit, a person beside persons. What equals the answer after rounding, or stands in the question or in
the sentence itself, is no option.
"""

import hashlib
import heapq
import math
import random
import re
from collections import defaultdict
from collections.abc import Iterable

from gnomon.core.figures import figures
from gnomon.core.names import plain_word
from gnomon.core.records import Document
from gnomon.core.text import fold
from gnomon.synthesis.extractive.entities import Entity
from gnomon.synthesis.proposals import OPTIONS, same, stands_in

KEPT = 300
"""Most entities remembered of one field and type: enough to choose from, whatever the size of the corpus."""
APART = 1.2
"""Least ratio of two quantities that stand as options: nobody should have to tell 8 m from 8.2 m."""
DECADES = 1.5
"""Powers of ten beyond which a wrong quantity gives itself away."""
_NUMBER = re.compile(
    r"^[-−]?[\d.,]*\d(?: ?(?:million|billion|trillion|thousand|hundred|[十百千万億兆]+))?(?:e[-+]?\d+)?"
)
Key = tuple[str, str, str]
"""Language, field, type."""


class Pool:
    """Entities of a corpus by language, field and type: those with the smallest hashes, in whatever order they came."""

    def __init__(self) -> None:
        self._kept: dict[Key, list[tuple[int, str]]] = defaultdict(list)
        self._seen: dict[Key, set[str]] = defaultdict(set)
        self._entities: dict[Key, dict[str, Entity]] = defaultdict(dict)

    def add(self, lang: str, field: str, found: Iterable[Entity]) -> None:
        """Remember the entities of one document."""
        for entity in found:
            key = (lang, field, entity.kind)
            if entity.text in self._seen[key]:
                continue
            place = (-_number(entity.text), entity.text)
            if len(self._kept[key]) < KEPT:
                heapq.heappush(self._kept[key], place)
                gone = ""
            else:
                gone = heapq.heappushpop(self._kept[key], place)[1]
                self._seen[key].discard(gone)
            if gone != entity.text:
                self._seen[key].add(entity.text)
                self._entities[key][entity.text] = entity
                self._entities[key].pop(gone, None)

    def of(self, lang: str, field: str, kind: str) -> list[Entity]:
        """What is remembered of one type, sorted by text."""
        return [entity for _, entity in sorted(self._entities[lang, field, kind].items())]


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def field_of(document: Document) -> str:
    """A document's field: its main category, empty without one."""
    return next(iter(document.biblio.categories), "")


def options(
    answer: str, entity: Entity, taken: str, near: Iterable[Entity], pool: Iterable[Entity], chance: random.Random
) -> tuple[str, ...]:
    """Four options with the answer among them, in an order drawn by chance; empty when there are too few.

    Args:
        answer: The right option.
        entity: What is asked for.
        taken: Question and sentence: nothing that stands there is a wrong option.
        near: Entities of the same document; not taken for persons, who may have done it together.
        pool: Entities of its field.
        chance: Decides which and in what order.
    """
    chosen: list[str] = []
    for group in _groups(entity, list(near), list(pool)):
        fitting = [e for e in group if e.kind == entity.kind and _plausible(e, entity)]
        chance.shuffle(fitting)
        for other in sorted(fitting, key=lambda e: _far(e, entity)):
            text = _like(answer, entity, other)
            if len(chosen) < OPTIONS - 1 and not _clashes(text, other, [answer, *chosen], taken):
                chosen.append(text)
    if len(chosen) < OPTIONS - 1:
        return ()
    made = [answer, *chosen]
    chance.shuffle(made)
    return tuple(made)


def _groups(entity: Entity, near: list[Entity], pool: list[Entity]) -> tuple[list[Entity], ...]:
    """Whom to take options from, in turn."""
    if entity.kind != "person":
        return near, pool
    there = {other.text for other in near}
    return ([other for other in pool if other.text not in there],)


def _like(answer: str, entity: Entity, other: Entity) -> str:
    """Another entity in the form of the answer: a count takes the answer's noun."""
    return answer.replace(entity.text, other.text, 1) if entity.kind.startswith("count") else other.text


def _plausible(other: Entity, entity: Entity) -> bool:
    if entity.figure is None or other.figure is None:
        return (" " in other.text) == (" " in entity.text) or entity.kind != "person"
    if (entity.figure.value % 1 == 0) != (other.figure.value % 1 == 0) and entity.figure.unit in {"", "times"}:
        return False
    a, b = (abs(float(e.figure.quantity[0])) for e in (entity, other) if e.figure)
    if not a or not b or (entity.figure.value < 0) != (other.figure.value < 0):
        return False
    return abs(math.log10(a / b)) <= DECADES and _unit(other.text) == _unit(entity.text)


def _unit(written: str) -> str:
    """The unit of a figure as it is written: options must not differ in it."""
    return _NUMBER.sub("", written).strip().casefold()


def _far(other: Entity, entity: Entity) -> int:
    """How many powers of ten apart two quantities are, coarsely; years by decades."""
    if entity.figure is None or other.figure is None:
        return 0
    a, b = (abs(float(e.figure.quantity[0])) for e in (entity, other) if e.figure)
    return int(abs(a - b) // 25) if entity.kind == "year" else int(abs(math.log10(a / b)))


def _clashes(text: str, other: Entity, chosen: list[str], taken: str) -> bool:
    if any(same(text, one) or _near(text, one) for one in chosen) or stands_in(fold(other.text), fold(taken)):
        return True
    if other.kind != "person":
        return False
    surname = plain_word(other.text.split()[-1])
    return any(plain_word(one.split()[-1]) == surname for one in chosen) or stands_in(surname, fold(taken))


def _near(a: str, b: str) -> bool:
    """Whether two quantities are too close to be told apart fairly; years never are."""
    first, second = figures(a), figures(b)
    if len(first) != 1 or len(second) != 1 or not first[0].unit:
        return False
    low, high = sorted(abs(float(f.quantity[0])) for f in (first[0], second[0]))
    return low > 0 and high / low < APART
