import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import expert_fixture
import pytest
import uvicorn
from fastapi.testclient import TestClient
from filelock import FileLock

from gnomon.research.opened import OpenExpert
from gnomon.runs import Workspace
from gnomon.serving.app import app


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits until the expert is built, a minute or three; that is no sign of a hang."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small whole expert, built once for all workers of a test run; or the one that GNOMON_TEST_EXPERT names."""
    if os.environ.get("GNOMON_TEST_EXPERT"):
        return Path(os.environ["GNOMON_TEST_EXPERT"])
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "served"
    with FileLock(f"{shared}.lock"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(base / "home"))
        if not (shared / "ready").exists():
            expert_fixture.build(shared)
            (shared / "ready").touch()
    return shared / "ws"


@pytest.fixture(scope="session")
def opened(workspace: Path) -> Iterator[OpenExpert]:
    """The expert, opened once for the tests of a worker."""
    with OpenExpert.of(Workspace(str(workspace))) as expert:
        yield expert


@pytest.fixture
def client(workspace: Path) -> Iterator[TestClient]:
    """A browser's request against the application, without a server."""
    with TestClient(app(OpenExpert.of(Workspace(str(workspace)))), base_url="http://127.0.0.1:8000") as made:
        yield made


@pytest.fixture(scope="session")
def address(workspace: Path) -> Iterator[str]:
    """The address of a real server on loopback, with the expert behind it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = app(OpenExpert.of(Workspace(str(workspace))))
    server = uvicorn.Server(uvicorn.Config(served, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)
