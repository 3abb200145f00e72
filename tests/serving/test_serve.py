"""The command itself, as a process: it starts, is told to stop, is killed; and what it leaves behind is whole."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gnomon.cli.main import main
from gnomon.serving.serve import address_of, bind

SECONDS = 60
"""Longest wait for anything here, on a busy machine."""


@pytest.fixture
def own(workspace: Path, tmp_path: Path) -> Path:
    """A copy of the workspace that a test may write to: files are links, and Gnomon replaces files, never changes them."""
    shutil.copytree(workspace, tmp_path / "ws", copy_function=os.link)
    return tmp_path / "ws"


class Serving:
    """A server in a process of its own."""

    def __init__(self, workspace: Path, *words: str) -> None:
        command = [
            sys.executable,
            "-m",
            "gnomon.cli.main",
            "serve",
            "--workspace",
            str(workspace),
            "--port",
            "0",
            "--json",
            *words,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.told: dict[str, Any] = json.loads(self.process.stdout.readline() or "{}")
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body at a path; 0 when the server has gone."""
        try:
            with urllib.request.urlopen(self.told["url"].rstrip("/") + path, timeout=SECONDS) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (OSError, ValueError):
            return 0, ""

    def close(self) -> None:
        """Kill it, unless it has ended, and read the rest of its log."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def ends(self) -> int:
        """The exit code."""
        return self.process.wait(timeout=SECONDS)


@contextlib.contextmanager
def serving(workspace: Path, *words: str) -> Iterator[Serving]:
    made = Serving(workspace, *words)
    try:
        yield made
    finally:
        made.close()


def wait_until_ready(server: Serving) -> None:
    moment = threading.Event()
    while server.get("/health/ready")[0] != 200:
        assert server.process.poll() is None, "".join(server.log)
        moment.wait(0.1)


def test_it_tells_its_address_answers_there_and_ends_with_ctrl_c(workspace: Path) -> None:
    with serving(workspace) as server:
        assert server.told["expert"]
        assert server.told["url"].startswith("http://127.0.0.1:")
        assert server.get("/health") == (200, '{"status":"alive"}')
        wait_until_ready(server)
        assert server.get("/api/search?q=private+words")[0] == 200
        server.process.send_signal(signal.SIGINT)
        assert server.ends() == 0
    assert "private" not in "".join(server.log)
    assert any("GET /api/search 200" in line for line in server.log)
    assert not any("Traceback" in line for line in server.log)


def test_it_ends_with_sigterm_while_it_is_still_loading(workspace: Path) -> None:
    with serving(workspace) as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.ends() == 0


def test_killed_under_load_it_leaves_a_whole_workspace_and_starts_again(own: Path) -> None:
    with serving(own) as server:
        wait_until_ready(server)
        with ThreadPoolExecutor(4) as readers:
            asked = [
                readers.submit(server.get, f"/api/ask?question=What+was+found+in+{1900 + i}%3F") for i in range(80)
            ]
            done = [asked[i].result()[0] for i in range(8)]
            server.process.kill()
        assert done == [200] * 8
        assert any(each.result()[0] == 0 for each in asked), "it was killed too late to be under load"
    answers = list((own / "answers").glob("*.json"))
    assert answers
    assert all(json.loads(path.read_text())["id"] for path in answers)
    assert main(["verify", "--workspace", str(own), "--json"]) == 0
    with serving(own) as again:
        wait_until_ready(again)
        assert again.get("/api/search?q=star")[0] == 200


def test_a_key_file_survives_readers_and_a_revoked_key_ends_while_it_runs(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["key", "add", "tester", "--workspace", str(own)]) == 0
    key = capsys.readouterr().out.strip()
    with serving(own, "--host", "0.0.0.0") as server:
        assert server.get("/api/search?q=star")[0] == 401

        def status(path: str) -> int:
            request = urllib.request.Request(server.told["url"] + path, headers={"Authorization": f"Bearer {key}"})
            with (
                contextlib.suppress(urllib.error.HTTPError),
                urllib.request.urlopen(request, timeout=SECONDS) as response,
            ):
                return int(response.status)
            return 401

        assert status("metrics") == 200
        assert main(["key", "revoke", "tester", "--workspace", str(own)]) == 0
        moment = threading.Event()
        while status("metrics") == 200:
            moment.wait(0.1)
    assert key not in "".join(server.log)


def test_a_taken_port_is_told_with_its_cure(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--workspace", str(workspace), "--port", str(port), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)["error"]
    assert str(port) in told["message"]
    assert "--port 0" in told["hint"]


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "::zz"])
def test_an_address_of_no_machine_here_is_told(workspace: Path, capsys: pytest.CaptureFixture[str], host: str) -> None:
    assert main(["key", "list", "--workspace", str(workspace)]) == 0
    assert main(["serve", "--workspace", str(workspace), "--host", host, "--json"]) == 2
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["error"]["hint"]


def test_others_are_not_answered_without_a_key(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--host", "0.0.0.0"], ["--allow-host", "gnomon.example"]):
        assert main(["serve", "--workspace", str(workspace), "--json", *words]) == 2
        assert "gnomon key add" in json.loads(capsys.readouterr().out)["error"]["hint"]


def test_the_address_is_one_that_a_browser_takes() -> None:
    with bind("127.0.0.1", 0) as found:
        assert address_of(found) == f"http://127.0.0.1:{found.getsockname()[1]}/"
    with bind("0.0.0.0", 0) as found:
        assert address_of(found).startswith("http://127.0.0.1:")
    if socket.has_ipv6:
        with contextlib.suppress(Exception), bind("::1", 0) as found:
            assert address_of(found).startswith("http://[::1]:")


def test_keys_are_made_listed_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--workspace", str(tmp_path), "--json"]
    assert main(["key", "list", *where]) == 0
    assert json.loads(capsys.readouterr().out) == {"keys": []}
    assert main(["key", "add", "reader", "--days", "30", *where]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["key"].startswith("gnomon_")
    assert made["expires"]
    assert main(["key", "revoke", "reader", *where]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "revoked"
    assert main(["key", "list", "--workspace", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "reader" in shown
    assert "revoked" in shown
    assert made["key"] not in shown
    for wrong in (["add"], ["revoke"], ["list", "reader"], ["revoke", "nobody"]):
        assert main(["key", *wrong, *where]) == 2
        assert json.loads(capsys.readouterr().out)["error"]["hint"]


def test_a_missing_package_is_told_with_its_cure(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["serve", "--workspace", str(workspace), "--json"]) == 2
    assert "gnomon[serve]" in json.loads(capsys.readouterr().out)["error"]["hint"]
