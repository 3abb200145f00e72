"""Arguments: what a recipe may be called with, checked once and given their types.

A recipe takes plain values, as an expert remembers them. Its module says which of them are files (``FILES``, scanned by
who calls) and which are models (``MODELS``): so the command line can turn ``--set books=folder/`` into the
listing that the recipe wants, and a folder with weights into a base.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.runs import FileSet
from gnomon.training.recipe import LoRA, TrainConfig

FIXED = ("extend", "name", "shape")
"""Fields of ``TrainConfig`` that a recipe decides itself."""


def check(arguments: Mapping[str, Any], known: Sequence[str], scales: Sequence[str], recipe: str = "") -> None:
    """Refuse arguments a recipe does not know.

    Raises:
        ConfigError: With the argument and those that are known, or the scale and those there are.
    """
    for key in arguments:
        if key not in known:
            raise ConfigError(
                say(f"Unknown recipe argument {key!r}.", f"レシピの引数 {key!r} は未知。"),
                say(f"Known: {', '.join(known)}.", f"使えるもの: {', '.join(known)}。"),
            )
    scale = arguments.get("scale", scales[0])
    if scale not in scales:
        raise ConfigError(
            say(f"Unknown scale {scale!r}{f' of the recipe {recipe}' if recipe else ''}.", f"規模 {scale!r} は未知。"),
            say(f"Known: {', '.join(scales)}.", f"使えるもの: {', '.join(scales)}。"),
        )


def file_set(arguments: Mapping[str, Any], name: str) -> FileSet | None:
    """The files of an argument; None when it is not given.

    Raises:
        ConfigError: It is no listing of files.
    """
    row = arguments.get(name)
    if not row:
        return None
    if not isinstance(row, Mapping) or "files" not in row:
        raise wrong(name, row, "files: a FileSet as a row; on the command line --set NAME=FOLDER")
    return FileSet.from_row(dict(row))


def needed_files(arguments: Mapping[str, Any], name: str, recipe: str) -> FileSet:
    """The files of an argument that the recipe cannot do without.

    Raises:
        ConfigError: They are missing.
    """
    found = file_set(arguments, name)
    if found is None or not found.files:
        raise ConfigError(
            say(f"The {recipe} recipe needs {name}.", f"レシピ {recipe} には {name} が要る。"),
            say(f"Name their files: gnomon run {recipe} --set {name}=FOLDER.",
                f"ファイルを指定する: gnomon run {recipe} --set {name}=フォルダ。"),
        )  # fmt: skip
    return found


def named_files(arguments: Mapping[str, Any], name: str) -> dict[str, FileSet]:
    """Files by the name of their source (``--set corpus.web=… --set corpus.books=…``), or one unnamed source.

    Raises:
        ConfigError: The argument is neither.
    """
    row = arguments.get(name) or {}
    if isinstance(row, Mapping) and isinstance(row.get("files"), list):
        return {name: FileSet.from_row(dict(row))}
    if not isinstance(row, Mapping):
        raise wrong(name, row, "files, or files by name")
    found = {key: file_set(row, key) for key in row}
    return {key: files for key, files in found.items() if files is not None}


def number(arguments: Mapping[str, Any], name: str, default: float) -> float:
    """A number.

    Raises:
        ConfigError: It is none, or below 0.
    """
    value = arguments.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise wrong(name, value, "a number, 0 or more")
    return float(value)


def word(arguments: Mapping[str, Any], name: str, default: str, choices: Sequence[str] = ()) -> str:
    """A word.

    Raises:
        ConfigError: It is none, or none of the choices.
    """
    value = arguments.get(name, default)
    if not isinstance(value, str) or (choices and value not in choices):
        raise wrong(name, value, f"one of {', '.join(choices)}" if choices else "text")
    return value


def words(arguments: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Several words: a list, or one text with commas."""
    value = arguments.get(name) or ()
    parts = value.split(",") if isinstance(value, str) else list(value)
    return tuple(str(part).strip() for part in parts if str(part).strip())


def training(arguments: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of ``TrainConfig``: the recipe's, and over them those of the argument ``train``.

    Raises:
        ConfigError: The argument is no mapping, or names a setting that there is not.
    """
    given = arguments.get("train") or {}
    known = sorted({f.name for f in dataclasses.fields(TrainConfig)} - set(FIXED))
    if not isinstance(given, Mapping) or not set(given) <= set(known):
        raise wrong("train", given, f"--set train.KEY=VALUE with {', '.join(known)}")
    found: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    try:
        if isinstance(found.get("lora"), Mapping):
            found["lora"] = LoRA(**found["lora"])
        TrainConfig(name="any", **found)
    except TypeError as error:
        raise wrong("train", given, f"settings of the right type ({error})") from error
    return {**defaults, **found}


def wrong(name: str, value: Any, wanted: str) -> ConfigError:
    """An argument of another type than it has to be."""
    return ConfigError(
        say(f"The recipe argument {name} = {value!r} cannot be used.", f"レシピの引数 {name} = {value!r} は使えない。"),
        say(f"Wanted: {wanted}.", f"条件: {wanted}。"),
    )
