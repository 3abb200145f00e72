"""Headers that every response bears: what a browser may do with it, and may not.

Scripts, styles, pictures and requests come from this server and nowhere else, nothing inline runs, no other site may
frame a page or load it, and no other site is told which page a reader came from.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
}
NOT_KEPT = "private, no-store"
CHECKED_AGAIN = "private, no-cache"


class SafeHeaders:
    """Middleware that gives every response these headers.

    Args:
        app: What answers.
        private: Pages are only for who has a key: no browser keeps them.
    """

    def __init__(self, app: ASGIApp, *, private: bool = False) -> None:
        self.app, self.kept = app, NOT_KEPT if private else CHECKED_AGAIN

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", self.kept)
            await send(message)

        await self.app(scope, receive, with_headers)
