"""The OpenAPI document keeps its word: schemathesis calls every operation with what it allows, and with what it does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from safety_apps import opened as nobody
from schemathesis.generation import GenerationMode

from gnomon.research.opened import OpenExpert
from gnomon.runs import Workspace
from gnomon.serving.app import app
from gnomon.serving.house import Limits
from gnomon.serving.safety.policy import Policy
from gnomon.serving.schema import TAGS, operations
from gnomon.serving.versions import warm

EXAMPLES, FEW = 10, 4
SLOW = {"/api/lineage/{name}", "/api/ask", "/api/complete", "/v1/chat/completions"}
"""Operations that walk a whole workspace or ask a model: a few calls are enough to find what breaks them."""
SMALL = Limits(query_characters=300, text_characters=1_000, results=5, body_bytes=100_000, written_tokens=8)
CHECKS = {
    # What a schema cannot say: an empty question, or more than this server's own limits.
    "positive_data_acceptance": {"expected-statuses": ["2xx", 303, 404, 422]},
    "negative_data_rejection": {"expected-statuses": [400, 404, 405, 413, 415, 422]},
}
DOCUMENT = app(nobody(Path("nowhere"))).openapi()
OPERATIONS = sorted((path, method) for path, row in DOCUMENT["paths"].items() for method in row)


@pytest.fixture(scope="session")
def schema(workspace: Path) -> Iterator[Any]:
    """The document of the application, small enough that nothing it is asked takes long."""
    opened = OpenExpert.of(Workspace(str(workspace)))
    warm(opened)
    served = app(opened, SMALL, Policy(names=frozenset({"testserver"})))

    async def lasting(scope: Any, receive: Any, send: Any) -> None:
        """The application without its end: schemathesis would end it after every test."""
        if scope["type"] == "http":
            await served(scope, receive, send)

    config = schemathesis.Config.from_dict(
        {"seed": 1, "generation": {"deterministic": True}, "checks": CHECKS, "request-timeout": 60}
    )
    yield schemathesis.openapi.from_asgi("/api/openapi.json", lasting, config=config)
    served.state.house.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_answers_as_it_says_and_never_breaks(
    schema: Any, path: str, method: str, mode: GenerationMode
) -> None:
    operation = schema[path][method]
    if mode.is_negative and not (operation.query or operation.path_parameters or operation.body):
        pytest.skip("takes nothing that could be wrong")

    @settings(max_examples=FEW if path in SLOW else EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers(case: Any) -> None:
        case.call_and_validate()

    answers()


def test_every_operation_has_a_name_a_tag_and_words_of_its_own() -> None:
    found = [operation for _, operation in operations(DOCUMENT)]
    names = [operation["operationId"] for operation in found]
    assert len(set(names)) == len(names)
    for operation in found:
        assert operation["summary"]
        assert operation["description"], operation["operationId"]
        assert set(operation["tags"]) <= set(TAGS)
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), f"{operation['operationId']}: {parameter['name']}"
