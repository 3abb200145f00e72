"""The section on perplexity: what was gained on the domain, what was forgotten elsewhere, always beside the control."""

from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, escape, join
from gnomon.evaluation.report.models.axes import Axis, interval, inverted, of_intervals, percents, plain, signed
from gnomon.evaluation.report.models.charts import Frame, Point, cloud, track, track_head
from gnomon.evaluation.report.models.names import Names, table, test_name
from gnomon.evaluation.report.words import SUBJECTS, named, number, plural

PER_TOKEN, PER_BYTE = "perplexity_change_percent", "bits_per_byte_change_percent"
MOST_CLOUDS = 6
HEADROOM = 0.2
"""Part of a plot's height that is left to the words in its corners."""
BY = {
    "subject": ("By subject", "分野別"),
    "year": ("By year", "年別"),
    "length": ("By length, bytes", "長さ別（バイト）"),
}
KINDS = {"domain": ("domain: gain", "専門分野: 得たもの"), "general": ("general: forgetting", "一般: 失ったもの")}


def change(test: Mapping[str, Any], model: str, against: str) -> dict[str, Any] | None:
    """How much higher (worse) or lower (better) one model's perplexity is than another's, in per cent.

    With different tokenizers it is the change in bits per byte, which compares any two.
    """
    for row in test["comparisons"]:
        kind = PER_TOKEN if row["same_tokens"] else PER_BYTE
        if (row["model"], row["against"]) == (model, against):
            return {**row[kind], "unit": kind}
        if (row["model"], row["against"]) == (against, model):
            return {**inverted(row[kind]), "unit": kind}
    return None


def perplexity(facts: Mapping[str, Any], names: Names) -> Markup:
    """Gain against forgetting, then every test set with its groups."""
    axis = of_intervals(
        [row for test in facts["tests"] for model in test["models"]
         if (row := change(test, model["model"], facts["reference"])) is not None], zero=True,
    )  # fmt: skip
    return join([
        el("p", _how(facts), class_="told"), _clouds(facts, names),
        *(_test(test, facts["reference"], axis, names) for test in facts["tests"]),
    ])  # fmt: skip


CONTROL = (
    " The control saw about as many tokens of general text: what it gains too is training, not the domain.",
    "対照は一般の文章をほぼ同じトークン数だけ学習したモデルで、対照も同じだけ得たものは、専門分野ではなく学習量による。",
)


def _how(facts: Mapping[str, Any]) -> Markup:
    control = CONTROL if any(model["kind"] == "control" for model in facts["models"]) else ("", "")
    reference = {"base": ("the base", "ベース")}.get(facts["reference"], (facts["reference"],) * 2)
    draws = number(facts["how"]["draws"])
    return both(
        "Perplexity is how many tokens a model hesitates between, on average: lower is better. Bits per byte say the"
        " same of any tokenizer. Changes are against " + reference[0] + ", on the same documents; brackets hold 95 %"
        f" of {draws} redrawings of the documents (paired bootstrap)." + control[0],
        "パープレキシティは、モデルが平均していくつの候補の間で迷うかを表し、低いほどよい。"
        "バイトあたりのビット数はトークナイザに依らない同じ指標。"
        f"変化は同じ文書での{reference[1]}との比較、"
        f"括弧は文書を {draws} 回引き直したときの 95 % 区間（対応のあるブートストラップ）。" + control[1],
    )


# Gain against forgetting ---------------------------------------------------------------------


def _clouds(facts: Mapping[str, Any], names: Names) -> Markup:
    """For every domain set and every general set, the models as points: up is gained, right is forgotten."""
    kinds = {kind: [t for t in facts["tests"] if t["kind"] == kind] for kind in ("domain", "general")}
    pairs = [(domain, general) for domain in kinds["domain"] for general in kinds["general"]][:MOST_CLOUDS]
    if not pairs:
        return Markup("")
    found = [(domain, general, _points(domain, general, facts, names)) for domain, general in pairs]
    drawn = [part for _, _, points in found for part in points]
    if not drawn:
        return Markup("")
    x, y = of_intervals([p.x for p in drawn], zero=True), of_intervals([p.y for p in drawn], zero=True)
    y = Axis(low=y.low, high=y.high + (y.high - y.low) * HEADROOM)
    panels = join(
        _cloud(domain, general, points, (x, y), names, facts["reference"])
        for domain, general, points in found
        if points
    )
    head = both("Gain against forgetting", "得たものと失ったもの")
    small = el(
        "small",
        both("change in perplexity against ", "パープレキシティの変化、比較の相手は "),
        names.name(facts["reference"]),
    )
    return el("figure", el("figcaption", head, " ", small), el("div", panels, _verdicts(facts, names), class_="clouds"))


def _verdicts(facts: Mapping[str, Any], names: Names) -> Markup:
    """The same in words, model by model."""
    others = [model["name"] for model in facts["models"] if model["name"] != facts["reference"]]
    rows = []
    for name in others:
        found = [(test, change(test, name, facts["reference"])) for test in facts["tests"]]
        told = [
            el("li", test_name(test), ": ", _in_words(row)) for test, row in found if row and row["value"] is not None
        ]
        rows.append(el("div", el("p", names.chip(name), class_="panel-head"), el("ul", *told)))
    return el("div", *rows, class_="verdicts")


def _in_words(row: Mapping[str, Any]) -> Markup:
    """A change as a sentence that does not claim more than its interval."""
    size = Markup(el("b", signed(abs(row["value"])).lstrip("+")))
    span = el("small", " ", interval(row, signed))
    if row["low"] is None or row["low"] <= 0 <= row["high"]:
        words = both(
            join(["no certain change, ", el("b", signed(row["value"]))]),
            join(["確かな変化なし、", el("b", signed(row["value"]))]),
        )
    elif row["value"] < 0:
        words = both(join([size, " lower"]), join([size, " 低い"]))
    else:
        words = both(join([size, " higher"]), join([size, " 高い"]))
    return join([words, span])


def _points(
    domain: Mapping[str, Any], general: Mapping[str, Any], facts: Mapping[str, Any], names: Names
) -> list[Point]:
    points = []
    for model in facts["models"]:
        gain, loss = (change(test, model["name"], facts["reference"]) for test in (domain, general))
        if gain is None or loss is None or gain["value"] is None or loss["value"] is None:
            continue
        told = f"{_told(model['name'], gain, names)}; {_told(model['name'], loss, names)}"
        points.append(
            Point(style=names.style(model["name"]), label=names.name(model["name"]), x=loss, y=_lower(gain), told=told)
        )
    return points


def _lower(row: Mapping[str, Any]) -> dict[str, Any]:
    """A change with its sign turned: how much lower."""
    turned = {key: None if row[key] is None else -row[key] for key in ("value", "low", "high")}
    return {"value": turned["value"], "low": turned["high"], "high": turned["low"], "n": row["n"]}


def _cloud(
    domain: Mapping[str, Any], general: Mapping[str, Any], points: Sequence[Point], axes: tuple[Axis, Axis],
    names: Names, reference: str,
) -> Markup:  # fmt: skip
    zero = {"value": 0.0, "low": None, "high": None}
    start = Point(style=names.style(reference), label=names.name(reference), x=zero, y=zero)
    unit = both("perplexity, %", "パープレキシティ、%")
    frame = Frame(
        x=axes[0], y=axes[1], label="gain on the domain against forgetting on general text", tall="square",
        y_title=both(join(["↑ gained: lower on ", test_name(domain), el("small", " (", unit, ")")]),
                     join(["↑ 得たもの: ", test_name(domain), "での低下", el("small", "（", unit, "）")])),
        x_title=both(join(["forgotten: higher on ", test_name(general), " →", el("small", " (", unit, ")")]),
                     join(["失ったもの: ", test_name(general), "での上昇 →", el("small", "（", unit, "）")])),
    )  # fmt: skip
    corners = "" if axes[1].high < 0.25 * -axes[1].low else join([
        el("span", both("learned, nothing lost", "学び、失わず"), class_="corner left"),
        el("span", both("learned, at a price", "学び、代償あり"), class_="corner right"),
    ])  # fmt: skip
    return cloud(frame, [start, *points], corners)


# Tables --------------------------------------------------------------------------------------


def _test(test: Mapping[str, Any], reference: str, axis: Axis, names: Names) -> Markup:
    about = both(f"{plural(test['documents'], 'document')}, {number(test['bytes'])} bytes",
                 f"文書 {number(test['documents'])} 件、{number(test['bytes'])} バイト")  # fmt: skip
    kind = el("span", both(*KINDS[test["kind"]]), class_=f"kind-of {test['kind']}")
    caption = el("figcaption", test_name(test), " ", kind, " ", el("small", about))
    heads: list[Content] = [
        both("model", "モデル"), both("perplexity a token", "トークンあたり"),
        both("bits a byte", "バイトあたりビット"),
        both("against base", "ベース比") if reference == "base" else names.name(reference),
        *_control_head(test, names), track_head(axis, percents),
    ]  # fmt: skip
    rows = [_row(model, test, reference, axis, names) for model in test["models"]]
    numbers = range(1, len(heads) - 1)
    return el("figure", caption, table(heads, rows, numbers), _notes(test), _groups(test, names), class_="test")


def _control(test: Mapping[str, Any], names: Names) -> str | None:
    return next((row["model"] for row in test["models"] if names.kinds.get(row["model"]) == "control"), None)


def _control_head(test: Mapping[str, Any], names: Names) -> list[Content]:
    return [both("against control", "対照比")] if _control(test, names) else []


def _row(row: Mapping[str, Any], test: Mapping[str, Any], reference: str, axis: Axis, names: Names) -> list[Content]:
    name, control = row["model"], _control(test, names)
    against = change(test, name, reference)
    cells: list[Content] = [
        names.chip(name),
        _measure(row["perplexity"]),
        _measure(row["bits_per_byte"]),
        _change(against),
    ]
    if control:
        cells.append(_change(change(test, name, control)) if name != reference else "–")
    drawn = against or {"value": 0.0, "low": None, "high": None}
    told = f"{signed(against['value'])} {interval(against, signed)}" if against and against["value"] is not None else ""
    return [*cells, track(axis, [(names.style(name), drawn, told)])]


def _measure(row: Mapping[str, Any]) -> Markup:
    if row["value"] is None:
        return escape("–")
    return join([el("b", plain(row["value"], 4)), " ", el("small", interval(row, lambda v: plain(v, 4)))])


def _change(row: Mapping[str, Any] | None) -> Markup:
    if row is None or row["value"] is None:
        return escape("–")
    sure = row["low"] is not None and (row["low"] > 0 or row["high"] < 0)
    way = ("worse" if row["value"] > 0 else "better") if sure else "unsure"
    dagger = el("sup", "†") if row.get("unit") == PER_BYTE else ""
    return join([el("b", signed(row["value"]), class_=way), dagger, " ", el("small", interval(row, signed))])


def _notes(test: Mapping[str, Any]) -> Markup:
    parts = []
    if any(not row["same_tokens"] for row in test["comparisons"]):
        parts.append(
            both(
                "† change in bits per byte: the tokenizers differ.",
                "† トークナイザが異なるため、バイトあたりビットの変化。",
            )
        )
    unscored = sum(row["unscored"] for row in test["models"])
    if unscored:
        parts.append(both(f"{number(unscored)} scores were no numbers and are left out for every model.",
                          f"数値にならなかった {number(unscored)} 件は全モデルで除いた。"))  # fmt: skip
    lossy = sum(row["not_lossless"] for row in test["models"])
    if lossy:
        parts.append(both(f"{number(lossy)} texts do not come back whole from a tokenizer.",
                          f"トークナイザで復元できない文書が {number(lossy)} 件ある。"))  # fmt: skip
    return el("p", join(piece for part in parts for piece in (part, " ")), class_="quiet") if parts else Markup("")


# Groups --------------------------------------------------------------------------------------


def _groups(test: Mapping[str, Any], names: Names) -> Markup:
    return join(_by(kind, test["by"][kind], names) for kind in BY if len(test["by"].get(kind, ())) > 1)


def _by(kind: str, rows: Sequence[Mapping[str, Any]], names: Names) -> Markup:
    """Changes against the reference in every group of documents."""
    axis = of_intervals([values[PER_TOKEN] for row in rows for _, values in row["changes"]], zero=True)
    models = [name for name, _ in rows[0]["changes"]]
    if not models:
        return Markup("")
    heads = [
        both("group", "群"),
        both("documents", "文書"),
        *(names.chip(name) for name in models),
        track_head(axis, percents),
    ]
    cells = [
        [_group_name(kind, row), number(row["n"]), *(_change(values[PER_TOKEN]) for _, values in row["changes"]),
         track(axis, [(names.style(name), values[PER_TOKEN], _told(name, values[PER_TOKEN], names))
                      for name, values in row["changes"]])]
        for row in rows
    ]  # fmt: skip
    head = el("summary", el("span", both(*BY[kind]), class_="name"),
              el("span", both("change in perplexity a token", "トークンあたりの変化"), class_="where"))  # fmt: skip
    return el("details", head, table(heads, cells, range(1, len(heads) - 1)), class_="plain")


def _told(model: str, row: Mapping[str, Any], names: Names) -> str:
    return f"{names.words(model)}: {signed(row['value'])} {interval(row, signed)}" if row["value"] is not None else ""


def _group_name(kind: str, row: Mapping[str, Any]) -> Content:
    group = row["group"]
    if group == "other":
        return el("em", both(f"{row['groups']} small groups", f"少数の {row['groups']} 群"))
    if kind == "subject":
        return (
            join([el("code", group), " ", el("small", named(group, SUBJECTS))])
            if group in SUBJECTS and group
            else group or "–"
        )
    if kind == "length":
        low, _, high = group.partition("-")
        return f"{number(int(low))}–{number(int(high))}"
    return group or el("em", both("unknown", "不明"))
