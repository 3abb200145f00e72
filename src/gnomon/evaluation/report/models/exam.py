"""The section on exams: every arm beside chance, closed and open book, and which differences are certain."""

from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import MINUS, Axis, interval, of_intervals, plain
from gnomon.evaluation.report.models.charts import track, track_head
from gnomon.evaluation.report.models.exam_arms import (
    BOOKS,
    MODES,
    WHOLE,
    Arms,
    arms_of,
    chip,
    percents,
    points,
    style,
)
from gnomon.evaluation.report.models.exam_groups import calibrations, groups
from gnomon.evaluation.report.models.names import Names, table
from gnomon.evaluation.report.words import number, plural

UNSCORED = {
    "truncated": ("cut by the limit of tokens", "トークン上限で打ち切り"), "refused": ("refused", "回答拒否"),
    "unreadable": ("names no option", "選択肢を読み取れない"), "no_answer": ("no answer", "無回答"),
    "one_answer_only": ("several right, the arm names one", "複数正解だが一つしか選べない"),
    "too_long": ("longer than its context", "文脈長を超える"),
}  # fmt: skip
DROPPED = {
    "in_dev": ("kept for examples, never scored", "例題用のため採点しない"), "not_chosen": ("not drawn", "抽出外"),
    "open_question": ("without options or answer", "選択肢か正解がない"),
    "other_split": ("of another split", "別の split"), "several_answers": ("several right options", "正解が複数"),
}  # fmt: skip
GENERAL = ("general: before and after", "一般: 前後の比較")


def exam(facts: Mapping[str, Any], names: Names) -> Markup:
    """How it was held, then every paper."""
    arms = arms_of(facts)
    papers = join(_paper(paper, arms, names) for paper in facts["papers"])
    return join([el("p", how_held(facts["how"]), class_="told"), papers])


def how_held(how: Mapping[str, Any]) -> Markup:
    """How questions are put, and how the figures are to be read."""
    orders, shots = how["orders"], how["shots"]
    en, ja = _turns(orders)
    examples = f" {plural(shots, 'example')} of the dev split come before it." if shots else ""
    ja_examples = f"例題を {shots} 問添える。" if shots else ""
    return both(
        f"{en}{examples} Brackets hold 95 %: Wilson’s interval, or a bootstrap over"
        " questions where orders are averaged. The dashed line is chance; an arm whose interval reaches it is"
        " “at chance”: nothing says that it knows more than a guesser. Answers that were cut, refused or unreadable"
        " are no wrong answers and stand apart. Letters: its choice is the likeliest letter; options: the likeliest"
        " text of an option; written: what it writes.",
        f"{ja}{ja_examples}括弧は 95 % 区間（Wilson、平均した場合は問題のブートストラップ）。破線は偶然の正答率で、"
        "区間がそこに届く回答者は「偶然並み」とし、当て推量を上回る知識は示せていない。"
        "打ち切り・拒否・読み取り不能の回答は誤答とせず別に数える。「記号」は最も確からしい記号、「選択肢の文」は最も"
        "確からしい選択肢の文、「記述」は書いた文章で答える。",
    )


def _turns(orders: int) -> tuple[str, str]:
    """How often a question is put, in English and Japanese."""
    if orders == 1:
        return (
            "Every question is put once, its options in an order drawn for it; the likelihood of an option’s text does"
            " not depend on the order.",
            "各問題は、選択肢を問題ごとに定まる順に並べて 1 回出題する。選択肢の文の確からしさは順序によらない。",
        )
    turns = plural(orders, "order") if orders else "as many orders as it has options"
    times = f"{orders} 通り" if orders else "選択肢の数と同じ回数"
    return (
        f"A question is put in {turns} of its options, so that a liking for one letter gains nothing; its score is the"
        " share of orders answered rightly.",
        f"各問題は選択肢の並べ方を変えて{times}出題し、記号の好みで得をしないようにする。得点は正答した並べ方の割合。",
    )


# One paper -----------------------------------------------------------------------------------


def _paper(paper: Mapping[str, Any], arms: Arms, names: Names) -> Markup:
    tag = el("span", both(*GENERAL), class_="kind-of general") if paper["general"] else ""
    about = both(plural(paper["items"], "question"), f"{number(paper['items'])} 問")
    caption = el("figcaption", paper["label"], " ", tag, " ", el("small", about))
    parts = [
        _scores(paper, arms, names),
        notes(paper, arms, names),
        differences(paper, arms, names),
        *groups(paper, arms, names),
    ]
    return el("figure", caption, *parts, calibrations(paper, arms, names), class_="test exam")


def _scores(paper: Mapping[str, Any], arms: Arms, names: Names) -> Markup:
    heads: list[Content] = [
        both("arm", "回答者"), both("how", "方法"), both("scored", "採点数"), both("accuracy", "正答率"),
        both("unscored", "採点不能"), both("log-prob. of the right option", "正解の対数確率"),
        both("calibration error", "較正誤差"), track_head(WHOLE, percents),
    ]  # fmt: skip
    return table(heads, [_row(row, arms[row["arm"]], names) for row in paper["arms"]], range(2, 7))


def _row(row: Mapping[str, Any], arm: Mapping[str, Any], names: Names) -> list[Content]:
    sure, told = row["log_prob"], row["accuracy"]
    error = "–" if row["calibration"] is None else plain(row["calibration"]["ece"], 2)
    lost = sum(row["unscored"].values())
    unscored: Content = number(lost)
    if row["truncated"]:
        unscored = join([number(lost), el("small", both(f" ({number(row['truncated'])} cut)",
                                                        f"（打切 {number(row['truncated'])}）"))])  # fmt: skip
    return [
        chip(arm, names, whole=False), _book(arm), number(row["n"]), _accuracy(row, arm), unscored,
        "–" if sure is None else join([plain(sure["value"], 3), el("br"), el("small", interval(sure))]), error,
        track(WHOLE, [(style(arm, names), told or {"value": None}, points(told["value"]) if told else "")],
              row["chance"] or 0.0),
    ]  # fmt: skip


def _book(arm: Mapping[str, Any]) -> Content:
    if arm["kind"] == "chance":
        return "–"
    tag = el("span", both(*BOOKS[arm["open_book"]]), class_="kind-of" + (" open" if arm["open_book"] else ""))
    way = el("small", both(*MODES[arm["mode"]])) if arm["mode"] else ""
    return el("span", tag, " ", way, class_="how-asked")


def _accuracy(row: Mapping[str, Any], arm: Mapping[str, Any]) -> Content:
    told = row["accuracy"]
    if told is None:
        return "–"
    unsure = row["at_chance"]
    parts = [el("b", points(told["value"]), class_="unsure" if unsure else None), " ",
             el("small", interval(told, points))]  # fmt: skip
    if unsure and arm["kind"] != "chance":
        parts += [el("br"), el("em", both("at chance", "偶然並み"))]
    return join(parts)


def notes(paper: Mapping[str, Any], arms: Arms, names: Names) -> Markup:
    """What was not scored, by reason and arm; passages that did not fit; what was not asked."""
    told = [
        (both(*UNSCORED.get(reason, (reason, reason))),
         [(row["arm"], row["unscored"][reason]) for row in paper["arms"] if reason in row["unscored"]])
        for reason in dict.fromkeys(reason for row in paper["arms"] for reason in row["unscored"])
    ]  # fmt: skip
    found = [el("li", reason, ": ", _by_arm(rows, arms, names)) for reason, rows in told]
    if paper["dropped"]:
        words = [(both(*DROPPED.get(reason, (reason, reason))), n) for reason, n in paper["dropped"].items()]
        listed = join(join([", " if at else "", reason, f" {number(n)}"]) for at, (reason, n) in enumerate(words))
        found.append(el("li", both("not asked: ", "出題せず: "), listed))
    lost = [(row["arm"], arms[row["arm"]]["passages"]) for row in paper["arms"]]
    left_out = [(arm, passages["left_out"]) for arm, passages in lost if passages and passages["left_out"]]
    if left_out:
        told_of = both("passages that did not fit, whole exam", "入らなかった文章（試験全体）")
        found.append(el("li", told_of, ": ", _by_arm(left_out, arms, names)))
    return el("ul", *found, class_="quiet limits") if found else Markup("")


def _by_arm(rows: Sequence[tuple[str, int]], arms: Arms, names: Names) -> Markup:
    return join(join([", " if at else "", chip(arms[arm], names), f" {number(n)}"]) for at, (arm, n) in enumerate(rows))


# Differences ---------------------------------------------------------------------------------


def telling(rows: Sequence[Mapping[str, Any]], arms: Arms) -> list[Mapping[str, Any]]:
    """The comparisons that a claim can rest on: one model with its book and without, and two models alike in book.

    Of two models the one compared with is the first, as a rule the base.
    """
    models = list(dict.fromkeys(arm["model"] for arm in arms.values() if arm["model"]))
    found = []
    for row in rows:
        one, other = arms[row["arm"]], arms[row["against"]]
        same = one["model"] == other["model"] and one["mode"] == other["mode"] and one["model"]
        alike = (one["open_book"], one["mode"]) == (other["open_book"], other["mode"])
        against_first = bool(models) and other["model"] == models[0] and one["model"] and alike
        if same or against_first or "solver" in {one["kind"], other["kind"]}:
            found.append(row)
    return found


def differences(paper: Mapping[str, Any], arms: Arms, names: Names) -> Markup:
    """Paired comparisons: those that a claim can rest on, and the others to be opened."""
    chosen = telling(paper["comparisons"], arms)
    rest = [row for row in paper["comparisons"] if row not in chosen]
    if not chosen and not rest:
        return Markup("")
    axis = of_intervals([row["difference"] for row in paper["comparisons"]], zero=True)
    head = el("p", both("Differences, question by question", "問題ごとの差"), class_="panel-head sub-head")
    more = ""
    if rest:
        name = both("All other pairs", "その他の組")
        where = el("span", number(len(rest)), class_="where")
        summary = el("summary", el("span", name, class_="name"), where)
        more = el("details", summary, _pairs(rest, arms, axis, names), class_="plain")
    return join([head, _pairs(chosen, arms, axis, names) if chosen else "", more])


def _pairs(rows: Sequence[Mapping[str, Any]], arms: Arms, axis: Axis, names: Names) -> Markup:
    heads: list[Content] = [
        both("pair", "組"), both("both scored", "双方採点"), both("only the first right", "先のみ正解"),
        both("only the second", "後のみ正解"), both("difference", "差"), both("McNemar’s p", "McNemar の p"),
        track_head(axis, percents),
    ]  # fmt: skip
    cells = [
        [join([chip(arms[row["arm"]], names), f" {MINUS} ", chip(arms[row["against"]], names)]),
         number(row["n"]), number(row["better"]), number(row["worse"]), _difference(row["difference"]),
         _p_value(row["p"]), track(axis, [(style(arms[row["arm"]], names), row["difference"], "")])]
        for row in rows
    ]  # fmt: skip
    return table(heads, cells, range(1, 6))


def _difference(row: Mapping[str, Any]) -> Content:
    if row["value"] is None:
        return "–"
    sure = row["low"] is not None and (row["low"] > 0 or row["high"] < 0)
    way = ("better" if row["value"] > 0 else "worse") if sure else "unsure"
    return join([el("b", _signed(row["value"]), class_=way), " ", el("small", interval(row, _signed))])


def _signed(value: float) -> str:
    words = points(value)
    return f"+{words}" if value > 0 and not words.startswith("0.0") else words


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
