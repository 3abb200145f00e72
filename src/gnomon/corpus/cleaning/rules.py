"""Rules: why a text is left out, one named function each, in the manner of Gopher and C4.

A rule looks at a cleaned text and gives the measured value with its limit when the text fails,
``""`` when it passes. Gopher (arXiv 2112.11446, table A1) and C4 (arXiv 1910.10683) were made
for web pages: a scholarly abstract is short, full of numbers and symbols, and repeats its terms,
so limits here are wider and a rule that needs many lines or words is silent on fewer.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from gnomon.core.text import terms, unspaced_share
from gnomon.corpus.cleaning.config import CleanConfig

UNSPACED = frozenset(("ja", "zh"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A cleaned text as the rules see it."""

    text: str
    """The text, without the title."""
    title: str
    """The title."""
    lang: str
    """Its language."""
    words: tuple[str, ...]
    """Its words in order, in lower case; single characters for unspaced scripts."""
    lines: tuple[str, ...]
    """Its lines that are not blank."""
    unspaced: bool
    """Whether its script puts no spaces between words."""


_LONGEST_READ = 400_000
"""Characters of a long text that rules look at: a fault that rules find does not hide behind them."""


def subject(text: str, title: str, lang: str) -> Subject:
    """What the rules look at."""
    head = text[:_LONGEST_READ]
    unspaced = lang in UNSPACED or (lang == "und" and unspaced_share(head) > 0.3)
    words = tuple(terms(head) if unspaced else _WORD.findall(head.lower()))
    lines = tuple(line.strip() for line in head.split("\n") if line.strip())
    return Subject(text=head, title=title, lang=lang, words=words, lines=lines, unspaced=unspaced)


_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’\-][^\W\d_]+)*")


def too_short(it: Subject, config: CleanConfig) -> str:
    """Fewer words (characters where words are not spaced) than make a statement."""
    if it.unspaced:
        size = sum(map(str.isalnum, it.text))
        return f"{size} characters, least {config.min_characters}" if size < config.min_characters else ""
    return f"{len(it.words)} words, least {config.min_words}" if len(it.words) < config.min_words else ""


_WITHDRAWN = re.compile(
    r"\b(?:this|the|our)\s+(?:paper|article|submission|manuscript|preprint|work|version|report|letter|note)[^.]{0,60}?"
    r"\b(?:has|have|had|was|is|being|been)(?:\s+\w+){0,3}\s+(?:withdrawn|retracted)\b"
    r"|^\W*(?:withdrawn|retracted)\b|\b(?:paper|article|submission)\s+(?:withdrawn|retracted)\b"
    r"|(?:本|この)?(?:論文|記事|投稿)は(?:、)?(?:取り?下げ|撤回)",
    re.IGNORECASE,
)


def withdrawn(it: Subject, config: CleanConfig) -> str:
    """A notice that the paper was withdrawn, with hardly a text beside it."""
    lowered = it.text.lower()
    told = any(word in lowered for word in ("withdrawn", "retracted", "取り下げ", "取下げ", "撤回"))
    notice = _WITHDRAWN.search(it.text) if told else None
    if notice is None:
        return ""
    rest = len(it.words) - len(_WORD.findall(notice.group()))
    limit = config.max_withdrawn_words * (4 if it.unspaced else 1)
    return f"“{notice.group()[:80]}”, {rest} other words, most {limit}" if rest <= limit else ""


_PLACEHOLDER = re.compile(
    r"\W*(?:(?:no|not?|without)\s+(?:abstract|text|summary)(?:\s+(?:is\s+)?(?:available|provided|given|found))?"
    r"|(?:the\s+)?(?:abstract|text|summary)\s+(?:is\s+)?(?:not|un)\s?(?:available|provided|given)|abstract"
    r"|see\s+(?:the\s+)?(?:text|paper|pdf|abstract|article)|to\s+be\s+(?:added|written|announced|determined)"
    r"|tba|tbd|n/?a|none|null|nan|todo|placeholder|(?:insert|add)\s+(?:abstract|text)\s+here"
    r"|(?:要旨|抄録|概要|本文)(?:は)?(?:なし|無し|ありません|未定)|なし|準備中)\W*",
    re.IGNORECASE,
)


def placeholder(it: Subject, config: CleanConfig) -> str:
    """A form's empty field: “no abstract available”, “TBD”, *lorem ipsum*."""
    if it.text[:11].lower() == "lorem ipsum":
        return "“lorem ipsum”"
    return f"“{it.text[:60].strip()}”" if len(it.text) < 80 and _PLACEHOLDER.fullmatch(it.text) else ""


_UNUSUAL = re.compile(r"[^\w\s.,;:!?'\"’‘“”()\[\]/%+\-−–—、。・「」『』（），．：；]")


def symbols(it: Subject, config: CleanConfig) -> str:
    """Mostly signs: a formula, a table or a drawing rather than a text."""
    return _share(len(_UNUSUAL.findall(it.text)), _visible(it), config.max_symbol_share)


def digits(it: Subject, config: CleanConfig) -> str:
    """Mostly digits: a table of numbers."""
    figures = sum(map(it.text.count, "0123456789"))
    if 20 * figures < len(it.text):  # no table: counting the letters is not worth its time
        return ""
    return _share(figures, sum(map(str.isalnum, it.text)), config.max_digit_share)


_GARBLED = re.compile("[\ufffd\ue000-\uf8ff]|\\(cid:\\d+\\)|[\U000f0000-\U0010ffff]|/g\\d{1,4}(?=/g\\d)")


def garbled(it: Subject, config: CleanConfig) -> str:
    """Characters that no text holds: a PDF font without a character map, a lost encoding."""
    odd = {c for c in set(it.text) if c > "\u2fff" and unicodedata.category(c) in {"Cn", "Co", "So"}}
    if not odd and "(cid:" not in it.text and "/g" not in it.text:
        return ""
    found = sum(len(match.group()) for match in _GARBLED.finditer(it.text))
    found += sum(c in odd and unicodedata.category(c) == "Cn" for c in it.text)
    return _share(found, _visible(it), config.max_garbled_share)


_SPELLED = re.compile(r"(?<!\S)(?:[^\W\d_] ){4,}[^\W\d_](?!\S)")


def broken_words(it: Subject, config: CleanConfig) -> str:
    """Words fallen apart into letters, or run together, by a PDF that lost its spaces."""
    if it.unspaced or len(it.words) < 20:
        return ""
    spelled = sum(len(match.group()) // 2 + 1 for match in _SPELLED.finditer(it.text)) / len(it.words)
    if spelled > config.max_spelled_share:
        return f"{spelled:.2f} of the words are spelled out, most {config.max_spelled_share}"
    if len(it.text) <= config.max_mean_word * len(it.words):
        return ""
    mean = sum(map(len, it.words)) / len(it.words)
    return f"mean word of {mean:.1f} letters, most {config.max_mean_word}" if mean > config.max_mean_word else ""


def repeated_lines(it: Subject, config: CleanConfig) -> str:
    """The same lines again and again."""
    if len(it.lines) < 6:
        return ""
    seen = Counter(it.lines)
    again = sum(len(line) * (count - 1) for line, count in seen.items())
    return _share(again, sum(map(len, it.lines)), config.max_repeated_lines)


def repeated_ngrams(it: Subject, config: CleanConfig) -> str:
    """The same phrases again and again."""
    n = 16 if it.unspaced else 8
    total = len(it.words) - n + 1
    if total < 4 * n:
        return ""
    if total - (len(set(it.words)) - n + 1) <= config.max_repeated_ngrams * total:
        return ""  # each first word of its kind begins a run of its own, so there are enough of them
    runs = set(zip(*(it.words[i:] for i in range(n)), strict=False))
    return _share(total - len(runs), total, config.max_repeated_ngrams)


_LEADER = re.compile(r".*(?:\.{4,}|(?:\. ){4,}|…{2,}|・{4,}).{0,10}")
_BULLET = re.compile(r"(?:[-*+•·◦▪‣]|\(?\d{1,3}[.)])\s.*")
_ENDS = re.compile(r"[.!?。！？．]")


def contents(it: Subject, config: CleanConfig) -> str:
    """A table of contents."""
    if len(it.lines) < 6:
        return ""
    return _share(sum(_LEADER.fullmatch(line) is not None for line in it.lines), len(it.lines), config.max_leader_lines)


def bullets(it: Subject, config: CleanConfig) -> str:
    """A list of keywords: nothing but items, and no sentence among them."""
    if len(it.lines) < 10:
        return ""
    items = [line for line in it.lines if _BULLET.fullmatch(line) and not _ENDS.search(line[3:])]
    return _share(len(items), len(it.lines), config.max_bullet_lines)


_FUNCTION_WORDS = frozenset(
    "the be to of and that have with a an in is are was were for on by we this from as at it or not which its"
    " has had can may our these than but between".split()
)
_LEAST_FOR_WORDS = 15
_HIRAGANA = re.compile("[\u3041-\u3096]")


def no_sentence(it: Subject, config: CleanConfig) -> str:
    """A list of names or numbers: no function words in English, no hiragana in Japanese."""
    if it.lang == "ja":
        found = len(set(_HIRAGANA.findall(it.text)))
    elif it.lang == "en" and len(it.words) >= _LEAST_FOR_WORDS:
        found = len(_FUNCTION_WORDS.intersection(it.words[:100]))
    else:
        return ""
    return f"{found} function words, least {config.min_sentence_words}" if found < config.min_sentence_words else ""


def language(it: Subject, config: CleanConfig) -> str:
    """Another language than those asked for."""
    wanted = config.languages
    return f"{it.lang}, wanted {', '.join(wanted)}" if wanted and it.lang not in wanted else ""


def _visible(it: Subject) -> int:
    return len(it.text) - it.text.count(" ") - it.text.count("\n")


def _share(part: int, whole: int, limit: float) -> str:
    share = part / whole if whole else 0.0
    return f"{share:.3f}, most {limit}" if share > limit else ""


Rule = Callable[[Subject, CleanConfig], str]
RULES: tuple[Rule, ...] = (
    placeholder, withdrawn, too_short, garbled, symbols, digits, broken_words, repeated_lines, repeated_ngrams,
    contents, bullets, no_sentence, language,
)  # fmt: skip
"""In the order in which they are asked; the first that a text fails is the reason."""
TOO_LONG = "too_long"
"""The rule that is asked before cleaning, because cleaning such a text would take for ever."""
NAMES = (TOO_LONG, *(rule.__name__ for rule in RULES))


def failed(it: Subject, config: CleanConfig) -> tuple[str, str]:
    """Name of the first rule that a text fails and what it measured, ``("", "")`` when it passes all."""
    for rule in RULES:
        if rule.__name__ not in config.off and (detail := rule(it, config)):
            return rule.__name__, detail
    return "", ""
