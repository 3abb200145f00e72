"""Arguments of recipes on the command line: ``--set key=value``.

A value is JSON where it can be read as such, else a text; ``@FILE`` stands for what a file holds. Arguments that the
recipe's module names in ``FILES`` are files and folders (given again for more of them), those in ``MODELS`` a folder of
weights or a model's name. A dot in the key names one of several: ``--set corpus.web=pages/``.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gnomon.cli.harvesting import local_sources
from gnomon.core.errors import ConfigError, DataError, InputError
from gnomon.core.wording import say
from gnomon.runs.sources import FileSet
from gnomon.runs.step import Recipe
from gnomon.runs.workspace import Workspace

Make = Callable[[Mapping[str, Any]], Recipe]


def recipe_arguments(
    make: Make, settings: Sequence[str], workspace: Workspace, *, fetch: bool = False
) -> dict[str, Any]:
    """The arguments that some ``key=value`` say.

    Args:
        make: The recipe.
        settings: What was given with ``--set``, in order.
        workspace: Where harvested sources are kept.
        fetch: Whether ``oai:`` sources may be harvested.

    Raises:
        InputError: One has no ``=``, or a key that is no file is given twice.
        DataError: A file does not exist or cannot be read.
    """
    module = sys.modules.get(getattr(make, "__module__", ""))
    files, models = getattr(module, "FILES", ()), getattr(module, "MODELS", ())
    found: dict[str, Any] = {}
    for key, values in _grouped(settings).items():
        name = key.partition(".")[0]
        if name in files:
            value: Any = FileSet.scan(local_sources(values, workspace, fetch=fetch)).to_row()
        else:
            value = model_argument(_one(key, values)) if name in models else _value(_one(key, values))
        _put(found, key, value)
    return found


def model_argument(name: str, revision: str = "") -> Any:
    """A base as recipes take it: a folder by its files, anything else by name and commit.

    Raises:
        ConfigError: A folder is given with a commit.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return f"{name}@{revision}" if revision else name
    if revision:
        raise ConfigError(
            say(f"{name} is a folder: it has no revision.", f"{name} はフォルダなので revision はない。"),
            say("Leave --revision out; its files are its identity.", "--revision を外す。ファイルの内容で識別される。"),
        )
    return {"name": folder.resolve().name, "files": FileSet.scan([folder]).to_row()}


def _grouped(settings: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise InputError(
                say(f"--set {setting!r} is not key=value.", f"--set {setting!r} は key=value の形ではない。"),
                say("Write it like --set passes=2.", "--set passes=2 のように書く。"),
            )
        found.setdefault(key.strip(), []).append(value)
    return found


def _one(key: str, values: Sequence[str]) -> str:
    if len(values) > 1:
        raise InputError(
            say(f"{key} is set {len(values)} times.", f"{key} が {len(values)} 回指定されている。"),
            say("Only files may be given again.", "繰り返せるのはファイルだけ。"),
        )
    return values[0]


def _value(text: str) -> Any:
    if text.startswith("@"):
        return _held(Path(text[1:]).expanduser())
    try:
        return json.loads(text)
    except ValueError:
        return text


def _held(path: Path) -> Any:
    """What a file holds: JSON, or its lines."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            say(f"{path} cannot be read: {error}.", f"{path} を読めない: {error}。"),
            say("@FILE stands for the JSON, or the lines, of a text file.", "@ファイル はその JSON または各行を表す。"),
        ) from error
    try:
        return json.loads(text)
    except ValueError:
        return [line.strip() for line in text.splitlines() if line.strip()]


def _put(found: dict[str, Any], key: str, value: Any) -> None:
    name, dot, inner = key.partition(".")
    if not dot:
        found[name] = value
        return
    held = found.setdefault(name, {})
    if not isinstance(held, dict) or "files" in held:
        raise InputError(say(f"{name} is set, and {key} too.", f"{name} と {key} が両方指定されている。"))
    held[inner] = value
