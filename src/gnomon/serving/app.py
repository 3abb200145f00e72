"""The application: the house's doors put together, each from its own module."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.gzip import GZipMiddleware

from gnomon import __version__
from gnomon.research.opened import OpenExpert
from gnomon.serving import api, metrics, problems, schema, web
from gnomon.serving.connections import Heads
from gnomon.serving.house import House, Limits, Reading
from gnomon.serving.language import Speaking
from gnomon.serving.logs import AccessLog
from gnomon.serving.metrics import Measured
from gnomon.serving.safety.bodies import Bodies
from gnomon.serving.safety.entry import Entry
from gnomon.serving.safety.forms import FormCookies
from gnomon.serving.safety.headers import SafeHeaders
from gnomon.serving.safety.origins import Origins
from gnomon.serving.safety.policy import Policy
from gnomon.serving.safety.sessions import Sessions, Tries
from gnomon.serving.versions import keep_fresh
from gnomon.serving.web.pages import error_page

NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def app(
    opened: OpenExpert, limits: Limits | None = None, policy: Policy | None = None, *, kept_fresh: bool = False
) -> FastAPI:
    """The window over an expert, as an ASGI application.

    Args:
        opened: The expert; it is closed when the application ends.
        limits: Bounds of requests and of work.
        policy: Whom it answers; this machine alone when not given.
        kept_fresh: Load ahead of the first reader, and serve the expert anew when it is published anew.
    """
    house = House(opened, limits)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        freshness = asyncio.create_task(keep_fresh(house)) if kept_fresh else None
        yield
        if freshness is not None:
            freshness.cancel()
        await asyncio.to_thread(house.close)

    made = FastAPI(title="Gnomon", version=__version__, lifespan=living, openapi_url=None, telemetry=NO_TELEMETRY,
                   generate_unique_id_function=schema.operation_id)  # fmt: skip
    made.state.house, made.state.policy = house, policy or Policy()
    made.state.metrics, made.state.sessions, made.state.tries = metrics.Metrics(house), Sessions(), Tries()
    metrics.install(made)
    api.install(made)
    web.install(made)
    schema.install(made, made.state.policy)
    _guard(made)
    return made


def _guard(made: FastAPI) -> None:
    """Put the middleware around an application, the innermost first.

    Whatever a guard refuses passes the last door, so it leaves as any problem does: in the reader's language, in the
    shape of its path, with the headers of safety, counted and logged.
    """
    house, policy = made.state.house, made.state.policy
    made.add_middleware(Heads)
    made.add_middleware(Bodies, limits=house.limits)
    made.add_middleware(Entry, policy=policy, sessions=made.state.sessions)
    made.add_middleware(Origins, policy=policy)
    made.add_middleware(Reading, house=house)
    problems.install(made, error_page)
    made.add_middleware(Speaking)
    made.add_middleware(FormCookies)
    made.add_middleware(GZipMiddleware, minimum_size=1_500, compresslevel=5)
    made.add_middleware(SafeHeaders, private=policy.demands_key)
    made.add_middleware(Measured, metrics=made.state.metrics)
    made.add_middleware(AccessLog, queries=policy.log_queries)
