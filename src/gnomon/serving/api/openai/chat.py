"""``/v1/chat/completions``: a conversation with one of the expert's models, or a cited answer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urljoin

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import JSONResponse

from gnomon.core.messages import Message
from gnomon.llm.chat import ChatOptions
from gnomon.research.ask import VOICE as EXTRACTIVE
from gnomon.serving.api.openai import asked, examples
from gnomon.serving.api.openai.parameters import ASK, ChatRequest
from gnomon.serving.api.openai.replies import (
    Annotation,
    ChatChoice,
    ChatCompletion,
    ChatMessage,
    Cited,
    Doubt,
    UrlCitation,
    usage,
)
from gnomon.serving.api.openai.sending import HEADERS, Chunk, Head, streamed
from gnomon.serving.events import gathered
from gnomon.serving.facts.answers import AnswerFacts
from gnomon.serving.facts.writing import Piece, answered, chatted
from gnomon.serving.house import House, Housed
from gnomon.serving.work import Workers

router = APIRouter()
TOLD = examples.gives(
    "The reply; or, with `stream`, chunks of it: the last one with a choice has the `finish_reason` and, of"
    " `gnomon-ask`, the field `gnomon`; then `[DONE]`.",
    examples.CHAT_COMPLETION, examples.CHAT_EVENTS,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Writing:
    """A reply that is to be written."""

    workers: Workers
    """Who write."""
    make: Callable[[], Iterator[Piece]]
    """The writing."""
    fingerprint: str = ""
    """The weights that write, where it is one model of the expert."""
    ignored: tuple[str, ...] = ()
    """Parameters without any part in it."""


@router.post("/chat/completions", summary="Answer a conversation", response_model=ChatCompletion,
             responses=TOLD)  # fmt: skip
async def chat_completions(
    request: Request, house: Housed, body: Annotated[ChatRequest, Body(openapi_examples=examples.CHAT)]
) -> Response:
    """`gnomon-ask` answers from the library, every sentence cited by ids such as `[R1]`, which `gnomon.citations` and
    the protocol's `annotations` explain; any other model of the expert that can chat replies in its own words, which no
    evidence supports.
    """  # noqa: D205 -- one paragraph, as OpenAPI shows it
    found = await (_asking(house, body) if body.model == ASK else _chatting(house, body))
    make = request.app.state.metrics.counting(body.model, found.make)
    telling = Telling(str(request.base_url), found.ignored)
    if body.stream:
        chunks = ChatChunks(body, found.fingerprint, telling)
        return await streamed(found.workers, make, chunks)
    pieces = await gathered(request, found.workers, make)
    made = _whole(Head("chat.completion", "chatcmpl", body.model, found.fingerprint, wants_usage=True), pieces, telling)
    return JSONResponse(made.model_dump(), headers=HEADERS)


async def _chatting(house: House, body: ChatRequest) -> Writing:
    opened = house.opened
    facts = await house.readers.run(asked.chat_model, opened, body.model)
    turns = asked.conversation(body, house.limits)
    most = min(body.limit or house.limits.written_tokens, house.limits.written_tokens)
    options = ChatOptions(max_tokens=most, thinking=asked.thinking(body), **body.sampled)
    return Writing(
        workers=house.writers, fingerprint=facts.revision,
        make=lambda: asked.held("messages", chatted(opened, facts.id, turns, options)),
    )  # fmt: skip


async def _asking(house: House, body: ChatRequest) -> Writing:
    opened, turns = house.opened, asked.conversation(body, house.limits)
    question = asked.question_of(body, turns, house.limits)
    voice = await house.readers.run(asked.voice_of, opened, body)
    history: list[Message] = [turn for turn in turns[:-1] if turn.role != "system"]
    return Writing(
        workers=house.readers if voice == EXTRACTIVE else house.writers,
        make=lambda: asked.held("messages", answered(opened, question, voice, history)),
        ignored=tuple(asked.ignored(body, turns)),
    )  # fmt: skip


class Telling:
    """How a cited answer stands in a message.

    Args:
        base: The address of this server.
        ignored: Parameters of the request without any part in it.
    """

    def __init__(self, base: str, ignored: Sequence[str]) -> None:
        self._base, self._ignored = base, ignored

    def fields(self, given: AnswerFacts, text: str) -> dict[str, Any]:
        """The fields of a message, and of the last delta of a streamed one, that tell its evidence."""
        doubts = [Doubt(text=one.text, why=one.doubt) for one in given.sentences if one.doubt]
        cited = Cited(
            id=given.id, voice=given.voice, refused=given.refused, citations=list(given.evidence), checks=given.checks,
            doubts=doubts, nearest=list(given.nearest), lineage=given.lineage, ignored=list(self._ignored),
        )  # fmt: skip
        return {"annotations": self._annotations(given, text), "gnomon": cited}

    def _annotations(self, given: AnswerFacts, text: str) -> list[Annotation]:
        found = []
        for one in given.evidence:
            mark, at = f"[{one.id}]", -1
            while (at := text.find(mark, at + 1)) >= 0:
                place = UrlCitation(start_index=at, end_index=at + len(mark) - 1, title=one.title,
                                    url=urljoin(self._base, one.address))  # fmt: skip
                found.append(Annotation(url_citation=place))
        return sorted(found, key=lambda note: note.url_citation.start_index)


def _whole(head: Head, pieces: Sequence[Piece], telling: Telling) -> ChatCompletion:
    text, thought = "".join(p.text for p in pieces), "".join(p.thinking for p in pieces)
    last = pieces[-1] if pieces else Piece(finish="stop")
    more = telling.fields(last.answer, text) if last.answer is not None else {}
    message = ChatMessage(content=text, reasoning_content=thought or None, **more)
    finish: Any = last.finish or "length"
    choice = ChatChoice(index=0, message=message, finish_reason=finish)
    return ChatCompletion(choices=[choice], usage=usage(*last.tokens), **head.told)


class ChatChunks:
    """Pieces of a reply as chunks.

    Args:
        body: What was asked.
        fingerprint: The weights that write.
        telling: How a cited answer is told.
    """

    def __init__(self, body: ChatRequest, fingerprint: str, telling: Telling) -> None:
        self._head = Head("chat.completion.chunk", "chatcmpl", body.model, fingerprint, wants_usage=body.wants_usage)
        self._telling, self._text = telling, ""

    def begin(self) -> Iterator[Chunk]:
        """Who speaks."""
        yield self._chunk({"role": "assistant", "content": ""})

    def of(self, piece: Piece) -> Iterator[Chunk]:
        """More of the thinking or of the text; at the end why it ends, and what a cited answer rests on."""
        self._text += piece.text
        if piece.thinking:
            yield self._chunk({"reasoning_content": piece.thinking})
        if piece.text:
            yield self._chunk({"content": piece.text})
        if piece.finish:
            self._head.count(piece.tokens)
            more = self._telling.fields(piece.answer, self._text) if piece.answer is not None else {}
            yield self._chunk({name: _plain(value) for name, value in more.items()}, piece.finish)

    def end(self) -> Iterator[Chunk]:
        """The usage."""
        return self._head.usage()

    def _chunk(self, delta: Chunk, finish: str = "") -> Chunk:
        return self._head.chunk({"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish or None})


def _plain(value: Any) -> Any:
    return [one.model_dump() for one in value] if isinstance(value, list) else value.model_dump()
