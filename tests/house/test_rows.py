"""The row rule: a package imports only from rows below its own; and no import cycles."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
ROWS = {
    "core": 0, "runs": 1, "llm": 1, "capacity": 1, "corpus": 2, "knowledge": 2, "synthesis": 2, "training": 2,
    "evaluation": 2, "research": 3, "serving": 4, "cli": 5,
}  # fmt: skip
MODULES = sorted((SRC / "gnomon").rglob("*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] in {"gnomon", "gnomon_recipes"}}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SRC)))
def test_a_package_imports_only_from_rows_below_its_own(path: Path) -> None:
    package = path.relative_to(SRC / "gnomon").parts[0]
    row = ROWS.get(package, 6)  # the package itself stands above its rooms
    for name in imports(path):
        assert not name.startswith("gnomon_recipes"), f"the library imports a recipe: {name}"
        other = [*name.split("."), ""][1]
        assert other in ("", "__version__", package) or ROWS[other] < row, f"{package} imports {name}"


def test_every_package_has_a_row() -> None:
    packages = {p.parent.name for p in (SRC / "gnomon").glob("*/__init__.py")}
    assert packages <= set(ROWS)


def test_no_module_imports_itself_through_others() -> None:
    names = {".".join(p.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): p for p in MODULES}
    graph = {n: {i for i in imports(p) if i in names and i != n} for n, p in names.items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"import cycle: {' -> '.join([*path[path.index(name) :], name])}"
        if name not in done:
            for other in sorted(graph[name]):
                if not name.startswith(other + "."):
                    visit(other, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_no_folder_or_module_has_a_name_that_says_nothing() -> None:
    forbidden = {"utils", "util", "common", "helpers", "helper", "misc", "manager", "stuff"}
    every = [p for p in (SRC).rglob("*") if p.suffix == ".py" or p.is_dir()]
    assert not [p for p in every if p.stem in forbidden]
