"""An OpenAI-compatible endpoint: batches, patience, keys, prices, refusals; against a server on loopback."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from gnomon.core.calls import Call
from gnomon.core.errors import ConfigError, OfflineError, RunError
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.llm.embedders import load_embedder

REF = ModelRef(name="somebody/embedder", revision="2024-01")
Answer = Callable[[dict[str, Any], int], tuple[int, dict[str, str], Any]]


class Server:
    """Answers as its ``answer`` says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answer: Answer = lambda body, _: (200, {}, vectors(body["input"]))
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.requests.append(body)
                server.keys.append(self.headers.get("authorization"))
                status, headers, value = server.answer(body, len(server.requests))
                raw = json.dumps(value).encode() if not isinstance(value, bytes) else value
                self.send_response(status)
                for name, content in {**headers, "content-length": str(len(raw))}.items():
                    self.send_header(name, content)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def settings(self, **place: Any) -> Settings:
        return Settings(models={REF.name: ModelPlace(url=self.url, **place)})


def vectors(texts: list[str]) -> dict[str, Any]:
    data = [{"index": i, "embedding": [3.0 * len(text), 4.0 * len(text)]} for i, text in enumerate(texts)]
    return {"data": data[::-1], "usage": {"prompt_tokens": sum(map(len, texts))}}


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.http.shutdown()
    found.http.server_close()


def test_texts_go_in_batches_and_come_back_in_order(server: Server) -> None:
    server.answer = lambda body, _: (
        200,
        {},
        {"data": [{"index": i, "embedding": [1.0, len(t)]} for i, t in reversed(list(enumerate(body["input"])))]},
    )
    model = load_embedder(REF, server.settings(batch=2))
    found = model.embed(["a", "bbbb", "ccc", "ddddddd", "ee"])
    assert [round(float(row[1] / row[0])) for row in found] == [1, 4, 3, 7, 2]
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    assert found.dtype == np.float32
    assert [len(request["input"]) for request in server.requests].count(2) == 2
    assert {request["model"] for request in server.requests} == {REF.name}
    assert model.dimensions == 2
    assert model.embed([]).shape == (0, 2)
    model.close()  # type: ignore[attr-defined]


def test_a_busy_server_is_asked_again_when_it_says(server: Server) -> None:
    busy = {
        1: (429, {"retry-after": "0"}, {}),
        2: (503, {"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}, {}),
        3: (500, {}, {}),
    }
    server.answer = lambda body, n: busy.get(n, (200, {}, vectors(body["input"])))
    model = load_embedder(REF, server.settings())
    assert len(server.requests) == 4
    model.close()  # type: ignore[attr-defined]


def test_a_server_that_stays_busy_ends_the_run_with_its_words(server: Server) -> None:
    server.answer = lambda _, __: (429, {"retry-after": "0"}, {"error": "quota spent"})
    with pytest.raises(RunError, match="quota spent"):
        load_embedder(REF, server.settings())
    assert len(server.requests) == 6


def test_a_server_that_asks_for_an_hour_is_not_waited_for(server: Server) -> None:
    server.answer = lambda _, __: (429, {"retry-after": "3600"}, {})
    with pytest.raises(RunError, match="3600 s"):
        load_embedder(REF, server.settings())
    assert len(server.requests) == 1


def test_every_request_leaves_a_call_with_its_price(server: Server) -> None:
    calls: list[Call] = []
    model = load_embedder(REF, server.settings(batch=1, usd_per_million_tokens=2.0), calls.append)
    model.embed(["abc", "de"])
    assert [call.tokens_in for call in calls] == [len("dimensions"), 3, 2]
    assert calls[1].cost_usd == pytest.approx(6e-6)
    assert len({call.key for call in calls}) == 3
    assert all(call.model == REF.name and call.seconds > 0 for call in calls)
    model.close()  # type: ignore[attr-defined]


def test_an_unknown_price_stays_unknown(server: Server) -> None:
    calls: list[Call] = []
    load_embedder(REF, server.settings(), calls.append).close()  # type: ignore[attr-defined]
    assert calls[0].cost_usd is None


def test_the_key_comes_from_the_environment_and_only_from_there(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "secret")
    load_embedder(REF, server.settings(key_env="A_KEY")).close()  # type: ignore[attr-defined]
    assert server.keys == ["Bearer secret"]
    monkeypatch.delenv("A_KEY")
    with pytest.raises(ConfigError, match="A_KEY"):
        load_embedder(REF, server.settings(key_env="A_KEY"))


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_is_the_users_to_mend(server: Server, status: int) -> None:
    server.answer = lambda _, __: (status, {}, {"error": "no such model"})
    with pytest.raises(ConfigError, match="no such model"):
        load_embedder(REF, server.settings())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        {"data": []},
        {"data": [{"index": 0, "embedding": [1.0, float("nan")]}]},
        {"data": [{"index": 1, "embedding": [1.0]}]},
        {"data": [{"embedding": [1.0]}]},
        {"choices": []},
        [1, 2],
    ],
)
def test_an_answer_without_the_vectors_asked_for_is_refused(server: Server, answer: Any) -> None:
    server.answer = lambda _, __: (200, {}, answer)
    with pytest.raises(RunError, match="/v1/embeddings"):
        load_embedder(REF, server.settings())


def test_offline_refuses_before_anything_is_sent(server: Server) -> None:
    place = ModelPlace(url=server.url)
    with pytest.raises(OfflineError, match="/v1/embeddings"):
        load_embedder(REF, Settings(offline=True, models={REF.name: place}))
    assert server.requests == []


def test_an_odd_text_is_sent_as_valid_json_and_cut(server: Server) -> None:
    model = load_embedder(REF, server.settings())
    model.embed_queries(["", "\ud800", "星" * 100_000])
    sent = server.requests[-1]["input"]
    assert sent[0] == " "
    assert sent[1] == "?"
    assert len(sent[2]) == 8_000
    model.close()  # type: ignore[attr-defined]
