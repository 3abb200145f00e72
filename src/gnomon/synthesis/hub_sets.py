"""Hub sets: the files of a data set of the hub, at one commit.

The hub is asked whether all of them are here; offline, those in the local cache are taken as they are.
"""

from pathlib import Path
from typing import Any, Protocol

from gnomon.core.errors import NotFound
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm.hub import HUB
from gnomon.runs.sources import FileEntry, FileSet

CARD = "README.md"


class HubSet(Protocol):
    """Which set."""

    @property
    def name(self) -> str:
        """Its name on the hub."""
        ...

    @property
    def revision(self) -> str:
        """The commit."""
        ...

    @property
    def patterns(self) -> tuple[str, ...]:
        """Names of the files wanted."""
        ...


def hub_files(wanted: HubSet, settings: Settings) -> FileSet:
    """The files of a set, fetched when they are not here yet and that is allowed.

    Raises:
        OfflineError: They are not here and ``offline = true``.
        NotFound: The hub has no such set, or cannot be reached.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            wanted.name, repo_type="dataset", revision=wanted.revision, local_files_only=settings.offline,
            allow_patterns=[*wanted.patterns, *(f"**/{pattern}" for pattern in wanted.patterns), CARD],
        )  # fmt: skip
    except (OSError, ValueError) as error:
        settings.may_call(f"{HUB}/datasets/{wanted.name}")
        raise NotFound(
            say(f"The data set {wanted.name!r} at {wanted.revision!r} cannot be loaded: {error}.",
                f"データセット {wanted.name!r}（{wanted.revision!r}）を読み込めない: {error}。"),
            say("Check name and commit, or download it and give its files.",
                "名前とコミットを確かめるか、取得したファイルを渡す。"),
        ) from error  # fmt: skip
    return _listed(Path(folder))


def _listed(folder: Path) -> FileSet:
    """The files with names below the folder; contents are those of the commit, so nothing is hashed again."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    entries = (
        FileEntry(name=path.relative_to(folder).as_posix(), sha256="", bytes=path.stat().st_size, path=str(path))
        for path in found
    )
    return FileSet(files=tuple(entries))


def card_licence(listed: FileSet) -> str:
    """The licence that the card of a hub set states; empty when there is none."""
    import yaml
    from huggingface_hub import DatasetCard

    card = next((Path(entry.path) for entry in listed.files if entry.name == CARD), None)
    if card is None:
        return ""
    try:
        heading: Any = DatasetCard(card.read_text(encoding="utf-8"), ignore_metadata_errors=True).data
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    data = heading.to_dict()
    stated = data.get("license_name") if data.get("license") == "other" else data.get("license")
    return str((stated[0] if isinstance(stated, list) and stated else stated) or "")
