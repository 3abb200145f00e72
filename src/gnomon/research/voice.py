"""The generative voice: a model writes, code hands out the quotes it may cite and judges every sentence.

Quotes come first: they are chosen as the extractive voice chooses them, verbatim, each under an id. The model sees the
question, the conversation so far and these quotes, and writes prose that cites ids. Then the always-on checks look at
each sentence: an unknown id is removed and counted; a sentence without evidence, with a number or name
that its evidence does not hold, or that shares too little with it, is *marked*, so that nothing the model made up
reaches the reader unmarked. An answer that cites nothing at all is refused. There is no fall-back: when the model gives
no answer, that is what the reader is told.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gnomon.core.answers import Answer, Checks, Citation, Claim, Nearby
from gnomon.core.checks import check, covered_ngrams, facts, keep_known_ids, split_claims
from gnomon.core.messages import Message
from gnomon.core.protocols import Embedder, Retriever
from gnomon.core.wording import say
from gnomon.llm.chat import Chat, ChatOptions, Reply
from gnomon.research.ask import AskConfig, Parts, answer_id, evidence_for
from gnomon.research.asked import Question, telling_terms
from gnomon.research.refusal import nearest, words_of_refusal

PROMPTS = Path(__file__).parent / "prompts"
NO_ANSWER = "NO ANSWER"
MARK = "[?]"
"""Follows a sentence that the checks do not believe."""
REMEMBERED = 6
"""Turns of the conversation that the model is shown."""
_MARKS = re.compile(r"\s*\[\?\]")
_NEGATIONS = re.compile(
    r"\b(?:not|no|never|none|neither|nor|cannot|without)\b|n't\b|ない|なかっ|ず(?:に|、|。|$)|ません", re.I
)


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
    asked, hits, chosen = evidence_for(_in_context(question, history), retriever, config.ask, embedder)
    made = answer_id("\n".join([*(m.text for m in history), question]), parts, model.ref.name)
    near = nearest(hits)
    if not chosen:
        return _refusal(made, question, model, words_of_refusal(asked, near), parts, near)
    citations = tuple(citation for citation, _ in chosen)
    reply = model.chat([_conversation(question, asked, citations, history, config)], _options(config))[0]
    if reply.fault or NO_ANSWER in reply.text.upper()[:40]:
        return _refusal(made, question, model, _no_answer(reply, model, asked), parts, near)
    text, unknown = keep_known_ids(_MARKS.sub("", reply.text), {c.id for c in citations})
    claims = tuple(_judged(claim, citations, config) for claim in split_claims(text))
    used = {name for claim in claims for name in claim.citations}
    if not used:
        return _refusal(made, question, model, _no_evidence(model, asked), parts, near, unknown)
    cited = tuple(citation for citation in citations if citation.id in used)
    checks = check(claims, cited, {c.id: passage for c, passage in chosen}, unknown)
    return Answer(id=made, question=question, text=_compose(claims, asked), voice=model.ref.name, refused=False,
                  claims=claims, citations=cited, checks=checks, parts=parts)  # fmt: skip


def _in_context(question: str, history: Sequence[Message]) -> str:
    """What is searched for: a follow-up that says little by itself takes the question before it along."""
    before = next((m.text for m in reversed(history) if m.role == "user"), "")
    return f"{before} {question}" if before and len(telling_terms(question)) < 4 else question


def _conversation(
    question: str, asked: Question, citations: Sequence[Citation], history: Sequence[Message], config: VoiceConfig
) -> list[Message]:
    rules = (PROMPTS / f"{config.prompt}.{asked.lang}.txt").read_text(encoding="utf-8").strip()
    quotes = "\n".join(f"[{c.id}] ({c.title}, {c.year or '–'}) {_one_line(c.quote)}" for c in citations)
    label = say("Question", "質問", asked.lang)
    turns = [replace(m, text=_MARKS.sub("", m.text), thinking="") for m in history][-REMEMBERED:]
    while turns and turns[0].role != "user":
        turns = turns[1:]
    return [
        Message(role="system", text=rules), *turns,
        Message(role="user", text=f"<quotes>\n{quotes}\n</quotes>\n\n{label}: {question}"),
    ]  # fmt: skip


def _one_line(quote: str) -> str:
    """A quote that can neither look like another id nor end its block."""
    text, _ = keep_known_ids(" ".join(quote.split()), ())
    return text.replace("<quotes>", "").replace("</quotes>", "")


def _options(config: VoiceConfig) -> ChatOptions:
    return ChatOptions(
        max_tokens=config.max_tokens, temperature=config.temperature, thinking=config.thinking, seed=config.seed
    )


def _judged(claim: Claim, citations: Sequence[Citation], config: VoiceConfig) -> Claim:
    """The claim with why the checks do not believe it, if they do not."""
    quotes = {c.id: c.quote for c in citations}
    evidence = "\n\n".join(quotes[name] for name in claim.citations)
    return replace(claim, doubt=doubt(claim, evidence, config.shared))


def doubt(claim: Claim, evidence: str, shared: float) -> str:
    """Why a sentence is not believed on its evidence; empty when nothing speaks against it."""
    if not claim.citations:
        return "no evidence"
    wrong = [fact.text for fact in facts(claim.text, evidence) if not fact.supported]
    if wrong:
        return f"not in its evidence: {', '.join(wrong[:3])}"
    own = telling_terms(claim.text)
    held = len(own & telling_terms(evidence)) / len(own) if own else 0.0
    covered, grams = covered_ngrams(claim.text, evidence)
    if held < shared and covered < grams:
        return f"{held:.0%} of its words are in its evidence"
    if bool(_NEGATIONS.search(claim.text)) != bool(_NEGATIONS.search(evidence)) and covered < grams:
        return "one of sentence and evidence denies something"
    return ""


def _compose(claims: Sequence[Claim], asked: Question) -> str:
    gap = "" if asked.lang == "ja" else " "
    said = []
    for claim in claims:
        ids = "".join(f"[{name}]" for name in claim.citations)
        said.append(f"{claim.text}{gap if ids else ''}{ids}{f' {MARK}' if claim.doubt else ''}")
    return gap.join(said)


def _no_answer(reply: Reply, model: Chat, asked: Question) -> str:
    if reply.fault:
        return say(f"{model.ref.name} gave no answer: {reply.fault}.",
                   f"{model.ref.name} は回答しなかった: {reply.fault}。", asked.lang)  # fmt: skip
    return say("The passages found do not answer this.", "見つかった箇所には答えがありません。", asked.lang)


def _no_evidence(model: Chat, asked: Question) -> str:
    name = model.ref.name
    return say(f"{name} wrote an answer that rests on none of the passages found; it is not shown.",
               f"{name} の回答は見つかった箇所のどれにも基づかないため、表示しません。", asked.lang)  # fmt: skip


def _refusal(
    made: str, question: str, model: Chat, text: str, parts: Parts, near: tuple[Nearby, ...], unknown: int = 0
) -> Answer:
    nothing = Checks(unknown_ids=unknown, quotes_verbatim=None, numbers_supported=None, coverage=None)
    return Answer(id=made, question=question, text=text, voice=model.ref.name, refused=True, claims=(), citations=(),
                  checks=nothing, nearest=near, parts=parts)  # fmt: skip
