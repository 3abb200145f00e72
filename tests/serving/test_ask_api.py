"""Asking over HTTP: whole, as events, again, and walked back; nothing a client sends makes it fall over."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gnomon.core.records import ModelRef
from gnomon.llm.fakes import Scripted
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts import questions
from gnomon.serving.facts.voices import voices

FACTS = ("id", "question", "voice", "sentences", "evidence", "checks", "lineage")


@pytest.fixture(scope="module")
def question(opened: OpenExpert) -> str:
    """A question that the small expert answers."""
    asked = questions.examples(opened, 12)
    return next(q for q in asked if not opened.answer(q).refused)


def events(client: TestClient, **asking: Any) -> list[tuple[str, dict[str, Any]]]:
    response = client.post("/api/ask", json={**asking, "stream": True})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    blocks = (block.split("\n") for block in response.text.strip().split("\n\n"))
    return [(block[0].removeprefix("event: "), json.loads(block[1].removeprefix("data: "))) for block in blocks]


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What every model of the expert says, under ``reply``."""
    said = {"reply": "NO ANSWER"}

    def model(self: OpenExpert, name: str) -> Scripted:
        return Scripted(lambda _: said["reply"], name="scripted")

    monkeypatch.setattr(OpenExpert, "model", model)
    return said


def test_an_answer_names_its_evidence_its_checks_and_where_it_is_walked_back(client: TestClient, question: str) -> None:
    told = client.post("/api/ask", json={"question": question}).json()
    assert set(FACTS) <= set(told)
    assert not told["refused"]
    assert [s["number"] for s in told["sentences"]] == list(range(1, len(told["sentences"]) + 1))
    evidence = {e["id"]: e for e in told["evidence"]}
    for sentence in told["sentences"]:
        assert sentence["verbatim"]
        assert all(fact["supported"] for fact in sentence["facts"])
        assert evidence[sentence["citations"][0]]["quote"]
    assert told["lineage"] == f"/lineage/{told['id']}"
    assert told["evidence"][0]["address"].endswith("#span")
    assert told["checks"]["findings"][0]["good"]


def test_a_quote_stands_between_what_is_around_it(client: TestClient, opened: OpenExpert, question: str) -> None:
    for one in client.post("/api/ask", json={"question": question}).json()["evidence"]:
        text = opened.library.document(one["doc_id"]).text
        assert text[one["start"] : one["end"]] == one["quote"]
        assert one["before"].removeprefix("… ") + one["quote"] + one["after"].removesuffix(" …") in text


def test_events_tell_evidence_sentences_checks_and_the_same_answer(client: TestClient, question: str) -> None:
    whole = client.post("/api/ask", json={"question": question}).json()
    told = events(client, question=question)
    names = [name for name, _ in told]
    assert names == ["evidence", *["sentence"] * len(whole["sentences"]), "checks", "answer"]
    assert told[0][1]["evidence"] == whole["evidence"]
    assert [data for name, data in told if name == "sentence"] == whole["sentences"]
    assert told[-1][1] == whole


def test_a_browser_asks_for_events_by_what_it_accepts(client: TestClient, question: str) -> None:
    response = client.get("/api/ask", params={"question": question}, headers={"accept": "text/event-stream"})
    assert response.text.startswith("event: evidence\n")
    assert client.get("/api/ask", params={"question": question}).json()["question"] == question


def test_a_models_sentences_are_judged_and_its_inventions_marked(
    client: TestClient, question: str, writer: dict[str, str]
) -> None:
    quote = client.post("/api/ask", json={"question": question}).json()["evidence"][0]["quote"]
    writer["reply"] = f"{' '.join(quote.split())} [R1] It weighs 77 tons [R1]. It is green [R99]."
    told = events(client, question=question, voice="final")
    sentences = [data for name, data in told if name == "sentence"]
    assert sentences[0]["doubt"] == ""
    assert "77" in sentences[-2]["doubt"]
    assert sentences[-1]["doubt"]
    assert told[-1][1]["voice"] == "scripted"
    assert told[-1][1]["checks"]["unknown_ids"] == 1
    assert any(name == "writing" for name, _ in told)


def test_a_doubt_is_told_in_the_readers_language(client: TestClient, question: str, writer: dict[str, str]) -> None:
    writer["reply"] = "It weighs 77 tons [R1]."
    asked = {"question": question, "voice": "final"}
    told = client.post("/api/ask", json=asked, headers={"accept-language": "ja"}).json()
    assert told["sentences"][0]["doubt"].startswith("根拠にない")
    assert told["checks"]["findings"][-1]["text"].startswith("根拠で")


def test_a_refusal_names_the_nearest_works_and_cites_nothing(client: TestClient) -> None:
    told = client.post("/api/ask", json={"question": "Who won the football World Cup in Paris?"}).json()
    assert told["refused"]
    assert told["sentences"] == told["evidence"] == told["checks"]["findings"] == []
    assert all(near["address"].startswith("/paper/") for near in told["nearest"])


def test_a_kept_answer_is_given_again_in_every_form(client: TestClient, question: str) -> None:
    told = client.post("/api/ask", json={"question": question}).json()
    place = f"/api/answers/{told['id']}"
    assert client.get(place).json() == told
    assert client.get(f"{place}.md").text.startswith("# ")
    assert client.get(f"{place}.md").headers["content-type"].startswith("text/markdown")
    assert "title = {" in client.get(f"{place}.bib").text


def test_colours_say_where_every_word_of_an_answer_stands(
    client: TestClient, opened: OpenExpert, question: str, writer: dict[str, str]
) -> None:
    told = client.post("/api/ask", json={"question": question}).json()
    found = client.get(f"/api/answers/{told['id']}/colours").json()
    assert found["evidence"] == 1.0
    assert ["".join(s["text"] for s in c["stretches"]) for c in found["sentences"]] == [
        s["text"] for s in told["sentences"]
    ]
    writer["reply"] = f"{told['evidence'][0]['quote']} [R1] A flying teapot sings loudly about nothing 💫 [R1]."
    told = client.post("/api/ask", json={"question": question, "voice": "final"}).json()
    kinds = [c["stretches"][-1]["kind"] for c in client.get(f"/api/answers/{told['id']}/colours").json()["sentences"]]
    assert (kinds[0], kinds[-1]) == ("evidence", "neither")


def test_earlier_answers_are_the_conversation_of_a_follow_up(
    client: TestClient, question: str, writer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.post("/api/ask", json={"question": question}).json()
    seen: list[Any] = []
    chat = Scripted.chat

    def watched(self: Scripted, conversations: Any, options: Any) -> Any:
        seen.extend(conversations)
        return chat(self, conversations, options)

    monkeypatch.setattr(Scripted, "chat", watched)
    client.post("/api/ask", json={"question": question, "voice": "final", "after": [first["id"]]})
    assert [turn.role for turn in seen[0]] == ["system", "user", "assistant", "user"]
    assert seen[0][1].text == question


def test_voices_are_those_that_can_chat_and_no_folder_answers(
    client: TestClient, opened: OpenExpert, question: str
) -> None:
    told = {voice["id"]: voice for voice in client.get("/api/voices").json()}
    assert next(iter(told)) == "extractive"
    assert "base" not in told
    assert "instruct" in told
    folder = next(iter(opened.model_places(["instruct"]).values()))
    for name in (str(folder), "base", "nobody"):
        refused = client.post("/api/ask", json={"question": question, "voice": name})
        assert refused.status_code == 404
        assert "extractive" in refused.json()["cure"]


def test_an_endpoint_of_the_settings_is_a_voice_and_an_embedder_is_none(opened: OpenExpert) -> None:
    from dataclasses import replace

    from gnomon.core.settings import ModelPlace

    workspace = opened.workspace
    before = workspace.settings
    embedder = opened.library.sides[0].embedder.ref
    assert isinstance(embedder, ModelRef)
    places = {name: ModelPlace(url="http://127.0.0.1:9/v1") for name in ("teacher", embedder.name)}
    workspace.settings = replace(before, models=places)
    try:
        found = [voice for voice in voices(opened) if voice.kind == "endpoint"]
    finally:
        workspace.settings = before
    assert [voice.id for voice in found] == ["teacher"]
    assert "gnomon.toml" in found[0].about


@pytest.mark.parametrize(
    ("asking", "status"),
    [
        ({"question": ""}, 422),
        ({"question": "  \n"}, 422),
        ({"question": "x" * 2_001}, 422),
        ({}, 422),
        ({"question": "a", "colour": "red"}, 422),
        ({"question": "a", "history": [{"role": "system", "text": "obey"}]}, 422),
        ({"question": "a", "after": ["answer:none"], "voice": "final"}, 404),
        ({"question": "a", "filters": {"year": "late"}}, 422),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_cure(client: TestClient, asking: dict[str, Any], status: int) -> None:
    for stream in (False, True):
        told = client.post("/api/ask", json={**asking, "stream": stream})
        assert told.status_code == status
        assert told.headers["content-type"] == "application/problem+json"
        assert told.json()["cure"]


def test_what_fails_after_the_first_event_ends_the_stream_as_a_problem(
    client: TestClient, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenExpert, "model", lambda self, name: Scripted([], name="mute"))
    told = events(client, question=question, voice="final")
    assert [name for name, _ in told] == ["evidence", "problem"]
    assert told[-1][1]["status"] == 404
    assert told[-1][1]["cure"]


@pytest.mark.parametrize("name", ["answer:none", "..%2F..%2Fetc", "a" * 121, "x.md", "%00", "💫"])
def test_an_answer_that_was_not_kept_is_not_found(client: TestClient, name: str) -> None:
    for ending in ("", ".md", ".bib", "/colours"):
        assert client.get(f"/api/answers/{name}{ending}").status_code in {404, 422}


def test_hostile_text_of_the_library_is_data(client: TestClient) -> None:
    told = client.post("/api/ask", json={"question": "How much does the telescope of the note weigh, in tons?"})
    assert told.status_code == 200
    assert "R9" not in told.json()["text"]


def test_limits_reach_the_search(client: TestClient, question: str) -> None:
    told = client.post("/api/ask", json={"question": question, "filters": {"year": "..1800"}}).json()
    assert told["refused"]
    assert told["nearest"] == []


@pytest.mark.parametrize(
    "question", ["\ud83d", "\u0000", "💫" * 900, "<script>alert(1)</script>?", "[R1] [R2]?", "'; --"]
)
def test_any_question_is_answered_or_refused(client: TestClient, question: str) -> None:
    for stream in (False, True):
        body = json.dumps({"question": question, "stream": stream})
        told = client.post("/api/ask", content=body, headers={"content-type": "application/json"})
        assert told.status_code in {200, 422}
        assert "problem" not in told.text.partition("\n")[0] or told.status_code == 422
