from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from safety_apps import application, at_home

from gnomon.serving.house import Limits


@pytest.fixture
def home(tmp_path: Path) -> TestClient:
    return at_home(tmp_path)


def told(client: TestClient) -> dict[str, float]:
    rows = (line.rpartition(" ") for line in client.get("/metrics").text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def test_requests_are_counted_by_route_and_status(home: TestClient) -> None:
    home.get("/health")
    home.get("/nowhere/secret")
    home.post("/api/echo", json={})
    home.get("/health", headers={"host": "evil.example"})
    home.request("MADEUP", "/health")
    found = told(home)
    assert found['gnomon_http_requests_total{method="GET",route="/health",status="200"}'] == 1
    assert found['gnomon_http_requests_total{method="GET",route="none",status="404"}'] == 1
    assert found['gnomon_http_requests_total{method="GET",route="none",status="421"}'] == 1
    assert found['gnomon_http_requests_total{method="POST",route="/api/echo",status="200"}'] == 1
    assert found['gnomon_http_request_seconds_count{method="GET",route="/health"}'] == 1
    assert found["gnomon_http_requests_open"] == 1
    assert not [name for name in found if "secret" in name or "MADEUP" in name]


def test_workers_and_the_process_are_told_of(home: TestClient) -> None:
    found = told(home)
    for work in ("search", "models"):
        assert found[f'gnomon_workers_taken{{work="{work}"}}'] == 0
        assert found[f'gnomon_workers_waiting{{work="{work}"}}'] == 0
        assert found[f'gnomon_busy_refusals_total{{work="{work}"}}'] == 0
    assert found["gnomon_workers_places" + '{work="models"}'] == Limits().writers + Limits().writers_waiting
    assert found["process_resident_memory_bytes"] > 1e6
    assert found["gnomon_ready"] == 1


def test_one_servers_counts_are_its_own(tmp_path: Path) -> None:
    first, second = at_home(tmp_path), at_home(tmp_path)
    first.get("/health")
    name = 'gnomon_http_requests_total{method="GET",route="/health",status="200"}'
    assert told(first)[name] == 1
    assert name not in told(second)


def test_health_tells_when_something_is_still_loading(tmp_path: Path) -> None:
    made = application(tmp_path)
    made.state.house.ready = False
    client = TestClient(made, base_url="http://127.0.0.1")
    assert client.get("/health").status_code == 200
    waiting = client.get("/health/ready")
    assert (waiting.status_code, waiting.json()) == (503, {"status": "loading"})


def test_answers_are_counted_by_voice_and_outcome(client: TestClient) -> None:
    client.post("/api/ask", json={"question": "What did Hubble find about the velocities of nebulae?"})
    client.post("/api/ask", json={"question": "Who won the 1998 World Cup?"})
    found = {name: value for name, value in told(client).items() if name.startswith("gnomon_answers_total")}
    assert sum(found.values()) == 2
    assert any('outcome="refused"' in name for name in found)


def test_tokens_are_counted_by_model(client: TestClient) -> None:
    asked = {"model": "base", "prompt": "The stars", "max_tokens": 3, "seed": 1}
    for stream in (False, True):
        assert client.post("/v1/completions", json=asked | {"stream": stream}).status_code == 200
    found = told(client)
    assert 2 <= found['gnomon_tokens_total{kind="written",model="base"}'] <= 6
    assert found['gnomon_tokens_total{kind="read",model="base"}'] >= 4
