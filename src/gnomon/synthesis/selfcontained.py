"""Self-contained: whether words can be understood by somebody who has nothing else to read.

A question *leans* on what its reader does not have when it points at a text ("the paper", 「本論文」), at something
said before ("this model", "he", 「その」 with nothing before it), or when it names nothing at all and speaks of "the
signal". Rules by form, in both languages, no model: they see how words point, not whether a subject is well known.
Writers and judges use the same ones.
"""

import re

from gnomon.core.glyphs import visible
from gnomon.core.names import names

_TEXTS = (
    "paper article manuscript abstract passage excerpt text document note chapter section appendix figure fig table"
    " author writer study work analysis investigation report letter"
).replace(" ", "|")
_WHOSE = r"(?! of\b| by\b| that\b| which\b| to\b| from\b| done\b| in which\b| function)"
_POINTS_EN = re.compile(
    rf"\b(?:this|these|our|the (?:present|current|given|above|same|following|accompanying))\s+(?:\w+\s+)?"
    rf"(?:{_TEXTS})s?\b"
    rf"|\bthe\s+(?:{_TEXTS})s?\b{_WHOSE}|\baccording to (?:it|them|him|her|this|these)\b"
    r"|\b(?:mentioned|described|discussed|stated|shown|noted|given|defined|introduced) (?:above|below|here|earlier)\b"
    r"|\b(?:we|us|ours|herein|aforementioned)\b|\babove-mentioned\b"
    r"|\bour\b(?! (?:own )?(?:galaxy|sun|solar|milky|local|planet|star|universe|sky))",
    re.I,
)
_BACK_EN = re.compile(
    r"\b(?:that|this|those|these|such) (?:one|ones|case|way|time|year|result|value|model|object|event|method)\b"
    r"|\bthe (?:former|latter|other one|other two|other|newcomer"
    r"|same (?:\w+ )?(?:group|team|author|year|time|data|object)s?)\b"
    r"|^(?:but|and|however|then|thus|therefore|yet|instead|moreover|furthermore|also|nevertheless|similarly|meanwhile"
    r"|hence|so|afterwards|later|soon|earlier|previously|here|another|others|both|such|in contrast|in addition|in turn"
    r"|as a result|by contrast|on the other hand|for example|for instance|in particular|at first|by then|until then"
    r"|since then|finally|indeed|still|again|accordingly|consequently|even so|at that time|at the same time|only|two of"
    r"|one of|some of|most of|all of|neither|either|this|these|those|that|it|they|he|she|its|their|his|her)\b"
    r"(?! (?:of (?:the )?)?(?-i:[A-Z]))"
    r"|\b(?:these|those) (?!who|that|of|which)\w+"
    r"|\b(?:at|in|of|to|for|from|by|with|on|near|above|below|beyond|around) that \w+|\b\w+ of them\b",
    re.I,
)
_THIS_EN = re.compile(r"\b(?:this|such)\b(?! (?:day|century|is why|as|that)\b)", re.I)
_PERSON_EN = re.compile(r"\b(?:he|she|him|his|her|hers|himself|herself)\b", re.I)
_THING_EN = re.compile(r"\b(?:it|its|itself|they|them|their|theirs|themselves)\b", re.I)
_EMPTY_IT = re.compile(
    r"\bit(?= (?:takes?|took|is|was|has|had|would|were|may|might|can|seems?|turn(?:s|ed)|became|be)\b)"
    r"|(?<=does )it(?= take\b)|(?<=did )it(?= take\b)|(?<=makes )it\b|(?<=made )it\b|(?<=make )it\b",
    re.I,
)
_THING_BEFORE = re.compile(
    r"\b(?:[Aa]n?|[Tt]he|[Ee]ach|every|[Aa]ll|[Mm]any|[Mm]ost|some|no|(?<!\d)(?!1\d{3}|20\d\d)\d[\d.,]*|two|three|four"
    r"|[A-Z]\w+)\s+\w+|\b(?!(?:was|has|its|his|this|thus|does)\b)[A-Za-z]{2,}s\b"
)
_THEY_DID = re.compile(
    r"\bthey (?:also |then |therefore )?(?:found|measured|observed|concluded|showed|used|argued|obtained|reported"
    r"|detected|estimated|derived|inferred|proposed|suggested|noted|saw|took|built|made|compared|called|named|studied)\b",
    re.I,
)
_PEOPLE = re.compile(
    r"[A-Z]\w+ and (?:[A-Z]|his|her|coll)|\b(?:colleagues|teams?|groups?|collaborat\w+|astronomers|observers)\b"
)
_BARE_EN = re.compile(
    r"\bthe (?:(?:new|two|three|four|five|whole|first|second|last|final|observed|measured|earlier|later|other"
    r"|proposed|best|brightest|largest|dedicated|computed) )*[a-z]+s?\b(?! (?:of|in|between|for|from|on|at|that|which"
    r"|whose|with|around|to|near|by|where) )"
)
_KNOWN_EN = re.compile(
    r"\bthe (?:sun|moon|earth|milky way|universe|big bang|sky|stars?|planets?|galaxy|galaxies|solar system|galactic"
    r"|cosmos|vacuum|speed of light|night sky|atmosphere|local group|equator|poles?|year|surface)\b",
    re.I,
)
_GENERIC_EN = re.compile(
    r"\bthe (?:(?:two|three|new|dedicated|same) )*(?:men|women|astronomers|objects?|methods?|project|values"
    r"|event|result|sample|signal|experiment|newcomer|core library|finding|solution|calculation)\b"
    r"(?! (?:of|that|which|in|by|between|for|to|from|with|at|on|called|named) | [A-Z\d])"
)
_POINTS_JA = re.compile(
    r"本(?:論文|研究|稿|書|文|節|章|解析|調査|観測)|(?:この|同|当|上記の?|以下の|上の|次の)(?:論文|研究|文章|文献|文|節|章|図|表|記事|著者)"
    r"|(?<!の)著者ら?(?=[はがのにもを])|筆者|本文|我々|われわれ|私たち|上記|上述|前述|先述|上で述べ|前に述べ|(?:図|表)[0-9０-９]"
)
_BACK_JA = re.compile(
    r"(?:前者|後者|両者|同(?:氏|年|時期|衛星|望遠鏡|装置|チーム|天体|星|銀河|じ研究))|こう(?:し|い)|そうし|ここ(?:で|から|に)"
    r"|これ(?:ら|は|を|が|に|まで|で|と|も)|^(?:[2-9二三四五]人|また|さらに|しかし|だが|一方|そこで|そして|ただし|なお|つまり|すなわち|したがって"
    r"|よって|それ|その|この|あの|彼|同|もう|やがて|後に|のちに|当時|以後|以来|次に|次いで|続いて|結局|ところが|とくに|特に|例えば|たとえば)"
)
_THAT_JA = re.compile(r"(?:その|それ(?:ら|は|を|が|に|ぞれ)?|あの|この)")
_EACH_JA = re.compile(r"それぞれ")
_PERSON_JA = re.compile(r"彼(?:女|ら)?(?=[はがのにもをと])")
_NEAR_JA = 10
"""Characters before 「その」 within which nothing can have been named yet."""


def leaning(text: str, lang: str) -> str:
    """The first words of a text that lean on something outside it; empty when none do.

    Args:
        text: A question, an answer or a sentence.
        lang: ``"ja"``, or anything else for the English rules.
    """
    shown = " ".join(visible(text).split())
    return _leaning_ja(shown) if lang == "ja" else _leaning_en(shown)


def pointing(text: str, lang: str) -> str:
    """The first words of a text that point at a text nobody sees ("the paper"); empty when none do.

    Answers are held to this alone: they may lean on their question.
    """
    match = (_POINTS_JA if lang == "ja" else _POINTS_EN).search(" ".join(visible(text).split()))
    return match.group().strip() if match else ""


def unnamed(question: str, lang: str) -> str:
    """The words with which a question speaks of something it never named ("the signal"); empty when it does not."""
    shown = " ".join(visible(question).split())
    if lang == "ja":
        return ""
    if names(_head_off(shown)):
        generic = _GENERIC_EN.search(shown)
        return generic.group() if generic else ""
    return definite(shown)


def definite(shown: str) -> str:
    """The first English words that speak of one thing as if it were known ("the signal"); empty without any."""
    bare = next((m for m in _BARE_EN.finditer(shown) if not _KNOWN_EN.match(m.group())), None)
    return bare.group() if bare else ""


def _head_off(question: str) -> str:
    """The question without its first word, whose capital says nothing."""
    return question[:1].lower() + question[1:]


def _leaning_en(shown: str) -> str:
    for pattern in (_POINTS_EN, _BACK_EN):
        match = pattern.search(shown)
        if match and not match.group().isupper():
            return match.group().strip()
    match = _THIS_EN.search(shown)
    if match:
        return match.group()
    return _pronoun_en(shown)


def _pronoun_en(shown: str) -> str:
    """A pronoun that nothing before it in the text can be meant by."""
    person = _PERSON_EN.search(shown)
    if person and not names(_head_off(shown[: person.start()])) and not re.match(r"[A-Z]\w+ [A-Z]\w+", shown):
        return person.group()
    deed = _THEY_DID.search(shown)
    if deed and not _PEOPLE.search(shown[: deed.start()]):
        return deed.group()
    empty = {match.start() for match in _EMPTY_IT.finditer(shown)}
    for thing in _THING_EN.finditer(shown):
        if thing.start() in empty:
            continue
        return "" if _THING_BEFORE.search(_head_off(shown[: thing.start()])) else thing.group()
    return ""


def _leaning_ja(shown: str) -> str:
    for pattern in (_POINTS_JA, _BACK_JA):
        match = pattern.search(shown)
        if match:
            return match.group()
    masked = _EACH_JA.sub("・・・・", shown)
    for match in _THAT_JA.finditer(masked):
        bound = match.group() == "その" and masked[: match.start()].endswith(("と", "や"))
        if (match.start() < _NEAR_JA and not bound) or match.group() == "この":
            return match.group()
    person = _PERSON_JA.search(shown)
    return person.group() if person and not names(shown[: person.start()]) else ""
