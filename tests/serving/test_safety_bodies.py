import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from safety_apps import application, at_home

from gnomon.serving.house import Limits
from gnomon.serving.safety.bodies import FORM

SMALL = Limits(body_bytes=1_000, body_seconds=0.05, address_bytes=200, header_bytes=2_000)


@pytest.fixture
def home(tmp_path: Path) -> TestClient:
    return at_home(tmp_path, SMALL)


def pieces(number: int) -> Iterator[bytes]:
    for _ in range(number):
        yield b" " * 100


def test_a_body_within_the_bound_arrives_whole(home: TestClient) -> None:
    json = {"content-type": "application/json"}
    assert home.post("/api/echo", content=b" " * 1_000, headers=json).json() == {"bytes": 1_000}
    assert home.post("/api/echo", content=pieces(10), headers=json).json() == {"bytes": 1_000}


@pytest.mark.parametrize("path", ["/api/echo", "/v1/chat/completions", "/nowhere", "/sign-in"])
def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(home: TestClient, path: str) -> None:
    json = {"content-type": "application/json"}
    assert home.post(path, content=b" " * 1_001, headers=json).status_code == 413
    assert home.post(path, content=pieces(11), headers=json).status_code == 413
    for length in ("-1", "1e3", "1_000", "99999999999999999999"):
        assert home.post(path, content=b"", headers=json | {"content-length": length}).status_code == 413
    told = home.post("/api/echo", content=pieces(11), headers=json)
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["kind"] == "TooLarge"


def test_a_body_of_a_reading_request_is_bounded_too(home: TestClient) -> None:
    assert home.request("GET", "/api/echo", content=b" " * 1_001).status_code == 413


def test_addresses_and_headers_are_bounded(home: TestClient) -> None:
    assert home.get("/health", params={"q": "x" * 300}).status_code == 414
    assert home.get("/health", headers={"x-long": "x" * 3_000}).status_code == 431


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", FORM, "application/xml", "", "text/json"]
)
def test_programs_send_json_and_nothing_that_a_form_could(home: TestClient, kind: str) -> None:
    told = home.post("/api/echo", content=b"{}", headers={"content-type": kind})
    assert told.status_code == 415
    assert "application/json" in told.json()["cure"]
    assert home.post("/api/echo", content=b"{}", headers={"content-type": "application/json; charset=utf-8"}).is_success


def test_a_body_that_dawdles_is_cut_off(tmp_path: Path) -> None:
    sent = asyncio.run(_exchange(application(tmp_path, SMALL), slow=True))
    assert sent[0]["status"] == 408


def test_a_sender_that_goes_away_gets_no_answer_and_leaves_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert asyncio.run(_exchange(application(tmp_path, SMALL), slow=False)) == []
    assert not caplog.records


async def _exchange(made: Any, *, slow: bool) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not sent and slow:
            await asyncio.sleep(0.01)
            return {"type": "http.request", "body": b" ", "more_body": True}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
             "path": "/api/echo", "raw_path": b"/api/echo", "query_string": b"", "root_path": "", "headers": headers,
             "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8000)}  # fmt: skip
    await made(scope, receive, send)
    return sent


def test_a_form_needs_the_token_of_this_browser(tmp_path: Path) -> None:
    home, other = at_home(tmp_path), at_home(tmp_path)
    token = home.get("/token").text
    assert home.post("/echo", data={"form_token": token}).status_code == 200
    for form in ({}, {"form_token": ""}, {"form_token": token[:-4] + "AAAA"}, {"form_token": "é"}, {"x": token}):
        told = home.post("/echo", data=form)
        assert told.status_code == 403
        assert told.json()["kind"] == "ForeignForm"
    assert other.post("/echo", data={"form_token": token}).status_code == 403
    home.cookies.clear()
    assert home.post("/echo", data={"form_token": token}).status_code == 403


def test_tokens_of_one_browser_differ_and_all_hold(tmp_path: Path) -> None:
    home = at_home(tmp_path)
    first, second = home.get("/token").text, home.get("/token").text
    assert first != second
    for token in (first, second):
        assert home.post("/echo", data={"form_token": token}).status_code == 200


def test_the_cookie_of_forms_is_sent_once_and_read_by_no_script(tmp_path: Path) -> None:
    home = at_home(tmp_path)
    cookie = home.get("/token").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "set-cookie" not in home.get("/token").headers


def test_logs_hold_no_question_unless_told_to(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from gnomon.serving.safety.policy import Policy

    with caplog.at_level(logging.INFO):
        at_home(tmp_path).get("/health?q=private", headers={"authorization": "Bearer gnomon_secret"})
        said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("gnomon"))
        assert "private" not in said
        assert "gnomon_secret" not in said
        assert "GET /health 200" in said
        telling = TestClient(application(tmp_path, policy=Policy(log_queries=True)), base_url="http://127.0.0.1")
        telling.get("/health?q=private%0d%0aline")
    assert "GET /health?q=private%0d%0aline 200" in caplog.text


def test_a_request_keeps_its_id_where_it_is_sound(tmp_path: Path) -> None:
    home = at_home(tmp_path)
    assert home.get("/health", headers={"x-request-id": "trace-0001"}).headers["x-request-id"] == "trace-0001"
    for wrong in ("short", "x" * 65, "a b c d e f", "<script>alert</script>"):
        assert home.get("/health", headers={"x-request-id": wrong}).headers["x-request-id"] != wrong
    assert home.get("/health").headers["x-request-id"] != home.get("/health").headers["x-request-id"]
