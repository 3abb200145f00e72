"""The language of a request, for everything that is said while it is answered: pages, checks and errors alike."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gnomon.core.wording import LANGUAGES, language, speaking


def reader_language(request: Request) -> str:
    """The language of whoever asked: what the address says (``?lang=ja``), the cookie, the browser, the server."""
    for chosen in (request.query_params.get("lang"), request.cookies.get("lang")):
        if chosen in LANGUAGES:
            return chosen
    wanted = (part.split(";")[0].strip()[:2].lower() for part in request.headers.get("accept-language", "").split(","))
    return next((lang for lang in wanted if lang in LANGUAGES), language())


class Speaking:
    """Middleware that answers every request in its reader's language.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with speaking(reader_language(Request(scope))):
            await self.app(scope, receive, send)
