"""The section on embeddings: AstroLLaMA's figure, and what a histogram cannot show."""

from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import Axis, interval, of_intervals, plain, spanning
from gnomon.evaluation.report.models.charts import Frame, boxes, plot, steps, track, track_head
from gnomon.evaluation.report.models.names import Names, table
from gnomon.evaluation.report.words import number, share

GROUPS = {"all": ("all queries", "すべての質問"), "apart": ("{}", "{}"), "rest": ("other fields", "他の分野")}
Named = Sequence[tuple[Content, str, Mapping[str, Any]]]


def embedding(facts: Mapping[str, Any], names: Names) -> Markup:
    """Distributions, spread per bin, agreement, retrieval, probes, and pairs to judge by eye."""
    similarity = facts["similarity"]
    return join([
        el("p", _told(facts), class_="told"),
        _histograms(similarity, names), _spreads(similarity, facts["general"], names),
        _figures(facts, names), _pairs(facts["disagreements"], names),
    ])  # fmt: skip


def _told(facts: Mapping[str, Any]) -> Markup:
    pairs, documents = number(facts["similarity"]["pairs"]), number(facts["documents"]["n"])
    return both(
        f"All {pairs} pairs of {documents} documents, as each system sees them: cosine of the mean last-layer state"
        " without the first token. Similarities of different systems are on different scales, so their order is what"
        " can be compared. A wider spread may be knowledge or noise; what a system finds and tells apart says which.",
        f"文書 {documents} 件の全 {pairs} 組を各モデルがどう見るか。先頭トークンを除いた最終層の平均の余弦類似度。"
        "尺度はモデルごとに異なるので、比べられるのは順序である。広がりは知識のこともノイズのこともあり、"
        "何を見つけ何を見分けるかがそれを教える。",
    )


# Distributions -------------------------------------------------------------------------------


def _histograms(facts: Mapping[str, Any], names: Names) -> Markup:
    systems = facts["systems"]
    x = spanning([s[end] for s in systems for end in ("low", "high")], pad=0.02)
    panels = join(_histogram(system, x, at == len(systems) - 1, names) for at, system in enumerate(systems))
    how = both(
        "each panel is as high as its fullest bin; the mark is the mean, its bar one standard deviation either way",
        "各段の高さは最も多い区間に合わせた。印は平均、横棒は±標準偏差",
    )
    title = el("figcaption", both("Similarity of all pairs", "全組の類似度"), " ", el("small", how))
    return el("figure", title, el("div", panels, class_="ridge"))


def _histogram(system: Mapping[str, Any], x: Axis, last: bool, names: Names) -> Markup:  # noqa: FBT001
    style, mean, spread = names.style(system["system"]), system["mean"], system["spread"]
    frame = Frame(
        x=x, y=Axis(low=0, high=max(system["histogram"]) * 1.08), y_title="", label="histogram of cosines",
        x_title=both("cosine of two documents", "二文書の余弦類似度") if last else "",
        y_words=lambda ticks: [""] * len(ticks), tall="low" if last else "low bare",
    )  # fmt: skip
    shape = steps(frame, system["histogram"], system["low"], system["high"], style)
    about = {"value": mean["value"], "low": mean["value"] - spread["value"], "high": mean["value"] + spread["value"]}
    figures = both(
        f"mean {plain(mean['value'])} {interval(mean)}, spread {plain(spread['value'])} {interval(spread)}",
        f"平均 {plain(mean['value'])} {interval(mean)}、広がり {plain(spread['value'])} {interval(spread)}",
    )
    head = el("p", names.chip(system["system"]), el("small", figures), class_="panel-head")
    return el("div", head, plot(frame, shape, above=track(x, [(style, about, "")])), class_="panel")


def _spreads(facts: Mapping[str, Any], general: str, names: Names) -> Markup:
    """The distribution of each system's cosines in ten equal bins of the general system's."""
    systems = [s for s in facts["systems"] if s["system"] != general and any(b["quantiles"] for b in s["bins"])]
    if not systems:
        return Markup("")
    values = [q for s in systems for b in s["bins"] if b["quantiles"] for q in b["quantiles"]]
    y, x = spanning(values), Axis(low=facts["bin_edges"][0], high=facts["bin_edges"][-1])
    panels = join(_spread(s, (x, y), facts["bin_edges"], names) for s in systems)
    name = both(
        "Spread where the general embedder sees equal similarity", "汎用埋め込みが同程度に似ると見る組での広がり"
    )
    how = both(
        "ten equal bins; thin 5–95 %, thick 25–75 %, mark the median; bins of fewer than 20 pairs are empty",
        "等間隔の 10 区間。細線 5–95 %、太線 25–75 %、印は中央値。20 組未満の区間は空",
    )
    title = el("figcaption", name, " ", el("small", how))
    return el("figure", title, el("div", panels, class_="spreads"))


def _spread(system: Mapping[str, Any], axes: tuple[Axis, Axis], edges: Sequence[float], names: Names) -> Markup:
    style, found = names.style(system["system"]), system["correlation_with_general"]
    frame = Frame(
        x=axes[0], y=axes[1], label="cosines by bins of the general embedder's",
        x_title=both("cosine, general embedder", "余弦（汎用埋め込み）"), y_title=both("cosine", "余弦類似度"),
    )  # fmt: skip
    rows = [
        (left, right, b["quantiles"], f"{number(b['pairs'])} pairs, median {plain(b['quantiles'][2])}")
        for left, right, b in zip(edges, edges[1:], system["bins"], strict=False) if b["quantiles"]
    ]  # fmt: skip
    drawn, marks = boxes(frame, rows, style)
    figures = f"r = {plain(found['value'])} {interval(found)}" if found["value"] is not None else ""
    head = el("p", names.chip(system["system"]), el("small", figures), class_="panel-head")
    return el("div", head, plot(frame, drawn, above=marks), class_="panel")


# What a histogram cannot show ----------------------------------------------------------------


def _figures(facts: Mapping[str, Any], names: Names) -> Markup:
    found = [*_retrieval(facts["retrieval"], names), *_probe(facts["subjects"], names)]
    head = el("figcaption", both("What a histogram cannot show", "ヒストグラムに現れないもの"))
    return el("figure", head, el("div", join(found), class_="grid")) if found else Markup("")


def _retrieval(facts: Mapping[str, Any] | None, names: Names) -> list[Markup]:
    """Does the title of a paper lead to what it cites?"""
    if facts is None:
        return []
    found = []
    for group in facts["groups"]:
        en, ja = GROUPS[group["group"]]
        title = both(
            f"Finding what a paper cites: {en.format(facts['apart'])}", f"引用文献の検索: {ja.format(facts['apart'])}"
        )
        about = both(f"nDCG@10, titles as queries, n = {number(group['n'])} among {number(facts['passages'])} passages",
                     f"nDCG@10、題名で検索、n = {number(group['n'])}、候補 {number(facts['passages'])} 件")  # fmt: skip
        rows = [(names.chip(s["system"]), names.style(s["system"]), s["ndcg10"]) for s in group["systems"]]
        found.append(_ranking(title, about, rows))
    return found


def _probe(facts: Mapping[str, Any], names: Names) -> list[Markup]:
    """Does the vector tell the subject to a straight line?"""
    if not facts["n"]:
        return []
    kinds = {"accuracy": both("accuracy", "正解率"), "macro_f1": both("macro F1", "マクロ F1")}
    subjects = number(len(facts["subjects"]))
    found = []
    for key, name in kinds.items():
        about = join([name, both(f", {subjects} subjects, linear probe, n = {number(facts['n'])}",
                                 f"、{subjects} 分野、線形プローブ、n = {number(facts['n'])}")])  # fmt: skip
        rows = [(names.chip(s["system"]), names.style(s["system"]), s[key]) for s in facts["systems"]]
        found.append(_ranking(both("Telling the subject", "分野の判別"), about, rows))
    return found


def _ranking(title: Content, about: Content, rows: Named) -> Markup:
    """Systems with one measure each, as numbers and on one axis."""
    axis = of_intervals([row for _, _, row in rows])
    axis = Axis(low=max(0.0, axis.low), high=min(1.0, axis.high))
    cells = [
        [chip, _measure(row), track(axis, [(style, row, interval(row))])]
        for chip, style, row in rows
    ]  # fmt: skip
    shown = table(["", "", track_head(axis)], cells, (1,))
    return el("div", el("p", title, " ", el("small", about), class_="panel-head"), shown, class_="panel")


def _measure(row: Mapping[str, Any]) -> Content:
    if row["value"] is None:
        return "–"
    return join([el("b", plain(row["value"])), " ", el("small", interval(row))])


# Pairs ---------------------------------------------------------------------------------------


def _pairs(rows: Sequence[Mapping[str, Any]], names: Names) -> Markup:
    """The pairs on which two systems disagree most, for a person to judge."""
    if not rows:
        return Markup("")
    hint = both(
        "Rank: the share of all pairs that a system finds less alike. Open a line to judge by eye who is right.",
        "順位: そのモデルがより似ていないと見た組の割合。行を開いて、どちらが正しいかを確かめられる。",
    )
    items = join(_direction(row, names) for row in rows)
    head = el("figcaption", both("Where they disagree most", "最も食い違う組"))
    return el("figure", head, el("p", hint, class_="quiet"), el("div", items, class_="list"))


def _direction(row: Mapping[str, Any], names: Names) -> Markup:
    head = el("summary", el("span", both(
        join(["near for ", names.chip(row["nearer"]), ", far for ", names.chip(row["farther"])]),
        join([names.chip(row["nearer"]), "では近く、", names.chip(row["farther"]), "では遠い"])), class_="name"),
    )  # fmt: skip
    return el("details", head, *(_pair(pair, names) for pair in row["pairs"]), class_="plain")


def _pair(pair: Mapping[str, Any], names: Names) -> Markup:
    titles = [el("p", el("span", pair[f"title_{one}"] or "–"), " ", el("code", pair[one])) for one in ("a", "b")]
    ranks = [join([names.chip(name), " ", el("b", share(rank, 1)), " "]) for name, rank in pair["ranks"]]
    return el("div", *titles, el("p", *ranks, class_="ranks"), class_="sample two")
