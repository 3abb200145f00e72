"""How the arms of an exam are called and marked, and how shares are written."""

from collections.abc import Mapping
from typing import Any

from gnomon.evaluation.report.markup import Markup, both, el, escape
from gnomon.evaluation.report.models.axes import MINUS, Axis
from gnomon.evaluation.report.models.names import Names

WHOLE = Axis(low=0.0, high=1.0)
"""All shares there are."""
MODES = {"letter": ("letters", "記号"), "option": ("options", "選択肢の文"), "generate": ("written", "記述")}
KINDS = {"chance": ("chance", "偶然"), "solver": ("no model: retrieval", "モデルなし（検索）")}
BOOKS = {False: ("closed book", "資料なし"), True: ("open book", "資料参照")}
Arms = Mapping[str, Mapping[str, Any]]
"""Arms by name."""


def arms_of(facts: Mapping[str, Any]) -> Arms:
    """The arms of an exam by name; ``way`` is what a way of answering is called, empty where all answer alike."""
    several = len({arm["mode"] for arm in facts["arms"] if arm["mode"]}) > 1
    return {arm["name"]: {**arm, "way": arm["mode"] if several else ""} for arm in facts["arms"]}


def style(arm: Mapping[str, Any], names: Names) -> str:
    """The class of an arm's colour and mark: that of its model."""
    return {"chance": "s-chance", "solver": "s-emb"}.get(arm["kind"]) or names.style(arm["model"])


def chip(arm: Mapping[str, Any], names: Names, *, whole: bool = True) -> Markup:
    """An arm's mark and name.

    Args:
        arm: The arm; ``way`` is what its way of answering is called, empty where all answer alike.
        names: Of the models.
        whole: Whether to say how it answers, and that its book is open.
    """
    told = []
    if whole and arm["way"]:
        told.append(el("small", " ", both(*MODES[arm["way"]])))
    if whole and arm["open_book"] and arm["model"]:
        told.append(el("small", " ", both(*BOOKS[True])))
    return el("span", el("i", class_=f"mark-of {style(arm, names)}"), called(arm, names), *told, class_="chip")


def called(arm: Mapping[str, Any], names: Names) -> Markup:
    """An arm's name: that of its model or kind, unless it was given one."""
    if arm["label"] != arm["name"]:
        return escape(arm["label"])
    return both(*KINDS[arm["kind"]]) if arm["kind"] in KINDS else names.name(arm["model"])


def points(value: float) -> str:
    """A share in per cent with one decimal."""
    return f"{100 * value:.1f}".replace("-", MINUS) + "\u202f%"


def percents(ticks: list[float]) -> list[str]:
    """Ticks that are shares."""
    return [f"{100 * tick:.0f}\u202f%".replace("-", MINUS) for tick in ticks]
