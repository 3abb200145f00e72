"""Responses of OpenAI's protocol, with what Gnomon adds to them under one field of its own, ``gnomon``."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from gnomon.serving.facts.answers import Evidence, Near
from gnomon.serving.facts.checking import Checked

Finish = Literal["stop", "length", "content_filter"]
Id = Annotated[str, Field(description="Of this response.")]
Created = Annotated[int, Field(description="When, in seconds since 1970.")]
Model = Annotated[str, Field(description="The model that was asked.")]
Fingerprint = Annotated[
    str | None, Field(description="The weights that wrote: with the same one, the same seed gives the same text.")
]
Ended = Annotated[Finish | None, Field(description="Why the text ends: by itself, or because of the limit.")]
Index = Annotated[int, Field(description="Its place among the choices.")]


class Usage(BaseModel):
    """Tokens of language models; all are 0 where none took part, as in the extractive voice."""

    prompt_tokens: int = Field(description="Tokens read.")
    completion_tokens: int = Field(description="Tokens written, thinking included.")
    total_tokens: int = Field(description="Both.")


def usage(read: int, written: int) -> Usage:
    """The usage of so many tokens."""
    return Usage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)


# Cited answers ---------------------------------------------------------------------------------


class Doubt(BaseModel):
    """A sentence that its evidence does not bear out; it is marked `[?]` in the text."""

    text: str = Field(description="The sentence.")
    why: str = Field(description="Why it is not believed, in the reader's language.")


class Cited(BaseModel):
    """What `gnomon-ask` adds to a message: everything needed to doubt it."""

    id: str = Field(description="The answer's id: `GET /api/answers/{id}` gives it again.")
    voice: str = Field(description="`extractive`, or the name of the model that wrote.")
    refused: bool = Field(description="Whether the evidence was too weak.")
    citations: list[Evidence] = Field(description="What the ids in the text stand for, in order.")
    checks: Checked = Field(description="What code found; no model takes part.")
    doubts: list[Doubt] = Field(description="The sentences that are marked.")
    nearest: list[Near] = Field(description="The nearest works, when refused.")
    lineage: str = Field(description="The page on which the answer is walked back to its sources.")
    ignored: list[str] = Field(description="Parameters of the request that had no part in this answer.")


class UrlCitation(BaseModel):
    """A citation as the protocol tells it."""

    start_index: int = Field(description="First character of the id in the text.")
    end_index: int = Field(description="Its last character.")
    title: str = Field(description="The cited work.")
    url: str = Field(description="Its page on this server, at the quote.")


class Annotation(BaseModel):
    """A note on a stretch of a message's text."""

    type: Literal["url_citation"] = Field(default="url_citation", description="A citation.")
    url_citation: UrlCitation = Field(description="Which.")


# Chat ------------------------------------------------------------------------------------------


class ChatMessage(BaseModel):
    """What was answered."""

    role: Literal["assistant"] = Field(default="assistant", description="Who speaks.")
    content: str = Field(description="The answer, without thinking.")
    refusal: str | None = Field(default=None, description="Why the endpoint of a model would not answer.")
    reasoning_content: str | None = Field(default=None, description="What the model wrote first, when it thought.")
    annotations: list[Annotation] | None = Field(default=None, description="The citations of `gnomon-ask`.")
    gnomon: Cited | None = Field(default=None, description="What `gnomon-ask` adds.")


class ChatChoice(BaseModel):
    """The one answer."""

    index: Index
    message: ChatMessage = Field(description="The answer.")
    finish_reason: Ended
    logprobs: None = Field(default=None, description="Always null.")


class ChatCompletion(BaseModel):
    """An answered conversation."""

    id: Id
    object: Literal["chat.completion"] = Field(default="chat.completion", description="What this is.")
    created: Created
    model: Model
    choices: list[ChatChoice] = Field(description="One.")
    usage: Usage = Field(description="Tokens.")
    system_fingerprint: Fingerprint = None


# Completions -----------------------------------------------------------------------------------


class LogProbs(BaseModel):
    """How probable each token of a text was."""

    tokens: list[str] = Field(description="The tokens in order; U+FFFD for a part of a character.")
    token_logprobs: list[float | None] = Field(description="Natural logarithms; null with nothing before it.")
    top_logprobs: list[dict[str, float]] | None = Field(description="The most probable tokens in each place.")
    text_offset: list[int] = Field(description="Where each token begins in the choice's `text`.")


class TextChoice(BaseModel):
    """One continued text."""

    index: Index
    text: str = Field(description="What comes after the prompt.")
    finish_reason: Ended
    logprobs: LogProbs | None = Field(default=None, description="Only when asked for.")


class TextCompletion(BaseModel):
    """Continued texts."""

    id: Id
    object: Literal["text_completion"] = Field(default="text_completion", description="What this is.")
    created: Created
    model: Model
    choices: list[TextChoice] = Field(description="One a prompt, in order.")
    usage: Usage | None = Field(default=None, description="Tokens of all prompts.")
    system_fingerprint: Fingerprint = None


# Embeddings and models -------------------------------------------------------------------------


class Embedded(BaseModel):
    """The vector of one text."""

    index: Index
    object: Literal["embedding"] = Field(default="embedding", description="What this is.")
    embedding: list[float] | str = Field(description="Of unit length; as base64, little-endian float32.")


class EmbeddingUsage(BaseModel):
    """Tokens that were read; what an embedder leaves out at the end of a long text is not counted."""

    prompt_tokens: int = Field(description="Tokens read.")
    total_tokens: int = Field(description="The same.")


class Embeddings(BaseModel):
    """Vectors of texts."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[Embedded] = Field(description="One a text, in order.")
    model: Model
    usage: EmbeddingUsage = Field(description="Tokens.")


class ModelObject(BaseModel):
    """A model that can be asked."""

    id: str = Field(description="Its name in requests.", examples=["gnomon-ask"])
    object: Literal["model"] = Field(default="model", description="What this is.")
    created: Created
    owned_by: str = Field(description="What the model is called, or the expert.")
    gnomon: dict[str, Any] = Field(description="`does`: the operations it answers; and what is known of it.")


class ModelList(BaseModel):
    """Every model that can be asked."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[ModelObject] = Field(description="`gnomon-ask` first, then the expert's models, then embedders.")
