"""Forms: a token in every form that changes something, so that no other site can send it in a reader's name.

The token is a signed copy of a cookie of its own (double submit): a page of another site can neither read the cookie
nor sign one. Each page gets another token for the same cookie, so that nothing can be learnt from how well pages
compress. Forms without it are refused before any page sees them, so no page can forget to look.
"""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import parse_qsl

from markupsafe import Markup
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnomon.core.wording import say
from gnomon.serving.problems import Problem, Refused

FIELD = "form_token"
COOKIE = "gnomon-form"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_FIELDS = 100
_NONCE_BYTES = 16
_STATE = "gnomon.form_cookie"


class FormCookies:
    """Middleware that sends the cookie of forms along with the first page that holds one.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def with_cookie(message: Message) -> None:
            made = scope.get(_STATE)
            if made and message["type"] == "http.response.start":
                secure = "; Secure" if scope.get("scheme") == "https" else ""
                value = f"{COOKIE}={made}; Path=/; HttpOnly; SameSite=Strict{secure}"
                MutableHeaders(scope=message).append("Set-Cookie", value)
            await send(message)

        await self.app(scope, receive, with_cookie)


def form_token(request: Request) -> str:
    """A token for a form of the page that is being made for a request."""
    cookie = request.cookies.get(COOKIE) or request.scope.setdefault(_STATE, secrets.token_urlsafe(32))
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + _signature(request, cookie, nonce)).decode()


def form_field(request: Request) -> Markup:
    """The hidden field that every form with ``method="post"`` holds."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, form_token(request))


def check_form(request: Request, body: bytes) -> None:
    """Make sure that a form was made here, for this browser.

    Raises:
        Refused: It was not, or too long ago.
    """
    try:
        fields = dict(parse_qsl(body.decode("ascii"), max_num_fields=MOST_FIELDS))
        raw = base64.urlsafe_b64decode(fields.get(FIELD, ""))
    except ValueError:
        raw = b""
    nonce, signature = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
    cookie = request.cookies.get(COOKIE, "")
    if not cookie or not hmac.compare_digest(signature, _signature(request, cookie, nonce)):
        raise Refused(Problem(
            status=403, kind="ForeignForm",
            detail=say("This form was not made by this server for this browser, or is out of date.",
                       "このフォームは、このサーバーがこのブラウザのために作ったものではないか、古くなっている。"),
            cure=say("Load its page again, and send it from there; cookies must be allowed.",
                     "ページを読み込み直してから送る。クッキーの許可が要る。"),
        ))  # fmt: skip


def _signature(request: Request, cookie: str, nonce: bytes) -> bytes:
    secret: bytes = request.app.state.policy.secret
    return hmac.digest(secret, nonce + cookie.encode("utf-8", "surrogatepass"), hashlib.sha256)
