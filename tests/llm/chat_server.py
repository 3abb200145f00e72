"""An OpenAI-compatible server on loopback whose manners a test sets: it really speaks HTTP, with real faults."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any], int], Any]
"""(body, number of the request from 1) -> a JSON value, or one of the faults below."""


class Status(dict[str, str]):
    """An HTTP status instead of an answer, with headers."""

    def __init__(self, code: int, text: str = "no", **headers: str) -> None:
        super().__init__({name.replace("_", "-"): value for name, value in headers.items()})
        self.code, self.text = code, text


class Cut(bytes):
    """A body that ends before its announced length."""


class Chunks(list[Any]):
    """Chunks of a stream; a float among them is a pause, ``None`` cuts the connection."""


def said(text: str, *, finish: str = "stop", tokens: tuple[int, int] = (7, 3), **message: Any) -> dict[str, Any]:
    """A chat completion."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def chunk(text: str = "", *, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """A chunk of a streamed chat completion."""
    choice = {"index": 0, "finish_reason": finish, "delta": {"content": text, **delta}}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


class ChatServer:
    """Answers as ``answer`` says, and remembers what it was asked, at most how much at once."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Answer = lambda body, number: said("yes")
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.http = _Http(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error here."""


def _handler(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with server.lock:
                server.requests.append(body)
                server.headers.append({name.lower(): value for name, value in self.headers.items()})
                number = len(server.requests)
                server.now += 1
                server.most = max(server.most, server.now)
            try:
                self.send(server.answer(body, number))
            finally:
                with server.lock:
                    server.now -= 1

        def send(self, value: Any) -> None:
            if isinstance(value, Chunks):
                self.stream(value)
                return
            status = value.code if isinstance(value, Status) else 200
            raw = value.text.encode() if isinstance(value, Status) else value
            raw = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw) + (9 if isinstance(value, Cut) else 0)))
            for name, content in value.items() if isinstance(value, Status) else ():
                self.send_header(name, content)
            self.end_headers()
            self.wfile.write(raw)
            self.close_connection = isinstance(value, Cut)

        def stream(self, chunks: Chunks) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            self.close_connection = True
            for part in chunks:
                if part is None:
                    return
                if isinstance(part, float):
                    time.sleep(part)
                    continue
                self.wfile.write(b"data: " + json.dumps(part).encode() + b"\n\n")
                self.wfile.flush()
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def started() -> Iterator[ChatServer]:
    """A running server, closed afterwards."""
    server = ChatServer()
    yield server
    server.close()
