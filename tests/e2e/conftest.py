"""The quickstart, built once for all end-to-end tests."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs_of import ALONE

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
Gnomon = Callable[..., subprocess.CompletedProcess[str]]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GNOMON_", "LC_", "LANG"))}
    # The cache of the packaged model is shared: it holds nothing but a conversion of its weights.
    return {
        **kept,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(CACHE),
        "GNOMON_LANG": "en",
        "OMP_NUM_THREADS": "1",
        **more,
    }


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def gnomon(home: Path) -> Gnomon:
    def run(*arguments: str, code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "gnomon.cli.main", *arguments],
            capture_output=True, text=True, check=False, env=environment(home, **more), timeout=600,
        )  # fmt: skip
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture(scope="session")
def answer_json(gnomon: Gnomon) -> Callable[..., Any]:
    def run(*arguments: str, code: int = 0) -> Any:
        return json.loads(gnomon(*arguments, "--json", code=code).stdout)

    return run


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory, gnomon: Gnomon) -> Path:
    workspace = tmp_path_factory.mktemp("quickstart") / "ws"
    gnomon(*ALONE, "--workspace", str(workspace))
    return workspace
