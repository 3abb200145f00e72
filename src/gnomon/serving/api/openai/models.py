"""``/v1/models`` and ``/v1/embeddings``: who can be asked, and the vectors of the library's own embedders."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path

from gnomon.core.protocols import Embedder, Vectors
from gnomon.core.wording import say
from gnomon.research.opened import OpenExpert
from gnomon.serving.api.openai import examples
from gnomon.serving.api.openai.asked import fits, no_model, refused
from gnomon.serving.api.openai.examples import gives
from gnomon.serving.api.openai.parameters import ASK, LONGEST_NAME, EmbeddingRequest
from gnomon.serving.api.openai.replies import Embedded, Embeddings, EmbeddingUsage, ModelList, ModelObject
from gnomon.serving.facts.models import ModelFacts, models
from gnomon.serving.house import Housed

router = APIRouter()
CHAT, COMPLETIONS, EMBEDDINGS = "chat.completions", "completions", "embeddings"
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such model."}}


@router.get("/models", summary="List the models", responses=gives("Every model.", examples.MODELS))
async def list_models(house: Housed) -> ModelList:
    """`gnomon-ask`, which answers with citations; each model of the expert by its role; the library's embedders."""
    return ModelList(data=await house.readers.run(_models, house.opened))


@router.get("/models/{model:path}", summary="One model",
            responses=MISSING | gives("The model.", examples.MODELS["data"][0]))  # fmt: skip
async def get_model(
    house: Housed,
    model: Annotated[str, Path(description="Its name.", max_length=LONGEST_NAME, examples=["gnomon-ask"])],
) -> ModelObject:
    """What is known of a model: under `gnomon`, what it does, how it was made, and how it did in the exam."""
    for found in await house.readers.run(_models, house.opened):
        if model == found.id or model in found.gnomon.get("also", ()):
            return found
    raise no_model(model)


def _models(opened: OpenExpert) -> list[ModelObject]:
    expert = opened.expert
    made = int(datetime.fromisoformat(expert.made).timestamp()) if expert.made else 0
    ask = {"does": [CHAT], "about": "Answers from the library, every sentence cited and checked, or refuses."}
    return [
        ModelObject(id=ASK, created=made, owned_by=expert.name, gnomon=ask),
        *(_own(facts) for facts in models(opened)),
        *(_embedder(one, made) for one in embedders(opened)),
    ]


def _own(facts: ModelFacts) -> ModelObject:
    does = [CHAT, COMPLETIONS] if facts.chats else [COMPLETIONS]
    told = {"does": does} | facts.model_dump(mode="json", exclude={"id", "created"})
    return ModelObject(id=facts.id, created=facts.created, owned_by=facts.name, gnomon=told)


def _embedder(one: Embedder, made: int) -> ModelObject:
    told = {
        "does": [EMBEDDINGS], "dimensions": one.dimensions, "languages": list(one.languages),
        "revision": one.ref.revision, "licence": one.ref.licence,
    }  # fmt: skip
    return ModelObject(id=one.ref.name, created=made, owned_by=one.ref.name, gnomon=told)


def embedders(opened: OpenExpert) -> list[Embedder]:
    """The embedders of the library that run here, each once; endpoints are asked only for what a search needs."""
    from gnomon.llm.endpoint import EndpointEmbedder

    found: dict[str, Embedder] = {}
    for side in opened.library.sides if "index" in dict(opened.expert.parts) else ():
        if not isinstance(side.embedder, EndpointEmbedder):
            found.setdefault(side.embedder.ref.name, side.embedder)
    return list(found.values())


@router.post("/embeddings", summary="Turn texts into vectors",
             responses=MISSING | gives("Their vectors.", examples.EMBEDDINGS))  # fmt: skip
async def create_embeddings(
    house: Housed, body: Annotated[EmbeddingRequest, Body(openapi_examples=examples.EMBEDDING)]
) -> Embeddings:
    """Vectors of unit length from an embedder of the library; of a long text, the model reads only the beginning."""
    return await house.readers.run(_embedded, house.opened, body, house.limits.text_characters)


def _embedded(opened: OpenExpert, body: EmbeddingRequest, most: int) -> Embeddings:
    embedder = next((one for one in embedders(opened) if one.ref.name == body.model), None)
    if embedder is None:
        raise no_model(body.model)
    texts = [body.input] if isinstance(body.input, str) else body.input
    fits("input", texts, most)
    if body.dimensions not in (None, embedder.dimensions):
        raise refused(
            "dimensions", "unsupported_parameter",
            say(f"{body.model} gives {embedder.dimensions} numbers and was not trained to give {body.dimensions}.",
                f"{body.model} は {embedder.dimensions} 次元であり、{body.dimensions} 次元には対応しない。"),
            say("Leave it out.", "この項目を外す。"),
        )  # fmt: skip
    vectors = (embedder.embed_queries if body.input_type == "query" else embedder.embed)(texts)
    data = _told(vectors, as_base64=body.encoding_format == "base64")
    read = _tokens(embedder, texts)
    return Embeddings(data=data, model=body.model, usage=EmbeddingUsage(prompt_tokens=read, total_tokens=read))


def _told(vectors: Vectors, *, as_base64: bool) -> list[Embedded]:
    if as_base64:
        rows: list[Any] = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in vectors]
    else:
        rows = [row.tolist() for row in vectors]
    return [Embedded(index=index, embedding=row) for index, row in enumerate(rows)]


def _tokens(embedder: Embedder, texts: Sequence[str]) -> int:
    """Tokens that an embedder read; 0 of one that has none, as the character embedder."""
    count = getattr(embedder, "count", None)
    return int(count(texts)) if count is not None else 0
