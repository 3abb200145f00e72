"""Verbs: the past tenses in which papers tell what somebody did, in English and Japanese.

A question about who did something keeps the verb as it is; one about when needs its plain form. A small list that
knows what it knows is better than a rule that guesses: a sentence with another verb is asked about in another way.
"""

import re

_REGULAR = (
    "observe measure report derive propose argue conclude suggest determine calculate compute estimate predict discover"
    " detect describe demonstrate identify publish explain obtain apply introduce develop analyse analyze examine"
    " compare interpret assume establish confirm present infer collect study investigate consider combine model"
    " simulate solve recognise recognize attribute ask show treat use train search compile classify construct name call"
    " reject estimate attempt try notice point claim address formulate produce announce test plot assemble survey"
    " photograph record follow trace start prove turn realise realize express add extend design follow share receive"
    " award adopt reach place return work repeat supply map link connect separate discuss fix time reconsider ask warn"
).split()
_IRREGULAR = {
    "found": "find", "gave": "give", "took": "take", "made": "make", "wrote": "write", "began": "begin", "set": "set",
    "held": "hold", "saw": "see", "built": "build", "led": "lead", "drew": "draw", "knew": "know", "put": "put",
    "thought": "think", "brought": "bring", "chose": "choose", "went": "go", "split": "split", "sought": "seek",
    "laid": "lay", "won": "win", "kept": "keep", "let": "let", "came": "come", "became": "become", "showed": "show",
    "told": "tell", "read": "read", "did": "do", "had": "have", "grew": "grow", "rose": "rise", "fell": "fall",
}  # fmt: skip
_DOUBLING = frozenset({"infer", "plot", "map"})


def _past(base: str) -> str:
    if base in _DOUBLING:
        return base + base[-1] + "ed"
    if base.endswith("e"):
        return base + "d"
    return base[:-1] + "ied" if base[-1] == "y" and base[-2] not in "aeiou" else base + "ed"


PAST = {_past(base): base for base in _REGULAR} | _IRREGULAR
"""Past forms with their plain forms."""
PAST_PATTERN = "|".join(sorted(PAST, key=lambda word: (-len(word), word)))
DONE_JA = re.compile(
    "(?:考え|調べ|名づけ|名付け|論じ|提案し|示し|導い|見積もっ|予言し|発見し|発表し|測定し|測っ|計算し|求め|指摘し|主張し|唱え|"
    "見いだし|見出し|述べ|試み|用い|推定し|報告し|提唱し|結論し|説明し|解い|定め|分類し|比べ|得|観測し|予測し|突き止め|確かめ|"
    "検出し|気づい|解釈し|結論づけ|まとめ|打ち出し|構築し|仮定し|開発し)た$"
)
"""How a Japanese clause ends that tells what a person did."""
