"""Problems: every error leaves as its reader expects it, with what, where and how to mend it.

Under ``/api`` as problem details (RFC 9457), under ``/v1`` in the shape of OpenAI's protocol, elsewhere as a page. What
Gnomon did not expect is told without its inside: the traceback goes to the log, under an id that the reader is given.
"""

import logging
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnomon.core.errors import (
    ConfigError,
    DataError,
    GnomonError,
    InputError,
    MissingExtra,
    NotFound,
    OfflineError,
)
from gnomon.core.wording import say
from gnomon.serving.logs import request_id
from gnomon.serving.work import RETRY_SECONDS, Busy

STATUSES: tuple[tuple[type[GnomonError], int], ...] = (
    (Busy, 503), (NotFound, 404), (MissingExtra, 501), (OfflineError, 403), (ConfigError, 422), (DataError, 422),
    (InputError, 400),
)  # fmt: skip
"""The status of each kind of error, the first that fits; whatever else Gnomon raises is a 502 or 500."""
TITLES = {
    400: ("The request cannot be used", "要求を使えない"), 401: ("A key is needed", "鍵が要る"),
    403: ("Not allowed", "許可されていない"), 404: ("Not found", "見つからない"),
    405: ("Not that method", "そのメソッドは使えない"), 408: ("Too slow", "時間切れ"), 413: ("Too large", "大きすぎる"),
    414: ("Too long an address", "アドレスが長すぎる"), 429: ("Too often", "回数が多すぎる"),
    431: ("Too large headers", "ヘッダーが大きすぎる"),
    415: ("Not that kind of content", "その形式は使えない"), 421: ("Not this host", "ホストが違う"),
    422: ("A value cannot be used", "使えない値がある"),
    500: ("Something went wrong here", "こちらで問題が起きた"), 501: ("Not installed here", "ここには導入されていない"),
    503: ("Busy", "混雑している"),
}  # fmt: skip
OPENAI_CODES = {
    401: "invalid_api_key", 404: "unknown_url", 413: "request_too_large", 422: "invalid_value", 503: "server_busy",
}  # fmt: skip
"""What OpenAI's protocol calls a problem, unless the problem says it itself."""
INVALID_CODES = {"missing": "missing_required_parameter", "extra_forbidden": "unknown_parameter",
                 "json_invalid": "invalid_json", "unsupported_parameter": "unsupported_parameter"}  # fmt: skip
"""The same for kinds of validation errors."""
_TRIED = re.compile(r"str|int|float|bool|none|(?:list|dict|function-\w+|constrained-\w+)\[.*")
log = logging.getLogger("gnomon.serving")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What went wrong, in no particular clothes."""

    status: int
    """The HTTP status."""
    detail: str
    """What, with the value and the place."""
    cure: str = ""
    """How to mend it."""
    kind: str = ""
    """The error's name, for programs."""
    code: str = ""
    """The word by which OpenAI's protocol knows it; empty for that of the status."""
    param: str = ""
    """The one field of the request that it is about, when it is one."""
    fields: tuple[dict[str, str], ...] = ()
    """What is wrong with which field of the request: ``{"field", "message"}``."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the response."""

    @property
    def title(self) -> str:
        """A few words for the status, in the reader's language."""
        return say(*TITLES.get(self.status, TITLES[500 if self.status >= 500 else 400]))


class Refused(InputError):
    """A request that a protocol has words of its own for.

    Args:
        problem: What is wrong with it.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail, problem.cure)
        self.problem = problem


def install(app: FastAPI, error_page: Callable[[Request, Problem], Response]) -> None:
    """Let every error of an application leave as a problem.

    Args:
        app: The application.
        error_page: What shows a problem to a person.
    """
    app.state.error_page = error_page

    async def known(request: Request, error: Exception) -> Response:
        return respond(request, problem_of(error))

    for kind in (GnomonError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, known)
    app.add_middleware(LastDoor)


class LastDoor:
    """Middleware that answers what nobody expected, in the language and shape of the request.

    Args:
        app: What may fail.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what fails after its answer began can only be logged."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 -- the last door: whatever comes, a client gets words
            problem = problem_of(error)
            if scope["type"] == "http" and not begun:
                await respond(Request(scope), problem)(scope, receive, send)


def problem_of(error: Exception) -> Problem:
    """The problem that an error is."""
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, HTTPException):
        detail, cure = _of_the_frame(error)
        kind, code = ("NotFound", "unknown_url") if error.status_code == 404 else ("", "")
        return Problem(status=error.status_code, kind=kind, code=code, detail=detail, cure=cure,
                       headers=dict(error.headers or {}))  # fmt: skip
    if isinstance(error, GnomonError):
        status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
        headers = {"Retry-After": str(RETRY_SECONDS)} if isinstance(error, Busy) else {}
        return Problem(status=status, detail=error.message, cure=error.hint, kind=type(error).__name__, headers=headers)
    name = request_id() if request_id() != "-" else secrets.token_hex(4)
    log.error("unexpected error %s", name, exc_info=error)
    return Problem(
        status=500, kind="Unexpected",
        detail=say("Something happened that Gnomon did not expect.", "予期しないことが起きた。"),
        cure=say(f"The server's log tells more under {name}.", f"サーバーの記録の {name} に詳細がある。"),
    )  # fmt: skip


def _of_the_frame(error: HTTPException) -> tuple[str, str]:
    """What the frame says in English only, with the cure it leaves out."""
    if error.status_code == 404:
        return (say("There is nothing at this address.", "このアドレスには何もない。"),
                say("Start from the home page, or from /api/docs.", "ホームか /api/docs から始める。"))  # fmt: skip
    if error.status_code == 405:
        return (say("This address does not take that method.", "このアドレスではそのメソッドを使えない。"),
                say("`Allow` names those it takes.", "使えるものは `Allow` ヘッダーにある。"))  # fmt: skip
    if error.status_code == 400:
        return (say(f"{error.detail}.", f"要求の本文を読めない（{error.detail}）。"),
                say("Send JSON in UTF-8.", "UTF-8 の JSON を送る。"))  # fmt: skip
    return str(error.detail), ""


def respond(request: Request, problem: Problem) -> Response:
    """A problem in the clothes its reader expects."""
    path = request.url.path
    if path == "/v1" or path.startswith("/v1/"):
        return JSONResponse(openai_error(problem), openai_status(problem), problem.headers)
    if path == "/api" or path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        body = details(problem, path)
        return JSONResponse(body, problem.status, problem.headers, media_type="application/problem+json")
    page: Response = request.app.state.error_page(request, problem)
    return page


def details(problem: Problem, instance: str) -> dict[str, Any]:
    """Problem details, RFC 9457, with two members of our own: ``cure`` and ``fields``."""
    body: dict[str, Any] = {
        "type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail,
        "instance": instance,
    }  # fmt: skip
    told = {"cure": problem.cure, "kind": problem.kind, "fields": list(problem.fields)}
    return body | {key: value for key, value in told.items() if value}


def openai_status(problem: Problem) -> int:
    """The status in OpenAI's protocol, which knows 400 for every value that cannot be used."""
    return 400 if problem.status == 422 else problem.status


def openai_error(problem: Problem) -> dict[str, Any]:
    """The error object of OpenAI's protocol; the same stands in a stream that breaks."""
    kind = "invalid_request_error" if problem.status < 500 else "server_error"
    param = problem.param or next((row["field"] for row in problem.fields), None)
    told = problem.detail if problem.detail.endswith((".", "。", "!", "?")) else f"{problem.detail}."
    message = f"{told} {problem.cure}".strip() if problem.cure else problem.detail
    code = problem.code or OPENAI_CODES.get(problem.status)
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _invalid(error: RequestValidationError) -> Problem:
    found = [(_field(row["loc"]), row["msg"]) for row in error.errors()]
    fields = tuple({"field": name, "message": message} for name, message in found)
    told = "; ".join(f"{name}: {message}" for name, message in found)
    code = INVALID_CODES.get(error.errors()[0]["type"], "") if fields else ""
    return Problem(status=422, detail=told, kind="InvalidRequest", fields=fields, code=code,
                   cure=say("The API is described at /api/docs.", "API の説明は /api/docs にある。"))  # fmt: skip


def _field(place: Sequence[int | str]) -> str:
    """A field's name as its sender knows it: without the kinds of a union that were tried."""
    parts = [str(part) for part in place[1:] if not _TRIED.fullmatch(str(part))]
    return ".".join(parts) or str(place[0])
