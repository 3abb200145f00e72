"""Entities: the figures and names of a sentence that can be asked for, each with its type.

Two answers can stand beside each other as options only when they are of one *type*: quantities of one unit, counts of
things, years, persons, objects with designations, or names that end in the same noun (``Observatory``).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from gnomon.core.figures import Figure, figures
from gnomon.core.glyphs import visible
from gnomon.core.names import plain_word
from gnomon.core.records import Document
from gnomon.synthesis.extractive.verbs import PAST_PATTERN

_YEAR = re.compile(r"(?:1[5-9]|20)\d\d年?")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_BETWEEN = re.compile(
    r" ?(?:±|\+/-|\+|-|–|−|~|〜|～|to|and|or|から|と|、|,|より|x|×|by|：|:|/|of|in|分の|plus or minus"
    r"|, ?with (?:an )?(?:error|uncertainty)s? of) ?"
)
_NO_NAMES = "in|by|about|since|around|until|before|after|at|of|only|some|from|over|nearly|another|both|all|within|with"
_PART_OF_MORE = re.compile(
    rf"(?:\b(?:{_MONTHS})|\b(?!(?:{_NO_NAMES})\b)(?-i:[A-Z][\w'’-]*)|\bparts? in"
    r"|\b(?:part|type|class|no\.|number|index|factor)s?"
    r"|[×x^(+~〜±/-]|[月世第])[ -]?$|\ba $",
    re.I,
)
_MORE_AFTER = re.compile(
    rf"s\b|-|[×^~〜/]| ?(?:{_MONTHS})\b| (?:or|part|parts|in|confidence|significance)\b"
    r"|分の|乗|世紀|等星|型|月|時|号|から|年代|回目|つ目|番目|人目|つとも|の?(?:信頼|有意)"
)
_NO_FIGURES = frozenset({"one", "two", "zero", "million", "billion", "trillion", "thousand", "hundred", "1", "dozen"})
_DATE = re.compile(r"\d{1,2}(?:日|分|h|時)")
_COUNTED = re.compile(
    r" (?:[a-z-]+ ){0,2}?[a-z-]+(?:s|i|ae|a)\b(?<!was)(?<!has)(?<!is)(?<!a)"
    r"|([個本台枚倍種群例件体点組基人つ羽匹]|か所|箇所|パーセント)"
)
_PARTICLE = "(?:van|von|de|der|den|du|la|le|di|Mc|Mac|St\\.)"
_CAPITAL = r"[A-Z][\w'’-]*[a-zé\w]"
_RUN = re.compile(rf"(?<![\w'’.-])(?:{_CAPITAL}|[A-Z]\.)(?: (?:{_PARTICLE} )*(?:{_CAPITAL}|[A-Z]\.))*(?!\w)")
_OBJECT = re.compile(
    r"(?<![\w-])(?:(?:NGC|IC|M|HD|HR|PSR|SN|GRB|GW|SGR|PKS|QSO|Abell|HE|WASP|Kepler|TOI|CP|SDSS|RX|XTE|AT|KIC|Gliese"
    r"|GJ|HIP|UGC|Mrk|3C)[ -]?[A-Z]?\d[\w.+-]*\w|\d[A-Z] ?\d{2,4}|Cygnus X-\d"
    r"|Sagittarius A\*|Cen X-\d|Sgr A\*)(?![\w*])"
)
_CATALOGUE = re.compile(r"\d?[A-Za-z]*")
_HEADS = (
    "Observatory Telescope Institute University Laboratory Survey Satellite Array Mission Explorer Collaboration"
    " Spectrograph Interferometer Nebula Cluster Cloud Catalogue Project Team Network Bank"
).split()
UNTYPED = "any:"
"""How the type begins of what has no type: it is asked for, never with options."""
_THINGS = (
    "cluster galaxy nebula belt effect law relation limit cutoff principle sequence diagram process constant probe"
    " satellite telescope spacecraft mission survey track instability theorem equation function algorithm method mass"
)
_NO_TERM = "The|An?|In|At|This|Its?|By|From|With|When|For|One|Two|Three|Four|Both|Each|New|X-ray"
_NO_TERM += "|Italian|American|Japanese|European|Soviet|British|French|German|Dutch|Russian"
_TERM = re.compile(
    rf"(?<![\w'’.-])(?<!de )(?<!van )(?!(?:{_NO_TERM})\b)(?:{_CAPITAL}|[A-Z]{{2,5}})"
    rf"(?: (?:{_CAPITAL}|[A-Z]{{2,5}}))* (?P<head>{_THINGS.replace(' ', '|')})(?![\w-])"
)
_SHORT = re.compile(r"(?<![\w'’.(-])(?<!, )(?<!and )[A-Z][a-z]*[A-Z][A-Za-z]*[A-Z][A-Za-z\d]*(?![\w-]|,| and| \d|'s)")
"""Names made of capitals, outside lists: of instruments, surveys, programs."""
_NO_SHORT = frozenset({"NASA", "CCD", "CCDs", "III", "VII", "UTC", "BSD", "USA"})
_TERM_JA = re.compile(r"(?<![ァ-ヺー・一-龥A-Za-z、])[ァ-ヺ][ァ-ヺー・]{3,20}(?=[はがのをにでと])")
_COMMON_JA = re.compile(
    r"データ|モデル|グループ|チーム|サンプル|パターン|レベル|エネルギー|スペクトル|プロジェクト|サイズ|システム|パーセント|ガウス|ケルビン"
    r"|メートル|インチ|ミクロン|フィート|トン$|スケール|アメリカ|ヨーロッパ|フランス|イギリス|ドイツ|イタリア|カナダ|ロシア|オランダ"
)
_NO_PERSON = frozenset(
    (
        "Soviet Union American Science United States New Mount Cape Bell Jodrell Observatories Laboratories"
        " Milky Way Sky Digital Galactic Solar Local"
        " Group Universe Space Deep Field North South Big Bang Star Stars"
    ).split()
)
_TITLES = frozenset(
    "the a an in by on at for from with of and or to but when while although after before since this these that its"
    " using working however under how what why who which if both only not no so as it he she they we our there".split()
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """Something a sentence says that can be asked for."""

    start: int
    """Its first character in the sentence."""
    end: int
    """One past its last; the unit of a quantity is inside."""
    text: str
    """It, as written."""
    kind: str
    """Its type: ``quantity:UNIT``, ``count``, ``year``, ``person``, ``object:CATALOGUE``, ``place:HEAD``,
    ``term:HEAD``, ``any:FORM``."""
    figure: Figure | None = None
    """The number, of a figure."""


def entities(sentence: str, surnames: Collection[str] = ()) -> list[Entity]:
    """The entities of a sentence, in order.

    Args:
        sentence: A sentence as ``sentences.one_line`` gives it.
        surnames: Plain surnames of people known here: the document's authors.
    """
    found = [*_figures(sentence), *_objects(sentence)]
    found += [one for one in _terms(sentence) if not any(one.start < e.end and e.start < one.end for e in found)]
    taken = [(entity.start, entity.end) for entity in found]
    for entity in _runs(sentence, surnames):
        if not any(entity.start < end and start < entity.end for start, end in taken):
            found.append(entity)
    return sorted(found, key=lambda entity: entity.start)


def surnames_of(document: Document) -> frozenset[str]:
    """The plain surnames of a document's authors, teams left out."""
    listed = (author.name for author in document.biblio.authors if "," in author.name)
    return frozenset(plain_word(name.split(",")[0].split()[-1]) for name in listed if name.split(",")[0].strip())


def _figures(sentence: str) -> list[Entity]:
    shown = visible(sentence)
    if len(shown) != len(sentence):
        return []
    every = figures(sentence)
    kinds = [_kind(sentence, figure) for figure in every]
    alone = [not any(_joined(sentence, figure, other) for other in every[max(0, i - 1) : i + 2] if other is not figure)
             for i, figure in enumerate(every)]  # fmt: skip
    return [
        Entity(start=f.start, end=f.end, text=sentence[f.start : f.end], kind=kind, figure=f)
        for f, kind, single in zip(every, kinds, alone, strict=True) if kind and single
    ]  # fmt: skip


def _joined(sentence: str, figure: Figure, other: Figure) -> bool:
    """Whether two figures are one statement: a range, a value with its error, a product, a ratio."""
    first, second = sorted((figure, other), key=lambda f: f.start)
    return _BETWEEN.fullmatch(sentence[first.end : second.start]) is not None


def _kind(sentence: str, figure: Figure) -> str:
    """The type of a figure; empty when it is a date, a part of a name or a number that says nothing alone."""
    written, before, after = sentence[figure.start : figure.end], sentence[: figure.start], sentence[figure.end :]
    if (
        _PART_OF_MORE.search(before[-24:])
        or _MORE_AFTER.match(after)
        or written.lower() in _NO_FIGURES
        or written[0].isalpha()
    ):
        return ""
    if _YEAR.fullmatch(written):
        return "year"
    if figure.unit:
        if figure.value == 1 and figure.unit in {"yr", "d", "s"}:
            return ""
        return "" if _DATE.fullmatch(written) else f"quantity:{figure.unit}"
    if not written[0].isdigit():
        return ""
    if re.match(r" times\b", after):
        return "count:times"
    counted = _COUNTED.match(after)
    return f"count:{counted.group(1) or 'things'}" if counted else ""


def _objects(sentence: str) -> list[Entity]:
    """Designations; a wrong option must be of the same catalogue."""
    return [
        Entity(start=m.start(), end=m.end(), text=m.group(), kind=f"object:{_CATALOGUE.match(m.group())[0]}")  # type: ignore[index]
        for m in _OBJECT.finditer(sentence)
    ]


def _terms(sentence: str) -> list[Entity]:
    """Things called by a name: ``Coma cluster``, and words in katakana."""
    found = []
    for match in _TERM.finditer(sentence):
        owner = re.match(r".*['’]s ", match.group())
        start = match.start() + (owner.end() if owner else 0)
        if start < match.start("head"):
            found.append(Entity(start=start, end=match.end(), text=sentence[start : match.end()],
                                kind=f"term:{match['head']}"))  # fmt: skip
    found += [Entity(start=m.start(), end=m.end(), text=m.group(), kind=f"{UNTYPED}katakana")
              for m in _TERM_JA.finditer(sentence) if not _COMMON_JA.search(m.group())]  # fmt: skip
    found += [Entity(start=m.start(), end=m.end(), text=m.group(), kind=f"{UNTYPED}short")
              for m in _SHORT.finditer(sentence) if m.group() not in _NO_SHORT]  # fmt: skip
    return [one for one in found if sentence.count(one.text) == 1]


def _runs(sentence: str, surnames: Collection[str]) -> list[Entity]:
    """Capitalised runs that are persons or named places and instruments."""
    found = []
    for match in _RUN.finditer(sentence):
        start, words = match.start(), match.group().split()
        while words and words[0].lower() in _TITLES:
            start += len(words[0]) + 1
            words = words[1:]
        text = " ".join(words)
        kind = _run_kind(text, words, sentence[start + len(text) :], surnames) if words else ""
        if kind:
            found.append(Entity(start=start, end=start + len(text), text=text, kind=kind))
    return found


def _run_kind(text: str, words: list[str], after: str, surnames: Collection[str]) -> str:
    if words[-1] in _HEADS and re.match(r" (?:of|for|and) (?:the )?[A-Z]", after):
        return ""
    if words[-1] in _HEADS:
        return f"place:{words[-1]}" if len(words) > 1 else ""
    if any(word in _HEADS for word in words):
        return ""
    does = re.match(rf"(?:, [^,]{{3,80}},)? (?:{PAST_PATTERN})\b", after)
    if words[-1].endswith(("'s", "’s")) or any(word in _NO_PERSON for word in words):
        return ""
    if plain_word(words[-1]) in surnames and not after.startswith("-"):
        return "person"
    people = 2 <= len(words) <= 4 and all(re.fullmatch(r"[A-Z][a-zé’'-]+|[A-Z]\.|van|von|de|der|den", w) for w in words)
    return "person" if people and does else ""
