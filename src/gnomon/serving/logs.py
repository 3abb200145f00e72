"""Logs: one line for each request, without what readers ask, and an id by which a request is found again.

Query strings hold questions, so they are left out unless the server is told to write them. The id is the client's own
``X-Request-ID`` where it sends a sound one, is sent back with every response, and stands on every line that is logged
while the request is answered.
"""

import logging
import re
import secrets
import sys
import time
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
FORMAT = "%(asctime)s %(levelname)s %(request)s %(name)s: %(message)s"
_SOUND = re.compile(r"[A-Za-z0-9._-]{8,64}")
_UNSOUND = re.compile(r"[^\x21-\x7e]")
_request: ContextVar[str] = ContextVar("request", default="-")
access = logging.getLogger("gnomon.access")


def request_id() -> str:
    """The id of the request that is being answered; ``-`` outside of one."""
    return _request.get()


class AccessLog:
    """Middleware that gives each request its id and writes its line.

    Args:
        app: What answers.
        queries: Write query strings, too.
    """

    def __init__(self, app: ASGIApp, *, queries: bool = False) -> None:
        self.app, self.queries = app, queries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        name = given if _SOUND.fullmatch(given) else secrets.token_hex(8)
        told, started, before = {"status": 0, "bytes": 0}, time.perf_counter(), _request.set(name)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
                MutableHeaders(scope=message)[HEADER] = name
            else:
                told["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            took = 1000 * (time.perf_counter() - started)
            access.info("%s %s %s %s bytes %.1f ms %s", _plain(scope["method"]), self._path(scope),
                        told["status"] or "gone", told["bytes"], took, (scope.get("client") or ("-",))[0])  # fmt: skip
            _request.reset(before)

    def _path(self, scope: Scope) -> str:
        path = _plain(scope.get("raw_path", scope["path"].encode()).decode("latin-1"))
        query = _plain(scope.get("query_string", b"").decode("latin-1"))
        return f"{path}?{query}" if self.queries and query else path


def start_logging() -> None:
    """Write what the server and its access log say to standard error, each line with its request."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(_with_request)
    for name, level in (("gnomon", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.handlers, logger.propagate = [handler], False


def _with_request(record: logging.LogRecord) -> bool:
    record.request = request_id()
    return True


def _plain(text: str) -> str:
    """A text that can forge no line of a log."""
    return _UNSOUND.sub("?", text)
