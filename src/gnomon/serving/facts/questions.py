"""Questions: asking over HTTP, whole or as it comes to be, and what one might ask this expert."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.answers import Answer, Checks, Claim
from gnomon.core.errors import ConfigError
from gnomon.core.messages import Message
from gnomon.core.protocols import Filters
from gnomon.core.wording import language, say
from gnomon.research import events
from gnomon.research.ask import VOICE as EXTRACTIVE
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts import answers as told
from gnomon.serving.facts.asking import year_range
from gnomon.serving.facts.checking import Checked, checked
from gnomon.serving.facts.voices import Voice, voice
from gnomon.serving.texts import Words

MOST_TURNS = 40
EXAMPLES = 5
_EXAM_PARTS = ("items",)


class Turn(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["user", "assistant"] = Field(description="Who spoke.")
    text: Words = Field(max_length=20_000, description="What was said.")


class Limits(BaseModel):
    """What the search for evidence is limited to. Empty means no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    year: Words = Field(default="", max_length=40, description="`1998`, `1990..2000`, `1990..` or `..2000`.",
                      examples=["1990..2000"])  # fmt: skip
    author: Words = Field(default="", max_length=300, description="Part of an author's name.")
    category: Words = Field(
        default="", max_length=300, description="Subject code or its beginning.", examples=["astro-ph"]
    )
    language: Words = Field(default="", max_length=300, description="ISO 639-1 code of the documents.")
    source: Words = Field(
        default="", max_length=300, description="Kind of source (`pdf`), or the beginning of a source's key."
    )

    @property
    def filters(self) -> Filters:
        """The same for a search.

        Raises:
            ConfigError: The years are no range.
        """
        return Filters(years=year_range(self.year), author=self.author, category=self.category, lang=self.language,
                       source=self.source)  # fmt: skip


class Asking(BaseModel):
    """A question, to whom, and in what context."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Words = Field(description="In English or Japanese.", examples=["How did Hubble measure distances?"])
    voice: Words = Field(
        default=EXTRACTIVE, max_length=300, description="Who answers: `extractive`, or the id of another voice."
    )
    history: tuple[Turn, ...] = Field(
        default=(), max_length=MOST_TURNS, description="Earlier turns; only models heed them."
    )
    after: tuple[Words, ...] = Field(
        default=(), max_length=MOST_TURNS,
        description="Ids of kept answers: earlier questions with their answers, before `history`.",
    )  # fmt: skip
    filters: Limits = Field(default=Limits(), description="What the search for evidence is limited to.")
    stream: bool = Field(default=False, description="Server-sent events instead of one answer; so does"
                         " `Accept: text/event-stream`.")  # fmt: skip


Event = told.EvidenceFound | told.Progress | told.Sentence | Checked | told.AnswerFacts
NAMES: dict[type, str] = {
    told.EvidenceFound: "evidence", told.Progress: "writing", told.Sentence: "sentence", Checked: "checks",
    told.AnswerFacts: "answer",
}  # fmt: skip
"""The name of each kind of event."""


def readable(asking: Asking, characters: int) -> Asking:
    """A question that can be read.

    Raises:
        ConfigError: It is empty or longer than so many characters.
    """
    if not asking.question.strip():
        raise ConfigError(say("There is no question.", "質問がない。"), say("Write one.", "質問を書く。"))
    if len(asking.question) > characters:
        raise ConfigError(
            say(f"The question has {len(asking.question):,} characters; {characters:,} are read here.",
                f"質問が {len(asking.question):,} 文字ある。ここで読めるのは {characters:,} 文字まで。"),
            say("Ask for its main point.", "要点だけを尋ねる。"),
        )  # fmt: skip
    return asking


def answered(opened: OpenExpert, asking: Asking) -> told.AnswerFacts:
    """The whole answer; it is kept.

    Raises:
        NotFound: There is no such voice, or no such answer before.
        ConfigError: The voice cannot chat, or a limit makes no sense.
        RunError: The voice does not answer.
    """
    given = opened.answer(asking.question, _asked(opened, asking).id, _before(opened, asking), asking.filters.filters)
    opened.keep(given)
    return told.answer_facts(opened, given)


def telling(opened: OpenExpert, asking: Asking) -> Iterator[Event]:
    """The same answer as it comes to be: evidence, sentences, checks, answer; errors as ``answered``."""
    asked = _asked(opened, asking)
    quotes: dict[str, str] = {}
    claims: list[Claim] = []
    for event in opened.events(asking.question, asked.id, _before(opened, asking), asking.filters.filters):
        match event:
            case events.Evidence():
                quotes = {citation.id: citation.quote for citation, _ in event.passages}
                yield told.EvidenceFound(evidence=told.evidence(opened, (citation for citation, _ in event.passages)))
            case events.Writing():
                yield told.Progress(thinking=event.thinking, characters=event.characters)
            case Claim():
                claims.append(event)
                yield told.sentence(len(claims), event, quotes)
            case Checks():
                yield checked(event, claims)
            case Answer():
                opened.keep(event)
                yield told.answer_facts(opened, event)


def _asked(opened: OpenExpert, asking: Asking) -> Voice:
    return voice(opened, asking.voice)


def _before(opened: OpenExpert, asking: Asking) -> list[Message]:
    """The conversation so far."""
    turns: list[Message] = []
    for name in asking.after:
        earlier = told.kept_answer(opened, name)
        turns += [Message(role="user", text=earlier.question), Message(role="assistant", text=earlier.text)]
    return [*turns, *(Message(role=turn.role, text=turn.text) for turn in asking.history)]


# What one might ask ----------------------------------------------------------------------------


def examples(opened: OpenExpert, most: int = EXAMPLES) -> tuple[str, ...]:
    """Questions to begin with: of the expert's own exam, in the reader's language first; none when it has no exam."""
    parts = dict(opened.expert.parts)
    made = [parts[role] for role in _EXAM_PARTS if role in parts and opened.workspace.record(parts[role])]
    found = [row for address in made for row in _items(opened.workspace.artifact(address))]
    wanted = [prompt for lang, prompt in found if lang == language()] or [prompt for _, prompt in found]
    step = max(1, len(wanted) // most)
    return tuple(wanted[::step][:most])


def _items(artifact: Path) -> Sequence[tuple[str, str]]:
    import pyarrow.parquet as pq

    table = pq.read_table(artifact / "items.parquet", columns=["lang", "prompt", "choices"]).to_pylist()
    return [(row["lang"], row["prompt"]) for row in table if row["prompt"].rstrip().endswith(("?", "？", "か。"))]
