"""The section on conversations: models in talks of several turns, judged turn by turn, as MT-Bench does."""

from collections.abc import Mapping
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import Axis, plain
from gnomon.evaluation.report.models.charts import track, track_head
from gnomon.evaluation.report.models.exam_arms import chip, style
from gnomon.evaluation.report.models.judged import (
    arms_of,
    difference,
    differences,
    figure,
    grouped,
    judge_of,
    notes,
)
from gnomon.evaluation.report.models.names import Names, table
from gnomon.evaluation.report.words import number

BY = {"by_category": ("By category", "分類別"), "by_lang": ("By language", "言語別")}
FIRST_TURNS = ("1", "2")
"""Turns with a column of their own, as MT-Bench has it; later ones are in the mean alone."""


def conversation(facts: Mapping[str, Any], names: Names) -> Markup:
    """How talks were held and judged, then every model."""
    arms = arms_of(facts)
    rows = {kind: [(arm["name"], arm[kind]) for arm in facts["arms"]] for kind in ("unscored", "unjudged")}
    told = [
        _scores(facts, names), notes(rows, arms, names), differences(facts, {"points": ("points", "点")}, names),
        *(grouped(facts, key, title, names, lambda row: row) for key, title in BY.items()),
    ]  # fmt: skip
    return join([el("p", _how(facts), class_="told"), el("figure", *told, class_="test exam")])


def _how(facts: Mapping[str, Any]) -> Content:
    judge = facts["judge"]
    return both(
        join(["Every turn is answered in the context of those before it and judged by ", judge_of(judge),
              f" (prompt {judge['prompt']}), 1 to {judge['points']} points. A conversation counts once, with the mean"
              " of its judged turns; brackets hold 95 %, of a bootstrap over conversations. A turn without an answer"
              " ends its conversation: it and the turns it kept from being reached stand apart and are no bad marks."
              " A judge is a model and errs; its points compare the models of this table only."]),
        join(["各発言にはそれまでの会話を踏まえて答え、審査役 ", judge_of(judge),
              f" が 1〜{judge['points']} 点をつけた（プロンプト {judge['prompt']}）。会話一つを、判定された発言の平均で"
              "一度だけ数える。括弧は 95 % 区間（会話のブートストラップ）。答えのない発言で会話は終わり、到達しなかった"
              "発言とともに悪い点とせず別に数える。審査役もモデルであり誤る。点はこの表の中での比較にのみ使える。"]),
    )  # fmt: skip


def _scores(facts: Mapping[str, Any], names: Names) -> Markup:
    axis = Axis(low=1.0, high=float(facts["judge"]["points"]))
    heads: list[Content] = [
        both("model", "モデル"), both("conversations", "会話"), both("judged turns", "判定した発言"),
        both("points", "点"), both("first turn", "1 回目"), both("second turn", "2 回目"),
        both("second − first", "2 回目 − 1 回目"), both("no answer", "回答なし"), both("not judged", "判定なし"),
        track_head(axis),
    ]  # fmt: skip
    return table(heads, [_row(arm, axis, names) for arm in arms_of(facts).values()], range(1, 9))


def _row(arm: Mapping[str, Any], axis: Axis, names: Names) -> list[Content]:
    whole, turns = arm["points"], [arm["by_turn"].get(turn) for turn in FIRST_TURNS]
    return [
        chip(arm, names, whole=False), number(arm["questions"]), f"{number(arm['n'])} / {number(arm['turns'])}",
        figure(whole), *(figure(turn) for turn in turns), difference(arm["second_minus_first"]),
        number(sum(arm["unscored"].values())), number(sum(arm["unjudged"].values())),
        track(axis, [(style(arm, names), whole or {"value": None}, plain(whole["value"]) if whole else "")]),
    ]  # fmt: skip
