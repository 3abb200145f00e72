"""The sections of the page that tell what happened to documents on their way."""

from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.words import KINDS, REASONS, STEPS, named, number, plural, share

PATH = ("ingest", "withhold", "clean", "dedup", "decontaminate")


def flow(facts: Mapping[str, Any]) -> Markup:
    """Every step as a bar: what came on, and what was left out there."""
    rows = [row for row in facts["flow"] if row["name"] in PATH]
    whole = max((row["taken"] for row in rows), default=0)
    if not whole:
        return Markup("")
    return el("div", join(_flow_row(row, whole) for row in rows), _legend(), class_="flow")


def _flow_row(row: Mapping[str, Any], whole: int) -> Markup:
    lost = sum(row["dropped"].values())
    reasons = [join([named(reason, REASONS), " ", el("b", number(n))]) for reason, n in _by_count(row["dropped"])]
    stripe = el("i", class_="lost", style=f"width:{100 * lost / whole:.3f}%") if lost else ""
    track = el("div", el("i", class_="kept", style=f"width:{100 * row['kept'] / whole:.3f}%"), stripe, class_="track")
    return el("div", el("div", named(row["name"], STEPS), class_="step"), track,
              el("div", number(row["kept"]), class_="n"),
              el("div", join(_spaced(reasons)), class_="why"),
              class_="row aside" if row["name"] == "decontaminate" else "row")  # fmt: skip


def _by_count(dropped: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(dropped.items(), key=lambda pair: (-pair[1], pair[0]))


def _spaced(parts: Sequence[Content]) -> list[Content]:
    return [piece for at, part in enumerate(parts) for piece in ((" · ", part) if at else (part,))]


def _legend() -> Markup:
    kept, lost = both("goes on", "次へ進む"), both("left out here", "ここで除外")
    return el("p", el("i", class_="kept"), kept, el("i", class_="lost"), lost, class_="legend")


def left_out(facts: Mapping[str, Any]) -> Markup:
    """Reasons for leaving out, each with samples to open."""
    rows = facts["dropped"]
    if not rows:
        return el("p", both("Nothing was left out.", "除いたものはない。"), class_="quiet")
    top = max(row["count"] for row in rows)
    return join([_hint(), el("div", join(_reason(row, top) for row in rows), class_="list")])


def _hint() -> Markup:
    return el("p", both("Open a line to see samples.", "行を開くと例が見える。"), class_="hint")


def _reason(row: Mapping[str, Any], top: int) -> Markup:
    head = el(
        "summary", el("span", named(row["reason"], REASONS), class_="name"),
        el("span", named(row["step"], STEPS), class_="where"),
        el("span", el("i", style=f"width:{100 * row['count'] / top:.2f}%"), class_="bar"),
        el("span", number(row["count"]), class_="n"),
    )  # fmt: skip
    return el("details", head, join(_sample(sample) for sample in row["samples"]))


def _sample(sample: Mapping[str, Any]) -> Markup:
    said = el("span", sample["detail"], class_="detail") if sample.get("detail") else ""
    quote = el("blockquote", _cut(sample["excerpt"])) if sample.get("excerpt") else ""
    return el("div", el("code", sample["doc_id"]), " ", said, quote, class_="sample")


def _cut(excerpt: str) -> str:
    """An excerpt with a sign that more follows, where it does not end like a sentence."""
    return excerpt if excerpt.rstrip().endswith((".", "!", "?", "。", "…", '"')) else excerpt.rstrip() + " …"


def cleaning(facts: Mapping[str, Any]) -> Markup:
    """What each rule and repair of cleaning did."""
    rows = [row for row in facts["rules"] if row["count"]]
    if not rows:
        return Markup("")
    top = max(row["count"] for row in rows)
    return join([_hint(), el("div", join(_rule(row, top) for row in rows), class_="list")])


def _rule(row: Mapping[str, Any], top: int) -> Markup:
    head = el(
        "summary", el("span", named(row["rule"], REASONS), class_="name"),
        el("span", named(row["kind"], KINDS), class_="where"),
        el("span", el("i", style=f"width:{100 * row['count'] / top:.2f}%", class_=row["kind"]), class_="bar"),
        el("span", number(row["count"]), class_="n"),
    )  # fmt: skip
    return el("details", head, join(_sample(sample) for sample in row["samples"]))


def duplicates(facts: Mapping[str, Any]) -> Markup:
    """Clusters of copies with the member that was kept."""
    found = facts["duplicates"]
    if not found["pairs"]:
        return Markup("")
    apart = sum(found["kept_apart"].values())
    told = both(
        f"{plural(found['clusters'], 'cluster')} of copies; {plural(found['left_out'], 'copy', 'copies')} left out."
        + (f" {plural(apart, 'pair')} looked alike but stayed apart as different works." if apart else ""),
        f"重複の群は {number(found['clusters'])}、除いた写しは {number(found['left_out'])} 件。"
        + (f"似ているが別の著作として残した組は {number(apart)}。" if apart else ""),
    )
    return join([el("p", told, class_="told"), _apart(found["kept_apart"]),
                 el("div", join(_cluster(c) for c in found["clusters_shown"]), class_="clusters")])  # fmt: skip


def _apart(kept_apart: Mapping[str, int]) -> Markup:
    if not kept_apart:
        return Markup("")
    words = [join([named(reason, REASONS), " ", el("b", number(n))]) for reason, n in _by_count(kept_apart)]
    return el("p", both("Kept apart because of: ", "別とした理由: "), join(_spaced(words)), class_="quiet")


def _cluster(cluster: Mapping[str, Any]) -> Markup:
    return el("ul", join(_member(member) for member in cluster["members"]))


def _member(member: Mapping[str, Any]) -> Markup:
    if member["kept"]:
        sign = el("span", both("kept", "残した"), class_="sign stays")
    else:
        sign = el("span", "1.00" if member["kind"] == "exact" else f"{member['jaccard']:.2f}", class_="sign")
    title = el("span", member["title"], class_="title") if member["title"] else ""
    return el("li", sign, el("span", title, " ", el("code", member["id"])), class_="kept" if member["kept"] else None)


def contamination(facts: Mapping[str, Any]) -> Markup:
    """Exam questions that documents give away."""
    found = facts["contamination"]
    if found is None:
        return Markup("")
    leaked, whole, papers = found["items_leaked"], found["items"], found["documents"]
    told = both(
        f"{number(leaked)} of {plural(whole, 'question')} ({share(leaked, whole)}) can be read in"
        f" {plural(papers, 'document')}, which models do not see and readers do.",
        f"試験問題 {number(whole)} 問中 {number(leaked)} 問（{share(leaked, whole)}）が"
        f" {number(papers)} 件の文書に現れる。"
        "これらはモデルには見せないが、読者は読める。",
    )
    short = found["too_short"]
    note = both(f"{number(short)} questions are too short to be looked for.", f"{number(short)} 問は短すぎて探せない。")
    return join([el("p", told, class_="told"), el("p", note, class_="quiet") if short else "",
                 el("div", join(_item(row) for row in found["shown"]), class_="list")])  # fmt: skip


def _item(row: Mapping[str, Any]) -> Markup:
    passages = row["passages"]
    head = el("summary", el("span", row["prompt"] or row["item_id"], class_="name"),
              el("span", el("code", row["item_id"]), class_="where"),
              el("span", f"{passages[0]['score']:.2f}", class_="p"),
              el("span", number(len(passages)), class_="n"))  # fmt: skip
    return el("details", head, join(_passage(passage) for passage in passages[:5]))


def _passage(passage: Mapping[str, Any]) -> Markup:
    where = f"{passage['start']}–{passage['end']} · {passage['method']} · {passage['score']:.2f}"
    return el("div", el("code", passage["doc_id"]), " ", el("span", where, class_="detail"),
              el("blockquote", passage["passage"]), class_="sample")  # fmt: skip


def making(facts: Mapping[str, Any]) -> Markup:
    """The steps with their identities: enough to make or find every artifact again."""
    steps = [*facts["flow"], *facts.get("model", {}).get("steps", ())]
    if not steps:
        return Markup("")
    heads = [both("step", "ステップ"), both("taken", "入力"), both("kept", "残り"), both("made", "作成"),
             both("identity", "識別子")]  # fmt: skip
    head = el("tr", join(el("th", name, scope="col", class_=_number_class(at)) for at, name in enumerate(heads)))
    rows = (
        el("tr", el("th", el("code", row["step"]), scope="row"), el("td", number(row["taken"]), class_="n"),
           el("td", number(row["kept"]), class_="n"),
           el("td", ", ".join(f"{number(n)} {kind}" for kind, n in row["made"].items())),
           el("td", el("code", row["identity"], class_="hash")))
        for row in steps
    )  # fmt: skip
    table = el("table", el("thead", head), el("tbody", join(rows)), class_="steps")
    return join([el("div", table, class_="wide"), join(_model(model) for model in facts["models"])])


def _number_class(at: int) -> str | None:
    return "n" if at in {1, 2} else None


def _model(model: Mapping[str, Any]) -> Markup:
    revision = str(model.get("revision", ""))[:24]
    facts = " · ".join(str(part) for part in (model.get("name"), revision, model.get("licence")) if part)
    return el("p", both("Embedding model: ", "埋め込みモデル: "), el("code", facts), class_="quiet")
