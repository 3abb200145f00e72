"""The API for people: every operation with what it takes and gives, and a line to copy, all from the OpenAPI document.

The page invents nothing: it shows the document that programs read. Only the Japanese of its words stands elsewhere
(``apiwords``), because OpenAPI knows one language.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from gnomon.core.wording import language, say
from gnomon.serving.schema import METHODS
from gnomon.serving.web.apiwords import OPERATIONS, TAGS
from gnomon.serving.web.markdown import markdown
from gnomon.serving.web.pages import page
from gnomon.serving.web.samples import Samples, address, curl

router = APIRouter(include_in_schema=False)
_BOUNDS = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}",
           "minLength": "≥ {} characters", "maxLength": "≤ {} characters", "maxItems": "≤ {} items"}  # fmt: skip
_BOUNDS_JA = {"minLength": "{} 文字以上", "maxLength": "{} 文字以下", "maxItems": "{} 件以下"}
TOO_LARGE = 1e15
"""A bound from which on it says more of computers than of the parameter."""
DEEPEST = 4
"""Objects inside each other whose fields are shown."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One thing that an operation takes, or gives."""

    name: str
    """Its name; with dots where it stands inside another."""
    place: str
    """``path``, ``query`` or ``body``; empty in an answer."""
    kind: str
    """Its type, as a person reads it."""
    required: bool
    """Whether it has to be given."""
    default: str
    """What it is when not given, as JSON; empty when there is no default."""
    bounds: str
    """What it may be."""
    about: str
    """What it means."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One way an operation may answer."""

    status: str
    """The status."""
    about: str
    """When it answers so."""
    kind: str
    """The media type of the answer."""
    sample: str
    """What the answer looks like."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation, as the page shows it."""

    id: str
    """Its id, which is its anchor too."""
    method: str
    """The HTTP method, in capitals."""
    path: str
    """Its path, with parameters in braces."""
    summary: str
    """What it does, in a few words of the reader's language."""
    about: str
    """What it does, as Markdown."""
    parameters: tuple[Parameter, ...]
    """What it takes."""
    fields: tuple[Parameter, ...]
    """What its answer holds."""
    answers: tuple[Answered, ...]
    """How it answers."""
    line: str
    """A line for a shell that calls it."""


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """The operations under one tag."""

    tag: str
    """The tag."""
    about: str
    """What they have in common."""
    operations: tuple[Operation, ...]
    """The operations, in the order of the document."""


@router.get("/api/docs")
async def show(request: Request) -> Response:
    """The API, operation by operation."""
    return await asyncio.to_thread(_page, request)


def _page(request: Request) -> Response:
    base = str(request.base_url).rstrip("/")
    found = chapters(request.app.openapi(), base, with_key=request.app.state.policy.demands_key)
    return page(request, "apidocs.html", chapters=found, base=base, told=told)


@lru_cache(maxsize=4_096)
def told(text: str) -> Markup:
    """Words of the document, which are the same for every reader, as HTML."""
    return markdown(text)


def chapters(document: Mapping[str, Any], base: str, *, with_key: bool) -> tuple[Chapter, ...]:
    """The operations of a document by tag.

    Args:
        document: The OpenAPI document.
        base: The server's address, for lines to copy.
        with_key: A key is needed.
    """
    samples, found = Samples(document), dict[str, list[Operation]]()
    for path, row in document["paths"].items():
        for method in sorted(METHODS & set(row)):
            operation = row[method]
            shown = _operation(samples, path, method, operation, curl_base=(base, with_key))
            found.setdefault(operation.get("tags", [""])[0], []).append(shown)
    told = {tag["name"]: tag["description"] for tag in document.get("tags", ())}
    japanese = language() == "ja"
    return tuple(
        Chapter(tag=tag, about=TAGS.get(tag, told[tag]) if japanese else told[tag], operations=tuple(found[tag]))
        for tag in told if tag in found
    )  # fmt: skip


def _operation(
    samples: Samples, path: str, method: str, told: Mapping[str, Any], curl_base: tuple[str, bool]
) -> Operation:
    name = told["operationId"]
    values, query, body = samples.request(told)
    words = (told["summary"], told.get("description", ""))
    summary, about = OPERATIONS.get(name, words) if language() == "ja" else words
    content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    taken = [_parameter(samples, row["name"], row["in"], row["schema"] | _about(row), bool(row.get("required")))
             for row in told.get("parameters", ())]  # fmt: skip
    good: Mapping[str, Any] = next(
        (told["responses"][status] for status in sorted(told["responses"]) if status[0] == "2"), {}
    )
    given = good.get("content", {}).get("application/json", {}).get("schema", {})
    return Operation(
        id=name, method=method.upper(), path=path, summary=summary, about=about,
        parameters=(*taken, *_fields(samples, content.get("schema", {}), "body")),
        fields=tuple(_fields(samples, given, "")), answers=tuple(_answers(samples, told["responses"])),
        line=curl(curl_base[0], method, address(path, values, query), body, with_key=curl_base[1]),
    )  # fmt: skip


def _about(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": row["description"]} if "description" in row else {}


def _parameter(samples: Samples, name: str, place: str, schema: Mapping[str, Any], required: bool) -> Parameter:  # noqa: FBT001
    plain = samples.named(schema)
    given = schema.get("default")
    default = "" if given in (None, "", [], {}) else json.dumps(given, ensure_ascii=False)
    return Parameter(
        name=name, place=place, kind=_kind(samples, schema), required=required, default=default,
        bounds=", ".join(_bounds(plain)), about=schema.get("description", plain.get("description", "")),
    )  # fmt: skip


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    for part in (schema, *schema.get("anyOf", ())):
        for key, words in _BOUNDS.items():
            if key in part and abs(part[key]) < TOO_LARGE:
                number = f"{part[key]:,g}" if isinstance(part[key], float) else f"{part[key]:,}"
                yield (_BOUNDS_JA.get(key, words) if language() == "ja" else words).format(number)


def _fields(
    samples: Samples, schema: Mapping[str, Any], place: str, before: str = "", depth: int = 0
) -> Iterator[Parameter]:
    """The fields of an object, and those of the objects inside it."""
    plain = _inner(samples, schema)
    for name, part in plain.get("properties", {}).items() if depth < DEEPEST else ():
        yield _parameter(samples, before + name, place, part, name in plain.get("required", ()))
        inner = samples.named(part)
        ending = "[]." if inner.get("type") == "array" else "."
        yield from _fields(samples, part, place, f"{before}{name}{ending}", depth + 1)


def _inner(samples: Samples, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that a schema is, holds in a list, or may be besides null."""
    plain = samples.named(schema)
    if plain.get("type") == "array":
        return _inner(samples, plain.get("items", {}))
    for key in ("anyOf", "oneOf", "allOf"):
        for part in plain.get(key, ()):
            found = _inner(samples, part)
            if "properties" in found:
                return found
    return plain


def _kind(samples: Samples, schema: Mapping[str, Any]) -> str:
    plain = samples.named(schema)
    if "enum" in plain:
        return " | ".join(_word(value) for value in plain["enum"])
    if "const" in plain:
        return _word(plain["const"])
    for key in ("anyOf", "oneOf"):
        if key in plain:
            return " | ".join(dict.fromkeys(_kind(samples, part) for part in plain[key]))
    if plain.get("type") == "array":
        return f"[{_kind(samples, plain.get('items', {}))}]"
    return str(plain.get("type", "any"))


def _word(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _answers(samples: Samples, responses: Mapping[str, Any]) -> Iterator[Answered]:
    for status, told in responses.items():
        if "$ref" not in told:
            kind, sample = samples.answer(told)
            about = told.get("description", "")
            about = say("The answer.", "応答。") if about == "The answer." else about
            yield Answered(status=status, about=about, kind=kind, sample=sample)
