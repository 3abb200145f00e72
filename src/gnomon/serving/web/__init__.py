"""What people see: pages rendered here, with small ES modules of our own; nothing is fetched from elsewhere."""

from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

from gnomon.serving.web import apidocs, ask, corpus, exam, home, paper, playground, search, signin, trace
from gnomon.serving.web.pages import HERE, YEAR_SECONDS


class Static(StaticFiles):
    """Files that never change under one address: the address holds their hash."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, to be kept for a year where its hash was asked for."""
        response = await super().get_response(path, scope)
        kept = f"public, max-age={YEAR_SECONDS}, immutable" if b"v=" in scope["query_string"] else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


def install(app: FastAPI) -> None:
    """Give an application every page."""
    parts: tuple[Any, ...] = (home, ask, search, paper, trace, corpus, exam, playground, signin, apidocs)
    for part in parts:
        app.include_router(part.router)
    app.mount("/static", Static(directory=HERE / "static"), name="static")
