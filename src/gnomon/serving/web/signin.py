"""Sign in: a person enters a key once, and the browser holds a session from then on."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from gnomon.core.wording import say
from gnomon.serving.safety.entry import DOOR, own_address, session_cookie, signed_in
from gnomon.serving.safety.keys import Key
from gnomon.serving.safety.sessions import HOURS, Sessions, Tries
from gnomon.serving.web.pages import page

KEY_CHARACTERS = 200
router = APIRouter(include_in_schema=False)


@router.get(DOOR)
async def door(request: Request, next: Annotated[str, Query()] = "/") -> Response:
    """The form; whoever needs no key, or is in already, goes straight on."""
    if not request.app.state.policy.demands_key or signed_in(request) is not None:
        return RedirectResponse(own_address(next), 303)
    return _form(request, next)


@router.post(DOOR)
async def enter(
    request: Request, key: Annotated[str, Form(max_length=KEY_CHARACTERS)] = "", next: Annotated[str, Form()] = "/"
) -> Response:
    """Open a session for a valid key."""
    state = request.app.state
    tries: Tries = state.tries
    address = request.client.host if request.client else ""
    if wait := tries.wait(address):
        return _form(request, next, 429, _too_often(wait), {"Retry-After": str(wait)})
    found: Key | None = state.policy.keys.check(key.strip()) if state.policy.keys is not None else None
    if found is None:
        tries.failed(address)
        return _form(request, next, 401, say("This key is not valid here.", "この鍵はここでは有効ではない。"))
    response = RedirectResponse(own_address(next), 303)
    response.set_cookie(
        session_cookie(request), state.sessions.begin(found.sha256, found.name), max_age=HOURS * 3600, path="/",
        secure=request.url.scheme == "https", httponly=True, samesite="strict",
    )  # fmt: skip
    return response


@router.post("/sign-out")
async def leave(request: Request) -> Response:
    """End the session."""
    sessions: Sessions = request.app.state.sessions
    name = session_cookie(request)
    sessions.end(request.cookies.get(name, ""))
    response = RedirectResponse(DOOR, 303)
    response.delete_cookie(name, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict")
    return response


def _form(
    request: Request, next: str, status: int = 200, wrong: str = "", headers: dict[str, str] | None = None
) -> Response:
    followed = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    response = page(request, "signin.html", status=status, wrong=wrong, onward=own_address(next), followed=followed)
    response.headers.update(headers or {})
    return response


def _too_often(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return say(f"Too many wrong keys came from your address. Try again in {minutes} min.",
               f"このアドレスから誤った鍵が何度も送られた。{minutes} 分後にもう一度試す。")  # fmt: skip
