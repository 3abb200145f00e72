"""What is said of a link of a lineage: the one thing to know about it, and the lines below it."""

from collections.abc import Iterator, Mapping
from typing import Any

from gnomon.core.amounts import count, size
from gnomon.core.wording import say
from gnomon.runs import taught
from gnomon.runs.lineage import IN_LIBRARY, Link

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
    "pair": "対",
    "evidence": "根拠",
    "example": "学習例",
    "preference": "選好",
    "learnt": "学習した段階",
    "leak": "漏洩",
    "exam": "試験",
    "arm": "アーム",
    "choice": "選択",
    "candidate": "候補",
    "merge": "マージ",
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
    "made": "作成した",
    "written": "作成した",
    "judged": "判定した",
    "compared": "比較のため文書にした",
    "examined": "試験問題にした",
    "taught": "学習例にした",
    "preferred": "選好にした",
}
OUTCOMES = {
    "compared": "made a document, to be compared",
    "examined": "made an exam question",
    "taught": "made an example",
    "preferred": "made a preference",
}
REVISION_SHOWN = 19
SIGHTS_SHOWN = 3


def kind_word(kind: str) -> str:
    """What a kind of link is called."""
    return say("learnt in" if kind == "learnt" else kind, KINDS_JA.get(kind, kind))


def words_of(link: Link) -> str:
    """The one thing to know about a link."""
    facts = link.facts
    tellers = {
        "document": _document, "step": _step, "source": _source, "file": _source, "citation": _citation,
        "claim": _text, "evidence": _citation, "chunk": _text, "question": _question, "answer": _question,
        "model": _model, "stage": _stage, "mixture": _mixture, "shown": _shown, "pass": _pass, **taught.TELLERS,
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
        told = say(f"{count(facts['kept'])} of {count(facts['taken'])} kept",
                   f"{count(facts['taken'])} 件中 {count(facts['kept'])} 件") if "kept" in facts else ""  # fmt: skip
        return told + taught.left_out_words(facts.get("dropped", {}))
    told = say(OUTCOMES.get(outcome, outcome), OUTCOMES_JA.get(outcome, outcome))
    if outcome == "dropped":
        detail = f" ({facts['detail']})" if facts.get("detail") else ""
        return f"{told}: {facts['reason']}{detail}"
    if outcome == "packed":
        passes, rows = count(facts["passes"]), count(len(facts["rows"]))
        return say(f"packed for training: passes {passes}, rows {rows}", f"{told}（{passes} 周、{rows} 行）")
    if outcome == "cut":
        chunks = len(facts["chunks"])
        return say(
            "cut into 1 chunk" if chunks == 1 else f"cut into {count(chunks)} chunks", f"{count(chunks)} 個に分けた"
        )
    if outcome == "asked":
        return taught.asked_words(facts)
    return told + (": " + ", ".join(facts["examples"]) if facts.get("examples") else "")


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
    parts = [say(f"weight {facts['weight']:g}", f"重み {facts['weight']:g}")] if "weight" in facts else []
    parts += [str(facts[key]) for key in ("kind", "licence") if facts.get(key)]
    if facts.get("revision"):
        parts.append(str(facts["revision"])[:REVISION_SHOWN])
    if facts.get("here") is False:
        parts.append(say("no longer here", "もうここにない"))
    return " · ".join(parts)


def _stage(facts: Mapping[str, Any]) -> str:
    if "rows_seen" not in facts:
        pairs, steps = count(facts["preferences"] or 0), count(facts["steps"] or 0)
        return say(f"{steps} steps, {pairs} pairs of answers", f"{steps} ステップ、回答の組 {pairs} 件")
    rows = count(facts["rows_seen"])
    if facts["rows_seen"] < facts["rows"]:
        rows = say(f"{rows} of {count(facts['rows'])}", f"{count(facts['rows'])} 行中の {rows}")
    return say(f"{count(facts['steps'])} steps, {rows} rows of {count(facts['context'])} tokens",
               f"{count(facts['steps'])} ステップ、{count(facts['context'])} トークンの行を {rows} 行")  # fmt: skip


def _mixture(facts: Mapping[str, Any]) -> str:
    if "licences" not in facts:
        return ""
    if facts["tokens"] is None:
        told = say("part of it; the tokens are deleted", "一部。トークンは削除済み")
    else:
        documents, tokens, passes = count(facts["documents"]), count(facts["tokens"]), f"{facts['repeats']:.3g}"
        told = say(f"{documents} documents, {tokens} tokens, {passes} pass{'' if passes == '1' else 'es'}",
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


# Lines below ----------------------------------------------------------------------------------


def lines_below(link: Link) -> Iterator[str]:
    """What does not fit on a line: evidence beside a step, turns of an example, options of a question."""
    facts = link.facts
    tellers = {"pair": taught.pair_lines, "example": taught.turn_lines, "preference": taught.turn_lines}
    yield from tellers[link.kind](facts) if link.kind in tellers else ()
    for pair in facts.get("pairs", ()):
        yield say("duplicate pair: ", "重複の組: ") + _values(pair)
    for leak in facts.get("leaks", ()) if link.kind == "step" else ():
        yield say("leak: ", "漏洩: ") + _values(leak)
    for number, choice in enumerate(facts.get("choices", ())):
        right = " ✓" if number in facts.get("targets", ()) else ""
        yield f"{taught.LETTERS[number % len(taught.LETTERS)]}. {choice}{right}"
    yield from taught.verdict_lines(facts.get("verdicts", ()))
    if facts.get("evidence"):
        yield say("evidence: ", "根拠: ") + str(facts["evidence"])


def _values(row: Mapping[str, Any]) -> str:
    shown = (
        f"{value:.3g}" if isinstance(value, float) else str(value)
        for value in row.values() if value not in ("", None) and not isinstance(value, Mapping)
    )  # fmt: skip
    return " · ".join(shown)
