"""Sentences: which of a document's own sentences can be asked about, and with what they must be introduced.

A sentence is *usable* when it states a fact (a figure, a name, what something is or is called), is neither a fragment
nor a page, and does not lean on the one before it. One that says "we", opens without a name, or speaks of "the signal",
is understood only with its work's title: it is *anchored*, and its question opens with the title.
"""

import re
from dataclasses import dataclass

from gnomon.core.figures import figures
from gnomon.core.glyphs import visible
from gnomon.core.names import names, plain_word
from gnomon.core.records import Document
from gnomon.core.text import has_kana, sentences, unspaced_share
from gnomon.synthesis.extractive.acting import author_of, named
from gnomon.synthesis.extractive.dangling import dangling
from gnomon.synthesis.selfcontained import definite, leaning

LENGTHS = {"en": (48, 330), "ja": (18, 150)}
"""Characters of a sentence that is asked about, by language."""
LONGEST_TITLE = 160
OPENING_WORDS = 8
"""Words of a sentence within which somebody or something has to be named, or the title has to help."""
_OPENING_JA = re.compile(r".{0,40}?[はがに](?=.)")
_WE = re.compile(r"\b(?:we|our|us|ours)\b|我々|われわれ|私たち|本研究|本論文|本稿", re.I)
_WE_OFF = re.compile(r"\b(?:we|our|us|ours)\b", re.I)
_BROKEN = re.compile(r"\\[A-Za-z]+|\$|[{}]|\[\d+(?:,\s*\d+)*\]|https?://|\(\s*\)|^[^\w\"“「『(]|…")
_QUESTION = re.compile(r"[?？]|か。$")
_NO_END = re.compile(r"[.。!！][\"”’)」』]*$")
_DEFINES = re.compile(
    r"\b(?:called|known as|termed|dubbed)\b|^(?:(?:An?|The) )?[\w'’-]+(?: [\w'’-]+){0,3}? (?:is|are) (?:an?|the) "
    r"|と呼ばれ|と呼[ばぶん]|^[^。]{2,20}とは"
)
_IN_A_STORY = re.compile(
    r"\b(?:then|therefore|thus|also|soon|later|earlier|eventually)\b"
    r"|\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December)\b(?! \d{4})"
)
"""Words by which a sentence goes on with what was told before."""
_SAYS_WHICH_JA = re.compile(r"[A-Z]{2,}[A-Za-z]*[ -]?\d|[一-龥]ら(?=[はがの])")
"""What in the opening of a Japanese sentence names one thing: a designation, a person with others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """One sentence that can be asked about."""

    start: int
    """Its first character in the document."""
    end: int
    """One past its last."""
    text: str
    """It, on one line, as its questions say it: as long as ``visible`` makes it, "He" perhaps become a name."""
    lang: str
    """``en`` or ``ja``."""
    anchored: bool
    """Whether its questions open with the work's title."""
    named: str = ""
    """The name that took the place of its first pronoun: its words do not hold it, so it is not asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unusable:
    """A sentence with facts that is not asked about."""

    text: str
    """It."""
    why: str
    """The words on which it leans, or what else is wrong."""


def language_of(document: Document) -> str:
    """``ja`` or ``en``, the two that questions are written in; the document's own word when it is another."""
    if document.lang not in {"", "und"}:
        return document.lang
    return "ja" if has_kana(document.text[:2_000]) or unspaced_share(document.text[:2_000]) > 0.3 else "en"


def read_sentences(document: Document, lang: str) -> tuple[list[Sentence], list[Unusable]]:
    """The usable sentences of a document, in order, and those with facts that are not."""
    usable: list[Sentence] = []
    left: list[Unusable] = []
    before, author = "", author_of(document)
    for start, end in sentences(document.text, lang):
        written = one_line(document.text[start:end])
        shown, before = named(written, before, author), written
        if not bears_facts(shown):
            continue
        why = _why_not(shown, lang)
        if why:
            left.append(Unusable(text=shown, why=why))
        else:
            put = author if shown != written else ""
            anchored = _needs_title(shown, lang)
            usable.append(Sentence(start=start, end=end, text=shown, lang=lang, anchored=anchored, named=put))
    return usable, left


def one_line(text: str) -> str:
    """A text on one line whose characters are those of its visible form, one for one."""
    plain = " ".join(text.split())
    shown = visible(plain)
    return plain if len(shown) == len(plain) else shown


def bears_facts(sentence: str) -> bool:
    """Whether a sentence holds a figure or a name, or says what something is."""
    return bool(figures(sentence) or names(sentence) or _DEFINES.search(sentence))


def fact_sentences(document: Document, lang: str) -> int:
    """How many sentences of a document bear facts: the measure of how much can be asked."""
    return sum(bears_facts(document.text[a:b]) for a, b in sentences(document.text, lang))


def _why_not(shown: str, lang: str) -> str:
    least, most = LENGTHS.get(lang, LENGTHS["en"])
    if not least <= len(shown) <= most:
        return f"{len(shown)} characters"
    broken = _BROKEN.search(shown)
    if broken or _QUESTION.search(shown) or not _NO_END.search(shown):
        return broken.group() if broken else "no plain statement"
    if lang != "ja" and not (shown[0].isupper() or shown[0].isdigit()):
        return "begins inside a sentence"
    return leaning(_WE_OFF.sub("astronomers", shown), lang) or dangling(shown, lang)


def _needs_title(shown: str, lang: str) -> bool:
    if _WE.search(shown):
        return True
    if lang == "ja":
        topic = _OPENING_JA.match(shown)
        return not _SAYS_WHICH_JA.search(topic.group() if topic else "")
    opening = " ".join(shown.split()[:OPENING_WORDS])
    if not re.match(r"\S+ [A-Z\d]", opening):
        opening = opening[:1].lower() + opening[1:]
    return not names(opening) or bool(_IN_A_STORY.search(shown) or definite(shown))


def anchor(document: Document, lang: str, *, hidden: str = "") -> str:
    """The words that name a document's work at the head of a question; empty when it has no title.

    Args:
        document: The document.
        lang: The question's language.
        hidden: An answer that they must not give away: its year and its people are left out.
    """
    title = " ".join(document.title.split())
    if not title or len(title) > LONGEST_TITLE:
        return ""
    people = [a.name.split(",")[0].strip() for a in document.biblio.authors if a.name.strip() != "et al."]
    many = len(people) > 2 or len(people) < len(document.biblio.authors)
    who = f"{people[0]} et al." if people and many else " & ".join(people)
    given_away = any(plain_word(person.split()[-1]) in plain_word(hidden) for person in people if person)
    year = str(document.biblio.year or "")
    where = ", ".join(part for part in ("" if given_away else who, "" if year in hidden else year) if part)
    if lang == "ja":
        return f"「{title}」（{where}）について、" if where else f"「{title}」について、"
    return f"On “{title}” ({where}): " if where else f"On “{title}”: "
