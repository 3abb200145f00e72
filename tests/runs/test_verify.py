import random
from pathlib import Path

import pytest
import toys

from gnomon.runs import Workspace, run
from gnomon.runs.verify import Finding, verify


def findings(workspace: Workspace) -> list[Finding]:
    return [f for f in verify(workspace) if isinstance(f, Finding)]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    run(toys.recipe(), workspace)
    return workspace


def test_a_fresh_workspace_verifies_clean(workspace: Workspace) -> None:
    assert findings(workspace) == []


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_byte_in_any_file_is_found(workspace: Workspace, seed: int) -> None:
    chance = random.Random(seed)
    files = sorted(p for p in Path(workspace.url).glob("runs/*/*/*/data/**/*") if p.is_file())
    path = chance.choice(files)
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    assert [(f.place, f.problem) for f in findings(workspace)] == [
        (path.relative_to(path.parents[len(path.parts) - path.parts.index("data") - 2]).as_posix(), "changed")
    ]


def test_missing_unexpected_and_broken_things_are_found(workspace: Workspace) -> None:
    data = sorted(Path(workspace.url).glob("runs/toy/pick/*/data"))[0]
    (data / "drops.parquet").unlink()
    (data / "stray.txt").write_text("?")
    record = sorted(Path(workspace.url).glob("runs/toy/make/*/record.json"))[0]
    record.write_text("{")
    problems = {(f.place, f.problem.partition(":")[0]) for f in findings(workspace)}
    assert problems == {("drops.parquet", "missing"), ("stray.txt", "unexpected"), ("record.json", "unreadable")}
