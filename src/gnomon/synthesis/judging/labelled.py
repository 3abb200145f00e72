"""Labelled pairs: the audit set of the starter library, its halves, and the threshold that follows from labels."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import DataError
from gnomon.core.records import Document
from gnomon.core.synthetic import QA, Evidence
from gnomon.core.wording import say
from gnomon.synthesis.judging.rule import probability, suspicions
from gnomon.synthesis.labels import threshold as threshold_of
from gnomon.synthesis.quoting import locate

GOOD = frozenset({"good", "sound"})


@dataclass(frozen=True, slots=True)
class Labelled:
    """A pair, what a person said of it, and its document."""

    pair: QA
    """The pair."""
    label: str
    """``good`` or ``sound``, or the name of a fault."""
    document: Document
    """What it was made from."""

    @property
    def sound(self) -> bool:
        """Whether the label speaks for it."""
        return self.label in GOOD


def read_audit(file: Path, documents: Mapping[str, Document]) -> list[Labelled]:
    """The pairs of an audit file.

    Args:
        file: JSONL with ``id``, ``note``, ``lang``, ``question``, ``answer``, ``quote``, ``label``.
        documents: By the name of their note.

    Raises:
        DataError: A quote does not stand in its note.
    """
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        document = documents[row["note"]]
        place = locate(row["quote"], document.text)
        if place is None:
            raise DataError(
                say(f"The quote of {row['id']} does not stand in {row['note']}.",
                    f"{row['id']} の引用は {row['note']} にない。"),
            )  # fmt: skip
        held = Evidence(span=document.span(*place), quote=document.text[slice(*place)])
        pair = QA(id=row["id"], kind="open", lang=row["lang"], question=row["question"], answer=row["answer"],
                  evidence=(held,), writer="audit")  # fmt: skip
        found.append(Labelled(pair, row["label"], document))
    return found


def is_development(note: str) -> bool:
    """Whether a note is in the half that checks, weights and thresholds were made on; the other is for the end."""
    return hashlib.sha256(note.encode()).digest()[0] % 2 == 1


def threshold(labelled: Iterable[Labelled], acceptance: float = 0.9) -> float:
    """The highest threshold of the rule judge's probability at which this share of the sound pairs is accepted.

    Args:
        labelled: Pairs with their labels; faulty ones are not looked at.
        acceptance: The share, above 0, at most 1.

    Raises:
        DataError: Too few of them are sound.
    """
    scores = [probability(suspicions(one.pair, one.document)) for one in labelled if one.sound]
    return threshold_of(scores, acceptance)


def shares(labelled: Sequence[Labelled], scores: Sequence[float], least: float) -> dict[str, tuple[int, int]]:
    """For each label how many pairs are rejected, and how many there are."""
    found: dict[str, tuple[int, int]] = {}
    for one, score in zip(labelled, scores, strict=True):
        rejected, total = found.get(one.label, (0, 0))
        found[one.label] = rejected + (score < least), total + 1
    return dict(sorted(found.items()))
