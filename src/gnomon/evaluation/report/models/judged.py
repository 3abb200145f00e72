"""What sections on judged answers share: figures with intervals, what was not scored, and paired differences."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import MINUS, interval, of_intervals, plain
from gnomon.evaluation.report.models.charts import track, track_head
from gnomon.evaluation.report.models.exam import UNSCORED, telling
from gnomon.evaluation.report.models.exam_arms import Arms, chip, style
from gnomon.evaluation.report.models.names import Names, table
from gnomon.evaluation.report.words import SUBJECTS, named, number

REASONS = {
    **UNSCORED, "not_reached": ("turn not reached", "前の発言で終わり未到達"),
    "unreadable": ("unreadable", "読み取れない"),
}  # fmt: skip
Measure = Mapping[str, Any] | None
"""A figure with ``value``, ``low``, ``high`` and ``n``; None where nothing was measured."""


def arms_of(facts: Mapping[str, Any]) -> Arms:
    """The arms by name; all of them write, so none is told apart by its way."""
    return {arm["name"]: {**arm, "way": ""} for arm in facts["arms"]}


def figure(row: Measure, words: Callable[[float], str] = plain, *, counted: bool = False) -> Content:
    """A figure with its 95 % interval and, where asked, on how much it rests."""
    if row is None or row["value"] is None:
        return "–"
    parts: list[Content] = [el("b", words(row["value"])), el("br"), el("small", interval(row, words))]
    if counted:
        parts.append(el("small", f" n = {number(row['n'])}"))
    return join(parts)


def signed(value: float) -> str:
    """A difference in points with its sign."""
    words = plain(abs(value), 2)
    return words if value == 0 else f"{'+' if value > 0 else MINUS}{words}"


def difference(row: Measure) -> Content:
    """A difference with its interval, marked when the interval does not hold zero."""
    if row is None or row["value"] is None:
        return "–"
    sure = row["low"] is not None and (row["low"] > 0 or row["high"] < 0)
    way = ("better" if row["value"] > 0 else "worse") if sure else "unsure"
    return join([el("b", signed(row["value"]), class_=way), " ", el("small", interval(row, signed))])


def differences(facts: Mapping[str, Any], measures: Mapping[str, tuple[str, str]], names: Names) -> Markup:
    """Paired differences: those that a claim can rest on, and the others to be opened.

    Args:
        facts: ``arms`` and ``comparisons``.
        measures: Names of what is compared, by key; the first is drawn.
        names: Of the models.
    """
    arms, rows = arms_of(facts), facts["comparisons"]
    if not rows:
        return Markup("")
    chosen = telling(rows, arms)
    rest = [row for row in rows if row not in chosen]
    head = el("p", both("Differences, question by question", "問題ごとの差"), class_="panel-head sub-head")
    drawn = _pairs(chosen, arms, measures, names) if chosen else ""
    if not rest:
        return join([head, drawn])
    summary = el("summary", el("span", both("All other pairs", "その他の組"), class_="name"),
                 el("span", number(len(rest)), class_="where"))  # fmt: skip
    return join([head, drawn, el("details", summary, _pairs(rest, arms, measures, names), class_="plain")])


def _pairs(
    rows: Sequence[Mapping[str, Any]], arms: Arms, measures: Mapping[str, tuple[str, str]], names: Names
) -> Markup:
    first = next(iter(measures))
    axis = of_intervals([row[first] for row in rows if row[first]], zero=True)
    heads = [both("pair", "組"), both("both scored", "双方採点"), *(both(*words) for words in measures.values()),
             track_head(axis)]  # fmt: skip
    cells = [
        [join([chip(arms[row["arm"]], names), f" {MINUS} ", chip(arms[row["against"]], names)]),
         number(row[first]["n"]) if row[first] else "0", *(difference(row[key]) for key in measures),
         track(axis, [(style(arms[row["arm"]], names), row[first] or {"value": None}, "")])]
        for row in rows
    ]  # fmt: skip
    return table(heads, cells, range(1, len(measures) + 2))


def notes(rows: Mapping[str, Sequence[tuple[str, Mapping[str, int]]]], arms: Arms, names: Names) -> Markup:
    """What has no answer, or no judgement, by reason and arm.

    Args:
        rows: ``unscored`` and ``unjudged``, each as (arm, how many by reason).
        arms: The arms.
        names: Of the models.
    """
    heads = {"unscored": Markup(""), "unjudged": both("not judged: ", "判定なし: ")}
    found = []
    for kind, told in rows.items():
        for reason in dict.fromkeys(reason for _, counts in told for reason in counts):
            who = [(arm, counts[reason]) for arm, counts in told if reason in counts]
            listed = join(join([", " if at else "", chip(arms[arm], names), f" {number(n)}"])
                          for at, (arm, n) in enumerate(who))  # fmt: skip
            why = both(*REASONS.get(reason, (reason, reason)))
            found.append(el("li", heads[kind], why, ": ", listed))
    return el("ul", *found, class_="quiet limits") if found else Markup("")


def grouped(
    facts: Mapping[str, Any], key: str, title: tuple[str, str], names: Names, measure: Callable[[Any], Measure]
) -> Markup:
    """A figure of every arm in every group, where there are several groups.

    Args:
        facts: ``arms``, each with groups by name under the key.
        key: ``by_subject``, ``by_lang``, ``by_category``.
        title: What they are called.
        names: Of the models.
        measure: The figure of a group.
    """
    groups = list(dict.fromkeys(group for arm in facts["arms"] for group in arm[key]))
    if len(groups) < 2:
        return Markup("")
    arms = arms_of(facts)
    heads = [both("group", "群"), *(chip(arm, names) for arm in arms.values())]
    cells = [
        [named(group, SUBJECTS), *(figure(measure(arm[key].get(group)), counted=True) for arm in arms.values())]
        for group in sorted(groups)
    ]
    summary = el("summary", el("span", both(*title), class_="name"))
    return el("details", summary, table(heads, cells, range(1, len(heads))), class_="plain")


def judge_of(judge: Mapping[str, Any]) -> Content:
    """The judge's name and commit."""
    ref = judge["ref"]
    told = f"{ref['name']}@{ref['revision'][:12]}" if ref.get("revision") else ref["name"]
    return el("code", told)
