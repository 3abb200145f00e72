"""What an exam found: as much of ``exam.json`` as a page shows, in the order of its tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json

ABOUT = ("label", "kind", "mode", "open_book", "model", "role_kind")
FIGURES = (
    "n", "accuracy", "chance", "at_chance", "unscored", "truncated", "if_unscored_were_wrong", "log_prob",
    "calibration", "by_subject", "by_lang",
)  # fmt: skip


def exam(folder: Path) -> dict[str, Any]:
    """Arms, papers, and what each arm did on each paper.

    Args:
        folder: What the step ``evaluation/exam`` left.
    """
    facts = read_json(folder / "exam.json")
    arms = [_arm(name, facts["arms"][name]) for name in facts["order"]["arms"]]
    papers = [_paper(name, facts["exams"][name], facts["order"]["arms"]) for name in facts["order"]["exams"]]
    return {"how": facts["how"], "models": _models(facts), "arms": arms, "papers": papers}


def _arm(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    about = {key: facts[key] for key in ABOUT}
    return {"name": name, **about, "passages": facts.get("passages"), "style": facts.get("style", "")}


def _models(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The models that sat it, each once, in the shape in which other measures name theirs."""
    found: dict[str, dict[str, Any]] = {}
    for name in facts["order"]["arms"]:
        arm = facts["arms"][name]
        if arm["model"]:
            row = {"name": arm["model"], "kind": arm["role_kind"], "label": arm["model"], "ref": arm.get("ref")}
            found.setdefault(arm["model"], row)
    return list(found.values())


def _paper(name: str, facts: Mapping[str, Any], order: list[str]) -> dict[str, Any]:
    about = {key: facts[key] for key in ("label", "items", "general", "several", "dropped", "comparisons")}
    arms = [{"arm": arm, **{key: facts["arms"][arm][key] for key in FIGURES}} for arm in order if arm in facts["arms"]]
    return {"name": name, **about, "arms": arms}
