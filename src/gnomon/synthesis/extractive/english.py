"""English questions out of English sentences, by patterns that keep the sentence's own words and order.

Subject questions ("Who showed…") and quiz questions ("…a rate of about how many km/s?") need no other word order; "In
which year did…" needs the plain form of a verb that is in the list. What fits no pattern becomes a gap.
"""

import re
from collections.abc import Iterator, Sequence

from gnomon.core.figures import figures
from gnomon.core.names import names
from gnomon.synthesis.extractive.candidates import Candidate
from gnomon.synthesis.extractive.entities import UNTYPED, Entity
from gnomon.synthesis.extractive.sentences import Sentence
from gnomon.synthesis.extractive.verbs import PAST, PAST_PATTERN
from gnomon.synthesis.selfcontained import definite

GAP = "____"
LAST_PART = 70
"""Characters that may follow a figure in a quiz question: farther back, the ear has lost it."""
LONGEST_QUIZ = 210
_NUMBER_PART = re.compile(
    r"[-−]?[\d.,]*\d(?: ?(?:million|billion|trillion|thousand|hundred))?(?:e[-+]?\d+)?(?: ?[x×*] ?10\^?-?\d+)?"
    r"|[a-z]+(?:-[a-z]+)?(?= |$)"
)
_NO_QUIZ_AFTER = re.compile(
    r"\b(?:some|only|just|all|the|these|those|its|his|her|their|another|first|last|next|other|between|from|remaining|every"
    r"|each|by|nearly|almost|about the|class|type|part|paper|no|number|band|chapter|figure|table|size|factor of|times"
    r"|plus or minus|within|plus|minus|to|late|early|mid|since|an?) $|[^\s(]$|[(±~-] ?$",
    re.I,
)
_COUNTED = re.compile(r" (?:(?!and\b|or\b|of\b|the\b|to\b|in\b)[a-z-]+ ){0,2}?([a-z-]+s)\b(?<!minus)(?<!plus)")
_NOT_COUNTED = re.compile(r" (?:times|was|is|has|as|this|years? (?:later|earlier|before|after|ago)|of|in|on|per)\b")
_UNIT_WORDS = {"s": "seconds", "m": "metres", "g": "grams", "h": "hours", "d": "days", "K": "kelvin", "G": "gauss",
               "T": "tesla", "y": "years", "J": "joules", "W": "watts"}  # fmt: skip
"""Units of one letter, as they are asked for."""
_PERCENT = re.compile(r"%|per ?cent", re.I)
_NAME = r"[A-Z][\w'’-]*(?:\.| )?(?:(?<=[. ])(?:(?:van|von|de|der|den) )*[A-Z][\w'’-]*\.? ?){0,3}(?<! )"
_DEED = re.compile(
    rf"(?:(?P<lead>In \d{{4}}),? )?(?P<who>{_NAME}(?:, {_NAME})*(?:,? and (?:{_NAME}|(?:his |her |their )?(?:colleagues"
    rf"|collaborators|co-workers|others)))?)(?:, an? [^,;:]{{8,90}},)? (?P<verb>{PAST_PATTERN})\b(?P<rest>.+)\.$"
)
AUXILIARY = frozenset({"had", "did"})
"""Verbs that need another behind them: their plain form alone asks nothing."""
LEAST_SAID = 9
"""Words of what somebody said, below which it must not speak of "the balance"."""
LEAST_DEED = 6
"""Words that must tell a deed for it to be known by them."""
_CLAUSE = re.compile(r"(?: in (?P<year>\d{4}))? (?P<clause>that [^;:]{20,220})$")
_SAID = frozenset(
    "found showed concluded argued suggested proposed noted reasoned predicted realised realized reported inferred"
    " demonstrated discovered estimated calculated claimed observed determined assumed".split()
)
_WEAK = frozenset(
    "asked tried attempted began wanted used had did took went came started let set kept put read considered analysed"
    " analyzed examined studied collected compared combined looked turned treated reached followed shared received"
    " continued returned investigated applied thought sought knew tested chose recorded announced published".split()
)
"""Verbs of what many people do: who did it can be asked only of a work that is named, or with its year and names."""
_AGAIN = re.compile(r"(?:,|;|\band|\bbut) (?:he|she|they|his|her|their)\b")
"""Who acted, once more: a question about who it was cannot go on with it."""
_BECAUSE = re.compile(r"(?P<what>[^;:]{20,150}?),? because (?P<why>[^;:]{15,200})\.$")
_INVERTED = re.compile(
    r"^(?:In|At|On|By|For|From|With|While|When|After|Before|If|Since|Although|Until|During|Among|Near)\b"
    r"|^.{0,40}, |\b(?:only|mainly|partly|largely|perhaps|not least|simply|doubted)$"
)
_IN_YEAR_FIRST = re.compile(r"In (?P<year>\d{4}),? ")
_BASES = {**{base: base for base in PAST.values()}, **PAST}
_ANY_FORM = "|".join(sorted(_BASES, key=lambda word: (-len(word), word)))
_WE = re.compile(
    rf"(?:Here,? |In this paper,? )?[Ww]e (?:also |further |then )?(?P<verb>{_ANY_FORM})"
    r" (?P<clause>(?:that|whether|how) [^;]{25,240})\.$"
)
_CALLED = re.compile(
    r"(?P<what>(?:An?|The|[A-Z])[^,;:()]{6,90}?) (?P<be>is|are|was|were) (?:now |often |usually |also )?"
    r"(?:called|known as|named|termed|dubbed) (?P<name>(?:an? |the )?[^,;:.()]{3,50})[.,]"
)
_IS_A = re.compile(
    r"(?P<what>(?:An?|The) [A-Z][\w'’.-]+(?: [A-Z\d][\w'’.-]*){0,4}|An? [a-z-]+(?: [a-z-]+)?"
    r"|[A-Z][\w'’.-]+(?: [A-Z\d][\w'’.-]*){0,4}|[A-Z][a-z]+(?: [a-z]+)?s) (?P<be>is|are)"
    r" (?P<rest>(?:an?|the) [^;]{25,240})\.$"
)
_SHORT = re.compile(r"\((?P<short>[A-Z][A-Za-z]{0,3}[A-Z]{1,5})s?\)")
_LESSER = frozenset("of the and for in on a an to with at by from".split())


def ask(sentence: Sentence, found: Sequence[Entity]) -> Iterator[Candidate]:
    """Every question that a sentence answers, natural ones before gaps."""
    yield from _definitions(sentence)
    yield from _who(sentence, found)
    yield from _why(sentence)
    for entity in found:
        if entity.kind == "year":
            yield from _when(sentence, entity, found)
        elif entity.figure is not None:
            yield from _quiz(sentence, entity)
    if sentence.anchored:
        yield from _found_out(sentence)
    yield from (_gap(sentence, entity) for entity in found if not entity.kind.startswith("count"))


def _made(
    kind: str, question: str, answer: str, sentence: Sentence, entity: Entity | None = None, *, titled: bool = False
) -> Candidate:
    return Candidate(
        kind=kind, question=question[:1].upper() + question[1:], answer=answer[:1].upper() + answer[1:],
        sentence=sentence, entity=entity, titled=titled,
    )  # fmt: skip


# Figures --------------------------------------------------------------------------------------


def _quiz(sentence: Sentence, entity: Entity) -> Iterator[Candidate]:
    """A quiz question ("…gave a mass of about how many K?"), where the figure stands near the end, or first of all."""
    text = sentence.text
    before, after = text[: entity.start], text[entity.end :]
    if len(text) > LONGEST_QUIZ or re.search(r"[;:]", text) or (before and _NO_QUIZ_AFTER.search(before)):
        return
    asked = _asked_for(entity, after)
    if not asked or (before and len(after) > LAST_PART) or "," in after:
        return
    answer = entity.text if not entity.kind.startswith("count") else f"{entity.text}{_noun(after)}"
    yield _made("numeric", f"{before}{asked}{after[:-1]}?", answer, sentence, entity)


def _asked_for(entity: Entity, after: str) -> str:
    part = _NUMBER_PART.match(entity.text)
    unit = entity.text[part.end() :] if part else ""
    if entity.kind.startswith("count"):
        counted = _COUNTED.match(after) and not _NOT_COUNTED.match(after)
        return "how many" if counted and part and not unit else ""
    if not unit or unit.startswith("-"):
        return ""
    plain = unit.strip()
    return "what percentage" if _PERCENT.fullmatch(plain) else f"how many {_UNIT_WORDS.get(plain, plain)}"


def _noun(after: str) -> str:
    counted = _COUNTED.match(after)
    return counted.group() if counted else ""


def _when(sentence: Sentence, entity: Entity, found: Sequence[Entity]) -> Iterator[Candidate]:
    """The question "In which year did…", of a person who did it or of something that was done."""
    text = sentence.text
    for person in (e for e in found if e.kind == "person"):
        first = _IN_YEAR_FIRST.match(text)
        if first and first["year"] == entity.text and person.start == first.end():
            done = re.fullmatch(rf" (?P<verb>{PAST_PATTERN})(?P<rest> [^;:]{{10,200}})\.", text[person.end :])
        elif person.start == 0:
            done = re.fullmatch(
                rf" (?P<verb>{PAST_PATTERN}) in {entity.text}(?P<rest> [^;:]{{10,200}})\.", text[person.end :]
            )
        else:
            done = None
        if done and done["verb"] not in AUXILIARY:
            question = f"In which year did {person.text} {PAST[done['verb']]}{done['rest']}?"
            yield _made("numeric", question, entity.text, sentence, entity)
            return
    passive = re.fullmatch(
        rf"(?P<what>[^,;:]{{4,90}}) (?P<be>was|were) (?P<done>\w+ed|found|made|built|seen|held|begun) in {entity.text}"
        r"(?P<rest>[^;:]{0,120})\.", text)  # fmt: skip
    if passive:
        what = _low(passive["what"])
        question = f"In which year {passive['be']} {what} {passive['done']}{passive['rest']}?"
        yield _made("numeric", question, entity.text, sentence, entity)


def _low(text: str) -> str:
    """A noun phrase from the head of a sentence, for its middle."""
    first = text.split(" ")[0]
    return text if first in names(text) or (first.isupper() and first != "A") else text[:1].lower() + text[1:]


# People ---------------------------------------------------------------------------------------


def _who(sentence: Sentence, found: Sequence[Entity]) -> Iterator[Candidate]:
    """The questions "Who showed in 1930 that…" and "What did Arthur Eddington show in 1930?", of people's deeds."""
    told = _DEED.match(sentence.text)
    people = [
        e for e in found if told and e.kind == "person" and told.start("who") <= e.start and e.end <= told.end("who")
    ]
    if told is None or not people:
        return
    lead, verb, rest = told["lead"] or "", told["verb"], told["rest"]
    alone = people[0] if people[0].text == told["who"] else None
    if len(rest.split()) >= LEAST_DEED and not _AGAIN.search(rest):
        question = f"{lead}, who {verb}{rest}?" if lead else f"Who {verb}{rest}?"
        yield _made("relation", question, told["who"], sentence, alone, titled=not _telling(lead, verb, rest))
    clause = _CLAUSE.match(rest)
    if clause and verb in _SAID and not _AGAIN.search(clause["clause"]) and not _thin(clause["clause"]):
        when = f" in {clause['year']}" if clause["year"] else f" {_low_lead(lead)}" if lead else ""
        question = f"What did {told['who']} {PAST[verb]}{when}?"
        yield _made("relation", question, clause["clause"] + ".", sentence, titled=True)


def _thin(clause: str) -> bool:
    """Whether what somebody said is short and about something known from before ("that the balance is unstable")."""
    return len(clause.split()) < LEAST_SAID and bool(definite(clause))


def _telling(lead: str, verb: str, rest: str) -> bool:
    """Whether a deed is known by its own words: a year or a figure, or two names, and no verb that says little."""
    return verb not in _WEAK and (bool(lead) or bool(figures(rest)) or len(names(f"x{rest}")) > 1)


def _low_lead(lead: str) -> str:
    return lead[:1].lower() + lead[1:]


def _why(sentence: Sentence) -> Iterator[Candidate]:
    """The question "Why is it that…", of a sentence that gives its reason."""
    told = _BECAUSE.match(sentence.text)
    if told and not _INVERTED.search(told["what"]):
        question = f"Why is it that {_low(told['what'])}?"
        yield _made("relation", question, f"Because {told['why']}.", sentence, titled=True)


def _found_out(sentence: Sentence) -> Iterator[Candidate]:
    """The question "What did {work} find?", of "we" sentences; the writer puts authors, title and year in."""
    said = _WE.match(sentence.text)
    if said and said["verb"] in _BASES:
        yield _made("relation", f"What did {{work}} {_BASES[said['verb']]}?", said["clause"] + ".", sentence)


# Definitions ----------------------------------------------------------------------------------


def _definitions(sentence: Sentence) -> Iterator[Candidate]:
    text = sentence.text
    called = _CALLED.match(text)
    if called:
        yield _made("definition", f"What {called['be']} {_low(called['what'])} called?", called["name"], sentence)
    defined = _IS_A.match(text)
    if defined and not re.search(r"\b(?:there|what|result|aim|reason|purpose|one)\b", defined["what"], re.I):
        yield _made("definition", f"What {defined['be']} {_low(defined['what'])}?", defined["rest"] + ".", sentence)
    for match in _SHORT.finditer(text):
        full = _spelled_out(match["short"], text[: match.start()].rstrip())
        if full:
            yield _made("definition", f"What does {match['short']} stand for?", full, sentence)


def _spelled_out(short: str, before: str) -> str:
    """The words before a bracket whose beginnings make the short form (COsmic Background Explorer), else empty."""
    words = list(re.finditer(r"[^\s-]+", before))
    for count in range(2, min(len(words), len(short) + 3) + 1):
        tail = words[-count:]
        if tail[0].group().lower() not in _LESSER and _begins(short.lower(), [w.group().lower() for w in tail]):
            return before[tail[0].start() :].strip()
    return ""


def _begins(letters: str, words: list[str]) -> bool:
    """Whether letters are beginnings of all the words in turn; small words may give none."""
    if not words:
        return not letters
    for taken in range(min(len(words[0]), len(letters), 4), -1, -1):
        enough = taken > 0 or words[0] in _LESSER
        if enough and letters[:taken] == words[0][:taken] and _begins(letters[taken:], words[1:]):
            return True
    return False


# Gaps -----------------------------------------------------------------------------------------


def _gap(sentence: Sentence, entity: Entity) -> Candidate:
    gapped = f"{sentence.text[: entity.start]}{GAP}{sentence.text[entity.end :]}"
    question = f"Fill the gap: “{gapped}”"
    typed = None if entity.kind.startswith(UNTYPED) else entity
    return Candidate(kind="cloze", question=question, answer=entity.text, sentence=sentence, entity=typed, titled=True)
