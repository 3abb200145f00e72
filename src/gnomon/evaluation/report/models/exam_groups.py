"""Of an exam: accuracy by subject and language, and whether arms are right as often as they are sure."""

from collections.abc import Mapping
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import interval
from gnomon.evaluation.report.models.charts import Frame, Line, lines, mark
from gnomon.evaluation.report.models.exam_arms import WHOLE, Arms, chip, percents, points, style
from gnomon.evaluation.report.models.names import Names, table
from gnomon.evaluation.report.words import SUBJECTS, named, number, share

BY = {"by_subject": ("By subject", "分野別"), "by_lang": ("By language", "言語別")}


def groups(paper: Mapping[str, Any], arms: Arms, names: Names) -> list[Markup]:
    """Accuracy by subject and language, where a paper has several of them."""
    return [
        _by(paper, key, arms, names) for key in BY if len({group for row in paper["arms"] for group in row[key]}) > 1
    ]


def _by(paper: Mapping[str, Any], key: str, arms: Arms, names: Names) -> Markup:
    """Accuracy of every arm in every group, largest group first."""
    sizes: dict[str, int] = {}
    for row in paper["arms"]:
        for group, found in row[key].items():
            sizes[group] = max(sizes.get(group, 0), found["n"])
    columns = [chip(arms[row["arm"]], names) for row in paper["arms"]]
    heads = [both("group", "群"), both("questions", "問題"), *columns]
    cells = [
        [_group(group), number(n), *(_in_group(row[key].get(group)) for row in paper["arms"])]
        for group, n in sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    summary = el("summary", el("span", both(*BY[key]), class_="name"),
                 el("span", both("accuracy", "正答率"), class_="where"))  # fmt: skip
    return el("details", summary, table(heads, cells, range(1, len(heads))), class_="plain")


def _group(code: str) -> Content:
    if code in SUBJECTS:
        return join([el("code", code), " ", el("small", named(code, SUBJECTS))])
    return code.replace("_", " ")


def _in_group(row: Mapping[str, Any] | None) -> Content:
    if row is None:
        return "–"
    ends = interval(row["accuracy"], lambda value: share(value, 1))
    return join([share(row["accuracy"]["value"], 1), " ", el("small", ends)])


def calibrations(paper: Mapping[str, Any], arms: Arms, names: Names) -> Markup:
    """How often who is so sure is right; on the diagonal, as often as sure."""
    known = [row for row in paper["arms"] if row["calibration"] is not None]
    if not known:
        return Markup("")
    panels = join(_calibration(row, arms[row["arm"]], names) for row in known)
    summary = el("summary", el("span", both("Calibration", "較正"), class_="name"),
                 el("span", both("right as often as sure?", "確信どおりに正しいか"), class_="where"))  # fmt: skip
    return el("details", summary, el("div", panels, class_="spreads"), class_="plain")


def _calibration(row: Mapping[str, Any], arm: Mapping[str, Any], names: Names) -> Markup:
    bins, own = row["calibration"]["bins"], style(arm, names)
    frame = Frame(
        x=WHOLE, y=WHOLE, label="accuracy against confidence", x_words=percents, y_words=percents,
        x_title=both("probability of its choice", "選んだ選択肢の確率"), y_title=chip(arm, names),
    )  # fmt: skip
    straight = Line(style="s-chance", label="", points=[(0.0, 0.0), (1.0, 1.0)])
    joined = Line(style=own, label="", points=[(one["confidence"], one["accuracy"]) for one in bins])
    marks = join(
        mark(f"{own} small", one["confidence"], 1 - one["accuracy"],
             f"{points(one['confidence'])} → {points(one['accuracy'])}, n = {one['n']}") for one in bins
    )  # fmt: skip
    return el("div", lines(frame, [straight, joined], marks), class_="panel")
