"""How a lineage looks to a person: a tree, one line a link, the longest facts below it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gnomon.cli.output import count, safe, size
from gnomon.core.wording import say
from gnomon.runs.lineage import IN_LIBRARY, Link

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

KINDS_JA = {
    "answer": "回答",
    "claim": "主張",
    "citation": "引用",
    "chunk": "チャンク",
    "document": "文書",
    "step": "ステップ",
    "source": "出典",
    "question": "問題",
    "file": "ファイル",
    "model": "モデル",
    "stage": "学習段階",
    "mixture": "混合元",
    "shown": "見せた文書",
    "pass": "周回",
}
OUTCOMES_JA = {
    "read": "読み込んだ",
    "kept": "そのまま",
    "changed": "本文を整えた",
    "dropped": "除いた",
    "cut": "チャンクに分けた",
    "packed": "学習用の行に詰めた",
    "served": "収めた",
    "not opened": "開けなかった",
}
LINE = 120
IDENTITY_SHOWN = 10
REVISION_SHOWN = 19
SIGHTS_SHOWN = 3


def show_lineage(out: "Console", link: Link) -> None:
    """Print a lineage as a tree."""
    from rich.tree import Tree

    tree = Tree(_label(link), guide_style="dim")
    _grow(tree, link, set())
    out.print(tree)


def _grow(tree: "Tree", link: Link, told: set[str]) -> None:
    """Add what a link rests on; a document's way is told once, however often it is cited."""
    for text in _details(link):
        tree.add(text)
    for below in link.below:
        label = _label(below)
        again = below.kind == "document" and below.id in told
        if again and below.below:
            label.append(say("  (as above)", "  （上と同じ）"), style="dim")
        branch = tree.add(label)
        if not again:
            _grow(branch, below, told)
        if below.kind == "document":
            told.add(below.id)


def _label(link: Link) -> "Text":
    from rich.text import Text

    kind = say(link.kind, KINDS_JA.get(link.kind, link.kind))
    name = link.id
    if link.kind in {"step", "stage"}:
        room, _, identity = link.id.rpartition("/")
        name = f"{room}/{identity[:IDENTITY_SHOWN]}"
    text = Text.assemble((f"{kind} ", "dim"), (safe(name), "bold"))
    told = _told(link)
    if told:
        style = "red" if link.facts.get("outcome") in {"dropped", "not opened"} or _lost(link) else ""
        text.append("  ").append(_short(told), style=style)
    return text


def _lost(link: Link) -> bool:
    return link.kind == "document" and link.facts.get("state", IN_LIBRARY) != IN_LIBRARY


def _told(link: Link) -> str:
    """The one thing to know about a link."""
    facts = link.facts
    tellers = {
        "document": _document, "step": _step, "source": _source, "file": _source, "citation": _citation,
        "claim": _text, "chunk": _text, "question": _question, "answer": _question,
        "model": _model, "stage": _stage, "mixture": _mixture, "shown": _shown, "pass": _pass,
    }  # fmt: skip
    return tellers[link.kind](facts) if link.kind in tellers else ""


def _document(facts: Mapping[str, Any]) -> str:
    if not facts:
        return ""
    year = f" ({facts['year']})" if facts.get("year") else ""
    state = facts["state"]
    told = say(state, "収録されている" if state == IN_LIBRARY else state)
    if facts.get("models"):
        told += say(f"; models do not see it: {facts['models']}", f"。モデルには見せない: {facts['models']}")
    return f"{facts['title']}{year} — {told}" if facts["title"] else told


def _step(facts: Mapping[str, Any]) -> str:
    outcome = facts.get("outcome", "")
    if not outcome:
        return say(f"{count(facts['kept'])} of {count(facts['taken'])} kept",
                   f"{count(facts['taken'])} 件中 {count(facts['kept'])} 件") if "kept" in facts else ""  # fmt: skip
    told = say(outcome, OUTCOMES_JA.get(outcome, outcome))
    if outcome == "dropped":
        detail = f" ({facts['detail']})" if facts.get("detail") else ""
        return f"{told}: {facts['reason']}{detail}"
    if outcome == "packed":
        passes, rows = count(facts["passes"]), count(len(facts["rows"]))
        return say(f"packed for training: passes {passes}, rows {rows}", f"{told}（{passes} 周、{rows} 行）")
    if outcome == "cut":
        return say(f"cut into {count(len(facts['chunks']))} chunks", f"{count(len(facts['chunks']))} 個に分けた")
    return told


def _source(facts: Mapping[str, Any]) -> str:
    parts = [str(facts[key]) for key in ("kind", "file", "url", "reason") if facts.get(key)]
    if facts.get("bytes") is not None:
        parts.append(size(facts["bytes"]))
    if facts.get("kind"):
        parts.append(say("licence: ", "ライセンス: ") + (facts.get("licence") or say("none stated", "記載なし")))
    if facts.get("sha256"):
        parts.append(f"sha256 {facts['sha256'][:16]}…")
    return " · ".join(parts)


def _citation(facts: Mapping[str, Any]) -> str:
    verdict = {True: say("verbatim", "原文どおり"), False: say("NOT verbatim", "原文と異なる")}
    told = verdict.get(facts["verbatim"], say("text no longer here", "原文は残っていない"))
    return f"{told}, {facts['start']}–{facts['end']}: “{facts['quote']}”"


def _text(facts: Mapping[str, Any]) -> str:
    return str(facts.get("text", ""))


def _question(facts: Mapping[str, Any]) -> str:
    return str(facts.get("question") or facts.get("prompt") or "")


def _model(facts: Mapping[str, Any]) -> str:
    parts = [str(facts[key]) for key in ("kind", "licence") if facts.get(key)]
    if facts.get("revision"):
        parts.append(str(facts["revision"])[:REVISION_SHOWN])
    if facts.get("here") is False:
        parts.append(say("no longer here", "もうここにない"))
    return " · ".join(parts)


def _stage(facts: Mapping[str, Any]) -> str:
    rows = count(facts["rows_seen"])
    if facts["rows_seen"] < facts["rows"]:
        rows = say(f"{rows} of {count(facts['rows'])}", f"{count(facts['rows'])} 行中の {rows}")
    return say(f"{count(facts['steps'])} steps, {rows} rows of {count(facts['context'])} tokens",
               f"{count(facts['steps'])} ステップ、{count(facts['context'])} トークンの行を {rows} 行")  # fmt: skip


def _mixture(facts: Mapping[str, Any]) -> str:
    if facts["tokens"] is None:
        told = say("part of it; the tokens are deleted", "一部。トークンは削除済み")
    else:
        documents, tokens, passes = count(facts["documents"]), count(facts["tokens"]), f"{facts['repeats']:.3g}"
        told = say(f"{documents} documents, {tokens} tokens, {passes} passes",
                   f"{documents} 文書、{tokens} トークン、{passes} 回")  # fmt: skip
    none = say("none stated", "記載なし")
    licences = ", ".join(f"{name or none} {count(n)}" for name, n in facts["licences"].items())
    return f"{told} · " + say("licences: ", "ライセンス: ") + licences


def _shown(facts: Mapping[str, Any]) -> str:
    told = say(f"as {facts['source']}, {_times(facts['passes'])}", f"{facts['source']} として {facts['passes']} 回")
    if facts.get("tokens"):
        first, last = facts["tokens"]
        told += say(f", tokens {first}–{last - 1}", f"、トークン {first}–{last - 1}")
    return told


def _times(passes: int) -> str:
    return {1: "once", 2: "twice"}.get(passes, f"{passes} times")


def _pass(facts: Mapping[str, Any]) -> str:
    sights = [
        say(f"step {s['step']}: tokens {s['start']}–{s['end'] - 1}",
            f"ステップ {s['step']}: トークン {s['start']}–{s['end'] - 1}")
        for s in facts["sights"]
    ]  # fmt: skip
    more = len(sights) - SIGHTS_SHOWN
    return "; ".join(sights[:SIGHTS_SHOWN]) + (say(f"; and {more} more", f"、ほか {more} 件") if more > 0 else "")


def _details(link: Link) -> list["Text"]:
    """What does not fit on the line: evidence beside a step, options of a question."""
    from rich.text import Text

    lines = []
    for pair in link.facts.get("pairs", ()):
        lines.append(say("duplicate pair: ", "重複の組: ") + _values(pair))
    for leak in link.facts.get("leaks", ()):
        lines.append(say("leak: ", "漏洩: ") + _values(leak))
    for number, choice in enumerate(link.facts.get("choices", ())):
        right = " ✓" if number in link.facts.get("targets", ()) else ""
        lines.append(f"{'ABCDEFGH'[number % 8]}. {choice}{right}")
    if link.facts.get("evidence"):
        lines.append(say("evidence: ", "根拠: ") + str(link.facts["evidence"]))
    return [Text(_short(line), style="dim") for line in lines]


def _values(row: Mapping[str, Any]) -> str:
    shown = (
        f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values() if value not in ("", None)
    )
    return " · ".join(shown)


def _short(text: str) -> str:
    line = " ".join(safe(text).split())
    return line if len(line) <= LINE else line[: LINE - 1].rstrip() + "…"
