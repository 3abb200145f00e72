"""The step ``synthesis/surviving``: the pairs, or conversations, whose document came through the comparing steps.

The reason of each that did not is the one which the step that left its document out gave.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.records import Drop
from gnomon.core.tables import read_batches, read_table
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.passing import DROPS, Entry, Refusal, pass_entries

THROUGH = "through:"
"""Before the names of the steps between the pairs' documents and what was left of them."""
LEFT_OUT = "left_out"


@dataclass(frozen=True, kw_only=True)
class SurvivingConfig:
    """Nothing can be chosen."""


def run(config: SurvivingConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Keep the pairs of ``inputs["pairs"]`` that are a document of ``inputs["documents"]``."""
    alive = set[str]()
    for batch in read_batches(inputs["documents"] / "documents", ["id"]):
        alive.update(batch.column("id").to_pylist())
    reasons = dict[str, Refusal]()
    for folder in [inputs["documents"], *(inputs[name] for name in sorted(inputs) if name.startswith(THROUGH))]:
        if (folder / DROPS).is_file():
            for drop in read_table(folder / DROPS, Drop):
                reasons.setdefault(drop.doc_id, (drop.reason, drop.detail))

    def judge(entry: Entry) -> Refusal | None:
        return None if entry.id in alive else reasons.get(entry.id, (LEFT_OUT, ""))

    return pass_entries(inputs["pairs"], out, judge)
