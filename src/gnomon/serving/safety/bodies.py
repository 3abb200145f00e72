"""Bodies: what a request may weigh, how long it may take to arrive, and of which kind it may be.

A body is read whole before anything else looks at it: within a bound, whether its length was told or not, and within a
time. What changes something must be JSON, which no form of another site can send unasked, or a form with its token.
"""

import asyncio

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnomon.core.wording import say
from gnomon.serving.house import Limits
from gnomon.serving.problems import Problem, Refused
from gnomon.serving.safety.forms import SAFE_METHODS, check_form

FORM = "application/x-www-form-urlencoded"
PROGRAMS = ("/api/", "/v1/")
"""Paths that programs use: no forms, and nothing at all instead of JSON is allowed."""


class Bodies:
    """Middleware that reads a body within bounds and refuses what another site could have sent.

    Args:
        app: What answers.
        limits: The bounds.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Refused: It is too large (413, 414, 431), too slow (408), of another kind (415) or a foreign form (403).
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        self._check_head(scope, headers)
        unsafe = scope["method"] not in SAFE_METHODS
        if unsafe or "content-length" in headers or "transfer-encoding" in headers:
            body = await self._whole(headers, receive)
            if body is None:  # gone before it was sent
                return
            if unsafe:
                _check_kind(Request(scope), body)
            receive = _again(body, receive)
        await self.app(scope, receive, send)

    def _check_head(self, scope: Scope, headers: Headers) -> None:
        if len(scope.get("query_string", b"")) + len(scope["path"]) > self.limits.address_bytes:
            raise _too_much(414, self.limits.address_bytes, "The address", "アドレス")
        if sum(len(name) + len(value) for name, value in headers.raw) > self.limits.header_bytes:
            raise _too_much(431, self.limits.header_bytes, "The headers", "ヘッダー")

    async def _whole(self, headers: Headers, receive: Receive) -> bytes | None:
        """The whole body; None when its sender went away."""
        most, parts, size = self.limits.body_bytes, list[bytes](), 0
        told = headers.get("content-length", "0")
        if not told.isdecimal() or int(told) > most:
            raise _too_much(413, most, "The body", "本文")
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return None
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        raise _too_much(413, most, "The body", "本文")
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise Refused(Problem(
                status=408, kind="TooSlow", headers={"Connection": "close"},
                detail=say(f"The body did not arrive within {self.limits.body_seconds:g} s.",
                           f"本文が {self.limits.body_seconds:g} 秒以内に届かなかった。"),
                cure=say("Send it faster, or less of it.", "速く送るか、小さくする。"),
            )) from None  # fmt: skip


def _again(body: bytes, receive: Receive) -> Receive:
    """A channel that gives a body that was read already, then whatever comes after it."""
    given = False

    async def channel() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return channel


def _check_kind(request: Request, body: bytes) -> None:
    path, kind = request.url.path, request.headers.get("content-type", "").partition(";")[0].strip().lower()
    program = path.startswith(PROGRAMS)
    if kind == "application/json" or (program and not body):
        return
    if not program and (kind == FORM or not body):
        check_form(request, body)
        return
    raise Refused(Problem(
        status=415, kind="WrongContent",
        detail=say(f"A body of type {kind or '-'!r} is not taken here.",
                   f"ここでは {kind or '-'!r} の本文を受け付けない。"),
        cure=say("Send it as application/json.", "application/json として送る。"),
    ))  # fmt: skip


def _too_much(status: int, most: int, en: str, ja: str) -> Refused:
    return Refused(Problem(
        status=status, kind="TooLarge", headers={"Connection": "close"},
        detail=say(f"{en} may have {most:,} bytes at most.", f"{ja}は {most:,} バイトまで。"),
        cure=say("Send less at a time.", "一度に送る量を減らす。"),
    ))  # fmt: skip
