"""Recipes by name: entry points of the group ``gnomon.recipes``, called with plain arguments.

An expert remembers the recipe and the arguments it was made with; that is all that is needed to
make it again with one of them changed, which is how documents are removed.
"""

import importlib.metadata
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gnomon.cli.harvesting import local_sources
from gnomon.core.errors import ConfigError, NotFound
from gnomon.core.protocols import resolve
from gnomon.core.records import Expert
from gnomon.core.wording import say
from gnomon.runs.sources import FileSet
from gnomon.runs.step import Recipe
from gnomon.runs.workspace import Workspace

GROUP = "gnomon.recipes"
LIBRARY = "library"
SCALES = ("laptop", "node", "cluster")
DEFAULT_NAME = "library"
_NOT_IN_NAMES = re.compile(r"[^\w-]+")


def recipe_names() -> list[str]:
    """Names of the installed recipes."""
    return sorted({entry.name for entry in importlib.metadata.entry_points(group=GROUP)})


def find_recipe(name: str) -> Callable[[Mapping[str, Any]], Recipe]:
    """The recipe of a name, or of an entry ``package.module:function``.

    Raises:
        NotFound: No installed recipe has this name.
    """
    if ":" in name:
        found = resolve(name)
    else:
        entries = list(importlib.metadata.entry_points(group=GROUP, name=name))
        if not entries:
            raise NotFound(
                say(f"There is no recipe {name!r}.", f"レシピ {name!r} はない。"),
                say("Recipes: ", "レシピ一覧: ") + (", ".join(recipe_names()) or "-"),
            )
        found = entries[0].load()
    made: Callable[[Mapping[str, Any]], Recipe] = found
    return made


def library_arguments(
    sources: Sequence[str], name: str, scale: str, workspace: Workspace, *, fetch: bool = False
) -> dict[str, Any]:
    """The arguments of the ``library`` recipe for some files; ``fetch`` harvests what ``oai:`` sources lack.

    What was removed from an expert of the same name before stays removed.

    Raises:
        DataError: A source does not exist.
        ConfigError: An ``oai:`` source has another form, or has not been harvested.
    """
    files = FileSet.scan(local_sources(sources, workspace, fetch=fetch))
    chosen = name or default_name(sources)
    return {"name": chosen, "files": files.to_row(), "scale": scale, "removed": removed_from(workspace, chosen)}


def default_name(sources: Sequence[str]) -> str:
    """A name for an expert: that of the first source."""
    first = Path(sources[0]).resolve() if sources else Path(DEFAULT_NAME)
    stem = first.name if first.is_dir() else first.name.split(".")[0]
    return _NOT_IN_NAMES.sub("-", stem).strip("-") or DEFAULT_NAME


def checked_name(name: str) -> str:
    """A name an expert may have: it becomes a file name.

    Raises:
        ConfigError: It holds other characters than letters, digits, ``-`` and ``_``.
    """
    if name and _NOT_IN_NAMES.search(name):
        raise ConfigError(
            say(f"The name {name!r} cannot be used.", f"名前 {name!r} は使えない。"),
            say("Use letters, digits, - and _ only.", "文字、数字、- と _ だけを使う。"),
        )
    return name


def removed_from(workspace: Workspace, name: str) -> list[str]:
    """Ids that were removed from the expert of a name before."""
    if name not in workspace.names("experts"):
        return []
    from gnomon.runs.experts import open_expert

    removed: list[str] = json.loads(open_expert(workspace, name).arguments).get("removed", [])
    return removed


def again(expert: Expert, removed: Sequence[str]) -> Recipe:
    """The recipe an expert was made with, with other documents removed."""
    arguments = json.loads(expert.arguments)
    if removed or arguments.get("removed"):  # not every recipe can leave documents out
        arguments["removed"] = sorted(set(removed))
    return find_recipe(expert.recipe)(arguments)
