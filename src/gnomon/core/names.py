"""Names: the words of a text that name a person, a place, an instrument or an object.

Found by their form alone, so that no model or dictionary is needed: capitalised words and
designations in spaced scripts; katakana runs, people before a title and the topics that open a
sentence in Japanese. Too many rather than too few: a name is only ever *looked for* in the
evidence, so a common word read as a name does no harm where the evidence has it too.
"""

import re
import unicodedata

from gnomon.core.figures import blank_figures
from gnomon.core.glyphs import visible
from gnomon.core.text import sentences

_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[^\W_{_UNSPACED}](?:[^\W_{_UNSPACED}]|['’.&](?=[^\W_{_UNSPACED}]))*")
_OPENERS = frozenset(
    (
        "a about above according across after again against all almost along already also although altogether among"
        " an and another any around as at because before behind below beneath besides between beyond both but by can"
        " chief could despite did different do does during each early either enough even every few finally first"
        " following for fourth from fully further given half hardly has have he hence her here high his how however i"
        " if in indeed inside instead into it its just last late later least less light like likewise little long"
        " lower many may meanwhile might more moreover most much must near neither never nevertheless new next no none"
        " nor not nothing now of off often old on once one only or other others our out outside over part perhaps"
        " rather same second seen several shall she should since so some sometimes soon still such taken than that the"
        " their them then there therefore these they third this those though three through throughout thus to today"
        " together too toward towards two under unlike until up upon us use using very was we well were what when"
        " where whereas whether which while who whose why will with within without work would yet you your dark faint"
        " bright young hot cold large small dust gas light matter radio optical infrared ultraviolet cosmic stellar"
        " solar galactic mean total data theory"
    ).split()
)
_COMMON_ENDING = re.compile(
    r"(?:ly|ing|ed|tions?|sions?|ments?|ness|ity|ities|ances?|ences?|ures?|isms?|ists?|ers|ors|ies|ives?|als?|ous|ible"
    r"|able|ic|ics|ary|ogy|age|ages|sts|ths|ays|ets|oles|ars|xies|elds|ines|nds|ght)$"
)
_ROMAN = re.compile(r"[IVX]+$")
_KATAKANA = re.compile(r"[ァ-ヺヽヾ][ァ-ヺー・ヽヾ]*[ァ-ヺー]")
_TITLED = re.compile(r"([\u3005\u4e00-\u9fff]{1,4})(?:氏|博士|教授|さん|先生|ら(?=[はがのもに、]))")
_TOPIC = re.compile(r"(?:^|[、。「])([\u3005\u4e00-\u9fff]{1,4})(?=[はが](?![\u3041-\u3093]{0,1}(?:じ|っ|く|り)))")
_COMMON_TOPICS = frozenset(
    "結果 観測 研究 論文 著者 彼 彼女"
    " 今回 最近 当時 現在 今日 実際 太陽 銀河 宇宙 恒星 惑星 彗星 星雲 星団 磁場 質量 距離 速度"
    " 温度 光 星 値 線 像 群 後 前 次 答 鍵 図 表 式".split()
)  # fmt: skip


def plain_word(word: str) -> str:
    """A word for comparing names: no accents on Latin letters, no case, no possessive."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return re.sub(r"['’]s?$", "", bare.casefold()).replace("’", "'").strip(".")


def names(text: str) -> tuple[str, ...]:
    """The names of a text as they are written, in order, each once."""
    blank = blank_figures(text)
    starts = {_first_letter(blank, a) for a, _ in sentences(blank)}
    found = [(m.start(), m.group()) for m in _WORD.finditer(blank) if _is_name(blank, m, opens=m.start() in starts)]
    found += [(m.start(), m.group()) for m in _KATAKANA.finditer(blank)]
    found += [(m.start(1), m.group(1)) for m in _TITLED.finditer(blank)]
    found += [(m.start(1), m.group(1)) for m in _TOPIC.finditer(blank) if m.group(1) not in _COMMON_TOPICS]
    return tuple(dict.fromkeys(name for _, name in sorted(found)))


def name_stands_in(name: str, evidence: str) -> bool:
    """Whether a name stands in a text: whole words in spaced scripts, whole runs in katakana."""
    shown = visible(evidence)
    if _KATAKANA.fullmatch(name):
        parts = {part for match in _KATAKANA.finditer(shown) for part in (match.group(), *match.group().split("・"))}
        return name in parts
    if not _WORD.match(name):
        return name in shown
    wanted = plain_word(name)
    known = {plain_word(word) for word in (*_WORD.findall(shown), *_WORD.findall(blank_figures(evidence)))}
    return wanted in known or (len(wanted) > 5 and (wanted + "s" in known or wanted.removesuffix("s") in known))


def _first_letter(text: str, start: int) -> int:
    while start < len(text) and not text[start].isalnum():
        start += 1
    return start


def _is_name(text: str, match: re.Match[str], *, opens: bool) -> bool:
    word = match.group()
    inner = sum(c.isupper() for c in word[1:])
    if inner or (any(c.isdigit() for c in word) and any(c.isalpha() for c in word)):
        return not _ROMAN.match(word)
    if not word[0].isupper() or len(word) < 2:
        return False
    if not opens and text[match.start() - 1 : match.start()] not in {'"', "“", "‘"}:
        return True
    plain = plain_word(word)
    followed = re.match(rf"(?:-| (?:and )?)([^\W\d_{_UNSPACED}])", text[match.end() :])
    proper_next = followed is not None and followed.group(1).isupper()
    return plain not in _OPENERS and (proper_next or not _COMMON_ENDING.search(plain))
