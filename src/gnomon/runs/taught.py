"""What lines say of what models were taught and asked: pairs, examples, exams, merges; and the lines below them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gnomon.core.amounts import count
from gnomon.core.wording import say

CRITERIA = {
    "accept": ("is sound", "健全さ"),
    "correctness": ("correctness", "正しさ"),
    "stand_alone": ("stands alone", "単独で通じる"),
    "pertinence": ("pertinence", "分野との関わり"),
    "educational": ("educational value", "学習価値"),
}
"""What a judge concludes; other criteria are checks that lead there."""
LEFT_OUT = {
    "no_answer": ("no answer", "答えがない"),
    "quote_not_found": ("quote not found", "引用が見つからない"),
    "not_self_contained": ("leans on its document", "文書なしでは意味が定まらない"),
    "leaks_answer": ("gives its answer away", "答えが問いにある"),
    "bad_options": ("bad options", "選択肢の不備"),
    "no_options": ("too few options to choose from", "選択肢が足りない"),
    "no_distractors": ("no wrong options found", "誤りの選択肢がない"),
    "other_language": ("another language", "別の言語"),
    "repeated": ("repeated", "重複"),
    "low_correctness": ("judged not correct enough", "正確さの評価が低い"),
}
"""Why a pair was left out; a reason without words here is told as it is."""
METRICS_JA = {"log_prob": "正解の対数確率", "accuracy": "正答率"}
ROLES_JA = {"system": "システム", "user": "利用者", "assistant": "アシスタント"}
STEPS_SHOWN = 6
ASKED_SHOWN = 80
LETTERS = "ABCDEFGHIJ"
Facts = Mapping[str, Any]


def state_words(state: str) -> str:
    """What became of a pair."""
    known = {"taught": "学習に使われた", "kept": "残した", "asked in an exam": "試験問題になった"}
    step, _, reason = state.removeprefix("left out by ").partition(": ")
    if state in known or not reason:
        return say(state, known.get(state, state))
    en, ja = LEFT_OUT.get(reason, (reason.replace("_", " "),) * 2)
    return say(f"left out: {en} ({step})", f"除いた: {ja}（{step}）")


def _pair(facts: Facts) -> str:
    told = state_words(str(facts["state"]))
    return " · ".join([facts["kind"], facts["lang"], say(f"by {facts['writer']}", f"作成: {facts['writer']}"), told])


def _example(facts: Facts) -> str:
    parts = [str(facts[key]) for key in ("kind", "lang", "source") if facts.get(key)]
    if "licence" in facts:
        parts.append(say("licence: ", "ライセンス: ") + (facts["licence"] or say("none stated", "記載なし")))
    return " · ".join(parts) or " ".join(str(facts.get("asked", "")).split())[:ASKED_SHOWN]


def _leak(facts: Facts) -> str:
    room, _, identity = str(facts["step"]).rpartition("/")
    by = f"{room}/{identity[:10]}"
    told = say(f"kept from models by {by}", f"{by} がモデルから除いた") if facts["outcome"] == "dropped" else by
    return f"{told} ({facts['method']} {facts['score']:.2f}): “{facts['passage']}”"


def _exam(facts: Facts) -> str:
    right, arms = count(facts["right"]), count(facts["arms"])
    return say(f"{facts['paper']}: {right} of {arms} arms right", f"{facts['paper']}: {arms} アーム中 {right} が正解")


def _arm(facts: Facts) -> str:
    orders = facts["orders"]
    if facts["score"] is None:
        return say("not scored: ", "採点なし: ") + ", ".join(facts["reasons"])
    taken = Counter(tuple(order["chosen"]) for order in orders if order["score"] is not None)
    told = ", ".join(
        _letters(chosen) + (" ✓" if list(chosen) == facts["targets"] else " ✗") + (f" ×{n}" if len(orders) > 1 else "")
        for chosen, n in taken.most_common()
    )
    unscored = len(orders) - taken.total()
    told += say(f", not scored ×{unscored}", f"、採点なし ×{unscored}") if unscored else ""
    if facts["log_prob"] is not None:
        value = f"{facts['log_prob']:.3g}".replace("-", "−")
        told += say(f" · log-probability of the right option {value}", f" · 正解の対数確率 {value}")
    return told


def _letters(chosen: Sequence[int]) -> str:
    return "".join(LETTERS[option] if option < len(LETTERS) else f"#{option + 1}" for option in chosen) or "–"


def _learnt(facts: Facts) -> str:
    told = facts["model"]
    if facts.get("passes"):
        steps = [str(step) for step in facts["steps"]]
        at = ", ".join(steps[:STEPS_SHOWN]) + (", …" if len(steps) > STEPS_SHOWN else "")
        times = "1 pass" if facts["passes"] == 1 else f"{facts['passes']} passes"
        told += say(f": {times}, in optimizer steps {at}", f": {facts['passes']} 回、更新ステップ {at}")
    if facts.get("models"):
        names = ", ".join(facts["models"])
        told += say(f"; from it came {names}", f"。ここから生まれたモデル: {names}")
    return str(told)


def _choice(facts: Facts) -> str:
    name = str(facts["metric"])
    metric = say(name, METRICS_JA.get(name, name))
    of, chosen, paper = count(facts["candidates"]), facts["chosen"], facts["paper"]
    return say(f"{chosen} of {of} candidates, by {metric} in {paper}", f"{of} 候補から {chosen}（{paper} の{metric}）")


def _candidate(facts: Facts) -> str:
    score = say("no figure", "値なし") if facts["score"] is None else f"{facts['score']:.4g}".replace("-", "−")
    return score + (" ✓" if facts["chosen"] else "")


def _merge(facts: Facts) -> str:
    weights = ", ".join(f"{name} {weight:g}" for name, weight in facts["weights"].items())
    return f"{facts['method']}: {weights}"


def asked_words(facts: Facts) -> str:
    """What a step of synthesis did with a document: pairs of it that it holds, and those it left out."""
    pairs = len(facts["pairs_here"])
    said = say("1 pair of it" if pairs == 1 else f"{count(pairs)} pairs of it", f"この文書の対 {count(pairs)} 件")
    return said + left_out_words(facts["left_out"])


def left_out_words(left_out: Mapping[str, int]) -> str:
    """``; left out: other_part 50``; empty when nothing was."""
    told = ", ".join(f"{reason} {count(n)}" for reason, n in sorted(left_out.items()))
    return say(f"; left out: {told}", f"。除外: {told}") if told else ""


TELLERS: Mapping[str, Callable[[Facts], str]] = {
    "pair": _pair, "example": _example, "preference": _example, "leak": _leak, "exam": _exam, "arm": _arm,
    "learnt": _learnt, "choice": _choice, "candidate": _candidate, "merge": _merge,
}  # fmt: skip


# Lines below ----------------------------------------------------------------------------------


def pair_lines(facts: Facts) -> Iterator[str]:
    """Question and answer of a pair, and what judges said of it."""
    yield say("question: ", "問題: ") + str(facts["question"])
    if not facts["choices"]:
        yield say("answer: ", "答え: ") + str(facts["answer"])
    if facts["call"]:
        yield say("writer's call: ", "作成の呼び出し: ") + str(facts["call"])


def verdict_lines(verdicts: Sequence[Facts]) -> Iterator[str]:
    """Conclusions first, then checks that were not passed, then how many were."""
    passed = Counter[str]()
    first = [verdict for verdict in verdicts if verdict["criterion"] in CRITERIA]
    checks = [verdict for verdict in verdicts if verdict["criterion"] not in CRITERIA]
    for verdict in [*first, *checks]:
        if verdict in checks and verdict["score"] == 1 and not verdict["reason"]:
            passed[str(verdict["judge"])] += 1
            continue
        name = say(*CRITERIA.get(verdict["criterion"], (verdict["criterion"], verdict["criterion"])))
        why = f" — {verdict['reason']}" if verdict["reason"] else ""
        call = f" ({verdict['call']})" if verdict["call"] else ""
        yield (
            say(f"judge {verdict['judge']}: ", f"判定者 {verdict['judge']}: ")
            + f"{name} {verdict['score']:.3g}{why}{call}"
        )
    for judge, number in passed.items():
        checks_passed = "1 check" if number == 1 else f"{number} checks"
        yield say(f"judge {judge}: {checks_passed} passed", f"判定者 {judge}: 検査 {number} 件に合格")


def turn_lines(facts: Facts) -> Iterator[str]:
    """The turns of an example; of a preference also both answers."""
    for turn in facts.get("messages", ()):
        thinking = say(" (thinks first)", "（考えてから）") if turn["thinking"] else ""
        yield say(turn["role"], ROLES_JA.get(turn["role"], turn["role"])) + f"{thinking}: {turn['text']}"
    for key, en, ja in (("chosen", "wanted", "望む答え"), ("rejected", "not wanted", "望まない答え")):
        if facts.get(key):
            yield say(f"{en}: ", f"{ja}: ") + str(facts[key])
