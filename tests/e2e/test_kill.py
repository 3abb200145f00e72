"""SIGKILL at random moments of the quickstart; what is finished afterwards is the same.

Its library is killed every day; the whole chain, with a stand-in base that is taught, merged and examined, when slow tests
run. Training has a test of its own for this (``tests/training``).
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))

import tiny_base
from conftest import environment
from runs_of import ALONE

from gnomon.runs import Workspace
from gnomon.runs.verify import Finding, verify

KILLS = 20
SEED = int(os.environ.get("GNOMON_KILL_SEED", "20"))


def start(workspace: Path, home: Path, what: Sequence[str] = ALONE) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gnomon.cli.main", *what, "--workspace", str(workspace)]
    return subprocess.Popen(
        command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors.decode()


def digests(workspace: Path) -> dict[str, str]:
    return {r.address: r.digest for r in Workspace(workspace).records()}


def in_a_write(workspace: Path) -> bool:
    """Whether a file is being written, or the index is being built, at this moment."""
    return any(workspace.rglob("*.partial")) or any(workspace.glob("stores/**/_transactions/*"))


def kill_once(process: subprocess.Popen[bytes], workspace: Path, chance: random.Random, usual: float) -> bool:
    """Kill a run at a random moment, or inside a write; False when it ended before."""
    inside, deadline = chance.random() < 0.5, time.monotonic() + chance.uniform(0.2, usual)
    while process.poll() is None:
        late = time.monotonic() > deadline
        if late and (not inside or in_a_write(workspace) or time.monotonic() > deadline + 3):
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return True
        time.sleep(0.002)
    assert process.returncode == 0, process.stderr.read().decode() if process.stderr else ""
    return False


@pytest.mark.timeout(600)
def test_a_quickstart_killed_twenty_times_ends_as_one_left_alone(
    quickstart: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance, workspace, kills, finished = random.Random(SEED), tmp_path / "ws", 0, 0
    with capsys.disabled():
        print(f"\nkilling the quickstart {KILLS} times, GNOMON_KILL_SEED={SEED}")
    wanted = digests(quickstart)
    usual = 6.0
    while kills < KILLS or not finished:
        process = start(workspace, home)
        if kills < KILLS and kill_once(process, workspace, chance, usual):
            kills += 1
            continue
        finish(process)
        finished += 1
        assert digests(workspace) == wanted
        assert [f for f in verify(Workspace(workspace)) if isinstance(f, Finding)] == []
        if kills < KILLS:
            shutil.rmtree(workspace)


@pytest.mark.slow
@pytest.mark.timeout(1_500)
def test_a_whole_chain_killed_ten_times_ends_as_one_left_alone(quickstart: Path, home: Path, tmp_path: Path) -> None:
    weights = tiny_base.base(tmp_path / "tiny", context=1_024)
    chain = ("run", "quickstart", "--set", f"base={weights}", "--set", f"instruct={weights}", "--set", "questions=6")
    chance, kills, began = random.Random(SEED), 0, time.monotonic()
    for name in ("alone", "killed"):
        shutil.copytree(quickstart, tmp_path / name)
    finish(start(tmp_path / "alone", home, chain))
    usual = (time.monotonic() - began) / 4
    while kills < 10 and kill_once(start(tmp_path / "killed", home, chain), tmp_path / "killed", chance, usual):
        kills += 1
    assert kills > 3, "the chain ended before it was killed often enough to tell anything"
    finish(start(tmp_path / "killed", home, chain))
    assert digests(tmp_path / "killed") == digests(tmp_path / "alone")
    assert [f for f in verify(Workspace(tmp_path / "killed")) if isinstance(f, Finding)] == []


@pytest.mark.timeout(300)
def test_two_processes_on_one_workspace_do_no_harm(quickstart: Path, home: Path, tmp_path: Path) -> None:
    runs = [start(tmp_path / "ws", home) for _ in range(2)]
    for process in runs:
        finish(process)
    assert digests(tmp_path / "ws") == digests(quickstart)
    assert [f for f in verify(Workspace(tmp_path / "ws")) if isinstance(f, Finding)] == []


def test_a_flipped_byte_in_any_artifact_or_store_is_found(quickstart: Path, tmp_path: Path) -> None:
    workspace, chance = tmp_path / "ws", random.Random(SEED)
    shutil.copytree(quickstart, workspace)
    files = [
        p
        for top in ("runs", "stores")
        for p in sorted((workspace / top).rglob("*"))
        if p.is_file() and p.stat().st_size
    ]
    # The hint is the index engine's own short cut to its newest version, not part of any version.
    beside = {"record.json", "code.json", "latest_version_hint.json"}
    kept = [p for p in files if "locks" not in p.parts and p.name not in beside]
    for path in chance.sample(kept, 12):
        data = path.read_bytes()
        place = chance.randrange(len(data))
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert [f for f in verify(Workspace(workspace)) if isinstance(f, Finding)], f"{path} byte {place}"
        path.write_bytes(data)
    assert [f for f in verify(Workspace(workspace)) if isinstance(f, Finding)] == []
