"""What open questions, conversations and the chart of cost found: as much of their facts as a page shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json

WRITES = {"kind": "model", "mode": "generate"}
"""What every arm here is, in the words of an exam's arms."""


def open_questions(folder: Path) -> dict[str, Any]:
    """Who judged, and what each arm did.

    Args:
        folder: What the step ``evaluation/open_questions`` left.
    """
    facts = read_json(folder / "open.json")
    found = facts["open"]
    about = {name: {"name": name, **WRITES, **facts["arms"][name]} for name in facts["order"]}
    models: dict[str, dict[str, Any]] = {}
    for arm in about.values():
        row = {"name": arm["model"], "kind": arm.get("role_kind", ""), "label": arm["model"], "ref": arm["ref"]}
        models.setdefault(arm["model"], row)
    return {
        "how": facts["how"], "judge": facts["judge"], "models": list(models.values()), "items": found["items"],
        "floor": found["floor"], "arms": [{**arm, **found["arms"][name]} for name, arm in about.items()],
        "comparisons": found["comparisons"],
    }  # fmt: skip


def conversation(folder: Path) -> dict[str, Any]:
    """Who judged, and how each model kept up a conversation.

    Args:
        folder: What the step ``evaluation/chat_exam`` left.
    """
    facts = read_json(folder / "chat.json")
    models, found = facts["models"], facts["chat"]
    return {
        "how": facts["how"], "judge": facts["judge"], "comparisons": found["comparisons"],
        "models": [_model(name, models[name]) for name in facts["order"]],
        "arms": [{"name": name, **WRITES, "label": name, "model": name, "open_book": False, **found["arms"][name]}
                 for name in facts["order"]],
    }  # fmt: skip


def _model(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "kind": row["role_kind"], "label": row["label"], "ref": row["ref"]}


def cost(folder: Path) -> dict[str, Any]:
    """The points of a chart and what it says besides; it measures no model that its exam has not.

    Args:
        folder: What the step ``evaluation/cost_chart`` left.
    """
    facts = read_json(folder / "cost.json")
    return {"models": [], **{key: facts[key] for key in ("paper", "about", "points", "front")}}
