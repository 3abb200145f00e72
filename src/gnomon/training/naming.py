"""Naming: what a model is called, and what its own file says of it."""

from typing import Any

from gnomon.core.files import read_json
from gnomon.llm.weights import REF_FILE
from gnomon.runs.record import Record
from gnomon.runs.workspace import Workspace
from gnomon.training.exposure import folder_of


def name_of(workspace: Workspace, record: Record) -> str:
    """A model's name; its address when only its tombstone is left."""
    folder = folder_of(workspace, record)
    return str(read_json(folder / REF_FILE)["name"]) if folder is not None else record.address


def facts_of(workspace: Workspace, record: Record) -> dict[str, Any]:
    """A model's revision, kind, licence and parents, and whether it is still here."""
    folder = folder_of(workspace, record)
    ref = read_json(folder / REF_FILE) if folder is not None else {}
    known = {key: ref[key] for key in ("revision", "kind", "licence", "parents") if ref.get(key)}
    return {"step": record.address, "here": folder is not None, **known}
