"""``/v1/completions``: texts continued by one of the expert's models."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import JSONResponse

from gnomon.llm.client import Generation, ScoredToken
from gnomon.research.opened import OpenExpert
from gnomon.serving.api.openai import asked, examples
from gnomon.serving.api.openai.parameters import CompletionRequest
from gnomon.serving.api.openai.replies import LogProbs, TextChoice, TextCompletion, usage
from gnomon.serving.api.openai.sending import HEADERS, Chunk, Head, streamed
from gnomon.serving.events import gathered
from gnomon.serving.facts.writing import Piece, continued, scored
from gnomon.serving.house import Housed

router = APIRouter()
TOKENS = 16
"""Tokens that are written when no limit is given, as the protocol has it."""
TOLD = examples.gives(
    "The continued texts; or, with `stream`, chunks of them, one prompt after another.",
    examples.TEXT_COMPLETION, examples.TEXT_EVENTS,
)  # fmt: skip


@router.post("/completions", summary="Continue texts", response_model=TextCompletion, responses=TOLD)  # fmt: skip
async def completions(
    request: Request, house: Housed, body: Annotated[CompletionRequest, Body(openapi_examples=examples.COMPLETION)]
) -> Response:
    """Every model of the expert continues texts, base models above all. What they write is no fact."""
    opened = house.opened
    facts = await house.readers.run(asked.writing_model, opened, body.model)
    prompts = [body.prompt] if isinstance(body.prompt, str) else body.prompt
    asked.fits("prompt", prompts, house.limits.text_characters)
    asked.scorable(body)
    pieces_of = partial(_pieces, opened, facts.id, prompts, body, house.limits.written_tokens)
    make = request.app.state.metrics.counting(facts.id, pieces_of)
    wants_usage = body.wants_usage or not body.stream
    head = Head("text_completion", "cmpl", body.model, facts.revision, wants_usage=wants_usage)
    if body.stream:
        return await streamed(house.writers, make, TextChunks(head))
    pieces = await gathered(request, house.writers, make)
    return JSONResponse(_whole(head, len(prompts), pieces, body).model_dump(), headers=HEADERS)


def _pieces(
    opened: OpenExpert, name: str, prompts: Sequence[str], body: CompletionRequest, most: int
) -> Iterator[Piece]:
    limit = min(TOKENS if body.max_tokens is None else body.max_tokens, most)
    options = Generation(max_tokens=limit, **body.sampled) if limit else None
    if body.logprobs is None and options is not None:
        found = continued(opened, name, prompts, options, echo=bool(body.echo))
    else:
        found = scored(opened, name, prompts, options, tops=body.logprobs or 0, echo=bool(body.echo))
    return asked.held("prompt", found)


def _whole(head: Head, prompts: int, pieces: Sequence[Piece], body: CompletionRequest) -> TextCompletion:
    choices = []
    for index in range(prompts):
        own = [piece for piece in pieces if piece.index == index]
        finish: Any = (own[-1].finish if own else "") or "length"
        choices.append(TextChoice(
            index=index, text="".join(p.text for p in own), finish_reason=finish,
            logprobs=_log_probs(own[-1].scores, body.logprobs) if own and body.logprobs is not None else None,
        ))  # fmt: skip
        head.count(own[-1].tokens if own else (0, 0))
    return TextCompletion(choices=choices, usage=usage(head.read, head.written), **head.told)


def _log_probs(scores: Sequence[ScoredToken], tops: int) -> LogProbs:
    first = min((one.start for one in scores), default=0)
    return LogProbs(
        tokens=[one.text for one in scores], token_logprobs=[one.log_prob for one in scores],
        top_logprobs=[dict(one.top) for one in scores] if tops else None,
        text_offset=[one.start - first for one in scores],
    )  # fmt: skip


class TextChunks:
    """Pieces of continued texts as chunks.

    Args:
        head: What every chunk begins with.
    """

    def __init__(self, head: Head) -> None:
        self._head = head

    def begin(self) -> Iterator[Chunk]:
        """Nothing."""
        return iter(())

    def of(self, piece: Piece) -> Iterator[Chunk]:
        """More of a text, and at its end why it ends."""
        self._head.count(piece.tokens)
        yield self._head.chunk(
            {"index": piece.index, "text": piece.text, "logprobs": None, "finish_reason": piece.finish or None}
        )

    def end(self) -> Iterator[Chunk]:
        """The usage."""
        return self._head.usage()
