"""The OpenAPI document, finished: names that read well, tags with a description, keys, and one shape of problem.

FastAPI describes what each operation takes and gives. Added here is what holds for all of them: who may call, and that
whatever goes wrong is a problem document, or under ``/v1`` an error of OpenAI's protocol.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from gnomon.serving.api.refusals import MEDIA_TYPE, ProblemDetails
from gnomon.serving.safety.policy import Policy

EXAMPLES = Path(__file__).parent / "api" / "examples.json"
"""Answers by operation: real ones of the quickstart expert, shortened (``tests/serving/make_examples.py``)."""
ADDRESS, SHORT_ADDRESS = "/api/openapi.json", "/openapi.json"
ABOUT = (
    "Search, cited answers and tracing over one expert, and its language models behind OpenAI's protocol. Every answer"
    " can be walked back to the passages it came from. Errors say what is wrong, where, and how to mend it."
)
TAGS = {
    "search": "Documents with the passages that speak for a query, and the same list as a reference file.",
    "ask": "Answers of which every sentence is cited and checked, at once or as they come to be.",
    "trace": "Where the words of a text stand in what the models were shown.",
    "documents": "One document: its record, its text, what became of it, and what resembles it.",
    "lineage": "From any id back to the bytes it came from.",
    "corpus": "What the library is made of, and what was left out with which reason.",
    "exam": "What was measured, and every question with every answer.",
    "complete": "Language models of the expert continuing a text, side by side.",
    "openai": "The protocol of OpenAI: any of its clients will do. `gnomon-ask` answers with citations.",
    "server": "Whether the server lives and is ready, and what it has counted.",
}
PROGRAMS = ("/api/", "/v1/", "/health", "/metrics")
"""Paths that the document tells of; the rest are pages for people."""
EVENTS = "text/event-stream"
PROTOCOLS = ("/api/", "/v1/")
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_LONG_NAME = re.compile(r"\bgnomon__(?:\w+?__)*(\w+?)__([A-Z]\w*)\b")
_REF = "#/components/schemas/"


class OpenAIErrorBody(BaseModel):
    """What went wrong, as OpenAI's protocol tells it."""

    message: str = Field(description="What is wrong, and how to mend it.")
    type: str = Field(description="`invalid_request_error` or `server_error`.", examples=["invalid_request_error"])
    param: str | None = Field(None, description="The field of the request that it is about.", examples=["model"])
    code: str | None = Field(None, description="A word for programs.", examples=["model_not_found"])


class OpenAIError(BaseModel):
    """An error of OpenAI's protocol."""

    error: OpenAIErrorBody = Field(description="The error.")


class Event(BaseModel):
    """One server-sent event."""

    event: str = Field("message", description="Its name.", examples=["evidence"])
    data: str = Field(description="JSON, as text.")


def install(app: FastAPI, policy: Policy) -> None:
    """Let an application describe itself, at two addresses.

    Args:
        app: The application, with all its routes.
        policy: Whether a key is demanded.
    """
    made: dict[str, Any] = {}

    def described() -> dict[str, Any]:
        if not made:
            made.update(document(app, demands_key=policy.demands_key))
        return made

    async def show(_: Request) -> Response:
        text = await asyncio.to_thread(lambda: json.dumps(described(), ensure_ascii=False))
        return Response(text, media_type="application/json")

    app.openapi = described  # type: ignore[method-assign]
    for address in (ADDRESS, SHORT_ADDRESS):
        app.add_route(address, show, include_in_schema=False)


def operation_id(route: APIRoute) -> str:
    """An operation's id: the name of its function."""
    return route.name


def document(app: FastAPI, *, demands_key: bool) -> dict[str, Any]:
    """The OpenAPI document of an application.

    Args:
        app: The application.
        demands_key: Whether a key is demanded, or merely understood.
    """
    made: dict[str, Any] = get_openapi(
        title="Gnomon", version=app.version, description=ABOUT, routes=app.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        tags=[{"name": name, "description": about} for name, about in TAGS.items()],
    )  # fmt: skip
    made["paths"] = {path: row for path, row in made["paths"].items() if path.startswith(PROGRAMS)}
    made = json.loads(_LONG_NAME.sub(lambda found: found[1].title().replace("_", "") + found[2], json.dumps(made)))
    made["security"] = [{"key": []}] if demands_key else [{}, {"key": []}]
    _add_components(made)
    shown = json.loads(EXAMPLES.read_text(encoding="utf-8")) if EXAMPLES.is_file() else {}
    for path, operation in operations(made):
        _tell_problems(path, operation)
        _show_answer(operation, shown)
    return made


def _show_answer(operation: dict[str, Any], shown: dict[str, Any]) -> None:
    """Give an operation's JSON answer its example."""
    answer = operation["responses"].get("200", {}).get("content", {}).get("application/json")
    if answer is not None and operation["operationId"] in shown:
        answer.pop("examples", None)
        answer["example"] = shown[operation["operationId"]]


def operations(made: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation of a document with its path."""
    for path, row in made["paths"].items():
        for method in METHODS & set(row):
            yield path, row[method]


def _add_components(made: dict[str, Any]) -> None:
    parts = made.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for model in (ProblemDetails, OpenAIError, Event):
        schema = model.model_json_schema(ref_template=_REF + "{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    parts["securitySchemes"] = {"key": {
        "type": "http", "scheme": "bearer",
        "description": "A key made with `gnomon key add NAME`; needed where others can reach the server.",
    }}  # fmt: skip
    parts["responses"] = {
        "Problem": {"description": "Any other status: a problem, with its cure.", "content": _problem("/api/")},
        "Error": {"description": "Any other status: an error of OpenAI's protocol.", "content": _problem("/v1/")},
    }


def _tell_problems(path: str, operation: dict[str, Any]) -> None:
    """Every refusal by its one shape, and by default whatever any operation may be refused with."""
    responses = operation["responses"]
    for status, told in responses.items():
        if told.get("description") == "Successful Response":
            told["description"] = "The answer."
        if status[0] in "45" and path.startswith(PROTOCOLS):
            told["content"] = _problem(path)
        elif EVENTS in told.get("content", {}):
            told["content"][EVENTS] |= {"schema": {"$ref": _REF + "Event"}}
    name = "Error" if path.startswith("/v1/") else "Problem"
    responses.setdefault("default", {"$ref": f"#/components/responses/{name}"})


def _problem(path: str) -> dict[str, Any]:
    """The content of a refusal, as the protocol of a path has it."""
    if path.startswith("/v1/"):
        return {"application/json": {"schema": {"$ref": _REF + "OpenAIError"}}}
    return {MEDIA_TYPE: {"schema": {"$ref": _REF + "ProblemDetails"}}}
