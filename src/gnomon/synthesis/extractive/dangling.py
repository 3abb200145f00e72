"""Dangling: words of a sentence whose meaning stands in another sentence, by rules stricter than those for questions.

A writer without a model cannot tell what "it" means; it can only refuse a sentence in which nothing before "it" could
be meant, or in which the only thing before it is the person who acts. Refusing too many costs little: the next
sentence is asked about instead.
"""

import re

from gnomon.synthesis.extractive.verbs import PAST_PATTERN

_CAPITALS = r"(?:[A-Z][\w.'’-]*|van|von|de|der|den)"
_DOER = re.compile(
    rf"^(?:In \d{{4}},? |By \d{{4}},? )?(?P<who>{_CAPITALS}(?:,? (?:and )?(?:{_CAPITALS}|his|her|their"
    rf"|colleagues|others|collaborators|co-workers|team|group))*)(?:, [^,]{{3,90}},| [^,]{{3,60}})?"
    rf" (?:had |has |also |then |later )*"
    rf"(?:{PAST_PATTERN})\b"
)
"""A sentence that opens with somebody who acts."""
_NOT_PLURAL = (
    "was has is its his this as thus us does always across perhaps less plus minus besides previous various famous mass"
    " gas class focus radius spectrus axis basis analysis physics luminous gaseous obvious serious numerous"
).replace(" ", "|")
_ONE = re.compile(
    r"\b(?:[Aa]n?|[Tt]he|[Ee]ach|[Ee]very|[Nn]o|his|her|their|one|[Aa]ny) [\w'’-]+"
    r"|\b[A-Z][\w'’-]+|\b(?!1\d{3}\b|20\d\d\b)\d[\d.,]*[ -]\w+"
)
_MANY = re.compile(rf"\b(?!(?:{_NOT_PLURAL})\b)[a-z-]{{2,}}(?:s|ae|i)\b|\b(?:people|men|women|data)\b|\w+ and \w+")
_IT = re.compile(r"\b(?:it|its|itself)\b")
_THEY = re.compile(r"\b(?:they|them|their|theirs|themselves)\b")
_EMPTY_IT = re.compile(
    r"\bit(?= (?:takes?|took|would take|turn(?:s|ed) out|seem(?:s|ed)|follow(?:s|ed)|bec(?:a|o)me (?:clear|possible)"
    r"|(?:is|was|were|be|had been) (?:\w+ )?(?:to|that|clear|possible|likely|impossible|hard|easy|not known)))"
    r"|(?<=make )it\b|(?<=makes )it\b|(?<=made )it\b"
)
_ELSEWHERE = re.compile(
    r"^(?:[\w-]+ ){1,3}(?:years?|decades?|months?|weeks?|days?|hours?|minutes?|centur(?:y|ies))"
    r" (?:later|earlier|before|after)\b(?! the\b)"
    r"|\b(?:to|of|from|by|with|in|at|for) it(?=[.,;])"
    r"|^(?:So|Yet|But|Thus|Hence|Then)\b|, that is\b"
    r"|^(?:For|At|With|From|Under|On|In) [^,;]*,? it \w+|\b(?:to|might|may|could|would|can) \w+ it\b"
    r"|\b(?:similar(?! to\b)|likewise|instead(?! of\b)|the rest(?! of\b)|the remaining|another|here|too(?=[.,;])"
    r"|the same(?! (?:moment|time|way)\b| (?:\w+ ){0,2}(?:as|that|in|for|from)\b)"
    r"|the (?:two|three|four|five|six|others?|pair|combination)\b(?! hand\b|-"
    r"| (?:\w+ ){0,2}(?:of|in|that|which|to|most|as)\b)"
    r"|the (?:old|new|earlier|later|original|present|resulting|corresponding) \w+(?! (?:of|in|that|which|for)\b)"
    r"|(?:two|three|four|one|some|all|none|most|many|few|half|each|both)(?= (?:were|was|are|is|had|has|have|lay))"
    r"|(?<!at )(?:two|three|four|some|none|most|many|few|half|each|both)(?=[.,;])"
    r"|there\b(?! (?:is|are|was|were|exist|had|has|have|be|appear|must|may|might|can|could|should|would|lie|no\b))"
    r"|those(?! (?:who|that|of|which|in|from|with|at|near|for|made|found|seen|predicted|expected|by))"
    r"|(?:that|such|so) (?:early|large|far|small|high|low)\b(?=[.,;])"
    r"|the (?:case|answer|question|problem|idea|finding|result|claim|suggestion|proposal|conclusion|doubt|debate"
    r"|latter|former|mystery|puzzle|conflict|discrepancy|difference|agreement|difficulty|explanation|demand|gap)"
    r"(?! (?:of|that|whether|between|in|for|with|to|from|why|how)\b))",
    re.I,
)
_SHOWN_JA = re.compile(r"、(?:そ|こ)(?:の|れ|こ|う)")
_NAMED_JA = re.compile(r"[をはが]")
_ELSEWHERE_JA = re.compile(
    r"(?:このほか|ほかにも|残り(?:の|は)|同様に|同じく|一方で?は?、|もう一|別の|他の|両方|どちらも|いずれも|ともに|先の"
    r"|^(?:結果|答え?|値|結論|質量|温度|距離|視野|大きさ|周期)[はが])"
)


def dangling(shown: str, lang: str) -> str:
    """The first words of a sentence that mean something only another sentence says; empty when there are none.

    Args:
        shown: The sentence on one line.
        lang: ``"ja"``, or anything else for the English rules.
    """
    if lang == "ja":
        return _dangling_ja(shown)
    match = _ELSEWHERE.search(shown)
    return match.group() if match else _pronoun(shown)


def _pronoun(shown: str) -> str:
    """A pronoun before which nothing stands that can be meant: for "it" and "them" not the people who act."""
    doer = _DOER.match(shown)
    acting = doer.end("who") if doer else 0
    empty = {match.start() for match in _EMPTY_IT.finditer(shown)}
    for word in _IT.finditer(shown):
        before = _low(shown, acting, word.start())
        if word.start() not in empty and not _ONE.search(before):
            return word.group()
    for word in _THEY.finditer(shown):
        if not _MANY.search(_low(shown, acting if word.group() == "them" else 0, word.start())):
            return word.group()
    return ""


def _low(shown: str, start: int, end: int) -> str:
    """Part of a sentence, without the capital that only its place gives: a first word with another capital keeps it."""
    part = shown[start:end]
    opens = start == 0 and not re.match(r"[A-Z][\w'’-]*[A-Z\d]|[A-Z][\w'’-]* (?:[A-Z]|is\b|was\b|has\b|had\b)", part)
    return part[:1].lower() + part[1:] if opens else part


def _dangling_ja(shown: str) -> str:
    match = _ELSEWHERE_JA.search(shown)
    if match:
        return match.group()
    for pointer in _SHOWN_JA.finditer(shown):
        if not _NAMED_JA.search(shown[: pointer.start()]):
            return pointer.group()
    return ""
