"""Japanese questions out of Japanese sentences: the order of words stays, one word becomes the one that asks.

「磁場は約2900ガウスに達した。」 becomes 「磁場は約何ガウスに達したか。」, and 「平山清次は…と名づけた。」 becomes
「…と名づけたのは誰か。」. What fits no pattern becomes a gap.
"""

import re
from collections.abc import Iterator, Sequence

from gnomon.synthesis.extractive.candidates import Candidate
from gnomon.synthesis.extractive.entities import UNTYPED, Entity
from gnomon.synthesis.extractive.sentences import Sentence
from gnomon.synthesis.extractive.verbs import DONE_JA

GAP = "＿＿＿＿"
LONGEST_QUIZ = 90
LAST_PART = 24
"""Characters that may follow a figure in a question."""
_DIGITS = re.compile(r"[-−]?[\d.,]*\d(?:[十百千万億兆]+\d*[十百千万億兆]*)*")
_ENDS = (
    (re.compile(r"(?:である|だ)。$"), "か。"),
    (re.compile(r"(?P<keep>[たるいうくぐすつぬむぶ])。$"), None),
    (re.compile(r"(?P<keep>[一-龥ァ-ヺー%A-Za-z])。$"), None),
)
_PERSON = re.compile(
    r"(?:(?P<year>\d{4})年(?:に)?、?)?(?P<name>[ァ-ヺ][ァ-ヺー・]{2,20}"
    r"|[一-龥]{1,3}[一-龥々]{1,2}[郎次雄男夫一二三子彦之治司志明美弘博健正義孝隆哲樹輔介憲寿])"
    r"(?P<more>ら)?は、?(?P<rest>.{12,})。$"
)
_NO_PERSON = re.compile(
    r"テレスコープ|コラボレーション|コンソーシアム|ミッション|チーム|グループ|衛星|望遠鏡|モデル|プロジェクト|レーザー"
    r"|プラズマ|エネルギー|パラメータ|ニュートリノ|ブラックホール|データ|スペクトル"
)
_NAMED = "(?P<name>「[^」]{2,20}」|[^、。はがをにで]{2,15})"
_CALLED = re.compile(rf"(?P<what>.{{6,80}}?)を{_NAMED}と(?P<verb>呼んだ|呼ぶ|呼んでいる|名づけた|名付けた)。$")
_IS_CALLED = re.compile(rf"(?P<what>.{{4,80}}?)は{_NAMED}と(?P<verb>呼ばれる|呼ばれている|呼ばれた)。$")
_IS = re.compile(r"(?P<what>[^、。はがをに]{2,20})とは、?(?P<rest>.{8,100}?)(?:のことである|のことだ|である|だ)。$")
_SAID = re.compile(
    r"(?P<clause>.{15,})と(?P<verb>論じた|結論した|結論づけた|考えた|指摘した|主張した|提案した|予言した|推定した|述べた|唱えた|予想した|解釈した"
    r"|見積もった)$"
)
_BECAUSE = re.compile(
    r"(?:[^、]{2,12}[はでには]、)?(?P<why>[^、]{6,60}(?:い|る|た|う))(?<!使う)(?<!調べる)(?<!避ける)(?<!探す)(?<!測る)(?:ため|ので)、"
    r"(?P<what>[^、それこ][^、]{7,60}[たるいう])。$"
)
_COUNTER = re.compile(r"つ(?=の|に|を|が|は|、|。|で|と|も)")


def ask(sentence: Sentence, found: Sequence[Entity]) -> Iterator[Candidate]:
    """Every question that a sentence answers, natural ones before gaps."""
    yield from _definitions(sentence)
    yield from _who(sentence)
    yield from _why(sentence)
    for entity in found:
        if entity.figure is not None:
            yield from _how_many(sentence, entity)
    for entity in found:
        if entity.kind.startswith("count"):
            continue
        typed = None if entity.kind.startswith(UNTYPED) else entity
        gapped = f"{sentence.text[: entity.start]}{GAP}{sentence.text[entity.end :]}"
        yield Candidate(kind="cloze", question=f"空欄に入る語句は何か。「{gapped}」", answer=entity.text,
                        sentence=sentence, entity=typed, titled=True)  # fmt: skip


def _asking(text: str) -> str:
    """A statement as a question, empty when its end is not known."""
    for pattern, end in _ENDS:
        match = pattern.search(text)
        if match:
            return text[: match.start()] + (end or f"{match['keep']}か。")
    return ""


def _how_many(sentence: Sentence, entity: Entity) -> Iterator[Candidate]:
    """The figure becomes 「何」 before its unit or counter."""
    text, digits = sentence.text, _DIGITS.match(entity.text)
    if (
        digits is None
        or digits.group() == "1"
        or len(text) > LONGEST_QUIZ
        or text.count("。") > 1
        or "、" in text[entity.end :]
        or len(text) - entity.end > LAST_PART
        or (entity.kind == "year" and re.match(r"\d", text[entity.end :]))
    ):
        return
    end = entity.start + digits.end()
    after = text[end:]
    if _COUNTER.match(after):
        asked, after, counter = "いくつ", after[1:], "つ"
    else:
        unit = entity.text[digits.end() :].strip() or _counter(after)
        if not unit or after.startswith(("-", "−")):
            return
        asked, counter = "何", unit
    question = _asking(f"{text[: entity.start]}{asked}{after.lstrip()}")
    if question:
        gap = " " if after.startswith(" ") and counter[0].isascii() else ""
        yield Candidate(kind="numeric", question=question, answer=f"{digits.group()}{gap}{counter}", sentence=sentence,
                        entity=entity)  # fmt: skip


def _counter(after: str) -> str:
    """The counter behind a bare number."""
    match = re.match(r"[個本台枚倍種群回例件天体つ人点年月日世夜度等歳]|[か箇ヶ]所|パーセント|光年", after)
    return match.group() if match else ""


def _who(sentence: Sentence) -> Iterator[Candidate]:
    """「…のは誰か。」, of a person's deed."""
    told = _PERSON.match(sentence.text)
    if told is None or _NO_PERSON.search(told["name"]) or not DONE_JA.search(told["rest"]):
        return
    lead = f"{told['year']}年に、" if told["year"] else ""
    answer = told["name"] + (told["more"] or "")
    entity = Entity(start=told.start("name"), end=told.end("name"), text=answer, kind="person")
    yield Candidate(kind="relation", question=f"{lead}{told['rest']}のは誰か。", answer=answer, sentence=sentence,
                    entity=entity, titled=not lead)  # fmt: skip
    said = _SAID.match(told["rest"])
    if said:
        question = f"{lead}{answer}は何と{said['verb']}か。"
        yield Candidate(
            kind="relation", question=question, answer=said["clause"] + "。", sentence=sentence, titled=True
        )


def _why(sentence: Sentence) -> Iterator[Candidate]:
    """「なぜ…のか。」, of a sentence that gives its reason before what follows from it."""
    told = _BECAUSE.match(sentence.text)
    if told:
        question = f"なぜ{told['what']}のか。"
        yield Candidate(
            kind="relation", question=question, answer=f"{told['why']}ため。", sentence=sentence, titled=True
        )


def _definitions(sentence: Sentence) -> Iterator[Candidate]:
    text = sentence.text
    called, is_called, defined = _CALLED.match(text), _IS_CALLED.match(text), _IS.match(text)
    if called:
        question = f"{called['what']}を何と{called['verb']}か。"
        yield Candidate(kind="definition", question=question, answer=called["name"].strip("「」"), sentence=sentence)
    if is_called:
        question = f"{is_called['what']}は何と{is_called['verb']}か。"
        yield Candidate(kind="definition", question=question, answer=is_called["name"].strip("「」"), sentence=sentence)
    if defined:
        yield Candidate(
            kind="definition", question=f"{defined['what']}とは何か。", answer=defined["rest"], sentence=sentence
        )
