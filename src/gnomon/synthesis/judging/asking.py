"""Asking: whether a question can be understood by itself, is not answered by its own words, and is answered at all."""

import re

from gnomon.core.figures import figures
from gnomon.core.glyphs import visible
from gnomon.core.text import fold
from gnomon.synthesis.judging.evidence import NONE, Suspicion
from gnomon.synthesis.judging.passages import Passage, named, stands
from gnomon.synthesis.judging.words import vocabulary, words
from gnomon.synthesis.proposals import stands_in
from gnomon.synthesis.selfcontained import leaning, pointing, unnamed

_RELATIVE = re.compile(
    r"\b(?:years?|decades?|days?|months?|weeks?|hours?|centur(?:y|ies)) (?:later|earlier|afterwards|before that)\b"
    r"|\b(?:a?round|about|over|under|into|against|behind|after|before|during|since|near|through|than|like|between"
    r"|within|without|beyond|across) (?:that|this|these|those) [a-z]+"
    r"|当該|(?:年|日|か月|ヶ月)後(?:に|の)"
)
_BACK_JA = re.compile("^(?:そこ|それ|その|これ|この)")
_FUNCTION = frozenset(
    (
        "a an and are as at be been but by can could did do does for from had has have how if in is it its may must"
        " nor not of on or shall should so than that the their then there these they this those to was were what when"
        " where which while who whom whose why will with would"
    ).split()
)
_GOES_ON = frozenset(
    (
        "of in between for from on at that which whose with around to near by where called named who when about than"
        " inside within beyond above below over under behind against toward towards during after before across through"
        " into as"
    ).split()
)
_UNIQUE = frozenset(
    (
        "sun moon earth universe sky galaxy cosmos vacuum equator pole poles year spectrum atmosphere night day present"
        " past future world laboratory ground radio infrared ultraviolet optical microwave century time same solar"
        " early late galactic cosmic interstellar intergalactic near far"
    ).split()
)
_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|[?,.;:]")
_SHARED = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
    r"|\b(?:Hubble(?:['’]s)? (?:constant|law|flow|time|diagram|parameter|expansion)|Milky Way|Type I[abc]?I?"
    r"|Nobel Prize|Doppler|Cepheids?|Lyman|Balmer|Gaussian|Newton(?:ian|['’]s)|Kepler(?:ian|['’]s laws?)|Sun"
    r"|Zeeman effect|Earth|Moon|Universe|Galaxy|Euclidean|Fourier|Planck (?:constant|law|spectrum))\b"
    r"|(?:エネルギー|スペクトル|ガス|ライマン|ドップラー|システム|データ|モデル|ブラックホール|ループ|フィルター|プラズマ|ニュートリノ|カメラ"
    r"|コンパクト|パラメーター|ピーク|サイズ|タイプ|レンズ|メートル|ヘリウム|カルシウム|ハッブル定数|ハッブルの法則|ケプラーの法則)"
)
"""Names that many documents share: they do not say which one a question is about."""
_DESIGNATION = re.compile(r"^(?=.*\d)(?=.*[A-Z]).{3,}$|^[A-Z]{2,}$")
_PERSON_JA = re.compile(
    "([\u3005\u4e00-\u9fff]{3,7}|[ァ-ヺー]{3,12})(?:ら|氏)?[のがはと](?:[12][0-9]{3}年)"
    "|[12][0-9]{3}年[にの]([\u3005\u4e00-\u9fff]{3,6}|[ァ-ヺー]{3,12})(?:ら)?[のがは]"
)
"""Somebody with a year: 「小田稔が1965年に」."""

_MEASURES = (
    "fraction|percentage|percent|share|mass|distance|speed|velocity|temperature|age|period|rate|radius|diameter"
    "|redshift|wavelength|frequency|energy|ratio|factor|luminosity|density|limit|interval|significance|year|baseline"
)
_ASKS_FIGURE = re.compile(
    r"^(?:(?:by|to|in|for|from|at) )?how (?:many|massive|heavy|fast|old|far away|hot)\b"
    rf"|^(?:(?:by|at|to|within|with|near|above|below|from|over) )?(?:what|which) (?:[\w-]+ ){{0,2}}(?:{_MEASURES})s?\b",
    re.I,
)
_ASKS_FIGURE_JA = re.compile(
    "何(?:個|本|倍|度|人|台|枚|回|日|年|種|パーセント|%|％|億|万|km|光年|ガウス|ケルビン|パーセク|メートル|キロ)|いくら|いくつ"
)
_ASKS_WHO = re.compile(r"^(?:(?:to|by|with|from|after|for|of|on) )?(?:who|whom|whose)\b", re.I)
_HIS = frozenset("he she his her him".split())
"""Pronouns that mean whoever is asked for."""
_AMOUNT = re.compile(
    r"\b(?:once|twice|half|third|quarter|double|triple|square|cube|inverse|same|equal|zero|none|all|both|few|times)\b"
    r"|\d|半|倍|同じ|[一二三四五六七八九十]",
    re.I,
)

_FIGURE = 2
"""Words that a figure of an answer is worth."""
_COUNTED = 0.25
"""Worth of a word that names what is counted."""
_SHORTEST = 2
"""Characters up to which an answer says too little to be looked for in its question."""


def leans(question: str, answer: str, lang: str) -> Suspicion:
    """Words of the question that need something outside it, or words of the answer that point at a text."""
    why = leaning(question, lang) or pointing(answer, lang)
    if why.casefold() in _HIS and _ASKS_WHO.search(question):
        why = ""
    back = _RELATIVE.search(question) or (_BACK_JA.search(answer) if lang == "ja" else None)
    if not why and back:
        why = back.group()
    return Suspicion(1.0, f"leans on something unsaid: {why}") if why else NONE


def nameless(question: str, lang: str) -> Suspicion:
    """The question speaks of something that it never named."""
    why = unnamed(question, lang)
    return Suspicion(1.0, f"never named: {why}") if why else NONE


def bare_definites(question: str) -> Suspicion:
    """A thing such as "the element" that is spoken of as known, with nothing that says which."""
    tokens, bare = _TOKEN.findall(" ".join(visible(question).split())), []
    for here, token in enumerate(tokens):
        if token.casefold() != "the":
            continue
        run = []
        for following in tokens[here + 1 : here + 5]:
            if not following.islower() or following in _FUNCTION or not following[0].isalpha():
                break
            run.append(following)
        after = tokens[here + 1 + len(run)] if here + 1 + len(run) < len(tokens) else "?"
        said = after[0].isupper() or after[0].isdigit() or after in _GOES_ON or bool(_UNIQUE & set(run))
        if run and not said and not run[-1].endswith(("'s", "’s")):
            bare.append(" ".join(run))
    return Suspicion(min(len(bare), 2) / 2, "which one is meant: " + ", ".join(bare)) if bare else NONE


def subjectless(question: str, passage: Passage, lang: str) -> Suspicion:
    """The question names nothing of what its document is about; half as bad when it names something else of it."""
    shown = _SHARED.sub(" ", visible(question))
    own = named(shown, lang)
    dated = [name for match in _PERSON_JA.finditer(shown) for name in match.groups() if name] if lang == "ja" else []
    if any(_names_subject(name, passage) for name in own) or any(name in passage.everything for name in dated):
        return NONE
    if own:
        return Suspicion(0.5, f"names {', '.join(own[:3])}, but not what its document is about")
    return Suspicion(1.0, "names nothing that its document is about")


def _names_subject(name: str, passage: Passage) -> bool:
    if _DESIGNATION.match(name) and passage.knows(name):
        return True
    return stands(name, passage.about) or name.casefold() in passage.about.casefold()


def given_away(question: str, answer: str, lang: str) -> Suspicion:
    """The share of the answer that its question says already.

    A figure counts as two words; beside a figure that the question does not have, words that it does have name what is
    counted and give little away.
    """
    folded = fold(answer).rstrip(".。")
    if len(folded) > _SHORTEST and stands_in(folded, fold(question)):
        return Suspicion(1.0, "the answer stands in the question")
    own, there = words(answer, lang), vocabulary(question, lang)
    mine = {figure.quantity for figure in figures(answer)}
    asked = {figure.quantity for figure in figures(question)}
    bare = {number for number, _ in asked}
    known = [value for value in mine if value in asked or (not value[1] and value[0] in bare)]
    told = sum(word.text in there for word in own) * (_COUNTED if len(known) < len(mine) else 1)
    total = len(own) + _FIGURE * len(mine)
    share = (told + _FIGURE * len(known)) / total if total else 0.0
    return Suspicion(share, f"{share:.0%} of the answer stands in the question") if share else NONE


def evasive(question: str, answer: str, lang: str) -> Suspicion:
    """A question that asks how much or who, and an answer that has no figure or no name."""
    figure = (_ASKS_FIGURE_JA if lang == "ja" else _ASKS_FIGURE).search(question)
    if figure and not figures(answer) and not _AMOUNT.search(answer):
        return Suspicion(1.0, f"asks {figure.group()!r} and gets no figure")
    if lang != "ja" and _ASKS_WHO.search(question) and not named(answer, lang):
        return Suspicion(1.0, "asks who and gets no name")
    return NONE
