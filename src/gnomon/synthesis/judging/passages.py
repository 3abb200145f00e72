"""Passages: what a pair is judged against, read once a document.

The words a pair rests on, the sentences they stand in, the whole text, and who and what the document is about.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from gnomon.core.figures import Figure, figures
from gnomon.core.glyphs import visible
from gnomon.core.names import name_stands_in, names
from gnomon.core.records import Document
from gnomon.core.synthetic import QA
from gnomon.core.text import sentences
from gnomon.synthesis.judging.words import vocabulary

OPENING = 2
"""Sentences of a document in which its subject is named."""
_CAPITALS = re.compile(r"(?:[A-Z][\w'’-]*\s+(?:(?:of|for|and|the|de)\s+)*){1,6}[A-Z][\w'’-]*")
_LEAD = (
    r"^(?:On|In|About|According to) [“\"]TITLE[”\"](?: \([^)]*\))?[:,] "
    r"|^「TITLE」(?:（[^）]*）)?(?:について|によれば|では)[、：:]?"
)
"""How a question says first which work it is about."""
_GAP = re.compile(r"^Fill (?:in )?the (?:gap|blank)s?: |^空欄に入る語句は何か。")
SHARED = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
    r"|\b(?:Hubble(?:['’]s)? (?:constant|law|flow|time|diagram|parameter|expansion)|Milky Way|Type I[abc]?I?"
    r"|Nobel Prize(?: in \w+)?|Doppler|Cepheids?|Lyman|Balmer|Gaussian|Newton(?:ian|['’]s)|Kepler(?:ian|['’]s laws?)"
    r"|Zeeman effect|Sun"
    r"|Earth|Moon|Universe|Galaxy|Euclidean|Fourier|Planck (?:constant|law|spectrum))\b"
    r"|(?:エネルギー|スペクトル|ガス|ライマン|ドップラー|システム|データ|モデル|ブラックホール|ループ|フィルター|プラズマ|ニュートリノ|カメラ"
    r"|コンパクト|パラメーター|ピーク|サイズ|タイプ|レンズ|メートル|ヘリウム|カルシウム|ハッブル定数|ハッブルの法則|ケプラーの法則)"
)
"""Names that many documents share: they do not say which one a question is about."""
_HIRAGANA = re.compile("[ぁ-ん]{2,8}座")


@dataclass(frozen=True, slots=True)
class Passage:
    """A document as judges read it."""

    text: str
    """Its text."""
    title: str
    """Its title."""
    record: str
    """Title, authors, venue and year."""
    about: str
    """Title, authors and opening sentences: where its subject is named."""
    everything: str
    """All of it, with title, authors and year."""
    sentences: tuple[tuple[int, int], ...]
    """Where its sentences stand in ``text``."""
    initials: frozenset[str]
    """What the capitalised phrases of it would be abbreviated to."""
    quantities: frozenset[tuple[Decimal, str]]
    """Its figures with their units."""
    numbers: frozenset[Decimal]
    """Its figures without."""

    def around(self, pair: QA) -> str:
        """The sentences that the quotes of a pair stand in."""
        spans = [evidence.span for evidence in pair.evidence]
        held = [self.text[a:b] for a, b in self.sentences if any(s.start < b and a < s.end for s in spans)]
        return " ".join(held) or " ".join(evidence.quote for evidence in pair.evidence)

    def asked(self, question: str) -> tuple[str, bool]:
        """A question without the title of the document and what leads in with it, and whether it had the title."""
        shown = " ".join(question.split())
        titled = bool(self.title) and self.title in shown
        if titled:
            lead = re.compile(_LEAD.replace("TITLE", re.escape(self.title)))
            shown = lead.sub("", shown).replace(self.title, " ")
        return _GAP.sub("", shown).strip() or question, titled

    def knows(self, name: str) -> bool:
        """Whether a name stands in the document, spelled out or abbreviated."""
        plain = name.casefold().removesuffix("'s").removesuffix("’s")
        return stands(name, self.everything) or name in self.initials or plain in vocabulary(self.everything, "en")

    def counts(self, figure: Figure) -> bool:
        """Whether a figure stands in the document; one without a unit with any unit."""
        return figure.quantity in self.quantities or (not figure.unit and figure.number in self.numbers)


@lru_cache(maxsize=256)
def read_passage(document: Document) -> Passage:
    """A document, read."""
    found = tuple(sentences(document.text, document.lang))
    opening = document.text[: found[min(OPENING, len(found)) - 1][1]] if found else ""
    people = " ".join(author.name for author in document.biblio.authors)
    record = f"{document.title}\n{people}\n{document.biblio.venue} {document.biblio.year or ''}"
    everything = f"{record}\n{document.text}"
    there = figures(everything)
    return Passage(
        text=document.text, title=" ".join(document.title.split()), record=record,
        about=f"{document.title}\n{people}\n{opening}",
        everything=everything, sentences=found, initials=_initials(everything),
        quantities=frozenset(figure.quantity for figure in there), numbers=frozenset(figure.number for figure in there),
    )  # fmt: skip


def _initials(text: str) -> frozenset[str]:
    found = set()
    for match in _CAPITALS.finditer(visible(text)):
        letters = [word[0] for word in match.group().split() if word[0].isupper()]
        found |= {"".join(letters[a:b]) for a in range(len(letters)) for b in range(a + 2, len(letters) + 1)}
    return frozenset(found)


@lru_cache(maxsize=4_000)
def stands(name: str, text: str) -> bool:
    """Whether a name stands in a text; as it is written if possible, which is seen faster."""
    at = text.find(name)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        at = text.find(name, at + 1)
    return name_stands_in(name, text)


@lru_cache(maxsize=4_000)
def named(text: str, lang: str) -> tuple[str, ...]:
    """The names of a text; in Japanese also constellations, which are written in hiragana."""
    found = names(text)
    return (*found, *_HIRAGANA.findall(text)) if lang == "ja" else found
