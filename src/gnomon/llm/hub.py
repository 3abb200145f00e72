"""Where the files of a model are: a folder of this machine, or a snapshot of the hub.

A *place* under the model's name in ``gnomon.toml`` with a ``file:`` address names a folder; then
the revision is the hash of its files. Without a place the name is a hub name and the revision a
commit. A reference without a revision is refused: it would mean another model next year.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlparse

from gnomon.core.errors import ConfigError, NotFound
from gnomon.core.files import folder_files
from gnomon.core.hashing import file_sha256
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say

HUB = "https://huggingface.co"
READ_FILES = (".safetensors", ".bin", ".json", ".txt", ".model", ".jinja")
"""Endings of the files that decide what a model computes, its chat template among them."""
T = TypeVar("T")


def folder_of(ref: ModelRef, settings: Settings) -> Path | None:
    """The folder a ``file:`` place names for a model, checked against the revision; None without one.

    Raises:
        NotFound: There is no such folder.
        ConfigError: Its files are not those of the revision.
    """
    place = settings.models.get(ref.name)
    if place is None or not place.url.startswith("file:"):
        return None
    folder = Path(unquote(urlparse(place.url).path))
    if not folder.is_dir():
        raise NotFound(say(f"{folder} is not a folder.", f"{folder} はフォルダではない。"), _cure(ref))
    found = folder_revision(folder)
    if found != ref.revision:
        raise ConfigError(
            say(
                f"The model {ref.name!r} in {folder} has revision {found!r}, wanted {ref.revision!r}.",
                f"{folder} のモデル {ref.name!r} の revision は {found!r} であり、{ref.revision!r} ではない。",
            ),
            say("Name the revision you mean in the recipe.", "レシピに正しい revision を書く。"),
        )
    return folder


def folder_revision(folder: Path) -> str:
    """The SHA-256 over names and contents of a model folder's files."""
    state = hashlib.sha256()
    for path in folder_files(folder):
        if path.suffix in READ_FILES:
            state.update(f"{path.relative_to(folder).as_posix()}\0{file_sha256(path)}\n".encode())
    return f"sha256:{state.hexdigest()}"


def from_hub(ref: ModelRef, settings: Settings, load: Callable[[bool], T]) -> T:
    """Load a model of the hub, from the local cache when it is there.

    Args:
        ref: The model, with a revision.
        settings: The machine.
        load: Loads it; the argument says whether only local files may be used.

    Raises:
        ConfigError: The reference has no revision.
        OfflineError: It is not in the cache and ``offline = true``.
        NotFound: The hub has no such model or cannot be reached.
    """
    if not ref.revision:
        raise ConfigError(
            say(f"The model {ref.name!r} has no revision.", f"モデル {ref.name!r} に revision がない。"),
            say("Name the commit of the hub that you mean.", "使うコミットを revision に書く。"),
        )
    try:
        return load(True)
    except (OSError, ValueError):
        settings.may_call(f"{HUB}/{ref.name}")
    try:
        return load(False)
    except (OSError, ValueError) as error:
        raise NotFound(
            say(
                f"The model {ref.name!r} at {ref.revision!r} cannot be loaded: {error}.",
                f"モデル {ref.name!r}({ref.revision!r})を読み込めない: {error}。",
            ),
            _cure(ref),
        ) from error


def _cure(ref: ModelRef) -> str:
    return say(
        f'Check the name, or set url = "file:///folder" under [models."{ref.name}"] in gnomon.toml.',
        f'名前を確かめるか、gnomon.toml の [models."{ref.name}"] に url = "file:///フォルダ" を書く。',
    )
