"""Lessons: which training steps learnt an example or a preference, and which steps wrote what a model was tuned on.

``learners`` goes from a lesson to the models, ``behind_mixture`` from a model's mixture to the steps that wrote and
judged it, so that both ends of the way from a training example to its pair and document can be entered.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from gnomon.core.tables import read_batches
from gnomon.runs.entries import Learners
from gnomon.runs.lineage import EXAMPLES, Link, known_record, upstream
from gnomon.runs.record import Record
from gnomon.runs.walker import step_facts
from gnomon.runs.workspace import Workspace
from gnomon.training.exposure import folder_of, is_model, pedigree, sights, stages
from gnomon.training.naming import name_of

SYNTHESIS = "synthesis/"
EXAMPLES_SHOWN = 3
PREFERENCES, TABLE, HELD_OUT, DROPS = "preferences", "preferences.parquet", "held_out.parquet", "drops.parquet"


def learners(workspace: Workspace) -> Learners:
    """Who learnt an example or a preference: every training step of a workspace that was shown it, and when.

    Args:
        workspace: Where the artifacts are.
    """

    def learnt(names: Sequence[str]) -> list[Link]:
        models = [record for record in workspace.records() if is_model(record)] if names else []
        found = ((record, _seen(workspace, record, names)) for record in models)
        return [_learnt_link(workspace, record, models, seen) for record, seen in found if seen]

    return learnt


def _seen(workspace: Workspace, record: Record, names: Sequence[str]) -> list[tuple[str, int, int]]:
    """(lesson, pass, optimizer step) of what a training step itself was shown."""
    found = [
        (name, sight.repeat, sight.step)
        for stage in stages(workspace, record.address) if stage.model.address == record.address
        for name in names for sight in sights(stage, name)
    ]  # fmt: skip
    return found + [row for row in _preferred(workspace, record) if row[0] in names]


def _preferred(workspace: Workspace, record: Record) -> Iterator[tuple[str, int, int]]:
    """(preference, pass, optimizer step) in the order in which preference training shows them."""
    source = workspace.record(record.inputs.get(PREFERENCES, ""))
    if source is None:
        return
    from gnomon.training.preference.pairs import order

    folder = workspace.artifact(record.address)
    without = {*_column(folder / DROPS, "doc_id"), *_column(folder / HELD_OUT, "id")}
    ids = [name for name in _column(workspace.artifact(source.address) / TABLE, "id") if name not in without]
    batch, epochs, seed = (int(record.config[key]) for key in ("batch", "epochs", "seed"))
    for place, number in enumerate(order(len(ids), batch, epochs, seed) if ids else ()):
        yield ids[number], place // len(ids), place // batch + 1


def _column(path: Path, name: str) -> list[str]:
    """A column of text; of a table that is not there, nothing."""
    batches = read_batches(path, [name]) if path.exists() else ()
    return [str(value) for batch in batches for value in batch.column(0).to_pylist()]


def _learnt_link(
    workspace: Workspace, record: Record, models: Sequence[Record], seen: Sequence[tuple[str, int, int]]
) -> Link:
    name = name_of(workspace, record)
    later = (model for model in models if record.address in {r.address for r in pedigree(workspace, model.address)})
    names = dict.fromkeys(name_of(workspace, model) for model in later)
    facts = {
        "model": name, "lessons": sorted({lesson for lesson, _, _ in seen}),
        "passes": len({repeat for _, repeat, _ in seen}), "steps": sorted({step for _, _, step in seen}),
        "models": [other for other in names if other != name],
    }  # fmt: skip
    return Link(kind="learnt", id=record.address, facts=facts)


# From a mixture -------------------------------------------------------------------------------


def behind_mixture(workspace: Workspace, address: str) -> tuple[Link, ...]:
    """The steps that wrote, judged and sifted what a source of a mixture holds, latest first, and some of its examples.

    Args:
        workspace: Where the artifacts are.
        address: The source, as it was packed; nothing is told of one that holds documents.
    """
    record = known_record(workspace, address)
    if record is None or not record.name.startswith(SYNTHESIS):
        return ()
    behind = [r for r in upstream(workspace, [address]) if _met_pairs(workspace, r)]
    steps = (Link(kind="step", id=r.address, facts=step_facts(r)) for r in reversed(behind))
    return (*steps, *_some_examples(folder_of(workspace, record)))


def _met_pairs(workspace: Workspace, record: Record) -> bool:
    """Whether a step is of synthesis, or looked at what synthesis made."""
    return any(r.name.startswith(SYNTHESIS) for r in upstream(workspace, [record.address]))


def _some_examples(folder: Path | None) -> Iterator[Link]:
    """The first examples or preferences of a source, so that a reader can go on to their pairs and documents."""
    if folder is None:
        return
    for table, kind in ((EXAMPLES, "example"), (TABLE, "preference")):
        path = folder / table
        batches = read_batches(path, ["id", "messages"]) if path.exists() else ()
        rows = (row for batch in batches for row in batch.slice(0, EXAMPLES_SHOWN).to_pylist())
        for row in islice(rows, EXAMPLES_SHOWN):
            asked = next((turn["text"] for turn in row["messages"] if turn["role"] == "user"), "")
            yield Link(kind=kind, id=str(row["id"]), facts={"asked": asked})
