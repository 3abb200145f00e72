"""Metadata questions: who wrote a work, when, where it appeared, what it is called; answered from the record.

No model words them: bibliographic facts come from the bibliography, or they are not said. The evidence is the sentence
of the text that tells the answer where one does, else the sentence that opens the text: it says which work is meant,
and the answer itself stands in the document's record.
"""

import random
from collections.abc import Iterator, Mapping

from gnomon.core.names import plain_word
from gnomon.core.records import Document
from gnomon.core.text import sentences
from gnomon.synthesis.proposals import Proposal

RULE = "metadata"
MOST_AUTHORS = 3
"""Authors named in an answer before "and others"."""
_ASKED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "who": ("Who wrote “{title}”{in_year}?", "Who are the authors of “{title}”{in_year}?"),
        "when": ("In which year did “{title}”{by} appear?", "When was “{title}”{by} published?"),
        "where": ("Where was “{title}”{by}{in_year} published?",
                  "In which journal can one find “{title}”{by}{in_year}?"),
        "title": ("What is the title of what {people} published in {venue} in {year}?",
                  "Under which title did {people} publish in {venue} in {year}?"),
    },
    "ja": {
        "who": ("「{title}」{in_year}の著者は誰か。", "「{title}」{in_year}を書いたのは誰か。"),
        "when": ("{by}「{title}」が発表されたのは何年か。", "{by}「{title}」は何年に発表されたか。"),
        "where": ("{by}「{title}」{in_year}はどこに掲載されたか。", "{by}「{title}」{in_year}が載ったのはどの誌面か。"),
        "title": ("{people}が{year}年に{venue}に発表した論文の題名は何か。",),
    },
}  # fmt: skip


def metadata_proposals(document: Document, lang: str, seed: int, share: float) -> list[Proposal]:
    """Some of the metadata questions that a record answers, drawn from seed and id.

    Args:
        document: The document.
        lang: Of the questions.
        seed: Of the choice.
        share: How many; a fraction is the chance of one more.
    """
    chance = random.Random(f"{seed}\0{RULE}\0{document.id}")
    found = list(_proposals(document, lang if lang in _ASKED else "en", chance))
    chance.shuffle(found)
    return found[: int(share) + (chance.random() < share % 1)]


def _proposals(document: Document, lang: str, chance: random.Random) -> Iterator[Proposal]:
    biblio, title = document.biblio, " ".join(document.title.split())
    people, year, venue = people_of(document, lang), str(biblio.year or ""), " ".join(biblio.venue.split())
    spans = sentences(document.text, lang)
    if not title or not spans:
        return
    words = {"title": title, "people": people, "year": year, "venue": venue} | _joined(lang, people, year)
    facts = {"who": people, "when": year and (f"{year}年" if lang == "ja" else year), "where": venue if people else "",
             "title": title if people and venue and year else ""}  # fmt: skip
    for asked, answer in facts.items():
        if answer:
            question = chance.choice(_ASKED[lang][asked]).format(**words)
            yield Proposal(kind="metadata", lang=lang, question=question, answer=answer, writer=RULE,
                           quotes=(_telling(document, spans, asked),))  # fmt: skip


def _joined(lang: str, people: str, year: str) -> dict[str, str]:
    if lang == "ja":
        return {"by": f"{people}による" if people else "", "in_year": f"（{year}年）" if year else ""}
    return {"by": f" by {people}" if people else "", "in_year": f" ({year})" if year else ""}


def people_of(document: Document, lang: str) -> str:
    """The authors as a phrase, in the order of the paper, at most three by name; empty when none is known."""
    known = [" ".join(author.name.split()) for author in document.biblio.authors]
    named = [_turned(name) for name in known if name and name != "et al."]
    more = len(named) > MOST_AUTHORS or len(named) < len(known)
    shown = named[:MOST_AUTHORS]
    if not shown:
        return ""
    if lang == "ja":
        return "、".join(shown) + ("ほか" if more else "")
    if more:
        return ", ".join(shown) + " and others"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _turned(name: str) -> str:
    """``Hubble, E.`` as ``E. Hubble``."""
    surname, _, given = name.partition(",")
    return f"{given.strip()} {surname.strip()}" if given.strip() else name


def _telling(document: Document, spans: list[tuple[int, int]], asked: str) -> str:
    """The sentence that tells the answer, else the first."""
    wanted = ""
    if asked == "when" and document.biblio.year:
        wanted = str(document.biblio.year)
    elif asked == "who" and document.biblio.authors:
        wanted = document.biblio.authors[0].name.split(",")[0]
    for start, end in spans:
        sentence = document.text[start:end]
        if wanted and (wanted in sentence or plain_word(wanted) in map(plain_word, sentence.split())):
            return sentence
    return document.text[slice(*spans[0])]
