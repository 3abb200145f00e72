"""Effects: how often each rule and each repair struck, with a few samples of what it did.

The samples are those whose document ids have the smallest hashes: spread over the corpus, the
same in every run, and mergeable from shard to shard without keeping more than a handful.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

SAMPLES = 5
EXCERPT = 200


class Effects:
    """Counts and samples by name."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Any]] = {}

    def add(self, name: str, kind: str, sample: Mapping[str, str]) -> None:
        """Count one effect.

        Args:
            name: The rule or repair.
            kind: ``"drop"`` or ``"change"``.
            sample: ``doc_id``, ``detail`` and ``excerpt``; cut to size when kept.
        """
        found = self._found.setdefault(name, {"kind": kind, "count": 0, "samples": []})
        found["count"] += 1
        rank = hashlib.blake2b(sample["doc_id"].encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        kept = found["samples"]
        if len(kept) < SAMPLES or rank < kept[-1]["rank"]:
            kept.append({"rank": rank, **{key: value[:EXCERPT] for key, value in sample.items()}})
            kept.sort(key=lambda row: (row["rank"], row["doc_id"]))
            del kept[SAMPLES:]

    def to_note(self) -> dict[str, Any]:
        """As JSON types that ``merged`` takes back."""
        return self._found


def merged(notes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The effects of all shards together, by name, in the form that goes into a record."""
    total: dict[str, dict[str, Any]] = {}
    for note in notes:
        for name, found in note.items():
            sums = total.setdefault(name, {"kind": found["kind"], "count": 0, "samples": []})
            sums["count"] += found["count"]
            sums["samples"] += found["samples"]
    for sums in total.values():
        best = sorted(sums["samples"], key=lambda row: (row["rank"], row["doc_id"]))[:SAMPLES]
        sums["samples"] = [{key: value for key, value in row.items() if key != "rank"} for row in best]
    return {name: total[name] for name in sorted(total)}
