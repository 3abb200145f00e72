"""A real server on loopback for a test that needs its own: with narrow limits, or with a model that fails."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from gnomon.research.opened import OpenExpert
from gnomon.runs import Workspace
from gnomon.serving.app import app
from gnomon.serving.house import House, Limits


@contextmanager
def serving(workspace: Path, limits: Limits) -> Iterator[tuple[str, House]]:
    """(address, house) of a server while it runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = app(OpenExpert.of(Workspace(str(workspace))), limits)
    server = uvicorn.Server(uvicorn.Config(served, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}", served.state.house
    server.should_exit = True
    thread.join(timeout=10)
