"""Samples: what a request and an answer look like, made from the examples that the OpenAPI document itself holds."""

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

Schema = Mapping[str, Any]
DEEPEST = 8
"""Schemas inside each other that are looked into; some hold themselves."""
_PLAIN: dict[str, Any] = {"string": "…", "integer": 0, "number": 0.5, "boolean": False, "null": None}


class Samples:
    """Samples of one OpenAPI document.

    Args:
        document: The document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.schemas: Mapping[str, Any] = document.get("components", {}).get("schemas", {})

    def named(self, schema: Schema) -> Schema:
        """A schema, or the one that it refers to."""
        return self.schemas[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema

    def value(self, schema: Schema, depth: int = 0) -> Any:
        """A value that a schema allows: its example or default, or one made of those of its parts."""
        schema = self.named(schema)
        if "examples" in schema:
            return schema["examples"][0]
        if "example" in schema or "const" in schema:
            return schema.get("example", schema.get("const"))
        if schema.get("default") not in (None, "", [], {}):
            return schema["default"]
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                return self.value(schema[key][0], depth + 1)
        return self._made(schema, depth)

    def _made(self, schema: Schema, depth: int) -> Any:
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("type") == "array":
            items = schema.get("prefixItems") or [schema.get("items", {})]
            return [self.value(each, depth + 1) for each in items] if depth < DEEPEST else []
        if "properties" in schema:
            parts = schema["properties"].items() if depth < DEEPEST else ()
            return {name: self.value(part, depth + 1) for name, part in parts}
        return {} if schema.get("type") == "object" else _PLAIN.get(str(schema.get("type")))

    def request(self, operation: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str], Any | None]:
        """Path parameters, query parameters and body of a request that shows an operation.

        A request to copy should be short: what is required, or else the first parameter that has an example.
        """
        path, query = dict[str, str](), dict[str, str]()
        rows = [row for row in operation.get("parameters", ()) if row["in"] in ("path", "query")]
        needed = [row for row in rows if row.get("required")]
        for row in needed or [row for row in rows if "examples" in row["schema"] or "example" in row][:1]:
            value = row.get("example", self.value(row["schema"]))
            place = path if row["in"] == "path" else query
            place[row["name"]] = value if isinstance(value, str) else json.dumps(value)
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        return path, query, None if content is None else self._body(content)

    def _body(self, content: Mapping[str, Any]) -> Any:
        if "example" in content:
            return content["example"]
        if "examples" in content:
            return next(iter(content["examples"].values()))["value"]
        schema = self.named(content["schema"])
        if "examples" in schema or "example" in schema:
            return self.value(schema)
        needed = schema.get("required", ())
        return {name: self.value(part) for name, part in schema.get("properties", {}).items() if name in needed}

    def answer(self, response: Mapping[str, Any]) -> tuple[str, str]:
        """The media type of a response and its sample as text; empty where there is none."""
        for kind, content in response.get("content", {}).items():
            value = content.get("example", self.value(content.get("schema", {})))
            if "examples" in content:
                value = next(iter(content["examples"].values())).get("value", value)
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
            return kind, "" if shown in ("…", "null") else shown
        return "", ""


def address(path: str, values: Mapping[str, str], query: Mapping[str, str]) -> str:
    """A path with its parameters filled in."""
    for name, value in values.items():
        path = path.replace("{" + name + "}", quote(value, safe=":/" if ":path" in path else ":"))
    return path + (f"?{urlencode(query)}" if query else "")


def curl(base: str, method: str, where: str, body: Any | None, *, with_key: bool) -> str:
    """A line for a shell that calls an operation.

    Args:
        base: The server's address, without a slash at its end.
        method: The HTTP method.
        where: Path and query.
        body: What is sent as JSON; None for nothing.
        with_key: A key is needed.
    """
    words = ["curl", shlex.quote(base + where)]
    if with_key:
        words.append('-H "Authorization: Bearer $GNOMON_KEY"')
    if body is not None:
        sent = json.dumps(body, ensure_ascii=False)
        words += ["--json", shlex.quote(sent)]
    elif method != "get":
        words[1:1] = ["-X", method.upper()]
    return " ".join(words)
