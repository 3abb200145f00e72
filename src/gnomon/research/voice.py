"""The generative voice: a model writes, code hands out the quotes it may cite and judges every sentence.

Quotes come first: they are chosen as the extractive voice chooses them, verbatim, each under an id. The model sees the
question, the conversation so far and these quotes, and writes prose that cites ids. Then the always-on checks look at
each sentence: an unknown id is removed and counted; a sentence without evidence, with a number or name
that its evidence does not hold, or that shares too little with it, is *marked*, so that nothing the model made up
reaches the reader unmarked. An answer that cites nothing at all is refused. There is no fall-back: when the model gives
no answer, that is what the reader is told.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from gnomon.core.answers import Answer, Checks, Citation, Claim
from gnomon.core.checks import check, keep_known_ids, split_claims
from gnomon.core.messages import Message
from gnomon.core.protocols import Embedder, Retriever
from gnomon.core.records import ModelRef
from gnomon.core.wording import say
from gnomon.llm.chat import Chat, ChatOptions, Conversation, Reply
from gnomon.research.ask import AskConfig, Parts, answer_id, evidence_for
from gnomon.research.asked import Question, telling_terms
from gnomon.research.doubts import doubt
from gnomon.research.events import Event, Evidence, Telling, Writing, whole
from gnomon.research.refusal import nearest, words_of_refusal

PROMPTS = Path(__file__).parent / "prompts"
NO_ANSWER = "NO ANSWER"
NO_ANSWER_WITHIN = 40
"""Characters at the beginning of a reply in which it may say so."""
MARK = "[?]"
"""Follows a sentence that the checks do not believe."""
CUT = "cut by the limit of tokens"
"""Why the last sentence of a reply that did not end is not believed."""
REMEMBERED = 6
"""Turns of the conversation that the model is shown."""
NO_CHECKS = Checks(unknown_ids=0, quotes_verbatim=None, numbers_supported=None, coverage=None)
_MARKS = re.compile(r"\s*\[\?\]")
_TAGS = re.compile(r"</?\s*quotes\b[^>]*>", re.I)


@dataclass(frozen=True, kw_only=True)
class VoiceConfig:
    """How a model answers."""

    ask: AskConfig = AskConfig(sentences=8)  # noqa: RUF009 -- frozen
    """How quotes are found and when the evidence is too weak."""
    prompt: str = "voice-1"
    """Name of the prompt file."""
    max_tokens: int = 600
    """Most tokens of the reply, thinking included."""
    temperature: float = 0.0
    """Of sampling."""
    thinking: str = "auto"
    """``on``, ``off`` or ``auto``."""
    seed: int = 0
    """Of sampling."""
    shared: float = 0.5
    """A sentence is doubted when less than this share of its telling terms stands in its evidence."""


DEFAULT = VoiceConfig()


class Writer(Protocol):
    """What writes: a ``Chat``, or anything else that gives a reply as it grows."""

    ref: ModelRef
    """Which model it is."""

    def stream(self, conversation: Conversation, options: ChatOptions) -> Iterator[Reply]:
        """The reply as it grows, the whole last."""
        ...


class AtOnce:
    """A writer whose reply comes whole, as ``Chat.chat`` gives it.

    Args:
        model: What writes.
    """

    def __init__(self, model: Chat) -> None:
        self.ref, self._model = model.ref, model

    def stream(self, conversation: Conversation, options: ChatOptions) -> Iterator[Reply]:
        """The whole reply."""
        yield from self._model.chat([conversation], options)


def speak(
    question: str,
    retriever: Retriever,
    model: Chat,
    *,
    config: VoiceConfig = DEFAULT,
    embedder: Embedder | None = None,
    history: Sequence[Message] = (),
    parts: Parts = (),
) -> Answer:
    """Answer a question in a model's words, from quotes of the library.

    Args:
        question: Any text, in English or Japanese.
        retriever: The library.
        model: What writes.
        config: How to answer.
        embedder: As in ``ask.answer``.
        history: Earlier turns; a follow-up is searched for together with the question before it.
        parts: The expert's parts that answer; they are in the answer's id.

    Returns:
        The answer; ``refused`` when the evidence is too weak, when the model says that the quotes hold no answer, or
        when what it writes cites none of them.

    Raises:
        ConfigError: The model cannot chat.
        RunError: It does not answer.
    """
    made = events(question, retriever, AtOnce(model), config=config, embedder=embedder, history=history, parts=parts)
    return whole(made)


def events(
    question: str,
    retriever: Retriever,
    writer: Writer,
    *,
    config: VoiceConfig = DEFAULT,
    embedder: Embedder | None = None,
    history: Sequence[Message] = (),
    parts: Parts = (),
) -> Iterator[Event]:
    """The same answer as it comes to be: evidence, sentences as they are written, checks, answer.

    Arguments and errors are those of ``speak``. Closing the iterator ends the writing.
    """
    asked, hits, chosen = evidence_for(_in_context(question, history), retriever, config.ask, embedder)
    said, name = "\n".join([*(m.text for m in history), question]), writer.ref.name
    # Merges of one recipe share their name: it is the revision that tells which of them spoke.
    made = answer_id(said, parts, f"{name}@{writer.ref.revision}" if writer.ref.revision else name, config.ask.filters)
    blank = Answer(id=made, question=question, text="", voice=name, refused=True, claims=(), citations=(),
                   checks=NO_CHECKS, nearest=nearest(hits), parts=parts)  # fmt: skip
    yield Evidence(passages=tuple(chosen))
    if not chosen:
        yield from _refusal(blank, words_of_refusal(asked, blank.nearest))
        return
    citations = tuple(citation for citation, _ in chosen)
    telling = Telling({c.id for c in citations}, partial(_judged, citations=citations, config=config))
    asking = _conversation(question, asked, citations, history, config)
    reply = yield from _written(writer.stream(asking, _options(config)), telling)
    if reply.fault or _says_no(reply.text):
        yield from _refusal(blank, _no_answer(reply, name, asked))
    else:
        yield from _answered(blank, reply, asked, chosen, telling)


def _answered(
    blank: Answer, reply: Reply, asked: Question, chosen: Sequence[tuple[Citation, str]], telling: Telling
) -> Iterator[Event]:
    """What comes after a reply is whole: the sentences not told before, the checks, the answer."""
    text, unknown = keep_known_ids(_MARKS.sub("", reply.text), {c.id for c, _ in chosen})
    claims = tuple(telling.judge(claim) for claim in split_claims(text))
    if reply.finish == "length" and claims:  # where a number or a sentence was to go on, nobody knows
        claims = (*claims[:-1], replace(claims[-1], doubt=claims[-1].doubt or CUT))
    used = {name for claim in claims for name in claim.citations}
    if not used:
        yield from _refusal(blank, _no_evidence(blank.voice, asked), unknown)
        return
    yield from telling.rest(claims)
    cited = tuple(citation for citation, _ in chosen if citation.id in used)
    checks = check(claims, cited, {c.id: passage for c, passage in chosen}, unknown)
    yield checks
    yield replace(blank, text=_compose(claims, asked), refused=False, claims=claims, citations=cited, checks=checks,
                  nearest=())  # fmt: skip


def _written(replies: Iterator[Reply], telling: Telling) -> Generator[Event, None, Reply]:
    """Tell sentences while a reply grows; returns the whole reply. The writing ends when nobody listens any more."""
    reply = Reply(text="", fault="empty answer")
    try:
        for reply in replies:
            yield Writing(thinking=not reply.text, characters=len(reply.text) + len(reply.thinking))
            if len(reply.text) >= NO_ANSWER_WITHIN and not _says_no(reply.text):
                yield from telling.more(_MARKS.sub("", reply.text))
    finally:
        if isinstance(replies, Generator):
            replies.close()
    return reply


def _says_no(text: str) -> bool:
    return NO_ANSWER in text.upper()[:NO_ANSWER_WITHIN]


def _in_context(question: str, history: Sequence[Message]) -> str:
    """What is searched for: a follow-up that says little by itself takes the question before it along."""
    before = next((m.text for m in reversed(history) if m.role == "user"), "")
    return f"{before} {question}" if before and len(telling_terms(question)) < 4 else question


def _conversation(
    question: str, asked: Question, citations: Sequence[Citation], history: Sequence[Message], config: VoiceConfig
) -> list[Message]:
    rules = (PROMPTS / f"{config.prompt}.{asked.lang}.txt").read_text(encoding="utf-8").strip()
    quotes = "\n".join(f"[{c.id}] ({_one_line(c.title)}, {c.year or '–'}) {_one_line(c.quote)}" for c in citations)
    label = say("Question", "質問", asked.lang)
    turns = [replace(m, text=_without_ids(m), thinking="") for m in history][-REMEMBERED:]
    while turns and turns[0].role != "user":
        turns = turns[1:]
    return [
        Message(role="system", text=rules), *turns,
        Message(role="user", text=f"<quotes>\n{quotes}\n</quotes>\n\n{label}: {question}"),
    ]  # fmt: skip


def _without_ids(turn: Message) -> str:
    """An earlier turn: its ids named the quotes of its own question, and would now name others."""
    return turn.text if turn.role == "user" else keep_known_ids(_MARKS.sub("", turn.text), ())[0].strip()


def _one_line(shown: str) -> str:
    """A quote or a title that can neither look like another id nor end its block."""
    text, _ = keep_known_ids(" ".join(shown.split()), ())
    while _TAGS.search(text):  # what is left may close up to another
        text = _TAGS.sub("", text)
    return text


def _options(config: VoiceConfig) -> ChatOptions:
    return ChatOptions(
        max_tokens=config.max_tokens, temperature=config.temperature, thinking=config.thinking, seed=config.seed
    )


def _judged(claim: Claim, citations: Sequence[Citation], config: VoiceConfig) -> Claim:
    """The claim with why the checks do not believe it, if they do not."""
    quotes = {c.id: c.quote for c in citations}
    evidence = "\n\n".join(quotes[name] for name in claim.citations)
    return replace(claim, doubt=doubt(claim, evidence, config.shared))


def _compose(claims: Sequence[Claim], asked: Question) -> str:
    gap = "" if asked.lang == "ja" else " "
    said = []
    for claim in claims:
        ids = "".join(f"[{name}]" for name in claim.citations)
        said.append(f"{claim.text}{gap if ids else ''}{ids}{f' {MARK}' if claim.doubt else ''}")
    return gap.join(said)


def _no_answer(reply: Reply, name: str, asked: Question) -> str:
    if reply.fault:
        return say(f"{name} gave no answer: {reply.fault}.", f"{name} は回答しなかった: {reply.fault}。", asked.lang)
    return say("The passages found do not answer this.", "見つかった箇所には答えがありません。", asked.lang)


def _no_evidence(name: str, asked: Question) -> str:
    return say(f"{name} wrote an answer that cites none of the passages found; it is not shown.",
               f"{name} の回答は見つかった箇所をひとつも引用していないため、表示しません。", asked.lang)  # fmt: skip


def _refusal(blank: Answer, text: str, unknown: int = 0) -> Iterator[Event]:
    checks = replace(NO_CHECKS, unknown_ids=unknown)
    yield checks
    yield replace(blank, text=text, checks=checks)
