"""The section on where the models come from: pedigree, what they were shown, duties that licences leave."""

from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import plain, short
from gnomon.evaluation.report.models.names import STAGES, Names, source_name, table
from gnomon.evaluation.report.words import REASONS, named, number, share

LICENCES_SHOWN = 4
SPENT = {
    "tokens_per_word": ("tokens a word", "1 語あたりのトークン"),
    "tokens_per_character": ("tokens a character", "1 文字あたり"),
    "tokens_per_byte": ("tokens a byte", "1 バイトあたり"),
}  # fmt: skip


def pedigree(model: Mapping[str, Any], names: Names) -> Markup:
    """Every model below the one it was made from."""
    rows = model["pedigree"]
    if not rows:
        return Markup("")
    made = {row["model"]: row for row in rows}
    shown = {user: pack for pack in model["tokens"] for user in pack["used_by"]}
    items = join(_relative(row, made, shown, names) for row in rows)
    return join([el("ol", items, class_="pedigree"), _duties(rows, names)])


def _relative(
    row: Mapping[str, Any], made: Mapping[str, Any], shown: Mapping[str, Mapping[str, Any]], names: Names
) -> Markup:
    ref, trained = row["ref"], row["trained"]
    stage = both(*STAGES.get(row["stage"], (row["stage"], row["stage"])))
    facts: list[Content] = [stage]
    if row["parameters"]:
        facts.append(both(f"{short(row['parameters'])} parameters", f"パラメータ {short(row['parameters'])}"))
    if trained.get("tokens") and row["stage"] != "tune_embedder":
        facts.append(both(f"{short(trained['tokens'])} tokens", f"{short(trained['tokens'])} トークン"))
        pack = shown.get(row["model"])
        facts += [join(_spaced([source_name(source["name"]) for source in pack["sources"]], " + "))] if pack else []
    parent = _parent(row, made, names)
    licence = ref.get("licence") or both("no licence stated", "ライセンスの記載なし")
    known = el("p", el("code", ref["name"]), " ", el("code", _revision(ref), class_="hash"), class_="where-from")
    return el(
        "li", el("p", names.chip(row["model"]), el("span", licence, class_="licence"), class_="who"),
        el("p", join(_spaced(facts, " · ")), class_="how"), parent, _trial(row), known, style=f"--depth:{row['depth']}",
        class_="child" if row["depth"] else None,
    )  # fmt: skip


def _parent(row: Mapping[str, Any], made: Mapping[str, Any], names: Names) -> Markup:
    parents = [names.name(p) for p in row["parents"] if p in made] or [el("code", p) for p in row["outside"]]
    if not parents:
        return Markup("")
    told = join(_spaced(parents, ", "))
    return el("p", both(join(["made from ", told]), join([told, " から作成"])), class_="from")


def _trial(row: Mapping[str, Any]) -> Markup:
    """What the trial of a tuned embedder found, and whether the tuned one was taken."""
    trial = row["trial"]
    if not trial:
        return Markup("")
    told = f"{plain(trial['base'])} → {plain(trial['tuned'])} [{plain(trial['low'])}, {plain(trial['high'])}], n = "
    told += number(trial["questions"])
    taken = both("taken", "採用") if row["adopted"] else both("not taken: the base stays", "不採用: 元のまま")
    name = both("mean reciprocal rank in its trial, interval of the difference: ", "試験での平均逆順位と差の区間: ")
    return el("p", name, told, " · ", taken, class_="how")


def _revision(ref: Mapping[str, Any]) -> str:
    kind, _, digest = str(ref.get("revision", "")).rpartition(":")
    return f"{kind}:{digest[:16]}" if kind else digest[:16]


def _spaced(parts: Sequence[Content], between: str) -> list[Content]:
    return [piece for at, part in enumerate(parts) for piece in ((between, part) if at else (part,))]


def _duties(rows: Sequence[Mapping[str, Any]], names: Names) -> Markup:
    """What whoever passes the models on has to do, as the steps recorded it."""
    told: dict[str, list[str]] = {}
    for row in rows:
        for duty in [*row["duties"], *([row["note"]] if row["note"] else [])]:
            told.setdefault(duty, []).append(row["model"])
    if not told:
        return Markup("")
    items = (
        el("li", duty, " ", el("small", join(_spaced([names.name(one) for one in models], ", "))))
        for duty, models in told.items()
    )
    head = both("Before a model is passed on", "モデルを配布する前に")
    note = both("A reminder drawn from the licences of texts and parents, not legal advice.",
                "本文と親モデルのライセンスに基づく注意であり、法的助言ではない。")  # fmt: skip
    return join([el("h3", head), el("ul", join(items), class_="duties"), el("p", note, class_="quiet")])


# What they were shown ------------------------------------------------------------------------


def shown(model: Mapping[str, Any], names: Names) -> Markup:
    """Tokens of each source, how often they were passed over, and their licences."""
    packs = [pack for pack in model["tokens"] if pack["used_by"]] or model["tokens"]
    if not packs:
        return Markup("")
    return join([*(_pack(pack, names) for pack in packs), _fertility(model["fertility"], names)])


def _pack(pack: Mapping[str, Any], names: Names) -> Markup:
    who = _spaced([names.chip(name) for name in pack["used_by"]], " ") or [el("code", pack["name"])]
    told = both(
        f"{number(pack['tokens'])} tokens in {number(pack['sequences'])} rows of {number(pack['context'])};"
        f" {share(pack['fill'], 1)} of the places hold text",
        f"{number(pack['tokens'])} トークン、{number(pack['context'])} トークンの行が {number(pack['sequences'])}。"
        f"本文の充填率 {share(pack['fill'], 1)}",
    )
    heads = [both("source", "出典"), both("tokens", "トークン"), both("share", "割合"), "", both("passes", "周回"),
             both("documents", "文書"), both("licences of the documents", "文書のライセンス")]  # fmt: skip
    rows = [
        [source_name(row["name"]), number(row["tokens"]), share(row["share"], 1), _length(row["share"]),
         plain(row["repeats"]), number(row["documents"]), _licences(row["licences"])]
        for row in pack["sources"]
    ]  # fmt: skip
    left = [join([named(reason, REASONS), " ", el("b", number(n))]) for reason, n in pack["dropped"].items()]
    note = el(
        "p",
        both("Documents left out of the mixture: ", "混合から外れた文書: "),
        join(_spaced(left, " · ")),
        class_="quiet",
    )
    caption = el("figcaption", join(who), " ", el("small", told))
    return el("figure", caption, table(heads, rows, (1, 2, 4, 5)), note if left else "", class_="pack")


def _length(part: float) -> Markup:
    return el("span", el("i", style=f"width:{100 * part:.2f}%"), class_="bar")


def _licences(rows: Sequence[Sequence[Any]]) -> Markup:
    none = el("em", both("none stated", "記載なし"))
    parts = [join([name or none, " ", el("small", number(n))]) for name, n in rows[:LICENCES_SHOWN]]
    rest = len(rows) - LICENCES_SHOWN
    more = [el("em", both(f"{rest} others", f"ほか {rest} 種"))] if rest > 0 else []
    return el("span", *_spaced([*parts, *more], ", "), class_="long")


def _fertility(rows: Sequence[Mapping[str, Any]], names: Names) -> Markup:
    """What the vocabulary spends on a word: fewer tokens a word, more text in the same context."""
    if not rows:
        return Markup("")
    keys = [key for key in SPENT if any(row[key] for row in rows)]
    heads = [both("tokenizer", "トークナイザ"), both("vocabulary", "語彙"), both("source", "出典"),
             *(both(*SPENT[key]) for key in keys), both("texts", "文書数")]  # fmt: skip
    cells = [
        [names.name(row["of"]), number(row["vocabulary"]), source_name(row["source"]),
         *(plain(row[key]["value"]) if row[key] else "–" for key in keys), number(row["n"])]
        for row in rows
    ]  # fmt: skip
    caption = el("figcaption", both("What the vocabulary spends", "語彙の効率"), " ",
                 el("small", both("fertility, on a sample of each source", "各出典の標本で測ったもの")))  # fmt: skip
    return el("figure", caption, table(heads, cells, (1, *range(3, len(heads)))))
