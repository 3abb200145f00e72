"""The always-on checks: what code alone can say about a text and its citations.

No model takes part. The same functions judge the extractive voice and every text a language
model writes: citation ids against those handed out, quotes against their passage, numbers, units,
years and names of a cited sentence against its evidence, and n-gram coverage. A check that finds
nothing to look at says ``None``, never 1.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gnomon.core.answers import Checks, Citation, Claim
from gnomon.core.figures import figures
from gnomon.core.glyphs import quotable, visible
from gnomon.core.names import name_stands_in, names
from gnomon.core.text import ngrams, sentences, terms, unspaced_share

WORD_GRAM = 3
CHARACTER_GRAM = 5
_BRACKETS = re.compile(r"[\[［【〔]([^\[\]［］【】〔〕\n]{1,300})[\]］】〕]")
_IDS_ONLY = re.compile(r"\s*R\s?(\d+)(?:\s*(-)\s*R?\s?(\d+))?\s*(?:[,;、/&]|and)?", re.IGNORECASE)
_OPENS_WITH_ID = re.compile(r"\s*R\s?\d+(?![A-Za-z\d])", re.IGNORECASE)
_ID_AFTER_END = re.compile(r"(?<![.!?。！？])([.!?。！？]+[\"'”’)」』]*)(\s*)((?:\[R\d+\]\s*)+)")
_WIDEST_RANGE = 50
_LETTERS_OR_DIGITS = re.compile(r"[^\W_]")


# Ids ------------------------------------------------------------------------------------------


def keep_known_ids(text: str, known: Collection[str]) -> tuple[str, int]:
    """Remove every citation id that was not handed out.

    Ids are read as a reader sees them (full width, zero-width characters, lists, ranges); those
    kept are written ``[R1]`` one by one.

    Args:
        text: The text a voice wrote.
        known: Ids handed out, such as ``{"R1", "R2"}``.

    Returns:
        The text with known ids only, and how many unknown ones were removed.
    """
    unknown = 0

    def mend(match: re.Match[str]) -> str:
        nonlocal unknown
        inside = visible(match.group(1))
        if not _OPENS_WITH_ID.match(inside):
            return match.group()
        ids = _listed_ids(inside)
        kept = [i for i in dict.fromkeys(ids) if i in known]
        unknown += sum(i not in known for i in ids)
        return "".join(f"[{i}]" for i in kept)

    mended = _BRACKETS.sub(mend, text)
    while (again := _BRACKETS.sub(mend, mended)) != mended:
        mended = again
    return (re.sub(r"[ \t]+(?=[.,;:!?](?:\s|$))|(?<=\S)[ \t]{2,}", _one_space, mended) if unknown else mended), unknown


def _one_space(match: re.Match[str]) -> str:
    return " " if match.end() < len(match.string) and match.string[match.end()] not in ".,;:!?" else ""


def _listed_ids(inside: str) -> list[str]:
    ids: list[str] = []
    for first, dash, last in _IDS_ONLY.findall(inside):
        low, high = int(first[:9]), int((last or first)[:9])
        if dash and low < high <= low + _WIDEST_RANGE:
            ids += [f"R{n}" for n in range(low, high + 1)]
        else:
            ids += [f"R{first}", *([f"R{last}"] if dash else [])]
    return ids


# Quotes ---------------------------------------------------------------------------------------


def quote_stands(quote: str, passage: str) -> bool:
    """Whether a quote stands in a passage, in one piece and cut between words.

    NFKC and white space are folded, case is not. A quote that starts or ends inside a word or a
    number does not stand: "likely" is no quote of "unlikely", nor "900" of "12,900" or "-900".
    """
    wanted, where = quotable(quote), quotable(passage)
    if not _LETTERS_OR_DIGITS.search(wanted):
        return False
    start = where.find(wanted)
    while start >= 0:
        if _clean_cut(where, start) and _clean_cut(where, start + len(wanted)):
            return True
        start = where.find(wanted, start + 1)
    return False


_UNSPACED_LETTER = re.compile("[\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_MYRIADS = "十百千万億兆"
_SIGNED_BEFORE = re.compile(r"(?:^|[\s(=~<>])[-\u2212+]$")


def _clean_cut(text: str, at: int) -> bool:
    """Whether a border between two characters parts neither a word nor a number."""
    before, after = text[max(0, at - 2) : at], text[at : at + 2]
    if not before or not after:
        return True
    left, right = before[-1], after[0]
    if right.isdigit() and _SIGNED_BEFORE.search(before):
        return False
    joined = left in ".,^" and right.isdigit() and before[0].isdigit()
    joined = joined or (left.isdigit() and right in ".,^" and after[1:].isdigit())
    inside_number = (left.isdigit() and right in _MYRIADS) or (left in _MYRIADS and right.isdigit())
    spaced = not _UNSPACED_LETTER.match(left) and not _UNSPACED_LETTER.match(right)
    inside_word = spaced and left.isalnum() and right.isalnum()
    return not (joined or inside_number or inside_word)


# Numbers, units, years and names ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fact:
    """A number or a name of a sentence, and whether its evidence has it."""

    kind: str
    """``"number"``, ``"quantity"`` (with a unit) or ``"name"``."""
    text: str
    """As a person would read it."""
    supported: bool
    """Whether it stands in the evidence."""


def facts(sentence: str, evidence: str) -> tuple[Fact, ...]:
    """The numbers, quantities, years and names of a sentence, each looked for in its evidence.

    A number with a unit needs the same quantity in the evidence; a bare number needs the same
    number, with any unit or none.
    """
    own = figures(sentence)
    there = figures(evidence) if own else ()
    quantities = {figure.quantity for figure in there}
    values = {figure.number for figure in there}
    found = []
    for figure in own:
        held = figure.quantity in quantities if figure.unit else figure.number in values
        written = visible(sentence)[figure.start : figure.end]
        found.append(Fact("quantity" if figure.unit else "number", written, held))
    return (*found, *(Fact("name", name, name_stands_in(name, evidence)) for name in names(sentence)))


# Coverage -------------------------------------------------------------------------------------


def covered_ngrams(text: str, evidence: str) -> tuple[int, int]:
    """How many n-grams of a text stand in its evidence, and how many it has.

    n is 3 words, or 5 characters where the text is mostly Japanese; a shorter text is one n-gram.
    """
    units = terms(visible(text))
    n = min(len(units), CHARACTER_GRAM if unspaced_share(text) > 0.3 else WORD_GRAM)
    if not n:
        return 0, 0
    there = set(ngrams(terms(visible(evidence)), n))
    own = list(ngrams(units, n))
    return sum(gram in there for gram in own), len(own)


# A whole answer -------------------------------------------------------------------------------


def split_claims(text: str) -> tuple[Claim, ...]:
    """The sentences of a text with the ids each carries; ids right after its end belong to it.

    Args:
        text: Text as ``keep_known_ids`` leaves it.
    """
    inside = _ID_AFTER_END.sub(lambda m: f" {m.group(3).strip()}{m.group(1)} ", text)
    claims = []
    for start, end in sentences(inside):
        sentence = inside[start:end]
        ids = tuple(dict.fromkeys(re.findall(r"\[(R\d+)\]", sentence)))
        bare = re.sub(r"\s*(?:\[R\d+\])+", "", sentence).strip()
        claims.append(Claim(text=bare, citations=ids))
    return tuple(claims)


def check(
    claims: Sequence[Claim], citations: Sequence[Citation], passages: Mapping[str, str], unknown_ids: int = 0
) -> Checks:
    """The always-on checks of an answer.

    Args:
        claims: Its sentences; one without citations has no evidence, so nothing of it is covered.
        citations: What it cites.
        passages: For each citation id the text of the cited document, as it stands in the library.
        unknown_ids: How many unknown ids were removed from the text.
    """
    quotes = {citation.id: citation.quote for citation in citations}
    stand = [quote_stands(c.quote, passages.get(c.id, "")) for c in citations]
    found: list[Fact] = []
    covered = total = 0
    for claim in claims:
        evidence = "\n\n".join(quotes[i] for i in claim.citations if i in quotes)
        if claim.citations:
            found += facts(claim.text, evidence)
        hits, grams = covered_ngrams(claim.text, evidence)
        covered, total = covered + hits, total + grams
    return Checks(
        unknown_ids=unknown_ids,
        quotes_verbatim=_share(sum(stand), len(stand)),
        numbers_supported=_share(sum(fact.supported for fact in found), len(found)),
        coverage=_share(covered, total),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
