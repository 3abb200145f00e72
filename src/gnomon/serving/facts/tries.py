"""What to try: a question, a search and a text to trace, taken from the expert itself.

The question is one of its exam that the library alone answered rightly, in the reader's language; without an exam it
asks about what most titles speak of. The search is the pair of words (the run of characters in Japanese) that most
titles share. The text is a sentence of the newest document that the trace finds.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

from pydantic import Field

from gnomon.core.errors import NotFound
from gnomon.core.hashing import text_hash
from gnomon.core.records import Item
from gnomon.core.text import sentences
from gnomon.core.wording import language, say
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.corpus import Frozen
from gnomon.serving.facts.exam import roles, sitting
from gnomon.serving.facts.freshness import Line, documents_in_brief
from gnomon.serving.facts.items import Wanted, items, questions
from gnomon.serving.facts.kept import kept

LONGEST = 180
"""Characters of a question or sentence that still looks like one line."""
HALF = 0.5
"""More of a sentence than this must stand in what models were shown, or tracing it would show nothing."""
BY_OPTIONS = ("following", "these options", "次のうち", "以下のうち", "___")
"""Words of questions that make no sense without their options."""
STOP = frozenset(
    "a an and as at by for from in into is its of on or over the to with without new some using via".split()
)
_ENGLISH, _JAPANESE = re.compile(r"[A-Za-z][A-Za-z-]+"), re.compile(r"[\u4e00-\u9fff\u30a1-\u30ffー]{2,}")


class Tries(Frozen):
    """What a reader may try first."""

    question: str = Field(description="A question to ask; empty when the expert suggests none.")
    search: str = Field(description="Words to search for; empty when there are no titles.")
    trace: str = Field(description="A sentence that tracing finds; empty without a trace.")


def tries(opened: OpenExpert) -> Tries:
    """What to try, in the reader's language where the library has it."""
    known = len(documents_in_brief(opened)), roles(opened)  # what is still being built may suggest more later
    return kept(opened, f"tries {language()} {known}", lambda: _tries(opened, language()))


def _tries(opened: OpenExpert, lang: str) -> Tries:
    words = _common_words(opened, lang) or _common_words(opened, "en")
    asked = _question(opened, lang) or (
        say(f"What is known about {words}?", f"{words}について何が知られているか。") if words else ""
    )
    return Tries(question=asked, search=words, trace=_sentence(opened, lang))


def _question(opened: OpenExpert, lang: str) -> str:
    """A question that the solver without a model got right, which one by the hash of its id: always the same."""
    for role in roles(opened)[:1]:
        for paper in sitting(opened, role).papers:
            solvers = [arm.name for arm in paper.arms if arm.kind == "solver"]
            every = questions(opened, role, paper.name)
            asked = (Wanted(sitting=role, paper=paper.name, arm=solver, right="right") for solver in solvers)
            right = {row.id for wanted in asked for row in items(opened, wanted, size=len(every) or 1).rows}
            fit = [item for item in every.values() if item.id in right and _alone(item, lang)]
            if fit:
                return min(fit, key=lambda item: text_hash(item.id)).prompt
    return ""


def _alone(item: Item, lang: str) -> bool:
    """Whether a question can be asked without its options."""
    short = len(item.prompt) <= LONGEST and "\n" not in item.prompt
    return item.lang == lang and short and not any(words in item.prompt.casefold() for words in BY_OPTIONS)


def _common_words(opened: OpenExpert, lang: str) -> str:
    found: Counter[str] = Counter()
    for one in documents_in_brief(opened):
        if one.lang == lang:
            found.update(set(_pairs(one.title) if lang == "en" else _JAPANESE.findall(one.title)))
    return min(found, key=lambda words: (-found[words], -len(words), words)) if found else ""


def _pairs(title: str) -> Iterator[str]:
    """Words beside each other that both mean something."""
    words = [word.casefold() for word in _ENGLISH.findall(title)]
    for one, other in pairwise(words):
        if one not in STOP and other not in STOP:
            yield f"{one} {other}"


def _sentence(opened: OpenExpert, lang: str) -> str:
    """A sentence that the trace finds, in a language where models were shown any: the newest are often held out."""
    newest_first = sorted(documents_in_brief(opened), key=lambda one: (one.date, one.id), reverse=True)
    own = [one for one in newest_first if one.lang == lang]
    try:
        return next((found for found in map(partial(_found, opened), _ever_further(own, newest_first)) if found), "")
    except NotFound:  # no trace or no library: nothing to try
        return ""


def _found(opened: OpenExpert, one: Line) -> str:
    """The first short sentence of a document, when most of it stands in what models were shown."""
    text = opened.library.document(one.id).text
    short = (text[start:end] for start, end in sentences(text, one.lang) if end - start <= LONGEST)
    sentence = next(short, "")
    return sentence if sentence and opened.trace.attribute(sentence).coverage > HALF else ""


def _ever_further(*lists: Sequence[Line]) -> Iterator[Line]:
    """The first of each list and then ever further ones, each twice as far: long lists are passed in a few looks."""
    for lines in lists:
        place = 0
        while place < len(lines):
            yield lines[place]
            place = 2 * place or 1
