"""Lineage over HTTP: anything walked back to its source."""

from typing import Annotated

from fastapi import APIRouter, Path

from gnomon.serving.api.refusals import refusals
from gnomon.serving.facts import lineages
from gnomon.serving.house import Housed

router = APIRouter(prefix="/api", tags=["lineage"])


@router.get("/lineage/{name:path}", summary="Walk anything back to its source", responses=refusals(404))
async def lineage(
    house: Housed,
    name: Annotated[str, Path(
        description="A document, chunk, answer, pair, example, question, step, file or model.", max_length=1_000,
        examples=["answer:1553b57a86e7664bf0a747c1b605d847"],
    )],
) -> lineages.Node:  # fmt: skip
    """What it rests on, down to the bytes it was read from; of a model, what it was shown.

    The tree tells each thing once: where it is met again it only has ``again``. Very many things below one are counted
    in ``more``.
    """
    return await house.readers.run(lineages.lineage, house.opened, name)
