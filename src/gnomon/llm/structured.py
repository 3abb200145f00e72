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

WORDS = "Answer with one JSON object that fits this JSON schema, and with nothing else:\n"
EXCERPT = 120


def in_words(schema: Mapping[str, Any]) -> str:
    """The schema as an instruction, for models that cannot be held to it."""
    return WORDS + json.dumps(schema, ensure_ascii=False)


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
    try:
        import json_repair
    except ImportError as error:
        raise MissingExtra("json_repair", "llm", "Reading structured answers") from error
    start = text.find("{")
    if start < 0:
        return None, True
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
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(value), key=lambda e: list(map(str, e.path)))
    if not errors:
        return ""
    place = "/".join(str(part) for part in errors[0].path) or "the object"
    return f"does not fit the schema at {place}: {errors[0].message[:EXCERPT]}"
