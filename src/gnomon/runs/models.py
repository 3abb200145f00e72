"""Models of an expert: in the order in which they came to be, each once, with every role it has.

A model that was chosen is the same model as one of the candidates, under another address. Whether two are the same is
read from the records: they have the same ``model.json``, which names the model and the hash of its weights.
"""

from collections.abc import Mapping

from gnomon.runs.lineage import upstream
from gnomon.runs.workspace import Workspace

MODEL_STEPS = tuple(
    f"training/{name}/" for name in ("adopt", "pretrain", "midtrain", "cpt", "sft", "dpo", "merge", "choose")
)
CHOOSE, REF_FILE = "training/choose/", "model.json"


def models_of(workspace: Workspace, parts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The other roles of each model, by its first role: that of the choice, where it was chosen.

    Args:
        workspace: Where the artifacts are.
        parts: Addresses of an expert's parts, by role; those that are no models are passed over.
    """
    roles = {role: address for role, address in parts.items() if address.startswith(MODEL_STEPS)}
    made = [record.address for record in upstream(workspace, roles.values())]
    place = {address: number for number, address in enumerate(made)}
    ordered = sorted(roles, key=lambda role: (role != "base", place.get(roles[role], len(made)), role))
    groups: dict[str, list[str]] = {}
    for role in ordered:
        groups.setdefault(_identity(workspace, roles[role]), []).append(role)
    found = {}
    for group in groups.values():
        first = next((role for role in group if roles[role].startswith(CHOOSE)), group[0])
        found[first] = tuple(role for role in group if role != first)
    return dict(sorted(found.items(), key=lambda item: ordered.index(item[0])))


def _identity(workspace: Workspace, address: str) -> str:
    record = workspace.record(address)
    files = record.files if record is not None else ()
    return next((file.sha256 for file in files if file.name == REF_FILE), address)
