"""The page: one self-contained HTML file out of the facts of a report.

No script, no font and no picture comes from anywhere: the policy in its head forbids every request.
The language switch is two radio buttons and a rule of the style sheet.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, escape, join
from gnomon.evaluation.report.models.parts import model_figures, model_lead, model_sections, style
from gnomon.evaluation.report.plots import bars, lengths, years
from gnomon.evaluation.report.sections import cleaning, contamination, duplicates, flow, left_out, making
from gnomon.evaluation.report.words import LANGUAGES, SUBJECTS, named, number, plural

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
STYLES = ("page.css", "drawings.css")
MARK = Markup(
    '<svg class="mark" viewBox="0 0 48 48" aria-hidden="true"><path class="dial" d="M4 36a20 20 0 0 1 40 0z"/>'
    '<path class="hours" d="M24 36 7.5 26.5M24 36 14.4 18.6M24 36V16M24 36l9.6-17.4M24 36l16.500-9.500"/>'
    '<path class="shadow" d="M24 36 38.500 22.500l2.200 3.700z"/><path class="style" d="M24 36V12l3 24z"/>'
    '<path class="base" d="M2 36h44"/></svg>'
)
"""A sundial: the mark of the house, drawn here."""


def page(facts: Mapping[str, Any]) -> str:
    """The report as one HTML document."""
    made = [
        ("flow", both("From source to library", "出典から文献庫まで"), flow(facts)),
        ("composition", both("What it is made of", "構成"), _composition(facts)),
        ("left-out", both("Left out, and why", "除いたものとその理由"), _left_out(facts)),
        ("cleaning", both("What cleaning did", "整形の働き"), cleaning(facts)),
        ("duplicates", both("Copies", "重複"), duplicates(facts)),
        ("contamination", both("Exam questions kept from models", "試験問題の漏洩"), contamination(facts)),
        *(model_sections(facts["model"]) if "model" in facts else ()),
        ("making", both("How this was made", "作られ方"), making(facts)),
    ]
    shown = [part for part in made if part[2]]
    contents = el("nav", join(el("a", title, href=f"#{name}") for name, title, _ in shown))
    body = join(_section(at, *part) for at, part in enumerate(shown, 1))
    return "<!doctype html>\n" + el(
        "html", _head(facts), el("body", _switch(), el("main", _top(facts), contents, body, _foot())), lang="en"
    ) + "\n"  # fmt: skip


def _left_out(facts: Mapping[str, Any]) -> Markup:
    """Nothing to tell of a build that read no documents of its own."""
    return left_out(facts) if facts["flow"] or "model" not in facts else Markup("")


def _head(facts: Mapping[str, Any]) -> Markup:
    title = f"{facts['title']} – Gnomon" if facts["title"] else "Gnomon – build report / 構築報告書"
    rules = "".join((files("gnomon.evaluation.report") / name).read_text(encoding="utf-8") for name in STYLES)
    rules += style() if "model" in facts else ""
    return el(
        "head", el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"), el("title", title), el("style", Markup(rules)),
    )  # fmt: skip


def _switch() -> Markup:
    """Two radio buttons before everything else, so that plain sibling rules can follow their state."""
    return join([
        el("input", type="radio", name="lang", id="lang-en", checked="checked"),
        el("input", type="radio", name="lang", id="lang-ja"),
        el("div", el("label", "English", for_="lang-en", lang="en"), el("label", "日本語", for_="lang-ja", lang="ja"),
           class_="switch"),
    ])  # fmt: skip


def _top(facts: Mapping[str, Any]) -> Markup:
    kind = both("Build report", "構築報告書")
    heading = el("h1", facts["title"] or kind)
    above = el("p", kind, class_="kind") if facts["title"] else ""
    told = el("div", above, heading, el("p", _told(facts), class_="lead"))
    return el("header", MARK, told, _figures(facts), _model_figures(facts))


def _told(facts: Mapping[str, Any]) -> Markup:
    """What the library is, and what the model is, where there are such."""
    library = _lead(facts) if facts["size"]["documents"] or "model" not in facts else Markup("")
    model = model_lead(facts["model"]) if "model" in facts else Markup("")
    return join([library, " " if library and model else "", model])


def _lead(facts: Mapping[str, Any]) -> Markup:
    """One sentence: how many, from when to when, in how many languages."""
    size, made = facts["size"], facts["composition"]
    span = f"{made['year'][0][0]}–{made['year'][-1][0]}" if made["year"] else ""
    languages = [row[0] for row in made["language"] if row[0] != "und"]
    names = [LANGUAGES.get(code, (code, code)) for code in languages[:4]]
    many, files_read = number(size["documents"]), size.get("files")
    en = plural(size["documents"], "document") + (f" from {plural(files_read, 'file')}" if files_read else "")
    ja = f"{many} 件の文書" + (f"（{number(files_read)} ファイル）" if files_read else "")
    en += f", {span}" if span else ""
    ja += f"、{span} 年" if span else ""
    if names:
        en += ", in " + " and ".join(filter(None, [", ".join(n[0] for n in names[:-1]), names[-1][0]]))
        ja += "、" + "・".join(n[1] for n in names)
    return both(en + ".", ja + "。")


def _figures(facts: Mapping[str, Any]) -> Markup:
    size, contaminated = facts["size"], facts["contamination"]
    lost = sum(row["count"] for row in facts["dropped"] if row["step"] in {"ingest", "withhold", "clean", "dedup"})
    rows: list[tuple[str, str, int | None]] = [
        ("documents", "文書", size["documents"]), ("words", "語", size["words"]),
        ("passages", "パッセージ", size.get("passages")), ("vectors", "ベクトル", size.get("vectors")),
        ("left out", "除外", lost), ("copies", "重複", facts["duplicates"]["left_out"]),
        ("kept from models", "モデルから伏せた文書", contaminated["documents"] if contaminated else None),
    ]  # fmt: skip
    if not size["documents"] and "model" in facts:
        return Markup("")
    cells = (el("div", el("dd", number(value)), el("dt", both(en, ja))) for en, ja, value in rows if value is not None)
    return el("dl", join(cells), class_="figures")


def _model_figures(facts: Mapping[str, Any]) -> Markup:
    rows = model_figures(facts["model"]) if "model" in facts else []
    cells = (el("div", el("dd", value), el("dt", both(en, ja))) for en, ja, value in rows)
    return el("dl", join(cells), class_="figures of-model") if rows else Markup("")


def _section(at: int, name: str, title: Content, content: Markup) -> Markup:
    return el("section", el("h2", el("span", at, class_="at"), title), content, id=name)


def _composition(facts: Mapping[str, Any]) -> Markup:
    made, whole = facts["composition"], facts["size"]["documents"]
    if not whole:
        return Markup("")
    unknown = made["year_unknown"]
    note = both(f"{number(unknown)} without a year", f"年不明 {number(unknown)} 件") if unknown else ""
    parts = [
        _figure(both("By year", "年別"), years(made["year"], "documents by year"), note),
        _figure(both("By length, in words (characters in Japanese)", "長さ別（語数。日本語は文字数）"),
                lengths(made["length"], "documents by length"), ""),
        _figure(both("By subject", "分野別"), bars([(_subject(c), n) for c, n in made["subject"]], whole), ""),
        _figure(both("By language", "言語別"), bars(_named(made["language"]), whole), ""),
        _figure(both("By kind of source", "出典の種類別"), bars(made["source"], whole), ""),
        _figure(both("By licence", "ライセンス別"), bars([(_licence(c), n) for c, n in made["licence"]], whole), ""),
    ]  # fmt: skip
    return el("div", join(parts), class_="grid")


def _figure(title: Content, content: Markup, note: Content) -> Markup:
    if not content:
        return Markup("")
    return el("figure", el("figcaption", title, " ", el("small", note) if note else ""), content)


def _named(rows: Sequence[Any]) -> list[tuple[Content, int]]:
    return [(named(code, LANGUAGES), n) for code, n in rows]


def _subject(code: str) -> Markup:
    name = named(code, SUBJECTS) if code in SUBJECTS else escape("")
    return join([el("code", code), " ", el("small", name)]) if code else el("em", name)


def _licence(name: str) -> Markup:
    return escape(name) if name else el("em", both("none stated", "記載なし"))


def _foot() -> Markup:
    text = both(
        join(["Made by Gnomon from the records of the steps above. Walk any id back to its source with ",
              el("code", "gnomon lineage ID"), "."]),
        join(["上記の各ステップの記録から Gnomon が作成。どの ID も ", el("code", "gnomon lineage ID"),
              " で出典まで遡れる。"]),
    )  # fmt: skip
    return el("footer", el("p", text))
