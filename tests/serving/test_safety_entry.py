import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from safety_apps import from_elsewhere

from gnomon.serving.safety.entry import own_address
from gnomon.serving.safety.keys import Keys
from gnomon.serving.safety.sessions import TRIES

PAGE = {"accept": "text/html"}


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


@pytest.fixture
def key(keys: Keys) -> str:
    return keys.add("group")[0]


@pytest.fixture
def client(tmp_path: Path, keys: Keys, key: str) -> TestClient:
    return from_elsewhere(tmp_path, keys)


def token(text: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', text)
    assert found
    return found[1]


def sign_in(client: TestClient, key: str, next: str = "/token", **headers: str):
    shown = client.get("/sign-in", headers=PAGE | headers)
    form = {"key": key, "next": next, "form_token": token(shown.text)}
    return client.post("/sign-in", data=form, headers=PAGE | headers, follow_redirects=False)


@pytest.mark.parametrize("path", ["/api/echo", "/v1/models", "/metrics", "/api/openapi.json", "/nowhere", "/", "/docs"])
def test_nothing_is_shown_without_a_key(client: TestClient, path: str) -> None:
    told = client.get(path)
    assert told.status_code == 401
    assert told.headers["www-authenticate"].startswith("Bearer")
    assert "secret-library" not in told.text
    assert client.post(path, json={}).status_code == 401


def test_a_program_without_a_key_is_told_in_its_protocol(client: TestClient) -> None:
    assert client.get("/v1/models").json()["error"]["code"] == "invalid_api_key"
    assert client.get("/api/x").json()["cure"].startswith("Send `Authorization: Bearer KEY`")


def test_a_key_opens_every_path(client: TestClient, key: str, keys: Keys) -> None:
    assert client.post("/api/echo", json={}, headers={"authorization": f"Bearer {key}"}).status_code == 200
    assert client.get("/metrics", headers={"authorization": f"bearer {key}"}).status_code == 200
    for wrong in (f"Bearer {key}x", f"Basic {key}", key, "Bearer", "Bearer \udcff"):
        told = client.get("/metrics", headers={"authorization": wrong.encode("utf-8", "surrogateescape")})
        assert told.status_code == 401
        assert key not in told.text


def test_health_and_the_door_are_open_and_tell_nothing(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/health/ready").json() == {"status": "ready"}
    shown = client.get("/sign-in", headers=PAGE)
    assert shown.status_code == 200
    assert "secret-library" not in shown.text
    assert client.get("/static/css/base.css").status_code == 200
    assert client.get("/static/nothing.css", headers=PAGE).status_code == 404
    assert "secret-library" not in client.get("/static/nothing.css", headers=PAGE).text


def test_a_page_leads_to_the_door_and_on_from_there(client: TestClient, key: str) -> None:
    sent = client.get("/search?q=a%20b&k=3", headers=PAGE, follow_redirects=False)
    assert sent.status_code == 303
    assert sent.headers["location"] == "/sign-in?next=%2Fsearch%3Fq%3Da%2520b%26k%3D3"
    shown = client.get(sent.headers["location"], headers=PAGE)
    assert 'value="/search?q=a%20b&amp;k=3"' in shown.text
    entered = sign_in(client, key, "/search?q=a%20b&k=3")
    assert entered.headers["location"] == "/search?q=a%20b&k=3"


def test_a_session_is_a_cookie_that_no_script_and_no_other_site_gets(client: TestClient, key: str) -> None:
    entered = sign_in(client, key)
    assert entered.status_code == 303
    cookie = entered.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert key not in cookie
    assert client.get("/token", headers=PAGE).status_code == 200


def test_over_https_cookies_are_secure_and_bound_to_the_host(tmp_path: Path, keys: Keys, key: str) -> None:
    client = from_elsewhere(tmp_path, keys, "https://gnomon.test")
    cookie = sign_in(client, key, origin="https://gnomon.test").headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie
    assert client.get("/token", headers=PAGE).status_code == 200
    assert client.post("/api/echo", json={}, headers={"origin": "http://gnomon.test"}).status_code == 403


def test_a_session_ends_when_it_is_left_and_when_its_key_does(client: TestClient, key: str, keys: Keys) -> None:
    sign_in(client, key)
    form = {"form_token": client.get("/token").text}
    left = client.post("/sign-out", data=form, headers=PAGE, follow_redirects=False)
    assert left.headers["location"] == "/sign-in"
    assert client.get("/token").status_code == 401
    sign_in(client, key)
    assert client.get("/token").status_code == 200
    keys.revoke("group")
    keys._looked = -1e9
    assert client.get("/token").status_code == 401


def test_a_wrong_key_is_refused_and_too_many_have_to_wait(client: TestClient, key: str) -> None:
    for _ in range(TRIES):
        told = sign_in(client, "gnomon_wrong")
        assert told.status_code == 401
        assert "not valid" in told.text
        assert "gnomon_wrong" not in told.text
    told = sign_in(client, key)
    assert told.status_code == 429
    assert int(told.headers["retry-after"]) > 0


def test_the_door_leads_to_no_other_site() -> None:
    assert own_address("/ask?q=1#x") == "/ask?q=1#x"
    for foreign in ("//evil.example", "http://evil.example", "/\\evil.example", "/\t/evil.example", "evil", "", "/\n"):
        assert own_address(foreign) == "/"


def test_names_that_were_given_are_answered_to_and_no_others(tmp_path: Path, keys: Keys, key: str) -> None:
    client = from_elsewhere(tmp_path, keys)
    assert client.get("/health", headers={"host": "gnomon.test:443"}).status_code == 200
    assert client.get("/health", headers={"host": "10.9.8.7"}).status_code == 200
    assert client.get("/health", headers={"host": "evil.example"}).status_code == 421
