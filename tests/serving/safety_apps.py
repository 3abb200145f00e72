"""Applications for tests of safety: the real one around a tiny expert's name, with routes that say what reached them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from gnomon.core.records import Expert
from gnomon.research.opened import OpenExpert
from gnomon.runs import Workspace
from gnomon.serving.app import app
from gnomon.serving.house import Limits
from gnomon.serving.safety.forms import form_token
from gnomon.serving.safety.keys import Keys
from gnomon.serving.safety.policy import Policy, policy_for
from gnomon.serving.serve import Server, bind

ELSEWHERE = "http://10.0.0.5:8000"


def opened(folder: Path) -> OpenExpert:
    """An expert of which only the name is served."""
    expert = Expert(name="secret-library", recipe="library", arguments="{}", parts=(), made="2026-01-01T00:00:00+00:00")
    return OpenExpert(Workspace(str(folder)), expert)


def application(folder: Path, limits: Limits | None = None, policy: Policy | None = None) -> FastAPI:
    """The application, with routes that echo."""
    made = app(opened(folder), limits, policy)

    async def echo(request: Request) -> dict[str, Any]:
        return {"bytes": len(await request.body())}

    async def token(request: Request) -> Response:
        return Response(form_token(request))

    made.add_api_route("/api/echo", echo, methods=["POST"])
    made.add_api_route("/api/echo", echo, methods=["GET"], name="echo_again")
    made.add_api_route("/echo", echo, methods=["POST"], include_in_schema=False)
    made.add_api_route("/token", token, methods=["GET"], include_in_schema=False)
    return made


def at_home(folder: Path, limits: Limits | None = None) -> TestClient:
    """A client of a server on loopback."""
    return TestClient(application(folder, limits), base_url="http://127.0.0.1:8000")


def from_elsewhere(folder: Path, keys: Keys, address: str = ELSEWHERE) -> TestClient:
    """A client of a server that others can reach."""
    return TestClient(application(folder, policy=policy_for("0.0.0.0", ("gnomon.test",), keys)), base_url=address)


@contextmanager
def running(made: FastAPI) -> Iterator[str]:
    """The address of an application while it runs on a real socket."""
    up = threading.Event()
    with bind("127.0.0.1", 0) as bound:
        server = Server(uvicorn.Config(made, http="h11", ws="none", log_config=None), up.set)
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        thread.start()
        assert up.wait(60)
        yield address
        server.should_exit = True
        thread.join(30)
