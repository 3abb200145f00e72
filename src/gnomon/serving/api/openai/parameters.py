"""Requests of OpenAI's protocol: what is honoured, what is harmless, and what is refused by name.

A parameter that would change the result and that nothing here can honour is never passed over in silence: it is
refused unless it has the value that changes nothing. A parameter without any part in the result (``user``,
``metadata``) is accepted. A name that the protocol does not know is refused too, as a misspelt one would do nothing.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

from gnomon.core.wording import say
from gnomon.serving.texts import Words

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
LONGEST_NAME = 200
MOST_PROMPTS, MOST_STOPS, MOST_INPUTS, MOST_TURNS, MOST_TOPS = 16, 4, 256, 400, 5
ASK = "gnomon-ask"
"""The model that answers from the library."""
Harmless = Annotated[Any, Field(description="Accepted; it has no part in the result.")]


class Only:
    """Metadata of a parameter that is accepted only with a value that changes nothing.

    Args:
        values: Such values, besides null.
    """

    def __init__(self, *values: Any) -> None:
        self.accepted = (None, *values)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A schema that refuses every other value by the parameter's name."""
        return no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> dict[str, Any]:
        """What OpenAPI says of it."""
        shown = " or ".join(map(json.dumps, self.accepted))
        return {"enum": list(self.accepted), "description": f"Not supported: refused unless it is {shown}."}

    def _checked(self, value: Any) -> Any:
        if any(_same(value, known) for known in self.accepted):
            return value
        told = say("{value} is not supported here: leave it out.", "{value} には対応していない。この項目を外す。")
        raise PydanticCustomError("unsupported_parameter", told, {"value": repr(value)[:80]})


def _same(value: Any, known: Any) -> bool:
    """Equal as JSON: true is no number."""
    return bool(value == known) and isinstance(value, bool) == isinstance(known, bool)


class StreamOptions(BaseModel):
    """How a stream is told."""

    include_usage: bool = Field(default=False, description="Send a last chunk with the usage of the whole request.")
    include_obfuscation: Harmless = None


class Sampling(BaseModel):
    """What every request that writes has in common."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    model: Words = Field(max_length=LONGEST_NAME, description="A name of `GET /v1/models`.")
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="1 when not given; 0 for the most probable text."
    )
    top_p: float | None = Field(default=None, gt=0, le=1, description="Nucleus sampling; 1 when not given.")
    seed: int | None = Field(
        default=None, ge=-(2**63), lt=2**63,
        description="The same seed gives the same text; 0 when not given, so that asking again gives the same, too.",
    )  # fmt: skip
    stop: Words | Annotated[list[Words], Field(max_length=MOST_STOPS)] | None = Field(
        default=None, description=f"Up to {MOST_STOPS} strings before which the text ends."
    )
    stream: bool | None = Field(default=None, description="Send the text while it is written, as server-sent events.")
    stream_options: StreamOptions | None = Field(default=None, description="Only with `stream`.")
    frequency_penalty: Annotated[Any, Only(0)] = None
    presence_penalty: Annotated[Any, Only(0)] = None
    logit_bias: Annotated[Any, Only({})] = None
    n: Annotated[Any, Only(1)] = None
    user: Harmless = None

    @property
    def wants_usage(self) -> bool:
        """Whether the stream ends with the usage."""
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop strings; empty ones are none."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(text for text in given if text)

    @property
    def sampled(self) -> dict[str, Any]:
        """Temperature, top_p, stop and seed with the protocol's defaults, as Gnomon's options call them."""
        return {
            "temperature": 1.0 if self.temperature is None else self.temperature,
            "top_p": self.top_p or 1.0, "stop": self.stops, "seed": self.seed or 0,
        }  # fmt: skip


class Part(BaseModel):
    """A piece of a message."""

    type: Literal["text"] = Field(description="Nothing but text is read here.")
    text: Words = Field(description="The text.")


def _parts(content: Any) -> Any:
    """A message's content as pieces, whichever way it was given."""
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


CONTENT = {"anyOf": [{"type": "string"}, {"type": "array", "items": Part.model_json_schema()}, {"type": "null"}]}


class Turn(BaseModel):
    """One message; other fields of earlier replies that are sent back (`annotations`, `gnomon`…) are passed over."""

    role: Literal["system", "developer", "user", "assistant"] = Field(description="`developer` is read as `system`.")
    content: Annotated[list[Part], BeforeValidator(_parts), WithJsonSchema(CONTENT)] = Field(
        default=[], description="The text, or pieces of text."
    )
    reasoning_content: Words | None = Field(default=None, description="What an assistant wrote before its answer.")
    tool_calls: Annotated[Any, Only([])] = None
    function_call: Annotated[Any, Only()] = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(part.text for part in self.content)


class Answering(BaseModel):
    """How `gnomon-ask` answers: a field of Gnomon's own."""

    model_config = ConfigDict(extra="forbid")

    voice: Words = Field(
        default="extractive", max_length=LONGEST_NAME,
        description="Who answers: `extractive` (sentences of the library, word for word), or another voice of"
        " `GET /api/voices`, whose sentences are checked against quotes.",
    )  # fmt: skip


class ChatTemplate(BaseModel):
    """What is passed to a model's chat template."""

    model_config = ConfigDict(extra="forbid")

    enable_thinking: bool | None = Field(
        default=None, description="The same switch as `reasoning_effort`, as servers of open models spell it."
    )


class ChatRequest(Sampling):
    """A conversation to be answered."""

    messages: list[Turn] = Field(
        min_length=1, max_length=MOST_TURNS, description="The conversation; the last message is the user's."
    )
    max_tokens: int | None = Field(default=None, ge=1, description="Most tokens written, thinking included.")
    max_completion_tokens: int | None = Field(default=None, ge=1, description="The newer name of `max_tokens`.")
    reasoning_effort: Effort | None = Field(
        default=None,
        description="`none`: answer directly; any other: think first, apart, in `reasoning_content`; not given: as the"
        " model is used to.",
    )
    chat_template_kwargs: ChatTemplate | None = Field(default=None, description="For clients that know it.")
    gnomon: Answering | None = Field(default=None, description="Only for the model `gnomon-ask`.")
    tools: Annotated[Any, Only([])] = None
    tool_choice: Annotated[Any, Only("none", "auto")] = None
    functions: Annotated[Any, Only([])] = None
    function_call: Annotated[Any, Only("none", "auto")] = None
    response_format: Annotated[Any, Only({"type": "text"})] = None
    logprobs: Annotated[Any, Only(False)] = None
    top_logprobs: Annotated[Any, Only(0)] = None
    modalities: Annotated[Any, Only(["text"])] = None
    audio: Annotated[Any, Only()] = None
    prediction: Annotated[Any, Only()] = None
    web_search_options: Annotated[Any, Only()] = None
    moderation: Annotated[Any, Only()] = None
    verbosity: Annotated[Any, Only("medium")] = None
    store: Annotated[Any, Only(False)] = None
    parallel_tool_calls: Harmless = None
    metadata: Harmless = None
    service_tier: Harmless = None
    safety_identifier: Harmless = None
    prompt_cache_key: Harmless = None
    prompt_cache_options: Harmless = None
    prompt_cache_retention: Harmless = None

    @property
    def limit(self) -> int | None:
        """Most tokens, by whichever name it was given."""
        return self.max_completion_tokens or self.max_tokens


class CompletionRequest(Sampling):
    """A text to be continued."""

    prompt: Words | Annotated[list[Words], Field(min_length=1, max_length=MOST_PROMPTS)] = Field(
        description=f"A text, or up to {MOST_PROMPTS} of them."
    )
    max_tokens: int | None = Field(
        default=None, ge=0, description="Most tokens written for each prompt; 16 when not given; 0 only with `echo`."
    )
    echo: bool | None = Field(default=None, description="Put the prompt before its continuation.")
    logprobs: int | None = Field(
        default=None, ge=0, le=MOST_TOPS,
        description="Tell how probable each token was, and so many of the most probable in its place; not with"
        " `stream`. With `echo` of the prompt's tokens, too. Probabilities are the model's own, before temperature.",
    )  # fmt: skip
    best_of: Annotated[Any, Only(1)] = None
    suffix: Annotated[Any, Only("")] = None


class EmbeddingRequest(BaseModel):
    """Texts to be turned into vectors."""

    model_config = ConfigDict(extra="forbid")

    model: Words = Field(max_length=LONGEST_NAME, description="An embedder of `GET /v1/models`.")
    input: Words | Annotated[list[Words], Field(min_length=1, max_length=MOST_INPUTS)] = Field(
        description=f"A text, or up to {MOST_INPUTS} of them."
    )
    encoding_format: Literal["float", "base64"] | None = Field(
        default=None, description="`base64`: little-endian float32; `float` when not given."
    )
    dimensions: int | None = Field(
        default=None, ge=1, description="The model's own length and no other: it was not trained to be cut."
    )
    input_type: Literal["passage", "query"] | None = Field(
        default=None, description="A field of Gnomon's own: some models read queries otherwise; `passage` by default."
    )
    user: Harmless = None
