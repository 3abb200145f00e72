"""The page: the chart to look into, on one page that asks nothing of the network.

Pointing at a mark says what is known of it; published models, the front and the lines of equal value can be taken off;
both axes and both languages are there. Below stands every point as a row, so that nothing can only be seen.
"""

from collections.abc import Sequence
from pathlib import Path

from gnomon.core.wording import say
from gnomon.evaluation.cost.chart import chart
from gnomon.evaluation.cost.frame import HEIGHT, WIDTH, About
from gnomon.evaluation.cost.marks import basis_of
from gnomon.evaluation.cost.placing import usd
from gnomon.evaluation.cost.points import OURS, TOKENS, VIEWS, Point
from gnomon.evaluation.cost.shapes import svg
from gnomon.evaluation.report.markup import Content, Markup, both, el, join

STYLE, SCRIPT = "page.css", "page.js"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def page(points: Sequence[Point], about: About) -> str:
    """The page as HTML.

    Args:
        points: What stands on the chart.
        about: What it says besides.
    """
    here = Path(__file__).parent
    head = el(
        "head", el("meta", charset="utf-8"), el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", f"Accuracy and cost: {about.paper}"),
        el("style", Markup((here / STYLE).read_text(encoding="utf-8"))),
    )  # fmt: skip
    charts = join(
        el("figure", Markup(svg(chart(points, view, about, lang), WIDTH, HEIGHT, title_of(about, view))),
           class_=f"{view} {lang}", lang=lang)
        for view in VIEWS for lang in ("en", "ja")
    )  # fmt: skip
    body = el(
        "body", el("div", _controls(), class_="controls"), charts, el("div", "", id="tip", role="status"),
        _table(points), el("p", notes_of(about), class_="notes"),
        el("script", Markup((here / SCRIPT).read_text(encoding="utf-8"))), data_view=TOKENS, data_lang="en",
    )  # fmt: skip
    return "<!doctype html>\n" + el("html", head, body, lang="en") + "\n"


def title_of(about: About, view: str, lang: str = "en") -> str:
    """What a chart shows, for readers who cannot see it.

    Args:
        about: What it says besides its points.
        view: ``tokens`` or ``question``.
        lang: ``en`` or ``ja``.
    """
    per, ja = ("0.1 million tokens", "10 万トークン") if view == TOKENS else ("question", "1 問")
    return say(f"Accuracy on {about.paper} against USD per {per}", f"{about.paper} の正答率と{ja}あたりの米ドル", lang)


def _controls() -> Markup:
    views = join([
        el("button", both("per 0.1 M tokens", "10 万トークンあたり"), type="button", data_set="view", data_to=TOKENS),
        el("button", both("per question", "1 問あたり"), type="button", data_set="view", data_to="question"),
    ])  # fmt: skip
    parts = join(
        el("label", el("input", type="checkbox", checked="checked", data_part=part), both(en, ja))
        for part, en, ja in (
            ("published", "published models", "公表値"), ("front", "Pareto front", "パレート境界"),
            ("value", "equal value", "等価値線"),
        )
    )  # fmt: skip
    langs = join([el("button", "English", type="button", data_set="lang", data_to="en"),
                  el("button", "日本語", type="button", data_set="lang", data_to="ja")])  # fmt: skip
    return join([el("span", views, class_="choice"), el("span", parts, class_="parts"),
                 el("span", langs, class_="choice langs")])  # fmt: skip


def _table(points: Sequence[Point]) -> Markup:
    names = (both("model", "モデル"), both("accuracy", "正答率"), both("95 % interval", "95 % 区間"), "n",
             both("USD / 0.1 M tokens", "米ドル／10 万トークン"), both("USD / question", "米ドル／問"),
             both("accuracy from", "正答率の出典"), both("cost from", "費用の根拠"))  # fmt: skip
    head = el("thead", el("tr", join(el("th", name, scope="col") for name in names)))
    order = sorted(points, key=lambda p: (p.kind != OURS, -p.accuracy))
    return el("div", el("table", head, el("tbody", join(_row(point) for point in order))), class_="table")


def _row(point: Point) -> Markup:
    spread = "" if point.low is None or point.high is None else f"{point.low:.1%} – {point.high:.1%}"
    source: Content = point.source or both("this exam", "本評価")
    cells = (
        f"{point.accuracy:.1%}", spread, "" if point.n is None else f"{point.n:,}", usd_of(point.usd_tokens),
        usd_of(point.usd_question),
    )  # fmt: skip
    basis = both(basis_of(point, "en"), basis_of(point, "ja"))
    shown = join([*(el("td", cell, class_="n") for cell in cells), el("td", source), el("td", basis)])
    return el("tr", el("th", point.name, scope="row"), shown, class_="ours" if point.kind == OURS else "published")


def usd_of(value: float | None) -> Content:
    """A price in words, or that nobody knows it."""
    return both("not known", "不明") if value is None else "$0" if not value else usd(value)


def notes_of(about: About) -> Markup:
    """What a reader has to know before comparing."""
    notes = [both(
        "A cost is that of the call log, or the price of the machine by the hour over the measured speed, or stated."
        " A model without one stands at the right edge. Published prices are list prices, half of the tokens read and"
        " half written; no price per question was published.",
        "費用は呼び出し記録、機械の時間単価と実測速度、または指定値による。費用のないモデルは右端に示す。公表モデルの価格は"
        "定価で、入力と出力を半々とした。1 問あたりの価格は公表されていない。",
    )]  # fmt: skip
    if about.benchmark and not about.same:
        notes.append(both(
            f" Published accuracies are of {about.benchmark}, ours of {about.paper}: other questions, so that the two"
            " cannot be compared point by point, and the front is drawn through ours alone.",
            f" 公表値は {about.benchmark}、本評価は {about.paper} によるもので、問題が異なるため直接には比べられない。"
            "パレート境界は本評価のみから描いた。",
        ))  # fmt: skip
    return join(notes)
