import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gnomon.research.opened import OpenExpert
from gnomon.runs.lineage import Link
from gnomon.serving.facts.lineages import MOST_BELOW, MOST_LINKS, Node, lineage, node_of


def every(node: Node) -> list[Node]:
    return [node, *(other for below in node.below for other in every(below))]


def test_everything_behind_a_step_is_told_once(opened: OpenExpert) -> None:
    parts = dict(opened.expert.parts)
    for name in (parts["report"], "final", "base", parts["index"]):
        nodes = every(lineage(opened, name))
        told = [(node.kind, node.id) for node in nodes if node.below]
        assert len(told) == len(set(told))
        assert len(nodes) <= MOST_LINKS


def test_a_document_is_led_back_to_the_bytes_it_was_read_from(opened: OpenExpert) -> None:
    found = lineage(opened, "local:hostile-1")
    source = found.below[-1]
    assert (found.kind, source.kind, len(source.facts["sha256"])) == ("document", "source", 64)
    assert found.page == "/paper/local:hostile-1"
    file = lineage(opened, source.facts["file"])
    assert file.kind == "file"
    assert source.page == f"/lineage/{source.facts['file']}"


def test_an_answer_is_led_back_through_its_citations_to_their_pages(opened: OpenExpert, client: TestClient) -> None:
    given = opened.answer("What did Slipher measure about the nebulae?")
    if given.refused:
        pytest.skip("the small library does not answer this")
    opened.keep(given)
    nodes = every(Node.model_validate(client.get(f"/api/lineage/{given.id}").json()))
    kinds = {node.kind for node in nodes}
    assert {"answer", "claim", "citation", "chunk", "document", "step", "source"} <= kinds
    cited = next(node for node in nodes if node.kind == "citation")
    assert f"start={cited.facts['start']}&end={cited.facts['end']}#span" in cited.page


def test_very_many_things_are_counted_not_told() -> None:
    many = tuple(Link(kind="document", id=f"local:{n}") for n in range(MOST_BELOW + 5))
    told = node_of(Link(kind="file", id="a.jsonl", facts={"kind": "jsonl"}, below=many))
    assert (len(told.below), told.more) == (MOST_BELOW, 5)
    deep = tuple(Link(kind="step", id=f"corpus/x/{n}", facts={"outcome": "kept"}, below=many) for n in range(40))
    wide = node_of(Link(kind="document", id="local:a", facts={"state": "in the library", "title": "A"}, below=deep))
    assert len(every(wide)) <= MOST_LINKS


def test_the_tree_is_a_page_and_json(client: TestClient) -> None:
    page = client.get("/lineage/final")
    assert page.status_code == 200
    assert "<details" in page.text
    told: dict[str, Any] = client.get("/api/lineage/final").json()
    assert told["kind"] == "model"
    assert json.dumps(told)
    assert (
        client.get("/lineage", params={"id": " final "}, follow_redirects=False).headers["location"] == "/lineage/final"
    )
    assert "Walk it back" in client.get("/lineage").text


def test_a_step_shows_its_settings_and_counts(client: TestClient) -> None:
    page = client.get("/lineage/corpus/dedup").text
    assert "threshold" in page
    assert "corpus/clean" in page


@pytest.mark.parametrize("name", ["a" * 900, "漢" * 100, "answer:" + "漢" * 100])
@pytest.mark.parametrize("where", ["/lineage/", "/api/lineage/", "/api/answers/", "/ask/answers/"])
def test_a_name_longer_than_files_can_have_is_not_found(client: TestClient, where: str, name: str) -> None:
    assert client.get(where + name).status_code in (404, 422)


def test_an_unknown_id_names_the_nearest(client: TestClient) -> None:
    told = client.get("/api/lineage/local:hostile-2")
    assert told.status_code == 404
    assert "local:hostile-1" in told.json()["cure"]
    assert client.get("/lineage/zzz", headers={"accept": "text/html"}).status_code == 404
