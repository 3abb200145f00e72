"""The ``quickstart`` recipe: the starter library, whole, in under a minute."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gnomon.runs import FileSet, Recipe
from gnomon_recipes.library import check, compose

STARTER = Path(__file__).parent / "starter"


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """The library recipe on our own notes, with our own questions kept out of what models may see.

    Args:
        arguments: ``scale`` and ``removed``, as in the ``library`` recipe.

    Raises:
        ConfigError: An argument is unknown.
    """
    check(arguments, ("removed", "scale"))
    notes = FileSet.scan(sorted(STARTER.glob("notes_*.jsonl")))
    questions = FileSet.scan(sorted(STARTER.glob("questions_*.jsonl")))
    return compose("quickstart", "quickstart", arguments, notes, questions)
