"""What the build report tells of an expert, for pages that show the same live.

Where the report is made, its own facts are taken, so that page and report can never differ; where it is not, because an
expert is still being built or its recipe makes none, they are gathered now, by the same functions. Artifacts never
change: whatever is read of them is kept while the expert is open.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.core.files import read_json
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.kept import kept

if TYPE_CHECKING:
    from gnomon.runs.record import Record

REPORT, FACTS = "report", "report.json"
SAMPLES, CLUSTERS, LEAKS = 5, 20, 50
"""What is shown of every reason, of duplicates and of questions, as in the report."""


def report_facts(opened: OpenExpert) -> Mapping[str, Any]:
    """The facts of the report on an expert: its own, or gathered from what is made so far."""
    made = finished(opened)
    if REPORT in made and (made[REPORT][0] / FACTS).is_file():
        return kept(opened, "report facts", lambda: dict(read_json(made[REPORT][0] / FACTS)))
    return kept(opened, f"report facts of {','.join(sorted(made))}", lambda: _gathered(opened, made))


def finished(opened: OpenExpert) -> dict[str, tuple[Path, "Record"]]:
    """The parts of an expert that are made: their files and records by role."""
    known: dict[str, tuple[Path, Record]] = kept(opened, "finished parts", dict)  # what is finished stays so
    for role, address in opened.expert.parts:
        record = None if role in known else opened.workspace.record(address)
        if record is not None:
            known[role] = (opened.workspace.artifact(address), record)
    return {role: known[role] for role, _ in opened.expert.parts if role in known}


def _gathered(opened: OpenExpert, made: Mapping[str, tuple[Path, "Record"]]) -> dict[str, Any]:
    from gnomon.evaluation.report.facts import gather
    from gnomon.evaluation.report.models.gathering import gather_models
    from gnomon.runs.output import SilentMeter

    inputs = {role: folder for role, (folder, _) in made.items() if role != REPORT}
    records = {role: record for role, (_, record) in made.items() if role != REPORT}
    facts = gather(opened.expert.name, inputs, records, (SAMPLES, CLUSTERS, LEAKS), SilentMeter())
    models = gather_models(inputs, records)
    return facts if models is None else {**facts, "model": models}
