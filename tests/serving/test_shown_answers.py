"""What the OpenAPI document shows as an answer is one."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from gnomon.serving.schema import EXAMPLES, operations

SHOWN: dict[str, Any] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
WITHOUT = {"compare_duplicates", "health", "health_ready"}
"""The quickstart has no two copies to compare; whether a server lives is one word."""


def answers(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The JSON answer of every operation that gives one."""
    found = {}
    for _, operation in operations(document):
        told = operation["responses"].get("200", {}).get("content", {}).get("application/json")
        if told is not None:
            found[operation["operationId"]] = told
    return found


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_is_an_answer_of_its_operation(client: TestClient, name: str) -> None:
    document = client.get("/api/openapi.json").json()
    told = answers(document)[name]
    schema = {**told["schema"], "components": document["components"]}
    assert [error.message for error in Draft202012Validator(schema).iter_errors(told["example"])] == []


def test_every_operation_shows_what_it_answers(client: TestClient) -> None:
    told = answers(client.get("/api/openapi.json").json())
    assert set(SHOWN) <= set(told)
    assert {name for name, one in told.items() if not {"example", "examples"} & set(one)} == WITHOUT
