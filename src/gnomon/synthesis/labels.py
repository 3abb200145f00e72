"""Labels: what people said of pairs on the audit page, and the threshold that follows from it.

The threshold of a judge is set on labelled pairs, never guessed: it is the highest at which the wanted share of the
pairs that people called sound is still accepted. A person's word about a pair also outranks a judge's.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gnomon.core.errors import DataError
from gnomon.core.files import read_json
from gnomon.core.records import Drop
from gnomon.core.wording import say
from gnomon.runs.sources import FileSet
from gnomon.synthesis.lines import read_rows

SOUND = "sound"
FAULTS = ("wrong_number", "not_in_passage", "leaking", "dangling", "swapped_name", "negation", "other_fault")
UNSURE = "unsure"
LABELS = (SOUND, *FAULTS, UNSURE)
"""What the audit page offers."""
_ALSO_SOUND = frozenset({SOUND, "good"})
LEAST_SOUND = 10
"""Sound pairs below which no threshold is set: at 90 % acceptance the tenth is the first that may fail."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels by pair."""

    sound: frozenset[str]
    """Ids of the pairs called sound."""
    faulty: Mapping[str, str]
    """The fault, by id of the pair called faulty."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Lines that give no label, by reason: unsure, two people disagree, no such label, no line of JSON."""


def read_labels(listing: Path) -> Labels:
    """The labels in the files of a listing: JSONL with ``id`` and ``label``; of one person the last word counts.

    Args:
        listing: JSON of a ``FileSet``; each file is one person's.
    """
    said: dict[str, dict[str, str]] = {}
    lost = Counter[str]()
    for entry in FileSet.from_row(read_json(listing)).files:
        for row in read_rows(entry):
            if isinstance(row, Drop):
                lost[row.reason] += 1
                continue
            key, label = (str(row[1].get(name) or "").strip() for name in ("id", "label"))
            if not key or (label not in LABELS and label not in _ALSO_SOUND):
                lost["no_label"] += 1
            else:
                said.setdefault(key, {})[entry.name] = SOUND if label in _ALSO_SOUND else label
    return _agreed(said, lost)


def _agreed(said: Mapping[str, Mapping[str, str]], lost: Counter[str]) -> Labels:
    """One label a pair: two people agree when both call it sound, or both call it faulty."""
    sound, faulty = set[str](), dict[str, str]()
    for key, by_person in said.items():
        words = [label for label in by_person.values() if label != UNSURE]
        called = {label == SOUND for label in words}
        if len(called) != 1:
            lost["disagreement" if called else UNSURE] += 1
        elif called == {True}:
            sound.add(key)
        else:
            faulty[key] = words[0]
    return Labels(sound=frozenset(sound), faulty=faulty, left_out=dict(sorted(lost.items())))


def threshold(sound: Sequence[float], acceptance: float) -> float:
    """The highest threshold at which at least this share of sound pairs is accepted (``score >= threshold``).

    Args:
        sound: Scores of the pairs that people called sound.
        acceptance: The share, above 0, at most 1.

    Raises:
        DataError: There are fewer than ``LEAST_SOUND`` of them.
    """
    if len(sound) < LEAST_SOUND:
        raise DataError(
            say(f"{len(sound)} labelled pairs are sound and have a judge's score; a threshold needs {LEAST_SOUND}.",
                f"sound とされ判定値のある対は {len(sound)} 件。しきい値を決めるには {LEAST_SOUND} 件が要る。"),
            say("Label more pairs on the audit page of the same judged pairs, or leave out labels.",
                "同じ判定済みの対の監査ページでさらにラベルを付けるか、labels を渡さない。"),
        )  # fmt: skip
    best_first = sorted(sound, reverse=True)
    return best_first[math.ceil(round(acceptance * len(best_first), 9)) - 1]
