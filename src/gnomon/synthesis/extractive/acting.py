"""Acting: the author's name where a sentence of a text about one author's work has "He" or "She" act.

Encyclopaedic notes tell what one person did, sentence after sentence. The pronoun is resolved only where nobody else
acts in the sentence before; the words that a pair rests on stay as they stand.
"""

import re

from gnomon.core.names import plain_word
from gnomon.core.records import Document
from gnomon.synthesis.extractive.verbs import PAST_PATTERN

_PRONOUN = re.compile(
    rf"(?P<lead>[A-Z][^,;:]{{5,140}}, )?(?:[Hh]e|[Ss]he)"
    rf"(?= (?:\w+ly |also |then |soon |later |had |therefore )*(?:{PAST_PATTERN})\b)"
)
_SOMEBODY = re.compile(r"\b[A-Z][a-zé’'-]+(?: (?:[A-Z]\.|van|von|de|der))* (?P<last>[A-Z][a-zé’'-]+)\b")


def author_of(document: Document) -> str:
    """The full name, as the text gives it, of the only author of a document's work; empty without one."""
    people = document.biblio.authors
    surname = people[0].name.split(",")[0].strip() if len(people) == 1 and "," in people[0].name else ""
    if not surname:
        return ""
    told = re.search(rf"(?:[A-Z][\w.’'-]+ )+{re.escape(surname)}(?!\w)", document.text)
    return told.group() if told else ""


def named(shown: str, before: str, author: str) -> str:
    """The sentence with its author's name for the pronoun that acts in it, or as it is.

    Args:
        shown: The sentence on one line.
        before: The sentence before it.
        author: The only author of the work, in full; empty when there is none.
    """
    match = _PRONOUN.match(shown)
    if not match or not author:
        return shown
    surname = plain_word(author.split()[-1])
    lead = match["lead"] or ""
    others = [m for m in _SOMEBODY.finditer(f"{before}\n{lead}") if plain_word(m["last"]) != surname]
    return shown if others else f"{lead}{author}{shown[match.end() :]}"
