"""The same beginning continued by several models over HTTP."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gnomon.research.opened import OpenExpert
from gnomon.serving.api.openai import examples, parameters, replies
from gnomon.serving.facts import models as told
from gnomon.serving.facts.completing import Continuation, compared

BEGINNING = {"text": "We report the discovery of", "max_tokens": 12}


def test_base_and_specialised_continue_a_text_beside_each_other(client: TestClient) -> None:
    made = client.post("/api/complete", json={**BEGINNING, "models": ["specialised", "base"]}).json()
    assert [one["model"] for one in made["continuations"]] == ["specialised", "base"]
    first, second = made["continuations"]
    assert first["name"] == "gnomon/quickstart"
    assert first["tokens"] == second["tokens"] == 12
    assert first["finish"] == "length"
    assert all(stretch["shared"] for stretch in first["stretches"])
    assert "".join(stretch["text"] for stretch in second["stretches"]) == second["text"]
    assert made["caution"]
    again = client.post("/api/complete", json={**BEGINNING, "models": ["specialised", "base"]}).json()
    assert again == made


def test_all_models_write_when_none_is_named_each_once(client: TestClient, opened: OpenExpert) -> None:
    made = client.post("/api/complete", json={"text": "A star", "max_tokens": 2, "models": []}).json()
    assert [one["model"] for one in made["continuations"]] == list(opened.models)
    both = ["final", *opened.models["final"]]
    same = client.post("/api/complete", json={"text": "A star", "max_tokens": 2, "models": both})
    assert [one["model"] for one in same.json()["continuations"]] == ["final"]


def test_events_tell_both_texts_while_they_grow(client: TestClient) -> None:
    body = {**BEGINNING, "max_tokens": 40, "models": ["base", "specialised"], "stream": True}
    blocks = [block.split("\n") for block in client.post("/api/complete", json=body).text.strip().split("\n\n")]
    told = [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]
    assert {name for name, _ in told} == {"more", "continuation", "continuations"}
    last = told[-1][1]["continuations"]
    for one in last:
        grown = "".join(data["text"] for name, data in told if name == "more" and data["model"] == one["model"])
        assert grown == one["text"]
    whole = client.post("/api/complete", json={**body, "stream": False}).json()
    assert whole["continuations"] == last


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"text": " "}, 422, "no text"),
        ({"text": "a", "models": ["nobody"]}, 404, "nobody"),
        ({"text": "a", "models": ["/etc"]}, 404, "/etc"),
        ({"text": "a" * 200_000}, 422, "200,000"),
        ({"text": "galaxy " * 3_000, "models": ["base"]}, 422, "1024"),
        ({"text": "a", "temperature": -1}, 422, "temperature"),
        ({"text": "a", "top_k": 1}, 422, "top_k"),
    ],
)
def test_what_cannot_be_continued_is_refused_with_its_reason(
    client: TestClient, body: dict[str, object], status: int, named: str
) -> None:
    told = client.post("/api/complete", json=body)
    assert told.status_code == status
    assert named in told.json()["detail"]


def test_a_folder_that_is_called_as_a_role_is_not_the_model(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base").mkdir()
    monkeypatch.chdir(tmp_path)
    assert client.post("/api/complete", json={"text": "A", "max_tokens": 1, "models": ["base"]}).status_code == 200


def test_what_two_texts_share_is_found_in_english_and_japanese() -> None:
    def made(text: str) -> Continuation:
        return Continuation(model="m", also=(), name="", revision="", text=text, tokens=1, tokens_in=1, finish="stop",
                            stretches=())  # fmt: skip

    _, second = compared([made(" a new class of stars."), made(" a new kind of stars.")])
    assert [(one.text, one.shared) for one in second.stretches] == [
        (" a new", True), (" kind", False), (" of stars.", True),
    ]  # fmt: skip
    _, second = compared([made("銀河の回転"), made("銀河団の回転")])
    assert [(one.text, one.shared) for one in second.stretches] == [("銀河", True), ("団", False), ("の回転", True)]
    long = " ".join(map(str, range(3_000)))
    assert all(one.shared for one in compared([made(long), made(long)])[1].stretches)


def test_models_are_told_with_how_they_were_made_and_what_the_exam_found(
    client: TestClient, opened: OpenExpert
) -> None:
    found = {one["id"]: one for one in client.get("/api/models").json()}
    assert not found["base"]["chats"]
    assert found["base"]["made_by"] == "training/adopt"
    final = found["final"]
    assert final["chats"]
    assert [share["role"] for share in final["merged"]] == ["tuned", "instruct"]
    assert f"linear-{100 * final['merged'][0]['weight']:.0f}" in opened.models["final"]
    assert final["chosen_among"] == 3
    (score,) = final["scores"]
    assert score["low"] <= score["accuracy"] <= score["high"]
    assert score["chance"] == 0.25
    others = [one for role, one in found.items() if role.startswith("linear-")]
    assert others
    assert all(one["scores"] == [] for one in others), "they sat only the exam by which they were not chosen"


def test_the_models_to_begin_with_are_base_and_specialised(opened: OpenExpert) -> None:
    assert told.side_by_side(opened) == ("base", "specialised")


def test_examples_of_the_protocol_are_what_it_answers() -> None:
    replies.ChatCompletion.model_validate(examples.CHAT_COMPLETION)
    replies.TextCompletion.model_validate(examples.TEXT_COMPLETION)
    replies.Embeddings.model_validate(examples.EMBEDDINGS)
    replies.ModelList.model_validate(examples.MODELS)
    for asked in examples.CHAT.values():
        parameters.ChatRequest.model_validate(asked["value"])
    for asked in examples.COMPLETION.values():
        parameters.CompletionRequest.model_validate(asked["value"])
    note = examples.CHAT_COMPLETION["choices"][0]["message"]
    place = note["annotations"][0]["url_citation"]
    assert note["content"][place["start_index"] : place["end_index"] + 1] == "[R1]"
