"""The application: the house's doors put together, each from its own module."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.gzip import GZipMiddleware

from gnomon import __version__
from gnomon.research.opened import OpenExpert
from gnomon.serving import api, problems, web
from gnomon.serving.house import House, Limits
from gnomon.serving.language import Speaking
from gnomon.serving.web.pages import error_page

NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def app(opened: OpenExpert, limits: Limits | None = None) -> FastAPI:
    """The window over an expert, as an ASGI application.

    Args:
        opened: The expert; it is closed when the application ends.
        limits: Bounds of requests and of work.
    """
    house = House(opened=opened, limits=limits or Limits())

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        yield
        house.close()

    made = FastAPI(title="Gnomon", version=__version__, lifespan=living, docs_url=None, redoc_url=None,
                   openapi_url="/api/openapi.json", telemetry=NO_TELEMETRY)  # fmt: skip
    made.state.house = house
    api.install(made)
    web.install(made)
    problems.install(made, error_page)
    made.add_middleware(Speaking)
    made.add_middleware(GZipMiddleware, minimum_size=1_500, compresslevel=5)
    return made
