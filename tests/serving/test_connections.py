import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from safety_apps import application, at_home

from gnomon.serving.connections import Patient
from gnomon.serving.serve import Server, bind


class Hasty(Patient):
    seconds = 0.3


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server that waits a third of a second for headers."""
    up = threading.Event()
    with bind("127.0.0.1", 0) as bound:
        config = uvicorn.Config(application(tmp_path), http=Hasty, ws="none", log_config=None, timeout_keep_alive=30)
        server = Server(config, up.set)
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        number = bound.getsockname()[1]
        thread.start()
        assert up.wait(60)
        yield number
        server.should_exit = True
        thread.join(60)


def answer(line: socket.socket) -> bytes:
    """One whole answer of /health."""
    found = b""
    while not found.endswith(b"}"):
        found += line.recv(4_000)
    return found


def connect(port: int) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", port), timeout=30)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "])
def test_a_connection_whose_headers_never_end_is_closed(port: int, sent: bytes) -> None:
    with connect(port) as line:
        line.sendall(sent)
        assert line.recv(100) == b""


def test_a_second_request_on_a_connection_may_not_dawdle_either(port: int) -> None:
    with connect(port) as line:
        line.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"200 OK" in answer(line)
        line.sendall(b"GET /health HTTP/1.1\r\n")
        while line.recv(4_000):
            pass


def test_an_idle_connection_between_requests_is_kept(port: int) -> None:
    with connect(port) as line:
        for _ in range(3):
            line.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert b"200 OK" in answer(line)
            threading.Event().wait(0.4)


def test_the_headers_alone_can_be_asked_for(tmp_path: Path) -> None:
    home = at_home(tmp_path)
    asked, whole = home.head("/health"), home.get("/health")
    assert asked.status_code == 200
    assert asked.content == b""
    assert asked.headers["content-length"] == whole.headers["content-length"]
    assert home.head("/nowhere").status_code == 404
    assert 'method="HEAD",route="/health",status="200"' in home.get("/metrics").text
