"""Pedigree: which model was made from which, parents before children."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json
from gnomon.runs.record import Record

OUTPUT = "lm_head.weight"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A step that left a model."""

    name: str
    """Its name among the inputs."""
    folder: Path
    """Its artifact."""
    record: Record | None
    """Its record, where there is one."""


def lineage(models: Sequence[Mapping[str, Any]], measured: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Models with their parents and how far they stand from the first, parents first; then those only measured.

    Args:
        models: Models that steps left, with ``model``, ``ref``, ``address`` and ``inputs``.
        measured: All models that were measured, with ``name`` and ``ref``, in the order of the tables.
    """
    by_address = {row["address"]: row["model"] for row in models if row["address"]}
    order = [row["name"] for row in measured]
    rows = {}
    for row in sorted(models, key=lambda row: (_at(order, row["model"]), row["model"])):
        parents = [by_address[place] for place in row["inputs"].values() if place in by_address]
        parents = [parent for parent in parents if parent != row["model"]]
        rows[row["model"]] = {**row, "parents": parents, "outside": [] if parents else list(row["ref"]["parents"])}
    found = [{**row, "depth": _depth(rows, name)} for name, row in rows.items()]
    placed = _after_parents(found)
    return placed + [_stranger(row) for row in measured if row["ref"] and row["name"] not in rows]


def _at(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else -1


def _depth(rows: Mapping[str, Mapping[str, Any]], name: str, seen: tuple[str, ...] = ()) -> int:
    parents = [p for p in rows[name]["parents"] if p in rows and p not in seen]
    return 1 + max(_depth(rows, parent, (*seen, name)) for parent in parents) if parents else 0


def _after_parents(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each model followed by those made from it."""

    def family(row: dict[str, Any]) -> list[dict[str, Any]]:
        children = [other for other in rows if other["parents"][:1] == [row["model"]]]
        return [row, *(one for child in children for one in family(child))]

    first = [row for row in rows if not row["depth"]]
    return [one for row in first for one in family(row)]


def _stranger(row: Mapping[str, Any]) -> dict[str, Any]:
    """A model that no step of the build made."""
    return {
        "model": row["name"], "step": "", "stage": "", "ref": row["ref"], "address": "", "inputs": {},
        "parameters": None, "settings": {}, "trained": {}, "trial": None, "adopted": None, "duties": [], "note": "",
        "parents": [], "outside": list(row["ref"].get("parents", ())), "depth": 0,
    }  # fmt: skip


def parameters(folder: Path) -> int | None:
    """Parameters of the weights in a folder, from the heads of its files; None when they cannot be read.

    An output layer that is tied to the embedding is no parameter of its own, even where a file holds it twice.
    """
    files = sorted(folder.glob("*.safetensors"))
    try:
        from safetensors import safe_open
    except ImportError:
        return None
    config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    tied = bool(config.get("tie_word_embeddings"))
    sizes: dict[str, int] = {}
    for file in files:
        with safe_open(file, framework="numpy") as tensors:
            sizes |= {name: math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    if tied and len(sizes) > 1:
        sizes.pop(OUTPUT, None)
    return sum(sizes.values()) or None
