"""The entry: where keys are demanded, nothing but the door itself is shown without one.

A program sends ``Authorization: Bearer KEY``; a person enters the key once, at ``/sign-in``, and the browser then
holds a session. Whoever comes without either is told how to come in: a page leads to the door, a program gets a 401.
"""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gnomon.core.wording import say
from gnomon.serving.problems import Problem, Refused
from gnomon.serving.safety.policy import Policy
from gnomon.serving.safety.sessions import Session, Sessions

DOOR = "/sign-in"
OPEN_PATHS = frozenset({DOOR, "/health", "/health/ready"})
OPEN_FOLDER = "/static/"
COOKIES = {"http": "gnomon-session", "https": "__Host-gnomon-session"}
"""The cookie of a session by scheme; a browser takes the second kind from this very host over https only."""
_ADMITTED, _SESSION = "gnomon.admitted", "gnomon.session"


class Entry:
    """Middleware that lets in whoever has a key or a session.

    Args:
        app: What answers.
        policy: Whether a key is demanded, and the keys.
        sessions: The sessions that keys have opened.
    """

    def __init__(self, app: ASGIApp, policy: Policy, sessions: Sessions) -> None:
        self.app, self.policy, self.sessions = app, policy, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Refused: A key is demanded and there is none, or it is not valid.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        session = self._session(request) if self.policy.demands_key else None
        scope[_SESSION] = session
        scope[_ADMITTED] = not self.policy.demands_key or session is not None or self._bears_key(request)
        path = scope["path"]
        if scope[_ADMITTED] or path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            await self.app(scope, receive, send)
        elif scope["method"] == "GET" and "text/html" in request.headers.get("accept", ""):
            await RedirectResponse(door(request), 303)(scope, receive, send)
        else:
            raise _no_key(given=bool(request.headers.get("authorization")))

    def _session(self, request: Request) -> Session | None:
        found = self.sessions.find(request.cookies.get(session_cookie(request), ""))
        keys = self.policy.keys
        return found if found is not None and keys is not None and keys.still_valid(found.key) else None

    def _bears_key(self, request: Request) -> bool:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        keys = self.policy.keys
        return keys is not None and scheme.lower() == "bearer" and keys.check(text.strip()) is not None


def admitted(request: Request) -> bool:
    """Whether a request may see what is served; until the entry has looked, it may not."""
    return bool(request.scope.get(_ADMITTED))


def signed_in(request: Request) -> Session | None:
    """The session of a request, None where there is none."""
    found: Session | None = request.scope.get(_SESSION)
    return found


def session_cookie(request: Request) -> str:
    """The name of the cookie that holds a session's id."""
    return COOKIES["https" if request.url.scheme == "https" else "http"]


def door(request: Request) -> str:
    """The address of the door, from which a reader goes on to the page that was asked for."""
    query = request.scope["query_string"].decode("latin-1")
    asked = request.scope["path"] + (f"?{query}" if query else "")
    return f"{DOOR}?next={quote(asked, safe='')}"


def own_address(address: str) -> str:
    """An address on this server to go on to: the home page for any that is none."""
    plain = address.isprintable() and address.startswith("/") and "\\" not in address
    return address if plain and not address.startswith("//") else "/"


def _no_key(*, given: bool) -> Refused:
    detail = (
        say("This key is not valid here.", "この鍵はここでは有効ではない。") if given
        else say("This server answers only to who has a key.", "このサーバーは鍵を持つ人にだけ応じる。")
    )  # fmt: skip
    return Refused(Problem(
        status=401, kind="NoKey", detail=detail, headers={"WWW-Authenticate": 'Bearer realm="gnomon"'},
        cure=say("Send `Authorization: Bearer KEY`; whoever runs the server makes one with `gnomon key add NAME`.",
                 "`Authorization: Bearer 鍵` として送る。鍵は運用者が `gnomon key add 名前` で作る。"),
    ))  # fmt: skip
