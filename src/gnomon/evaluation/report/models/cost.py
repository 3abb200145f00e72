"""The section on cost: the chart of accuracy against cost, drawn as the step ``evaluation/cost_chart`` draws it."""

from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.evaluation.cost.chart import chart
from gnomon.evaluation.cost.frame import HEIGHT, WIDTH, About
from gnomon.evaluation.cost.marks import basis_of
from gnomon.evaluation.cost.page import notes_of, title_of, usd_of
from gnomon.evaluation.cost.points import OURS, QUESTION, TOKENS, Point
from gnomon.evaluation.cost.shapes import svg
from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import interval
from gnomon.evaluation.report.models.exam_arms import points as percent
from gnomon.evaluation.report.models.names import Names, table
from gnomon.evaluation.report.words import number, plural


def cost(facts: Mapping[str, Any], names: Names) -> Markup:
    """Both charts, then our arms in figures.

    Args:
        facts: What ``answered.cost`` gathered.
        names: Of the models; arms are called here as their exam called them.
    """
    about, points = About(**facts["about"]), [Point(**point) for point in facts["points"]]
    ours = [point for point in points if point.kind == OURS]
    asked = both(plural(about.questions, "question"), f"{number(about.questions)} 問")
    caption = el("figcaption", about.paper, " ", el("small", asked))
    drawn = _chart(points, TOKENS, about)
    more = ""
    if any(point.usd(QUESTION) for point in ours):
        summary = el("summary", el("span", both("The same per question", "1 問あたりの費用で見る"), class_="name"))
        more = el("details", summary, _chart(points, QUESTION, about), class_="plain")
    rows = table(_heads(), [_row(point) for point in sorted(ours, key=lambda p: -p.accuracy)], range(1, 5))
    left_out = el("p", _unscored(ours), class_="quiet")
    figure = el("figure", caption, drawn, more, rows, left_out, class_="test exam")
    return join([el("p", notes_of(about), class_="told"), figure])


def _chart(points: Sequence[Point], view: str, about: About) -> Markup:
    """A chart in both languages; wider than a telephone, it scrolls."""
    en, ja = (Markup(svg(chart(points, view, about, lang), WIDTH, HEIGHT, title_of(about, view, lang)))
              for lang in ("en", "ja"))  # fmt: skip
    return el("div", both(en, ja), class_="wide cost-chart")


def _heads() -> list[Content]:
    return [
        both("arm", "回答者"), both("scored", "採点数"), both("accuracy", "正答率"),
        both("USD / 0.1 M tokens", "米ドル／10 万トークン"), both("USD / question", "米ドル／問"),
        both("cost from", "費用の根拠"),
    ]  # fmt: skip


def _row(point: Point) -> list[Content]:
    ends = interval({"low": point.low, "high": point.high}, percent)
    return [
        point.name, "–" if point.n is None else number(point.n),
        join([el("b", percent(point.accuracy)), " ", el("small", ends)]), usd_of(point.usd_tokens),
        usd_of(point.usd_question), both(basis_of(point, "en") or "–", basis_of(point, "ja") or "–"),
    ]  # fmt: skip


def _unscored(ours: Sequence[Point]) -> Markup:
    """How many arms have no cost; answers that were not scored are told where the exam is."""
    missing = sum(not (point.usd_tokens or point.usd_question) for point in ours)
    return both(
        f"{plural(missing, 'arm')} of {number(len(ours))} without a known cost. Answers that were not scored are in no"
        " accuracy here; the exam says how many and why.",
        f"{number(len(ours))} のうち {number(missing)} は費用が不明。採点できなかった回答はここの正答率に含まれず、"
        "その数と理由は試験の節にある。",
    )
