"""Requests and responses of the OpenAI protocol: what is sent for a conversation, and what an answer says.

Endpoints differ in three things, and each is a word in ``gnomon.toml`` under the model's name: how a JSON schema is
asked for, how thinking is switched on and off, and what the limit of tokens is called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.messages import Message
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace
from gnomon.llm.chat import ChatOptions, Conversation, Reply
from gnomon.llm.client import Generation
from gnomon.llm.structured import in_words, read_structured
from gnomon.llm.thinking import split_thinking

STRUCTURED = ("schema", "json", "words")
SWITCHES = ("template", "effort", "system", "none")
SWITCH = {"on": "thinking: on", "off": "thinking: off"}
"""System messages by which models fine-tuned here are told whether to think first."""
Body = dict[str, Any]


class Unreadable(Exception):
    """An answer that is not what the protocol says; worth asking again for."""


def check_place(name: str, place: ModelPlace) -> None:
    """Refuse a place in ``gnomon.toml`` that cannot be followed.

    Raises:
        ConfigError: ``structured`` or ``thinking`` is none of the known words.
    """
    for key, value, known in (("structured", place.structured, STRUCTURED), ("thinking", place.thinking, SWITCHES)):
        if value not in known:
            raise ConfigError(f"models.{name}: {key} = {value!r}.", f"Known: {', '.join(known)}.")


def chat_body(ref: ModelRef, place: ModelPlace, conversation: Conversation, options: ChatOptions) -> Body:
    """The body of ``POST /chat/completions``."""
    turns, extra = list(conversation), Body()
    if options.thinking != "auto":
        turns, extra = _switched(turns, options.thinking, place.thinking)
    if options.schema is not None and place.structured != "schema":
        turns[-1] = replace(turns[-1], text=f"{turns[-1].text}\n\n{in_words(options.schema)}")
    body: Body = {
        "model": place.model or ref.name,
        "messages": [{"role": turn.role, "content": turn.text} for turn in turns],
        place.limit: options.max_tokens,
        **_sampling(options),
    }
    if options.schema is not None and place.structured == "schema":
        named = {"name": "answer", "schema": dict(options.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    elif options.schema is not None and place.structured == "json":
        body["response_format"] = {"type": "json_object"}
    return {**body, **extra}


def completion_body(ref: ModelRef, place: ModelPlace, prompt: str, options: Generation) -> Body:
    """The body of ``POST /completions``."""
    return {"model": place.model or ref.name, "prompt": prompt, "max_tokens": options.max_tokens, **_sampling(options)}


def echo_body(ref: ModelRef, place: ModelPlace, text: str) -> Body:
    """The body that asks for the log-probabilities of a text, as vLLM and lm-evaluation-harness understand it."""
    name = place.model or ref.name
    return {"model": name, "prompt": text, "max_tokens": 1, "temperature": 0.0, "logprobs": 1, "echo": True}


def _sampling(options: ChatOptions | Generation) -> Body:
    body: Body = {"temperature": options.temperature, "top_p": options.top_p, "seed": options.seed}
    return body | ({"stop": list(options.stop)} if options.stop else {})


def _switched(turns: list[Message], wanted: str, how: str) -> tuple[list[Message], Body]:
    """The turns and the extra fields that switch thinking on or off."""
    if how == "template":
        return turns, {"extra_body": {"chat_template_kwargs": {"enable_thinking": wanted == "on"}}}
    if how == "effort":
        return turns, {"reasoning_effort": "medium" if wanted == "on" else "low"}
    if how == "system":
        return with_switch(turns, wanted), {}
    return turns, {}


def with_switch(turns: Sequence[Message], wanted: str) -> list[Message]:
    """The conversation with the switch as (the beginning of) its system message."""
    switch = SWITCH[wanted]
    if turns and turns[0].role == "system":
        return [replace(turns[0], text=f"{switch}\n{turns[0].text}"), *turns[1:]]
    return [Message(role="system", text=switch), *turns]


def read_chat(answer: Any, options: ChatOptions) -> Reply:
    """The reply in a chat completion.

    Raises:
        Unreadable: It is no chat completion.
    """
    choice = _choice(answer)
    message = getattr(choice, "message", None)
    if message is None:
        raise Unreadable("the answer has no message")
    return whole_reply(
        message.content or "", _reasoning(message), choice.finish_reason, usage(answer), options, message.refusal or ""
    )


def whole_reply(
    text: str, reasoning: str, finish: str | None, tokens: tuple[int, int], options: ChatOptions, refusal: str = ""
) -> Reply:
    """A reply from the parts of an answer: raw text is parted into thinking and answer, a schema is held against it."""
    thinking, said = (reasoning, text.strip()) if reasoning else split_thinking(text)
    if refusal or finish == "content_filter":
        return Reply(text=said, thinking=thinking, finish="refused", tokens_in=tokens[0], tokens_out=tokens[1],
                     fault=f"the endpoint refused: {refusal or 'content filter'}")  # fmt: skip
    reply = Reply(text=said, thinking=thinking, finish="length" if finish == "length" else "stop",
                  tokens_in=tokens[0], tokens_out=tokens[1])  # fmt: skip
    if not said:
        return replace(reply, fault="cut while thinking" if reply.finish == "length" and thinking else "empty answer")
    return reply if options.schema is None else read_structured(reply, options.schema)


def delta_texts(chunk: Any) -> tuple[str, str, str | None]:
    """(text, thinking, finish) that a chunk of a stream adds."""
    choices = getattr(chunk, "choices", None) or []
    if not choices:
        return "", "", None
    delta = choices[0].delta
    return delta.content or "", _reasoning(delta), choices[0].finish_reason


def completion_delta(chunk: Any) -> tuple[str, str]:
    """(text, finish) that a chunk of a streamed completion adds."""
    choices = getattr(chunk, "choices", None) or []
    if not choices:
        return "", ""
    return choices[0].text or "", choices[0].finish_reason or ""


def read_completion(answer: Any) -> tuple[str, str, int]:
    """(text, finish, tokens) of a completion.

    Raises:
        Unreadable: It is no completion.
    """
    choice = _choice(answer)
    if not isinstance(getattr(choice, "text", None), str):
        raise Unreadable("the answer has no text")
    return choice.text, "length" if choice.finish_reason == "length" else "stop", usage(answer)[1]


def read_echo(answer: Any, context: int) -> tuple[float, int, bool]:
    """(total, tokens, greedy) of what stands after the first ``context`` characters of an echoed text.

    Raises:
        Unreadable: There are no log-probabilities of the prompt in it.
    """
    scored = getattr(_choice(answer), "logprobs", None)
    names = ("tokens", "token_logprobs", "text_offset")
    if scored is None or any(not getattr(scored, name, None) for name in names):
        raise Unreadable("the answer holds no log-probabilities of the prompt")
    values = list(zip(scored.text_offset, scored.token_logprobs, strict=True))[:-1]  # the last one was generated
    first = next((i for i, (offset, _) in enumerate(values) if offset >= context), len(values))
    own = [value or 0.0 for _, value in values[first:]]
    tops = list(scored.top_logprobs or [])[first : len(values)]
    greedy = bool(tops) and all(top and max(top.values()) <= value for top, value in zip(tops, own, strict=True))
    return float(sum(own)), len(own), greedy


def usage(answer: Any) -> tuple[int, int]:
    """Prompt and generated tokens, 0 where the endpoint does not say."""
    used = getattr(answer, "usage", None)
    return int(getattr(used, "prompt_tokens", 0) or 0), int(getattr(used, "completion_tokens", 0) or 0)


def price(place: ModelPlace, tokens: tuple[int, int]) -> float | None:
    """USD of a call, None where a price is not known or the endpoint counts no tokens."""
    into, out = place.usd_per_million_tokens, place.usd_per_million_output_tokens
    if into is None or out is None or not any(tokens):
        return None
    return (tokens[0] * into + tokens[1] * out) / 1e6


def _choice(answer: Any) -> Any:
    choices = getattr(answer, "choices", None)
    if not isinstance(choices, Sequence) or not choices:
        raise Unreadable(f"the answer has no choices: {str(answer)[:200]!r}")
    return choices[0]


def _reasoning(message: Any) -> str:
    """What a model thought, under the names endpoints use (vLLM's ``reasoning``, formerly ``reasoning_content``)."""
    extra: Mapping[str, Any] = getattr(message, "model_extra", None) or {}
    found = next((extra[name] for name in ("reasoning", "reasoning_content") if extra.get(name)), "")
    return found if isinstance(found, str) else ""
