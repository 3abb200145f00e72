"""Metrics in Prometheus' format, and two addresses that tell whether the server lives and is ready.

Requests are counted by the template of their route (``/paper/{doc_id}``), never by their address, which would make a
series of every document. Nothing tells what readers ask or what the library holds.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnomon.core.answers import Answer
from gnomon.serving.facts.writing import Piece
from gnomon.serving.house import House, Housed

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"
router = APIRouter(tags=["server"])


class Metrics:
    """What one server counts.

    Args:
        house: Whose workers are told of.
    """

    def __init__(self, house: House) -> None:
        self.registry = CollectorRegistry()
        names: dict[str, Any] = {"registry": self.registry, "namespace": "gnomon"}
        route = ("method", "route")
        self.requests = Counter("http_requests", "Requests that were answered.", (*route, "status"), **names)
        self.seconds = Histogram("http_request_seconds", "Seconds from a request to the end of its answer.", route,
                                 buckets=SECONDS, **names)  # fmt: skip
        self.open = Gauge("http_requests_open", "Requests that are being answered.", **names)
        self.answers = Counter("answers", "Answers to questions.", ("voice", "outcome"), **names)
        self.tokens = Counter(
            "tokens", "Tokens of language models, asked through the protocol of OpenAI.", ("model", "kind"), **names
        )
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(_Work(house))
        house.heard = self.answered

    def answered(self, given: Answer) -> None:
        """Count an answer, or a refusal."""
        self.answers.labels(given.voice, "refused" if given.refused else "answered").inc()

    def counting(self, model: str, make: Callable[[], Iterator[Piece]]) -> Callable[[], Iterator[Piece]]:
        """The same writing, with the tokens that it tells of counted.

        Args:
            model: Who writes.
            make: The writing.
        """

        def counted() -> Iterator[Piece]:
            with closing(cast("Any", make())) as pieces:
                for piece in pieces:
                    for kind, number in zip(("read", "written"), piece.tokens, strict=True):
                        self.tokens.labels(model, kind).inc(number)
                    yield piece

        return counted


class _Work(Collector):
    """What the workers are at, read when somebody asks."""

    def __init__(self, house: House) -> None:
        self.house = house

    def collect(self) -> Iterator[Metric]:
        """The present state of the workers."""
        taken = GaugeMetricFamily("gnomon_workers_taken", "Requests at work or waiting for a thread.", labels=["work"])
        waiting = GaugeMetricFamily("gnomon_workers_waiting", "Requests that wait for a thread.", labels=["work"])
        places = GaugeMetricFamily("gnomon_workers_places", "Most requests at work or waiting.", labels=["work"])
        busy = CounterMetricFamily("gnomon_busy_refusals", "Requests that found every place taken.", labels=["work"])
        for workers in (self.house.readers, self.house.writers):
            taken.add_metric([workers.name], workers.taken)
            waiting.add_metric([workers.name], workers.waiting)
            places.add_metric([workers.name], workers.places)
            busy.add_metric([workers.name], workers.refused)
        ready = GaugeMetricFamily("gnomon_ready", "1 when what readers need is loaded.", value=float(self.house.ready))
        yield from (taken, waiting, places, busy, ready)


class Measured:
    """Middleware that counts requests and their time.

    Args:
        app: What answers.
        metrics: Where they are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, started = "gone", time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        with self.metrics.open.track_inprogress():
            try:
                await self.app(scope, receive, watched)
            finally:
                method = scope["method"] if scope["method"] in METHODS else "other"
                route = _template(scope)
                self.metrics.requests.labels(method, route, status).inc()
                self.metrics.seconds.labels(method, route).observe(time.perf_counter() - started)


def install(app: FastAPI) -> None:
    """Give an application its metrics and its health."""
    app.include_router(router)


class Health(BaseModel):
    """How the server is."""

    status: str = Field(description="`alive`, `ready` or `loading`.", examples=["ready"])


@router.get("/metrics", summary="Counters for Prometheus", response_class=Response, responses={
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Everything counted so far."}
})  # fmt: skip
async def metrics(request: Request) -> Response:
    """Requests by route and status, seconds, work in hand, answers and refusals, tokens, and the process itself."""
    kept: Metrics = request.app.state.metrics
    return Response(generate_latest(kept.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/health", summary="Whether the server lives")
async def health() -> Health:
    """It does, or there would be no answer. No key is needed."""
    return Health(status="alive")


@router.get("/health/ready", summary="Whether readers would have to wait", responses={
    503: {"model": Health, "description": "Something that readers need is still being loaded."}
})  # fmt: skip
async def health_ready(house: Housed, response: Response) -> Health:
    """Whether what readers need is loaded. No key is needed."""
    response.status_code = 200 if house.ready else 503
    return Health(status="ready" if house.ready else "loading")


def _template(scope: Scope) -> str:
    route = scope.get("route")
    found = getattr(route, "path_format", None) or getattr(route, "path", None)
    return str(found) if found else NO_ROUTE
