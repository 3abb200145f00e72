"""Asking: whether a question can be understood by itself, is not answered by its own words, and is answered at all."""

import re

from gnomon.core.figures import figures
from gnomon.core.glyphs import visible
from gnomon.core.text import fold
from gnomon.synthesis.judging.evidence import NONE, Suspicion
from gnomon.synthesis.judging.passages import SHARED, Passage, named, stands
from gnomon.synthesis.judging.words import Vocabulary, clauses, vocabulary, words
from gnomon.synthesis.proposals import stands_in
from gnomon.synthesis.selfcontained import leaning, pointing, unnamed

_OF = "(?:of|that|which|at|in|from|for|on|by|who|whose|to|with|between|near)"
_RELATIVE = re.compile(
    r"\b(?:years?|decades?|days?|months?|weeks?|hours?|centur(?:y|ies)) (?:later|earlier|afterwards|before that)\b"
    r"|\b(?:a?round|about|over|under|into|against|behind|after|before|during|since|near|through|than|like|between"
    rf"|within|without|beyond|across) (?:that|this|these|those) (?!{_OF}\b)[a-z]+"
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
_DESIGNATION = re.compile(r"^(?=.*\d)(?=.*[A-Z]).{3,}$|^[A-Z]{2,}$")
_PERSON_JA = re.compile(
    "([\u3005\u4e00-\u9fff]{3,7}|[ァ-ヺー]{3,12})(?:ら|氏)?[のがはと](?:[12][0-9]{3}年)"
    "|[12][0-9]{3}年[にの]([\u3005\u4e00-\u9fff]{3,6}|[ァ-ヺー]{3,12})(?:ら)?[のがは]"
)
"""Somebody with a year: 「小田稔が1965年に」."""

_SURNAME_JA = re.compile("([\u3005\u4e00-\u9fff]{1,3})(?:と[\u3005\u4e00-\u9fff]{1,3})?(?:ら)?(?=[のらがは])")
_GIVEN_JA = "[\u3005\u4e00-\u9fff]{1,4}(?:ら|氏|と|は|が|の[12])"
_LONG_JA = re.compile(
    "[\u3005\u4e00-\u9fff]{5,}|[ァ-ヺー]{2,}座[0-9]+番星|(?:衛星|探査機|望遠鏡|観測機)[ぁ-ん]{2,6}(?=[のがはをに])"
)
"""Names by their length or form: 「小久保英一郎」「ペガスス座51番星」「衛星ひとみ」."""
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
_COMPARED = re.compile(rf"^\w+ (?:that|those) {_OF}$", re.I)
"""Like "with that at": what is meant was said before in the same question."""
_TOWARD_US = re.compile(
    r"\b(?:toward|towards|around|from|to|reach(?:es|ed|ing)?|above|near|at|past|between) us\b", re.I
)
"""We, as those who look from the Earth."""
_THING = frozenset("it its itself they them their themselves".split())
_HIS = frozenset("he she his her him".split())
"""Pronouns that mean whoever is asked for."""
_AMOUNT = re.compile(
    r"\b(?:once|twice|half|third|quarter|double|triple|square|cube|inverse|same|equal|zero|none|all|both|few|times)\b"
    r"|\d|半|倍|同じ|[一二三四五六七八九十]",
    re.I,
)

_FIGURE = 2
"""Words that a figure of an answer is worth."""
_FIRST = 0.85
"""What an answer is told of whose first clause is."""
_PART = 4
"""Letters of a part of a compound."""
_NAMED = 0.3
"""Share of an answer that may repeat its question: what is asked about may be named."""
_COUNTED = 0.25
"""Worth of a word that names what is counted."""
_SHORTEST = 2
"""Characters up to which an answer says too little to be looked for in its question."""


def leans(question: str, answer: str, lang: str) -> Suspicion:
    """Words of the question that need something outside it, or words of the answer that point at a text."""
    shown = question.replace("どこの", "どこ、").replace("共同研究", "協力")
    why = leaning(shown, lang) or pointing(answer, lang)
    why = "" if _COMPARED.match(why) else why
    if (why.casefold() in _HIS and question.startswith(("Who ", "Which "))) or _TOWARD_US.search(question):
        why = ""
    back = _RELATIVE.search(question) or (_BACK_JA.search(answer) if lang == "ja" else None)
    if not why and back:
        why = back.group()
    if not why:
        return NONE
    later = why.casefold() in _THING and bool(named(question, lang))
    return Suspicion(0.5 if later else 1.0, f"leans on something unsaid: {why}")


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


def subjectless(question: str, passage: Passage, lang: str) -> tuple[Suspicion, Suspicion]:
    """The question names nothing at all; and it names something, but not what its document is about."""
    shown = SHARED.sub(" ", visible(question))
    own = [*named(shown, lang), *(_people_ja(shown, passage) if lang == "ja" else ())]
    if any(_names_subject(name, passage) for name in own):
        return NONE, NONE
    if own:
        return NONE, Suspicion(1.0, f"names {', '.join(own[:3])}, but not what its document is about")
    return Suspicion(1.0, "names nothing that its document is about"), NONE


def _people_ja(shown: str, passage: Passage) -> list[str]:
    """People whom a Japanese question names with a year, or first of all by a surname that the document spells out."""
    dated = [name for match in _PERSON_JA.finditer(shown) for name in match.groups() if name]
    found = [passage.title for name in dated if name in passage.everything]
    first = _SURNAME_JA.match(shown)
    known = first is not None and re.search(re.escape(first.group(1)) + _GIVEN_JA, passage.about)
    long = [run for run in _LONG_JA.findall(shown) if run in passage.everything]
    return [*found, *([passage.title] if known or long else []), *dated]


def _names_subject(name: str, passage: Passage) -> bool:
    if _DESIGNATION.match(name) and passage.knows(name):
        return True
    return stands(name, passage.about) or name.casefold() in passage.about.casefold()


def given_away(question: str, answer: str, lang: str) -> Suspicion:
    """How far the question says its answer already; nothing up to ``_NAMED``, as what is asked about may be named.

    An answer whose first clause is told is told, whatever it adds.
    """
    folded = fold(answer).rstrip(".。")
    if len(folded) > _SHORTEST and stands_in(folded, fold(question)):
        return Suspicion(1.0, "the answer stands in the question")
    share = _told(question, answer, lang)
    first = visible(answer)[: clauses(visible(answer), lang)[0][1]]
    if len(first) < len(answer.rstrip(" .。")) and _told(question, first, lang) == 1.0:
        share = max(share, _FIRST)
    grown = max(share - _NAMED, 0.0) / (1 - _NAMED)
    return Suspicion(grown, f"{share:.0%} of the answer stands in the question") if grown else NONE


def _told(question: str, answer: str, lang: str) -> float:
    """The share of the answer that the question has.

    A figure counts as two words, and so does a name; beside a figure that the question does not have, words that it
    does have name what is counted and give little away.
    """
    own, there = words(answer, lang), vocabulary(question, lang)
    proper = {name.casefold() for name in named(answer, lang)}
    weights = [(2 if word.text in proper else 1, _in_parts(word.text, there)) for word in own]
    mine = {figure.quantity for figure in figures(answer)}
    asked = {figure.quantity for figure in figures(question)}
    bare = {number for number, _ in asked}
    known = [value for value in mine if value in asked or (not value[1] and value[0] in bare)]
    told = sum(weight for weight, said in weights if said) * (_COUNTED if len(known) < len(mine) else 1)
    total = sum(weight for weight, _ in weights) + _FIGURE * len(mine)
    return (told + _FIGURE * len(known)) / total if total else 0.0


def _in_parts(word: str, there: Vocabulary) -> bool:
    """Whether a word is among others, whole or as two of them ("snowball")."""
    return word in there or any(
        word[:at] in there.texts and word[at:] in there.texts for at in range(_PART, len(word) - _PART + 1)
    )


def evasive(question: str, answer: str, lang: str) -> Suspicion:
    """A question that asks how much or who, and an answer that has no figure or no name."""
    figure = (_ASKS_FIGURE_JA if lang == "ja" else _ASKS_FIGURE).search(question)
    if figure and not figures(answer) and not _AMOUNT.search(answer):
        return Suspicion(1.0, f"asks {figure.group()!r} and gets no figure")
    if lang != "ja" and _ASKS_WHO.search(question) and not named(answer, lang):
        return Suspicion(1.0, "asks who and gets no name")
    return NONE
