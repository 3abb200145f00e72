"""The section on completions: what models write after the same beginning, beside how the document goes on."""

from collections.abc import Callable, Mapping
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import interval, plain
from gnomon.evaluation.report.models.names import Names, table
from gnomon.evaluation.report.words import number, plural, share

SCORES = {
    "overlap": ("overlap with the true ending", "実際の続きとの重なり"),
    "new_number_precision": ("new numbers that are true", "新しい数値の正しさ"),
    "new_name_precision": ("new names that are true", "新しい固有名の正しさ"),
    "number_precision": ("all numbers", "すべての数値"),
    "name_precision": ("all names", "すべての固有名"),
    "repetition": ("repetition", "繰り返し"),
    "ended": ("came to an end", "自ら終えた割合"),
}  # fmt: skip
MARKS = {"new_number_precision": ("new numbers", "新しい数値"), "new_name_precision": ("new names", "新しい固有名")}
WHY = {"no_room": ("the beginning leaves no room in its context", "書き出しだけで文脈が埋まる")}


def completion(facts: Mapping[str, Any], names: Names) -> Markup:
    """Scores, then texts side by side."""
    return join([el("p", _told(facts), class_="told"), _scores(facts, names), _examples(facts, names)])


def _told(facts: Mapping[str, Any]) -> Markup:
    how, n = facts["how"], number(facts["documents"]["n"])
    return both(
        f"Each model continues the title and the first {plural(how['sentences'], 'sentence')} of"
        f" {plural(facts['documents']['n'], 'held-out document')}, at temperature {how['temperature']:g}, at most"
        f" {number(how['max_tokens'])} tokens, one seed. Overlap is ROUGE-L with the true ending; a number or a name is"
        " true when it stands in the true document, new when the beginning had not given it away. The last row is the"
        " true ending of another paper: fluent, of the field, and ignorant of this one. Who scores no higher knows the"
        " style and no more.",
        f"取り分けた文書 {n} 件の題名と最初の {how['sentences']} 文に、各モデルが続きを書く"
        f"（温度 {how['temperature']:g}、最大 {number(how['max_tokens'])} トークン、シード一つ）。重なりは実際の"
        "続きとの ROUGE-L。数値や固有名は、実際の文書にあれば正しく、書き出しになければ新しいとする。"
        "最後の行は別の論文の実際の続きで、流暢で同じ分野だがこの論文を知らない。"
        "これを上回らないモデルが知るのは文体だけである。",
    )


def _scores(facts: Mapping[str, Any], names: Names) -> Markup:
    heads = [both("model", "モデル"), *(both(*words) for words in SCORES.values())]
    rows = [
        [names.chip(row["system"]), *(_score(row[key], plain if key == "overlap" else _part) for key in SCORES)]
        for row in facts["systems"]
    ]
    lost = sum(row["unscored"] for row in facts["systems"])
    note = el(
        "p",
        both(f"{number(lost)} beginnings left no room to write.", f"{number(lost)} 件は書く余地がなかった。"),
        class_="quiet",
    )
    return join([table(heads, rows, range(1, len(heads))), note if lost else ""])


def _score(row: Mapping[str, Any], words: Callable[[float], str]) -> Content:
    """A measure with its interval, and on how much it rests."""
    if row["value"] is None:
        return "–"
    of = number(row["written"]) if "written" in row else ""
    written = el("small", both(f" of {of}", f" / {of}")) if of else ""
    return join([el("b", words(row["value"])), written, el("br"), el("small", interval(row, words))])


def _part(value: float) -> str:
    return share(value, 1)


# Side by side --------------------------------------------------------------------------------


def _examples(facts: Mapping[str, Any], names: Names) -> Markup:
    if not facts["examples"]:
        return Markup("")
    head = el("figcaption", both("Side by side", "並べて読む"))
    return el("figure", head, *(_example(row, names) for row in facts["examples"]))


def _example(row: Mapping[str, Any], names: Names) -> Markup:
    truth = el(
        "div",
        el("p", both("as it goes on", "実際の続き"), class_="writer"),
        el("p", row["truth"], class_="text"),
        class_="truth",
    )
    written = [_written(one, names) for one in row["written"]]
    title, _, begun = row["prompt"].partition("\n\n")
    given = join([el("b", title), " ", el("code", row["id"])] + ([el("br"), begun] if begun else []))
    pieces = el("div", truth, *written, class_="beside-each")
    return el("div", el("p", given, " …", class_="prompt"), pieces, class_="continued")


def _written(one: Mapping[str, Any], names: Names) -> Markup:
    head = el("p", names.chip(one["model"]), class_="writer")
    if one["reason"]:
        why = both(*WHY.get(one["reason"], (one["reason"], one["reason"])))
        return el("div", head, el("p", el("em", why), class_="text"))
    cut = el("em", both(" [cut here]", "［ここで打ち切り］")) if one["finish"] == "length" else ""
    return el("div", head, el("p", one["text"] or el("em", both("nothing", "何も書かない")), cut, class_="text"),
              el("p", _marks(one), class_="marks"))  # fmt: skip


def _marks(one: Mapping[str, Any]) -> Markup:
    """Scores of one text: counts where the table has shares, for a single text has few."""
    parts: list[Content] = []
    if one["overlap"] is not None:
        parts.append(join([both("overlap ", "重なり "), el("b", plain(one["overlap"], 2))]))
    for key, words in MARKS.items():
        right, whole = one[key]
        if whole:
            parts.append(join([both(f"{words[0]} ", f"{words[1]} "), el("b", f"{right}/{whole}")]))
    if one["repetition"]:
        parts.append(join([both("repeated ", "繰り返し "), el("b", share(one["repetition"], 1))]))
    return join(piece for at, part in enumerate(parts) for piece in ((" · ", part) if at else (part,)))
