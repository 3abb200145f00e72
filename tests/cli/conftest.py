import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A folder of four texts: two good ones, a copy of the first, and an empty file."""
    folder = tmp_path / "papers"
    (folder / "sub").mkdir(parents=True)
    (folder / "alpha.txt").write_text("Alpha <script>\n\nThe star went down. It was red.\n", encoding="utf-8")
    (folder / "beta.txt").write_text("Beta\n\nA galaxy moved away at 1090 km/s.\n", encoding="utf-8")
    (folder / "sub" / "copy.txt").write_text("Copy\n\nThe star went down. It was red.\n", encoding="utf-8")
    (folder / "empty.txt").write_text("", encoding="utf-8")
    return folder


@pytest.fixture
def gnomon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., SimpleNamespace]:
    """Run one command in this process on a workspace of its own, with toy steps behind ``library``."""
    import toy_recipes

    from gnomon.cli import recipes
    from gnomon.cli.main import main

    real = recipes.find_recipe
    monkeypatch.setenv("GNOMON_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setenv("COLUMNS", "160")  # as wide as the lines that tests look for
    monkeypatch.setattr(recipes, "find_recipe", lambda name: toy_recipes.library if name == "library" else real(name))

    def run(*words: object) -> SimpleNamespace:
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        row = json.loads(said.out) if "--json" in words else None
        return SimpleNamespace(code=code, out=said.out, err=said.err, row=row)

    return run
