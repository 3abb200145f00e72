"""An answer as it comes to be says what the whole answer says, in order, and ends when nobody listens."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf import Shelf
from test_ask import ASKED, ASKED_JA, PAPERS

from gnomon.core.answers import Answer, Checks, Claim
from gnomon.core.records import ModelRef
from gnomon.core.wording import speaking
from gnomon.llm.chat import ChatOptions, Conversation, Reply
from gnomon.llm.fakes import Scripted
from gnomon.research import ask, voice
from gnomon.research.ask import AskConfig, Filters, answer_id
from gnomon.research.doubts import told
from gnomon.research.events import Event, Evidence, Writing

SHELF = Shelf(PAPERS)
SOUND = "The Basalt telescope recorded 42 ring nebulae in all [R1]. "
CLAIM = "The Basalt telescope recorded 42 ring nebulae in all."


class Growing:
    """A writer whose reply grows letter by letter, and which knows how far it came."""

    def __init__(self, reply: str, thinking: str = "") -> None:
        self.ref = ModelRef(name="liar", revision="1")
        self.reply, self.thinking = reply, thinking
        self.written, self.closed = 0, False

    def stream(self, conversation: Conversation, options: ChatOptions) -> Iterator[Reply]:
        try:
            for length in range(len(self.thinking)):
                yield Reply(text="", thinking=self.thinking[:length])
            for length in range(len(self.reply)):
                self.written = length
                yield Reply(text=self.reply[:length].strip(), thinking=self.thinking)
            text = self.reply.strip()
            yield Reply(text=text, thinking=self.thinking, fault="" if text else "empty answer")
        finally:
            self.closed = True


def events(reply: str, thinking: str = "") -> list[Event]:
    return list(voice.events(ASKED, SHELF, Growing(reply, thinking)))


def claims(found: list[Event]) -> list[Claim]:
    return [event for event in found if isinstance(event, Claim)]


@pytest.mark.parametrize("question", [ASKED, ASKED_JA, "Who won the 1998 World Cup?", ""])
def test_the_extractive_voice_tells_evidence_then_sentences_then_checks_then_the_same_answer(question: str) -> None:
    found = list(ask.events(question, SHELF))
    whole = ask.answer(question, SHELF)
    assert found[-1] == whole
    assert found[-2] == whole.checks
    assert found[1:-2] == list(whole.claims)
    evidence = found[0]
    assert isinstance(evidence, Evidence)
    assert tuple(citation for citation, _ in evidence.passages) == whole.citations
    assert all(citation.quote in around for citation, around in evidence.passages)


def test_a_models_sentences_are_told_while_it_still_writes() -> None:
    writer = Growing(SOUND + "It saw 99 comets [R1]. And more to come, which nobody reads.")
    told_at = []
    for event in voice.events(ASKED, SHELF, writer):
        if isinstance(event, Claim):
            told_at.append((writer.written < len(writer.reply) - 1, event.text, bool(event.doubt)))
    assert told_at[:2] == [(True, CLAIM, False), (True, "It saw 99 comets.", True)]
    assert len(told_at) == 3


def test_the_end_of_a_stream_is_what_speak_says() -> None:
    for reply in (
        SOUND,
        SOUND + "It saw 99 comets [R77]. All agree.",
        "NO ANSWER",
        "",
        "Nothing is cited here at all.",
    ):
        found = events(reply)
        whole = voice.speak(ASKED, SHELF, Scripted(lambda _, reply=reply: reply, name="liar"))
        assert found[-1] == whole
        assert found[-2] == whole.checks
        assert claims(found) == list(whole.claims)


def test_nothing_is_told_of_an_answer_that_will_be_refused() -> None:
    for reply in (
        "It is 42. It is 43. It is 44. It is what it is.",
        "No answer. The passages [R1] do not say. Truly not.",
    ):
        found = events(reply)
        assert isinstance(found[-1], Answer)
        assert found[-1].refused
        assert claims(found) == []


def test_sentences_before_the_first_cited_one_wait_for_it() -> None:
    found = events("Here is what was found in the library. " + SOUND + "That is all there is to say.")
    assert [bool(claim.doubt) for claim in claims(found)] == [True, False, True]


def test_thinking_is_counted_and_never_told() -> None:
    found = events(SOUND, thinking="Let me see. Perhaps 43 [R1]. No, 42.")
    writing = [event for event in found if isinstance(event, Writing)]
    assert (writing[5].thinking, writing[-1].thinking) == (True, False)
    assert [event.characters for event in writing] == sorted(event.characters for event in writing)
    assert [claim.text for claim in claims(found)] == [CLAIM]


def test_a_mark_that_a_model_writes_is_never_told() -> None:
    found = claims(events(SOUND.replace(".", " [?].") + "More [R1] [?]. End."))
    assert found[0].text == CLAIM
    assert not any("[?]" in claim.text for claim in found)


def test_who_stops_listening_ends_the_writing() -> None:
    writer = Growing(SOUND + "It goes on and on. " * 50)
    listening = voice.events(ASKED, SHELF, writer)
    for event in listening:
        if isinstance(event, Claim):
            break
    listening.close()  # type: ignore[attr-defined]
    assert writer.closed
    assert writer.written < 100


WORDS = ("It recorded 42 nebulae", "Fig. 3 shows it", "See e.g. this", "Yes", "a [b", "(c)")
TAILS = (". ", " [R1]. ", ". [R1] ", " [R77]. ", "? ", " [R1, R2]! ", ".\n\n", " [?]. ")
WORDS_JA = ("望遠鏡は環状星雲を四十二個記録した", "彼は「はい。そうです。」と言う", "図3に示す", "（付録を見よ）")
TAILS_JA = ("。", "[R1]。", "。[R1]", "[R77]。", "？", "。\n\n", "[?]。")
REPLIES = [
    st.lists(st.tuples(*map(st.sampled_from, kinds)), max_size=6) for kinds in ((WORDS, TAILS), (WORDS_JA, TAILS_JA))
]


@settings(max_examples=60, deadline=None)
@given(st.one_of(*REPLIES))
def test_what_is_told_is_the_finished_answer(parts: list[tuple[str, str]]) -> None:
    found = events("".join(words + tail for words, tail in parts))
    last = found[-1]
    assert isinstance(last, Answer)
    assert isinstance(found[-2], Checks)
    assert all(claim.doubt or claim.citations for claim in claims(found))
    assert claims(found) == list(last.claims)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120))
def test_whatever_is_written_nothing_is_told_without_evidence_or_mark(reply: str) -> None:
    assert all(claim.doubt or claim.citations for claim in claims(events(f"{reply} [R1] {reply}")))


def test_limits_of_the_search_are_in_the_id_of_an_answer_and_their_absence_is_not() -> None:
    limited = AskConfig(filters=Filters(years=(1990, None)))
    assert ask.answer(ASKED, SHELF, config=limited).id != ask.answer(ASKED, SHELF).id
    assert answer_id(ASKED, (), "extractive") == answer_id(ASKED, (), "extractive", Filters())


@pytest.mark.parametrize(
    ("said", "start"),
    [
        ("It saw 99 comets.", "It cites nothing."),
        ("It saw 99 comets [R1].", "Not in its evidence: 99"),
        ("Dark energy drives galaxies apart ever faster [R1].", "Only "),
        ("The Basalt telescope did not record ring nebulae [R1].", "Of the sentence and its evidence"),
    ],
)
def test_every_doubt_is_told_in_both_languages(said: str, start: str) -> None:
    last = events(SOUND + said)[-1]
    assert isinstance(last, Answer)
    (claim,) = last.doubts
    assert told(claim.doubt).startswith(start)
    with speaking("ja"):
        assert told(claim.doubt) != claim.doubt
        assert any("\u3040" < letter < "\u30ff" for letter in told(claim.doubt))
