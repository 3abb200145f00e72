"""The section on open questions: what arms wrote, marked by a judge or held against references."""

from collections.abc import Mapping
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import Axis, interval, plain
from gnomon.evaluation.report.models.charts import track, track_head
from gnomon.evaluation.report.models.exam_arms import BOOKS, WHOLE, chip, points, style
from gnomon.evaluation.report.models.judged import (
    Measure,
    arms_of,
    differences,
    figure,
    grouped,
    judge_of,
    notes,
)
from gnomon.evaluation.report.models.names import Names, table
from gnomon.evaluation.report.words import number, plural

BY = {"by_subject": ("By subject", "分野別"), "by_lang": ("By language", "言語別")}
MEASURES = {"points": ("points", "点"), "rouge_l": ("ROUGE-L", "ROUGE-L")}


def open_questions(facts: Mapping[str, Any], names: Names) -> Markup:
    """How answers were marked, then every arm."""
    arms, judged = arms_of(facts), facts["judge"] is not None
    unscored = [(arm["name"], arm["unscored"]) for arm in facts["arms"]]
    unjudged = [(arm["name"], arm["judged"]["unjudged"]) for arm in facts["arms"] if arm["judged"]]
    measures = MEASURES if judged else {"rouge_l": MEASURES["rouge_l"]}
    told = [
        table(*_scores(facts, names)), notes({"unscored": unscored, "unjudged": unjudged}, arms, names),
        differences(facts, measures, names),
        *(grouped(facts, key, title, names, _in_group(judged=judged)) for key, title in BY.items()),
    ]  # fmt: skip
    asked = both(plural(facts["items"], "open question"), f"自由記述 {number(facts['items'])} 問")
    caption = el("figcaption", el("small", asked))
    return join([el("p", _how(facts), class_="told"), el("figure", caption, *told, class_="test exam")])


def _in_group(*, judged: bool) -> Any:
    """The figure of a group: its points where there was a judge."""
    key = "points" if judged else "rouge_l"
    return lambda row: None if row is None else row[key]


def _how(facts: Mapping[str, Any]) -> Content:
    judge, floor = facts["judge"], facts["floor"]
    low = f"{plain(floor['value'], 2)} {interval(floor)}".strip()
    en = (
        " Brackets hold 95 %, of a bootstrap over questions. ROUGE-L is overlap with the reference; the references of"
        f" other questions reach {low}, and whoever scores no higher says nothing of the question. Figures are those of"
        " the reference that stand in the answer. An answer that was cut, refused or empty is no bad answer: it stands"
        " apart."
    )
    ja = (
        f"括弧は 95 % 区間（問題のブートストラップ）。ROUGE-L は参照解答との重なりで、別の問題の参照解答でも {low} に"
        "なる。これを上回らない回答は問題に答えていない。数値は参照解答の数値のうち回答にあるもの。打ち切り・拒否・"
        "空の回答は悪い回答とせず別に数える。"
    )
    if judge is None:
        return both(f"Nobody judged: answers are held against references by overlap alone.{en}",
                    f"審査役はなく、参照解答との重なりだけを示す。{ja}")  # fmt: skip
    return both(
        join(["Judged by ", judge_of(judge), f" with the reference at hand (prompt {judge['prompt']}), 1 to"
              f" {judge['points']} points; {judge['passing']} and more count as right. A judge is a model and errs; its"
              f" points compare arms of this table only.{en}"]),
        join(["審査役 ", judge_of(judge), f" が参照解答を見て 1〜{judge['points']} 点をつけた（プロンプト"
              f" {judge['prompt']}）。{judge['passing']} 点以上を正解とする。審査役もモデルであり誤る。点はこの表の"
              f"中での比較にのみ使える。{ja}"]),
    )  # fmt: skip


def _scores(facts: Mapping[str, Any], names: Names) -> tuple[list[Content], list[list[Content]], range]:
    """Heads, rows, and which columns are numbers."""
    judge = facts["judge"]
    axis = Axis(low=1.0, high=float(judge["points"])) if judge else WHOLE
    heads: list[Content] = [both("arm", "回答者"), both("book", "資料"), both("answered", "回答数")]
    if judge:
        heads += [both("judged", "判定数"), both("points", "点"), both("right", "正解率"),
                  both("if no answer were 1 point", "無回答を 1 点とすると")]  # fmt: skip
    heads += ["ROUGE-L", both("figures", "数値"), both("no answer", "回答なし"), track_head(axis)]
    arms = arms_of(facts)
    return heads, [_row(arm, facts, axis, names) for arm in arms.values()], range(2, len(heads) - 1)


def _row(arm: Mapping[str, Any], facts: Mapping[str, Any], axis: Axis, names: Names) -> list[Content]:
    judged, cells = arm["judged"], list[Content]()
    drawn: Measure = arm["rouge_l"]
    if facts["judge"]:
        drawn = judged["points"] if judged else None
        cells = [
            number(judged["n"]), figure(judged["points"]), figure(judged["right"], points),
            plain(judged["if_unscored_were_wrong"]),
        ] if judged else ["0", "–", "–", "–"]  # fmt: skip
    line = 0.0 if facts["judge"] else facts["floor"]["value"] or 0.0
    told = plain(drawn["value"]) if drawn else ""
    book = el("span", both(*BOOKS[arm["open_book"]]), class_="kind-of" + (" open" if arm["open_book"] else ""))
    return [
        chip(arm, names, whole=False), book, number(arm["n"]), *cells, figure(arm["rouge_l"]),
        figure(arm["figures"], points), number(sum(arm["unscored"].values())),
        track(axis, [(style(arm, names), drawn or {"value": None}, told)], line),
    ]  # fmt: skip
