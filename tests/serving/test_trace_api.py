"""Tracing over HTTP: where words stand, how often, and what follows them."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gnomon.research.opened import OpenExpert


@pytest.fixture(scope="module")
def passage(opened: OpenExpert) -> str:
    """A sentence that stands in the corpus."""
    found = opened.trace.find("the", 1)[0]
    document = opened.library.document(found.doc_id)
    return document.text[: document.text.index(". ") + 1]


def test_a_text_is_told_in_spans_with_counts_documents_and_pieces(
    client: TestClient, opened: OpenExpert, passage: str
) -> None:
    text = f"💫 Nobody wrote this. {passage} Nor this 💫."
    told = client.post("/api/trace", json={"text": text}).json()
    whole = opened.trace.attribute(text)
    assert told["coverage"] == whole.coverage
    assert [(s["start"], s["end"], s["count"]) for s in told["spans"]] == [
        (s.start, s.end, s.count) for s in whole.spans
    ]
    assert [tuple(s) for s in told["stretches"]] == list(whole.stretches)
    assert "".join(piece["text"] for piece in told["pieces"]) == text
    assert told["pieces"][0]["rank"] == ""
    assert told["caveat"].startswith("Verbatim")
    span = told["spans"][0]
    assert text[span["start"] : span["end"]] == span["text"]
    document = span["documents"][0]
    held = opened.library.document(document["doc_id"]).text[document["start"] : document["end"]]
    assert held.split() == span["text"].split()
    assert f"start={document['start']}" in document["address"]


def test_the_rank_of_a_span_is_its_count(client: TestClient, passage: str) -> None:
    told = client.post("/api/trace", json={"text": passage}).json()
    assert all((s["rank"] == "once") == (s["count"] == 1) for s in told["spans"])
    assert told["coverage"] > 0.9


def test_what_follows_a_phrase_is_counted(client: TestClient, opened: OpenExpert) -> None:
    told = client.get("/api/trace/next", params={"phrase": "of the", "k": 3}).json()
    assert told["count"] == opened.trace.count("of the")
    assert len(told["next"]) == 3
    first = told["next"][0]
    assert first["phrase"] == f"of the {first['word']}"
    assert first["count"] == opened.trace.count(first["phrase"])
    assert client.get("/api/trace/next", params={"phrase": "qqqq"}).json()["next"] == []
    assert client.get("/api/trace/next").json()["next"][0]["count"] > 10


def test_a_phrase_is_counted_where_it_stands(client: TestClient, opened: OpenExpert) -> None:
    told = client.get("/api/trace/count", params={"phrase": "of the"}).json()
    assert told["count"] == opened.trace.count("of the")
    assert told["documents"][0]["title"]
    assert client.get("/api/trace/count", params={"phrase": "qqqq"}).json() == {
        "phrase": "qqqq",
        "count": 0,
        "documents": [],
    }


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": " \n"}, {"text": "a" * 100_001}, {"text": 1}, {"t": "a"}])
def test_a_text_that_cannot_be_traced_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post("/api/trace", json=body).status_code == 422


@pytest.mark.parametrize("text", ["💫", "\u0000", "<script>alert(1)</script>", "\ud83d", "あ" * 50, "a " * 5_000])
def test_any_text_can_be_traced(client: TestClient, text: str) -> None:
    told = client.post("/api/trace", content=json.dumps({"text": text}), headers={"content-type": "application/json"})
    assert told.status_code in {200, 422}
    for place in ("next", "count"):
        phrase = text[:900].encode("utf-8", "replace").decode()
        assert client.get(f"/api/trace/{place}", params={"phrase": phrase}).status_code == 200


def test_a_phrase_that_is_too_long_is_refused(client: TestClient) -> None:
    for place in ("next", "count"):
        assert client.get(f"/api/trace/{place}", params={"phrase": "a" * 1_001}).status_code == 422
