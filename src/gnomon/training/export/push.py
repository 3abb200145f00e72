"""Pushing an exported model to the hub: what would be sent, why it must not be, and the sending itself.

Nothing is sent by making a plan. A licence that forbids passing the model on, or that nobody has stated, stops the
plan: a card can be mended, a published file is out.
"""

import glob
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, DataError, MissingExtra, OfflineError, RunError
from gnomon.core.files import folder_files
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.training.licences import terms_of

CARD, WEIGHTS = "README.md", (".safetensors", ".gguf")
_NOT_STATED = ("", "not-stated")
_WORD = r"[A-Za-z0-9](?:[\w.-]{0,94}\w)?"
_NAME = re.compile(rf"{_WORD}/{_WORD}", re.ASCII)
"""Names the hub takes."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What would be sent where."""

    folder: Path
    """The exported model."""
    repo: str
    """``organisation/name`` on the hub."""
    licence: str
    """As its card states it."""
    files: tuple[tuple[str, int], ...]
    """(name, bytes), in order of name."""

    @property
    def bytes(self) -> int:
        """All of them."""
        return sum(size for _, size in self.files)


def plan_upload(folder: Path, repo: str) -> Upload:
    """What a push would send.

    Args:
        folder: What ``training/export`` left, or a copy of it.
        repo: ``organisation/name``.

    Raises:
        DataError: The folder holds no model with a card.
        ConfigError: The name is none of the hub's form, or the licence forbids it.
        MissingExtra: huggingface_hub is not installed.
    """
    _hub()
    found = [path for path in folder_files(folder) if not _hidden(path.relative_to(folder))] if folder.is_dir() else []
    names = {path.relative_to(folder).as_posix() for path in found}
    if CARD not in names or not any(name.endswith(WEIGHTS) for name in names):
        raise DataError(
            say(f"{folder} holds no exported model: weights and a {CARD} are needed.",
                f"{folder} は書き出されたモデルではない。重みと {CARD} が必要。"),
            say("Make one with: gnomon export --to FOLDER", "gnomon export --to フォルダ で作る。"),
        )  # fmt: skip
    if not _NAME.fullmatch(repo) or "--" in repo or ".." in repo:
        raise _bad_name(repo)
    licence = _licence(folder)
    _check_licence(licence, repo)
    sizes = sorted((path.relative_to(folder).as_posix(), path.stat().st_size) for path in found)
    return Upload(folder=folder, repo=repo, licence=licence, files=tuple(sizes))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts) or path.suffix == ".partial"


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        purpose = say("Pushing a model", "モデルの公開")
        raise MissingExtra("huggingface_hub", "train", purpose) from error
    return huggingface_hub


def _bad_name(repo: str) -> ConfigError:
    return ConfigError(
        say(f"{repo!r} is no name of the hub.", f"{repo!r} はハブの名前として使えない。"),
        say("Write it as ORGANISATION/NAME: letters, digits, - _ and .", "組織/名前 の形(英数字と - _ .)で書く。"),
    )


def _licence(folder: Path) -> str:
    """The licence in the card's front matter.

    Raises:
        DataError: The front matter cannot be read.
    """
    import yaml
    from huggingface_hub.repocard import metadata_load

    try:
        stated = metadata_load(folder / CARD) or {}
    except (ValueError, OSError, yaml.YAMLError) as error:
        raise DataError(
            say(f"The front matter of {folder / CARD} cannot be read: {error}.",
                f"{folder / CARD} の先頭のメタデータを読めない: {error}。"),
            say("Export the model again.", "モデルを書き出し直す。"),
        ) from error  # fmt: skip
    licence = stated.get("license_name") if stated.get("license") == "other" else stated.get("license")
    return str(licence or "")


def _check_licence(licence: str, repo: str) -> None:
    terms = terms_of(licence)
    name = repo.partition("/")[2]
    if licence in _NOT_STATED:
        raise ConfigError(
            say("The card states no licence, so nobody may use what is pushed.",
                "カードにライセンスがないため、公開しても誰も使えない。"),
            say("Name it where the model is adopted or trained (licence = …), and export again.",
                "モデルの採用または学習の箇所で licence = … を設定し、書き出し直す。"),
        )  # fmt: skip
    if not terms.derivatives:
        raise ConfigError(
            say(f"The licence {licence!r} forbids passing changed versions on.",
                f"ライセンス {licence!r} は改変版の配布を禁じている。"),
            say("Keep the model to yourself, or start from another base.", "公開しないか、別のベースから作る。"),
        )  # fmt: skip
    if terms.naming and not name.startswith(terms.naming):
        raise ConfigError(
            say(f"The licence {licence!r} wants the name to begin with {terms.naming!r}, not {name!r}.",
                f"ライセンス {licence!r} では、名前が {terms.naming!r} で始まる必要がある({name!r} は不可)。"),
            say(f"Push it as {repo.partition('/')[0]}/{terms.naming}-{name}.",
                f"{repo.partition('/')[0]}/{terms.naming}-{name} として公開する。"),
        )  # fmt: skip


def hub_api() -> Any:
    """The hub, as this machine is logged in to it.

    Raises:
        MissingExtra: huggingface_hub is not installed.
    """
    return _hub().HfApi()


def push(upload: Upload, settings: Settings, api: Any, *, private: bool) -> str:
    """Send the files; returns the address of what they became.

    Args:
        upload: What is sent.
        settings: The machine, which may be offline.
        api: A ``huggingface_hub.HfApi``.
        private: Whether a repository that is made for it is private; one that exists stays as it is.

    Raises:
        OfflineError: ``offline = true``, or the library is told to be offline.
        ConfigError: Nobody is logged in, or may not write there.
        RunError: The hub cannot be reached, or refuses.
    """
    from huggingface_hub import errors

    lost: Any = vars(errors)["HTTPError"]  # of whichever HTTP library it is built on
    names = [glob.escape(name) for name, _ in upload.files]
    settings.may_call(f"{api.endpoint}/{upload.repo}")
    if not (api.token or _hub().get_token()):
        raise _no_token(api.endpoint)
    try:
        api.create_repo(upload.repo, private=private, exist_ok=True)
        said = api.upload_folder(
            repo_id=upload.repo, folder_path=upload.folder, allow_patterns=names,
            commit_message="Model exported with Gnomon",
        )  # fmt: skip
    except errors.OfflineModeIsEnabled as error:
        raise OfflineError(
            say(f"A call to {api.endpoint} was refused: HF_HUB_OFFLINE is set.",
                f"HF_HUB_OFFLINE のため {api.endpoint} への接続は拒否された。"),
            say("Unset it.", "その設定を外す。"),
        ) from error  # fmt: skip
    except errors.HfHubHTTPError as error:
        raise _refused(upload, api.endpoint, error) from error
    except (lost, OSError) as error:
        raise RunError(
            say(f"{api.endpoint} cannot be reached: {error}.", f"{api.endpoint} に接続できない: {error}。"),
            say("Run the same command again when it can; nothing is sent twice.",
                "接続を確かめ、同じコマンドを再実行する。送信済みのものは送り直さない。"),
        ) from error  # fmt: skip
    return str(getattr(said, "commit_url", said))


def _no_token(endpoint: str) -> ConfigError:
    return ConfigError(
        say(f"Nobody is logged in to {endpoint}.", f"{endpoint} にログインしていない。"),
        say("Run: hf auth login, or set HF_TOKEN.", "hf auth login を実行するか、HF_TOKEN を設定する。"),
    )


def _refused(upload: Upload, endpoint: str, error: Any) -> ConfigError | RunError:
    status = error.response.status_code if error.response is not None else 0
    if status in {401, 403}:
        return ConfigError(
            say(f"{endpoint} does not let you write to {upload.repo} ({status}).",
                f"{endpoint} の {upload.repo} に書き込む権限がない({status})。"),
            say("Log in with a token that may write: hf auth login", "書き込めるトークンで hf auth login を行う。"),
        )  # fmt: skip
    return RunError(
        say(f"{endpoint} refused {upload.repo}: {error}.", f"{endpoint} が {upload.repo} を拒否した: {error}。"),
        say("Run the same command again later.", "時間を置いて同じコマンドを再実行する。"),
    )
