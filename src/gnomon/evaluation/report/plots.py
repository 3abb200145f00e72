"""Plots: small inline drawings without a library, which scale with the page and print well.

Columns are SVG rectangles stretched to the width there is; their labels are HTML beside them, so
that letters keep their size on a telephone.
"""

from collections.abc import Sequence

from gnomon.evaluation.report.composition import BINS_PER_DOUBLING, bin_top
from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.words import number, share

HEIGHT = 100.0
MOST_COLUMNS = 130


def columns(rows: Sequence[tuple[str, int]], ticks: Sequence[tuple[float, str]], label: str) -> Markup:
    """A column chart.

    Args:
        rows: (name, count) of every column, in order.
        ticks: (place from 0 to 1, words) below the axis.
        label: What it shows, for readers who cannot see it.
    """
    top = max((count for _, count in rows), default=0)
    if not top:
        return Markup("")
    bars = join(_column(at, name, count, top) for at, (name, count) in enumerate(rows))
    drawing = el("svg", bars, viewBox=f"0 0 {len(rows)} {HEIGHT:g}", preserveAspectRatio="none", role="img",
                 aria_label=label)  # fmt: skip
    marks = join(el("span", words, style=f"left:{place * 100:.2f}%") for place, words in ticks)
    scale = el("div", el("span", number(top)), el("span", "0"), class_="scale")
    return el("div", scale, el("div", drawing, el("div", marks, class_="ticks"), class_="field"), class_="columns")


def _column(at: int, name: str, count: int, top: int) -> Markup:
    if not count:
        return Markup("")
    height = max(HEIGHT * count / top, 1.2)
    title = el("title", f"{name}: {number(count)}")
    return el("rect", title, x=f"{at + 0.1:g}", y=f"{HEIGHT - height:.2f}", width="0.8", height=f"{height:.2f}")


def years(rows: Sequence[Sequence[int]], label: str) -> Markup:
    """Documents by year; by decade when there would be too many columns."""
    if not rows:
        return Markup("")
    first, last = rows[0][0], rows[-1][0]
    step = 1 if last - first < MOST_COLUMNS else 10
    first -= first % step
    counts: dict[int, int] = {}
    for year, count in rows:
        counts[year - year % step] = counts.get(year - year % step, 0) + count
    every = range(first, last + 1, step)
    names = [(str(year) if step == 1 else f"{year}–{year + step - 1}", counts.get(year, 0)) for year in every]
    return columns(names, _year_ticks(list(every), step), label)


def _year_ticks(every: Sequence[int], step: int) -> list[tuple[float, str]]:
    spacing = next((s for s in (1, 2, 5, 10, 20, 25, 50, 100) if len(every) * step / s <= 7), 200)
    at = [(i, year) for i, year in enumerate(every) if year % max(spacing, step) == 0]
    return [((i + 0.5) / len(every), str(year)) for i, year in at]


def lengths(rows: Sequence[Sequence[int]], label: str) -> Markup:
    """Documents by length, on a logarithmic axis.

    Args:
        rows: (bin, count) as ``composition.length_bin`` numbers them.
        label: What it shows.
    """
    if not rows:
        return Markup("")
    found = {row[0]: row[1] for row in rows}
    bins = range(min(found), max(found) + 1)
    names = [(f"{number(bin_top(at - 1) + 1)}–{number(bin_top(at))}" if at > 0 else str(bin_top(at)), found.get(at, 0))
             for at in bins]  # fmt: skip
    tops = [at for at in bins if at >= 0 and at % BINS_PER_DOUBLING == 0]
    wide = max(1, -(-len(tops) // 7))
    ticks = [((at - bins[0] + 1) / len(bins), number(bin_top(at))) for at in tops[::wide]]
    return columns(names, ticks, label)


def bars(rows: Sequence[tuple[Content, int]], whole: int, most: int = 12) -> Markup:
    """A table of names with bars; what is beyond ``most`` rows is added up in a last one."""
    shown = list(rows[:most])
    top = max((count for _, count in shown), default=0)
    lines = [_bar(name, count, whole, top) for name, count in shown]
    rest = sum(count for _, count in rows[most:])
    if rest:
        others = number(len(rows) - most)
        name = el("em", both(f"{others} others", f"ほか {others} 種"))
        lines.append(_bar(name, rest, whole, max(top, rest)))
    return el("table", el("tbody", join(lines)), class_="bars")


def _bar(name: Content, count: int, whole: int, top: int) -> Markup:
    width = f"width:{100 * count / top:.2f}%" if top else "width:0"
    return el("tr", el("th", name, scope="row"), el("td", el("i", style=width), class_="bar"),
              el("td", number(count), class_="n"), el("td", share(count, whole), class_="p"))  # fmt: skip
