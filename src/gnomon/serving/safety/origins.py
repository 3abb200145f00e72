"""Hosts and origins: a request must name this server, and may not come from the page of another site.

A page of another site that a reader has open can send requests to this machine. Three checks stop it. Its name made to
point here (DNS rebinding) is no name this server answers to: 421. A change that it sends bears its ``Origin``: 403. And
what it merely loads (an image, a script, a ``fetch``) says ``Sec-Fetch-Site: cross-site``: 403, so that it can neither
read an answer nor make this machine work; only following a link is left. There is no CORS.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gnomon.core.wording import say
from gnomon.serving.problems import Problem, Refused
from gnomon.serving.safety.policy import Policy, host_name

READING = frozenset({"GET", "HEAD"})
PORTS = {"http": 80, "https": 443}


class Origins:
    """Middleware that refuses what does not name this server, or comes from elsewhere.

    Args:
        app: What answers.
        policy: Whom this server answers.
    """

    def __init__(self, app: ASGIApp, policy: Policy) -> None:
        self.app, self.policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Refused: It does not name this server (421), or comes from another site (403).
        """
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            hosts = headers.getlist("host")
            if len(hosts) != 1 or not self.policy.answers_to(hosts[0]):
                raise _not_this_host(", ".join(hosts))
            if _foreign(scope, headers):
                raise _from_elsewhere(headers.get("origin") or headers.get("sec-fetch-site", ""))
        await self.app(scope, receive, send)


def _foreign(scope: Scope, headers: Headers) -> bool:
    """Whether a request was made by a page of another site and is more than following a link."""
    site, origin = headers.get("sec-fetch-site", "none"), headers.get("origin")
    elsewhere = site not in ("same-origin", "none")
    if scope["method"] not in READING:
        return elsewhere or (origin is not None and not _same(scope, origin, headers["host"]))
    navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") in ("document", "")
    return elsewhere and not navigates


def _same(scope: Scope, origin: str, host: str) -> bool:
    """Whether an origin is this server, as the request itself names it.

    The scheme is compared only where it is known to be https: behind a proxy that ends TLS it looks like http.
    """
    try:
        parts = urlsplit(origin)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return False
    if parts.scheme not in PORTS or (scope["scheme"] == "https" and parts.scheme != "https"):
        return False
    asked = host.rpartition(":")[2]
    at = int(asked) if asked.isdecimal() and not host.endswith("]") and ":" in host else PORTS[parts.scheme]
    return host_name(parts.netloc) == host_name(host) and port == at


def _not_this_host(host: str) -> Refused:
    return Refused(Problem(
        status=421, kind="WrongHost",
        detail=say(f"This server does not answer to the name {host!r}.",
                   f"このサーバーは {host!r} という名では応じない。"),
        cure=say("Use its own address, or start it with `gnomon serve --allow-host NAME`.",
                 "元のアドレスを使うか、`gnomon serve --allow-host 名前` で起動する。"),
    ))  # fmt: skip


def _from_elsewhere(origin: str) -> Refused:
    return Refused(Problem(
        status=403, kind="ForeignOrigin",
        detail=say(f"This request comes from the page of another site ({origin}).",
                   f"この要求は別のサイトのページから来ている（{origin}）。"),
        cure=say("Send it from a page of this server, or from a program without an Origin.",
                 "このサーバーのページから、または Origin を付けないプログラムから送る。"),
    ))  # fmt: skip
