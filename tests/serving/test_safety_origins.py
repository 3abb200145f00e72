from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from safety_apps import at_home

from gnomon.serving.safety.headers import HEADERS
from gnomon.serving.safety.policy import Policy, host_name, is_loopback


@pytest.fixture
def home(tmp_path: Path) -> TestClient:
    return at_home(tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9", "localhost:8000", "LOCALHOST", "[::1]:8000", "127.8.8.8"])
def test_a_server_on_loopback_answers_to_every_name_of_loopback(home: TestClient, host: str) -> None:
    assert home.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.5", "[::2]", "",
     "localhost:8000@evil.example", "localhost, evil.example", "127.0.0.1:port", "0.0.0.0", "[::ffff:10.0.0.5]"],
)  # fmt: skip
def test_a_name_made_to_point_here_is_refused(home: TestClient, host: str) -> None:
    told = home.get("/health", headers={"host": host})
    assert told.status_code == 421
    assert told.json()["kind"] == "WrongHost"
    assert "--allow-host" in told.json()["cure"]


def test_a_request_with_two_hosts_is_refused(home: TestClient) -> None:
    assert home.get("/health", headers=[("host", "127.0.0.1"), ("host", "evil.example")]).status_code == 421


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:9000", "http://localhost:8000", "file://", "https://127.0.0.1",
     "http://127.0.0.1:8000.evil.example", "chrome-extension://abc", "http://[", "http://127.0.0.1:99999"],
)  # fmt: skip
def test_a_change_from_another_sites_page_is_refused(home: TestClient, origin: str) -> None:
    told = home.post("/api/echo", json={}, headers={"origin": origin})
    assert told.status_code == 403
    assert told.json()["kind"] == "ForeignOrigin"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_sites_page_may_use_no_method_but_reading(home: TestClient, method: str) -> None:
    told = home.request(method, "/api/echo", headers={"origin": "http://evil.example"})
    assert told.status_code == 403
    assert not [name for name in told.headers if name.startswith("access-control-")]


def test_a_page_of_this_server_and_a_program_may_change_things(home: TestClient) -> None:
    same = {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}
    assert home.post("/api/echo", json={}, headers=same).status_code == 200
    assert home.post("/api/echo", json={}).status_code == 200


def test_a_page_behind_a_proxy_that_ends_tls_may_change_things(tmp_path: Path) -> None:
    client = TestClient(at_home(tmp_path).app, base_url="http://localhost")
    assert client.post("/api/echo", json={}, headers={"origin": "https://localhost"}).status_code == 200
    assert client.post("/api/echo", json={}, headers={"origin": "https://localhost:444"}).status_code == 403


def test_another_site_can_be_followed_from_but_can_load_nothing(home: TestClient) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert home.get("/health", headers=link).status_code == 200
    for mode, dest in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("no-cors", "script")):
        headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode, "sec-fetch-dest": dest}
        assert home.get("/health", headers=headers).status_code == 403
    assert home.get("/health", headers={"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}).status_code == 403


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/static/css/base.css", "/sign-in", "/api/openapi.json"])
def test_every_response_bears_the_headers_of_safety(home: TestClient, path: str) -> None:
    for accept in ("text/html", "*/*"):
        headers = home.get(path, headers={"accept": accept}, follow_redirects=False).headers
        assert all(headers[name] == value for name, value in HEADERS.items())
        assert "cache-control" in headers
        assert "server" not in headers
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")


def test_refusals_bear_the_headers_too_and_speak_the_readers_language(home: TestClient) -> None:
    told = home.get("/health", headers={"host": "evil.example", "accept-language": "ja", "accept": "text/html"})
    assert told.status_code == 421
    assert told.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert "という名では応じない" in told.text
    assert "secret-library" not in told.text


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2f..%2fapp.py", "/static/%2e%2e%2f%2e%2e%2fpyproject.toml",
     "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/css/..%5c..%5capp.py", "/static/%00", "/static/\ud800",
     "/static/css", "/static/../templates/layout.html"],
)  # fmt: skip
def test_nothing_but_static_files_is_reached_through_their_folder(home: TestClient, path: str) -> None:
    told = home.get(path.encode("utf-8", "surrogatepass").decode("latin-1"))
    assert told.status_code in (404, 405)
    assert "import" not in told.text


@pytest.mark.parametrize(
    ("host", "name"), [("A.b:1", "a.b"), ("[::1]:2", "::1"), ("a.", "a"), ("a b", ""), ("a:b", "")]
)
def test_the_name_in_a_host_header_is_read_or_refused(host: str, name: str) -> None:
    assert host_name(host) == name


def test_what_is_loopback_is_known_by_number() -> None:
    assert is_loopback("127.0.0.2")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("localhost.example")
    assert not Policy(names=frozenset({"gnomon.test"})).answers_to("10.0.0.5")
