"""Every entry, named by string, leads to something that exists."""

import ast
import re
from pathlib import Path

import pytest

from gnomon.core.protocols import resolve

SRC = Path(__file__).parents[2] / "src"
ENTRY = re.compile(r"^(gnomon|gnomon_recipes)(\.\w+)+:\w+$")


def entries() -> set[str]:
    found = set()
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and ENTRY.match(node.value):
                found.add(node.value)
    return found


@pytest.mark.parametrize("entry", sorted(entries()))
def test_an_entry_named_by_string_resolves(entry: str) -> None:
    assert callable(resolve(entry))


def test_there_are_entries_to_check() -> None:
    assert len(entries()) >= 8
