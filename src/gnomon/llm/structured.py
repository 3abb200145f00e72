"""Structured answers: a JSON schema asked for, and what came back read, mended and checked.

An endpoint that knows ``response_format`` keeps to the schema by itself; others are asked in words. Either way
the answer is read the same: the JSON is found in the text, mended where only its form is broken (``json_repair``),
and held against the schema (``jsonschema``). What then still does not fit is a *fault* with its reason, never a guess.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gnomon.core.errors import MissingExtra
from gnomon.llm.chat import Reply

FORM = "Answer with one JSON object of this form, and with nothing else:\n"
SCHEMA = "Answer with one JSON object that fits this JSON schema, and with nothing else:\n"
EXCERPT = 120
OPEN = "…"
"""Stands in a form for what is to be put in; an answer that still has it is a copy of the form."""
REPEATED = 4
"""Most items of a list that the form writes out."""
_TYPES = ("object", "array", "integer", "number", "boolean", "string")
_SAID = frozenset(
    "type properties required additionalProperties items enum minimum maximum minLength minItems maxItems".split()
)
"""What a form can say, or need not."""


def in_words(schema: Mapping[str, Any]) -> str:
    """What is wanted as an instruction, for models that cannot be held to a schema.

    They are shown the form of an answer where it says enough: small models answer a schema with a copy of it.
    """
    return FORM + _form(schema) if _plain(schema) else SCHEMA + json.dumps(schema, ensure_ascii=False)


def _plain(schema: Mapping[str, Any]) -> bool:
    """Whether a form can say what a JSON schema says."""
    parts = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    typed = "enum" in schema or schema.get("type") in _TYPES
    return typed and set(schema) <= _SAID and all(map(_plain, parts))


def _form(schema: Mapping[str, Any]) -> str:
    """An answer with its values left open: ``{"answer": "A or B", "why": "…", "score": 1 to 5}``."""
    if "enum" in schema:
        return json.dumps(" or ".join(map(str, schema["enum"])), ensure_ascii=False)
    kind = schema["type"]
    if kind == "object":
        fields = schema.get("properties", {}).items()
        return "{" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {_form(part)}" for name, part in fields) + "}"
    if kind == "array":
        return _list(schema)
    if kind in {"integer", "number"}:
        return f"{schema['minimum']} to {schema['maximum']}" if {"minimum", "maximum"} <= set(schema) else "a number"
    return "true or false" if kind == "boolean" else f'"{OPEN}"'


def _list(schema: Mapping[str, Any]) -> str:
    """A list: as many items as there have to be, and a sign that there may be more."""
    item, least = _form(schema.get("items", {"type": "string"})), schema.get("minItems", 1)
    shown = [item] * max(1, min(least, REPEATED))
    more = [] if schema.get("maxItems") == len(shown) else [OPEN]
    return "[" + ", ".join([*shown, *more]) + "]"


def read_structured(reply: Reply, schema: Mapping[str, Any]) -> Reply:
    """The reply with its ``value``, or with the ``fault`` that left it without one.

    Raises:
        MissingExtra: json_repair or jsonschema is not installed.
    """
    if reply.finish == "refused":
        return reply
    value, mended = _read(reply.text)
    if value is None:
        cut = ", and it was cut by the limit of tokens" if reply.finish == "length" else ""
        return replace(reply, fault=f"no JSON object in the answer{cut}: {reply.text[:EXCERPT]!r}")
    if mended and reply.finish == "length":
        return replace(reply, fault=f"the JSON was cut by the limit of tokens: {reply.text[-EXCERPT:]!r}")
    why = _misfit(value, schema)
    return replace(reply, fault=why) if why else replace(reply, value=value, fault="")


def _read(text: str) -> tuple[Any, bool]:
    """The JSON object of a text, and whether it had to be mended; None without one."""
    try:
        return _object(json.loads(text)), False
    except (ValueError, RecursionError):
        pass
    start = text.find("{")
    if start < 0:
        return None, True
    try:  # whole, whatever follows: small models say it again and again until they are cut
        return _object(json.JSONDecoder().raw_decode(text, start)[0]), False
    except (ValueError, RecursionError):
        pass
    try:
        import json_repair
    except ImportError as error:
        raise MissingExtra("json_repair", "llm", "Reading structured answers") from error
    try:
        return _object(json_repair.loads(text[start:])), True
    except (ValueError, RecursionError):
        return None, True


def _object(value: Any) -> Any:
    """The value if it is an object that holds something."""
    return value if isinstance(value, dict) and value else None


def _misfit(value: Any, schema: Mapping[str, Any]) -> str:
    """Where a value breaks the schema, in words; empty when it does not."""
    try:
        import jsonschema
    except ImportError as error:
        raise MissingExtra("jsonschema", "llm", "Checking structured answers") from error
    if copied := _still_open(value):
        return f"the form was copied: {copied} is left open"
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(value), key=lambda e: list(map(str, e.path)))
    if not errors:
        return ""
    place = "/".join(str(part) for part in errors[0].path) or "the object"
    return f"does not fit the schema at {place}: {errors[0].message[:EXCERPT]}"


def _still_open(value: Any, place: str = "") -> str:
    """The first place at which a value is what the form has in it; empty when there is none."""
    if isinstance(value, str):
        return (place or "the answer") if value.strip() in {OPEN, "..."} else ""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = (_still_open(part, f"{place}/{name}".lstrip("/")) for name, part in parts)
    return next(filter(None, found), "")
