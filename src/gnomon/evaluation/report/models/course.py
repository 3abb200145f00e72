"""The section on training: settings side by side, and the curves of loss, learning rate and gradient."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import Axis, plain, scientific, short, spanning, tick_words
from gnomon.evaluation.report.models.charts import Frame, Line, lines
from gnomon.evaluation.report.models.curves import POINT
from gnomon.evaluation.report.models.names import STAGES, Names, table
from gnomon.evaluation.report.words import number, share

WIDE_RANGE = 30.0
"""A measure whose greatest value is so many times its least is drawn on a logarithmic axis."""
SETTINGS = {
    "learning_rate": ("peak learning rate", "学習率の最大値"), "schedule": ("schedule", "スケジュール"),
    "warmup": ("warm-up, share of steps", "ウォームアップの割合"), "decay": ("decay, share of steps", "減衰の割合"),
    "final": ("final rate, share of peak", "最終学習率の割合"), "batch": ("rows a step", "1 ステップの行数"),
    "betas": ("AdamW averages", "AdamW の β"), "weight_decay": ("weight decay", "重み減衰"),
    "clip": ("greatest gradient norm", "勾配ノルムの上限"), "precision": ("precision", "計算精度"),
    "saved_precision": ("precision saved", "保存精度"), "lora": ("adapter", "アダプタ"),
    "extend": ("context extended to", "文脈の延長"), "frozen": ("frozen layers", "固定層"),
    "window": ("tokens read of a text", "読むトークン数"), "seed": ("seed", "シード"),
}  # fmt: skip
PANELS: dict[str, tuple[tuple[str, str], tuple[str, str] | None, Callable[[list[float]], list[str]]]] = {
    "loss": (("loss", "損失"), ("nats a token", "nat/トークン"), tick_words),
    "learning_rate": (("learning rate", "学習率"), None, lambda ticks: [scientific(tick) for tick in ticks]),
    "gradient_norm": (("gradient norm", "勾配ノルム"), ("before clipping", "クリップ前"), tick_words),
}
"""Name, unit and words of the ticks of each measure that is drawn."""
PAIRS = ("nats a pair", "nat/組")


def training(model: Mapping[str, Any], names: Names) -> Markup:
    """How every model of the build was trained."""
    trained = [row for row in model["pedigree"] if row["trained"] or row["settings"].get("learning_rate")]
    curves = {row["model"]: row for row in model["curves"] if row["rows"]}
    if not trained and not curves:
        return Markup("")
    families = _families(model["pedigree"], curves)
    style = "curves" if len(families) == 1 else "curves compact"
    return join([*(_family(rows, names, style) for rows in families), _settings(trained, names)])


def _families(pedigree: Sequence[Mapping[str, Any]], curves: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    """Curves that can share axes: of the same stage, from the same parents."""
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in pedigree:
        if row["model"] in curves:
            key = (row["stage"], *row["parents"], *row["outside"])
            found.setdefault(key, []).append({**curves[row["model"]], "stage": row["stage"]})
    return list(found.values())


def _family(curves: Sequence[Mapping[str, Any]], names: Names, style: str) -> Markup:
    stage = both(*STAGES.get(curves[0]["stage"], (curves[0]["stage"], curves[0]["stage"])))
    panels = [_panel(curves, measure, names) for measure in PANELS]
    grouped = max(row["a_point"] for row in curves)
    note = both(
        f"Each point is the mean of {number(grouped)} steps; the band holds the least and the greatest of them.",
        f"各点は {number(grouped)} ステップの平均、帯はその最小から最大まで。",
    )
    told = el("p", note, class_="quiet") if grouped > 1 else ""
    drawn = el("div", join(panels), class_=style)
    return el("figure", el("figcaption", stage), _progress(curves, names), drawn, told)


def _progress(curves: Sequence[Mapping[str, Any]], names: Names) -> Markup:
    """Where each curve began and ended, in words."""
    at = POINT.index("loss")
    lines_of = []
    for row in curves:
        first, last, steps = plain(row["rows"][0][at]), plain(row["rows"][-1][at]), number(row["steps"])
        told = both(f"loss {first} → {last} in {steps} steps, {short(row['tokens'])} tokens",
                    f"損失 {first} → {last}（{steps} ステップ、{short(row['tokens'])} トークン）")  # fmt: skip
        lines_of.append(el("p", names.chip(row["model"]), "  ", told))
    return el("div", *lines_of, class_="began")


def _panel(curves: Sequence[Mapping[str, Any]], measure: str, names: Names) -> Markup:
    """One measure of all curves against tokens seen."""
    drawn = [_line(row, measure, names, len(curves) > 1) for row in curves]
    values = [y for line in drawn for _, y in line.points] + [y for line in drawn for pair in line.band for y in pair]
    y = _upwards(values, zero=measure != "loss")
    frame = Frame(
        x=Axis(low=0, high=max(row["tokens"] for row in curves) or 1), y=y,
        y_title=_title(measure, y, curves[0]["stage"]),
        x_title=both("tokens seen", "見たトークン"), x_words=lambda ticks: [short(tick) for tick in ticks],
        y_words=PANELS[measure][2], tall="tall" if measure == "loss" else "",
        label=f"{measure.replace('_', ' ')} against tokens seen",
    )  # fmt: skip
    return lines(frame, drawn)


def _title(measure: str, y: Axis, stage: str) -> Markup:
    name, unit, _ = PANELS[measure]
    unit = PAIRS if measure == "loss" and stage == "tune_embedder" else unit
    scale = both(", log scale", "、対数目盛") if y.log else ""
    return join([both(*name), el("small", ", ", both(*unit)) if unit else "", el("small", scale) if scale else ""])


def _upwards(values: Sequence[float], *, zero: bool) -> Axis:
    positive = [value for value in values if value > 0]
    if zero and positive and len(positive) == len(values) and max(positive) / min(positive) > WIDE_RANGE:
        return Axis(low=min(positive) / 1.2, high=max(positive) * 1.2, log=True)
    if zero:
        return Axis(low=0, high=max(values, default=1.0) * 1.06 or 1.0)
    return spanning(values)


def _line(row: Mapping[str, Any], measure: str, names: Names, named: bool) -> Line:  # noqa: FBT001
    columns = {name: [point[at] for point in row["rows"]] for at, name in enumerate(POINT)}
    points = list(zip(columns["tokens"], columns[measure], strict=True))
    borders = (f"{measure}_low", f"{measure}_high")
    banded = row["a_point"] > 1 and borders[0] in columns
    band = list(zip(*(columns[border] for border in borders), strict=True)) if banded else []
    label = names.name(row["model"]) if named and measure == "loss" else ""
    told = f"{names.words(row['model'])}: {points[0][1]:.4g} → {points[-1][1]:.4g}"
    return Line(style=names.style(row["model"]), label=label, points=points, band=band, told=told)


# Settings ------------------------------------------------------------------------------------


def _settings(rows: Sequence[Mapping[str, Any]], names: Names) -> Markup:
    keys = [key for key in SETTINGS if any(key in row["settings"] for row in rows)]
    if not keys:
        return Markup("")
    heads: list[Content] = ["", *(names.chip(row["model"]) for row in rows)]
    cells: list[list[Content]] = [
        [both(*SETTINGS[key]), *(_value(key, row["settings"].get(key)) for row in rows)] for key in keys
    ]
    done = [
        ("steps", both("steps made", "ステップ数")),
        ("tokens", both("tokens seen", "見たトークン")),
        ("context", both("tokens a row", "1 行のトークン数")),
    ]
    for key, label in done:
        if any(row["trained"].get(key) for row in rows):
            cells.append([label, *(number(row["trained"][key]) if row["trained"].get(key) else "–" for row in rows)])
    head = el("summary", el("span", both("Settings of the training", "学習の設定"), class_="name"))
    return el("details", head, table(heads, cells), class_="plain")


def _value(key: str, value: Any) -> Content:
    if value is None:
        return "–"
    if key == "lora":
        return f"LoRA r={value['rank']}, α={value['alpha']:g}"
    if key == "extend":
        return number(value["context"])
    if key == "learning_rate":
        return scientific(value)
    if key in {"warmup", "decay", "final"}:
        return share(value, 1)
    return ", ".join(f"{part:g}" for part in value) if isinstance(value, list | tuple) else str(value)
