"""Refusals: how OpenAPI describes the problems that a path may answer with (RFC 9457)."""

from typing import Any

from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"


class ProblemDetails(BaseModel):
    """Why a request was not answered, and how to mend it."""

    type: str = Field("about:blank", description="Always `about:blank`: the status says what kind of problem it is.")
    title: str = Field(description="The status in words, in the reader's language.", examples=["Not found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What is wrong, with the value and the place.",
                        examples=["The library has nothing with the id 'arxiv:0000.00000'."])  # fmt: skip
    instance: str = Field(description="The path that was asked for.", examples=["/api/documents/arxiv:0000.00000"])
    cure: str = Field("", description="How to mend it.", examples=["Ids are shown by a search."])
    kind: str = Field("", description="The error's name, for programs.", examples=["NotFound"])
    fields: list[dict[str, str]] = Field(
        [], description="What is wrong with which field: `field` and `message`.",
        examples=[[{"field": "k", "message": "Input should be greater than or equal to 1"}]],
    )  # fmt: skip


TOLD = {
    404: "Nothing has this id or name.",
    422: "A value cannot be used: which, why, and how to mend it.",
    503: "All workers are busy; `Retry-After` says when to try again.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a path operation that may refuse.

    Args:
        statuses: With which statuses, besides 422 and 503, which every path that does work may answer with.
    """
    content = {MEDIA_TYPE: {"schema": ProblemDetails.model_json_schema()}}
    return {status: {"description": TOLD[status], "content": content} for status in sorted({*statuses, 422, 503})}
