from pathlib import Path

import pytest

from gnomon.runs.code import entry_hash


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    room = tmp_path / "house" / "room"
    room.mkdir(parents=True)
    (tmp_path / "house" / "__init__.py").touch()
    (room / "__init__.py").touch()
    (room / "step.py").write_text("from house.room.inner import rule\n")
    (room / "inner.py").write_text("def rule(): return 1\n")
    (room / "other.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return room


def test_the_hash_follows_the_modules_an_entry_imports_and_no_others(package: Path) -> None:
    before = entry_hash("house.room.step:run")
    entry_hash.cache_clear()
    (package / "other.py").write_text("x = 2\n")
    assert entry_hash("house.room.step:run") == before
    entry_hash.cache_clear()
    (package / "inner.py").write_text("def rule(): return 2\n")
    assert entry_hash("house.room.step:run") != before
    entry_hash.cache_clear()


def test_an_entry_nobody_can_find_has_no_hash() -> None:
    assert entry_hash("no.such.module:run") == ""
