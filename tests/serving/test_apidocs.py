import html
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from safety_apps import opened as nobody

from gnomon.core.wording import speaking
from gnomon.research.opened import OpenExpert
from gnomon.runs import Workspace
from gnomon.serving.app import app
from gnomon.serving.schema import operations
from gnomon.serving.web.apidocs import chapters
from gnomon.serving.web.apiwords import OPERATIONS, TAGS

BASE = "http://127.0.0.1:8000"
DOCUMENT = app(nobody(Path("nowhere"))).openapi()
SHOWN = [operation for chapter in chapters(DOCUMENT, BASE, with_key=False) for operation in chapter.operations]


@pytest.fixture(scope="module")
def served(workspace: Path) -> Iterator[TestClient]:
    with TestClient(app(OpenExpert.of(Workspace(str(workspace)))), base_url=BASE) as made:
        yield made


def test_the_page_shows_every_operation_in_both_languages(client: TestClient) -> None:
    for lang in ("en", "ja"):
        text = html.unescape(client.get(f"/api/docs?lang={lang}", headers={"accept": "text/html"}).text)
        for path, operation in operations(DOCUMENT):
            assert f'id="{operation["operationId"]}"' in text
            assert path in text
            told = operation["summary"] if lang == "en" else OPERATIONS[operation["operationId"]][0]
            assert told in text


def test_every_operation_and_tag_has_its_japanese_and_no_other_has() -> None:
    assert set(OPERATIONS) == {operation["operationId"] for _, operation in operations(DOCUMENT)}
    assert set(TAGS) == {tag["name"] for tag in DOCUMENT["tags"]}


@pytest.mark.parametrize("operation", SHOWN, ids=lambda operation: operation.id)
def test_every_line_that_is_shown_can_be_run_as_it_stands(served: TestClient, operation: Any) -> None:
    words = shlex.split(operation.line)
    assert words[0] == "curl"
    address = next(word for word in words if word.startswith(BASE))
    body = json.loads(words[words.index("--json") + 1]) if "--json" in words else None
    told = served.request(operation.method, address, json=body)
    assert told.status_code in (200, 404), f"{operation.line}\n{told.text}"


def test_where_keys_are_demanded_lines_send_one_and_the_document_says_so(tmp_path: Path) -> None:
    from gnomon.serving.safety.policy import Policy

    told = app(nobody(tmp_path), policy=Policy(demands_key=True)).openapi()
    assert told["security"] == [{"key": []}]
    assert "Authorization: Bearer $GNOMON_KEY" in chapters(told, BASE, with_key=True)[0].operations[0].line
    assert {} in DOCUMENT["security"]


def test_the_document_is_at_both_addresses_and_leads_nowhere_empty(client: TestClient) -> None:
    told = client.get("/api/openapi.json").json()
    assert client.get("/openapi.json").json() == told
    names = set(told["components"]["schemas"])
    used = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(told)))
    assert used <= names
    assert all(re.fullmatch(r"[A-Za-z0-9-]+", name) for name in names)


def test_samples_are_made_in_the_readers_language_and_stay_json() -> None:
    with speaking("ja"):
        found = chapters(DOCUMENT, BASE, with_key=False)
    for chapter in found:
        for operation in chapter.operations:
            for answer in operation.answers:
                if answer.kind == "application/json" and answer.sample:
                    json.loads(answer.sample)
