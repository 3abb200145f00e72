"""A model artifact's pedigree and weights: what ``model.json`` says, and where the files are.

A *model artifact* is a step's folder with ``model.json`` (a ``ModelRef``) and, unless the step only
*adopted* a model of the hub, its own ``model/`` in Hugging Face's layout. Every reader of weights
goes through here, so that "which model was this" and "where is it" have one answer.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import DataError, MissingExtra, NotFound
from gnomon.core.files import read_json, write_json
from gnomon.core.hashing import plain
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm.hub import folder_of, from_hub

REF_FILE = "model.json"
MODEL_FOLDER = "model"
_FETCHED = ("*.safetensors", "*.json", "*.model", "*.txt", "*.jinja")
_NOT_FETCHED = ("consolidated*", "original/*", "onnx/*", "*/*.safetensors")
"""Second copies of the weights that some models of the hub carry."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Where ``from_pretrained`` finds a model."""

    name_or_folder: str
    """A local folder, or a name of the hub."""
    revision: str | None = None
    """Commit of the hub; None for a folder."""

    def keywords(self) -> dict[str, object]:
        """Arguments for ``from_pretrained``: local files only, and no code that the model brings along."""
        return {
            "pretrained_model_name_or_path": self.name_or_folder,
            "revision": self.revision or "main",
            "local_files_only": True,
            "trust_remote_code": False,
        }


def read_ref(artifact: Path) -> ModelRef:
    """The reference in a model artifact's ``model.json``.

    Raises:
        NotFound: The folder has no ``model.json``.
        DataError: It is not a ``ModelRef``.
    """
    path = artifact / REF_FILE
    if not path.is_file():
        raise NotFound(
            say(f"{artifact} holds no {REF_FILE}.", f"{artifact} に {REF_FILE} がない。"),
            say("Name the folder of a finished training step.", "完了した学習ステップのフォルダを指定する。"),
        )
    values = read_json(path)
    try:
        ref = ModelRef(**{**values, "parents": tuple(values.get("parents", ()))})
        sound = all(isinstance(word, str) for word in (ref.name, ref.revision, ref.kind, ref.licence, *ref.parents))
    except (TypeError, AttributeError):
        sound, ref = False, ModelRef(name="")
    if not sound or not ref.name:
        raise DataError(
            say(
                f"{path} is not a model reference: {json.dumps(values)[:200]}.",
                f"{path} はモデルの参照ではない: {json.dumps(values)[:200]}。",
            ),
            say("Run the step that made it again.", "作成したステップをもう一度実行する。"),
        )
    return ref


def write_ref(artifact: Path, ref: ModelRef) -> None:
    """Write a model artifact's ``model.json``, atomically."""
    write_json(artifact / REF_FILE, plain(ref))


def weights_of(artifact: Path, settings: Settings) -> Weights:
    """Where the weights of a model artifact are, on this machine once this returns.

    Raises:
        NotFound: There is no ``model.json``, or no such model.
        ConfigError: A reference to the hub has no revision, or a ``file:`` place holds another one.
        OfflineError: The model would have to be fetched while ``offline = true``.
        MissingExtra: huggingface_hub is needed and not installed.
    """
    if (artifact / MODEL_FOLDER).is_dir():
        return Weights(name_or_folder=str(artifact / MODEL_FOLDER))
    return weights_of_ref(read_ref(artifact), settings)


def weights_of_ref(ref: ModelRef, settings: Settings) -> Weights:
    """Where the weights of a named model are: its ``file:`` place, else the hub's cache, else fetched into it.

    Raises:
        NotFound: There is no such model.
        ConfigError: The reference has no revision, or the ``file:`` place holds another one.
        OfflineError: It would have to be fetched while ``offline = true``.
        MissingExtra: huggingface_hub is needed and not installed.
    """
    folder = folder_of(ref, settings)
    return Weights(name_or_folder=str(folder or from_hub(ref, settings, _snapshot(ref))))


def _snapshot(ref: ModelRef) -> Callable[[bool], str]:
    """Fetches a model's snapshot and gives its folder: a folder needs no further question to the hub."""

    def load(local: bool) -> str:  # noqa: FBT001 -- the shape ``from_hub`` asks for
        try:
            from huggingface_hub import snapshot_download
        except ImportError as error:
            purpose = say(f"The model {ref.name!r}", f"モデル {ref.name!r}")
            raise MissingExtra("huggingface_hub", "train", purpose) from error
        found = snapshot_download(
            ref.name,
            revision=ref.revision,
            local_files_only=local,
            allow_patterns=list(_FETCHED),
            ignore_patterns=list(_NOT_FETCHED),
        )
        _check_whole(Path(found))
        return found

    return load


def _check_whole(folder: Path) -> None:
    """Refuse a snapshot of which only some files were ever fetched.

    Raises:
        OSError: A file is missing; ``from_hub`` then fetches, or says that it may not.
    """
    wanted = ["config.json"]
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        wanted += sorted(set(read_json(index)["weight_map"].values()))
    else:
        wanted.append("model.safetensors")
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise OSError(f"the snapshot lacks {', '.join(missing)}")
