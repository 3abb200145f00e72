"""The step ``training/adopt``: somebody else's model becomes the base of ours.

Either a local folder, entered by content and copied into ``model/`` (copied, not linked: a file that
is edited in place later must not change an artifact), or a model of the hub by name and commit, of
which only ``model.json`` is kept. A very large local model need not be copied: name its folder as
``file:`` place in ``gnomon.toml`` and adopt it by name and revision. All that can be known to be wrong with
it is found here, before anything is trained on it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gnomon.core.errors import ConfigError, DataError, NotFound, OfflineError
from gnomon.core.files import read_json
from gnomon.core.hashing import READ_BYTES, file_sha256
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm.hub import folder_revision, from_hub
from gnomon.llm.weights import MODEL_FOLDER, weights_of_ref, write_ref
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.sources import FileEntry, FileSet
from gnomon.training.encoding import open_tokenizer
from gnomon.training.fertility import fertility_of
from gnomon.training.licences import UNKNOWN, terms_of
from gnomon.training.preflight import check_tokenizer
from gnomon.training.wholeness import CONFIG, model_facts, tokenizer_facts

FILES = "files"
CARD = "README.md"
TAKEN = frozenset({".safetensors", ".json", ".jinja", ".txt", ".model"})
"""Endings of the files of a model that are taken; its card and licence are taken too."""


@dataclass(frozen=True, kw_only=True)
class AdoptConfig:
    """Which model is adopted."""

    name: str
    """Its name: of the hub, or one's own for a local folder."""
    revision: str = ""
    """Commit of the hub, or ``folder_revision`` of a ``file:`` place; not for files given as a source."""
    kind: str = "base"
    """``base`` or ``instruct``."""
    licence: str = ""
    """Its licence; empty to read it from the model's card."""
    fertility_characters: int = 2_000_000
    """Characters of each source of documents on which its tokenizer is measured."""
    seed: int = 0
    """Decides which."""


def run(config: AdoptConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Adopt a model; its tokenizer is measured on the documents of all inputs but ``inputs["files"]``.

    Raises:
        ConfigError: Neither files nor a revision are given, or both; or the revision is another's.
        NotFound: There is no such model.
        OfflineError: It would have to be fetched while ``offline = true``.
        DataError: It is not whole, of an unknown architecture, or its tokenizer cannot be used.
    """
    if not config.name or (FILES in inputs) == bool(config.revision):
        raise _which(config)
    if FILES in inputs:
        counts = _copy(FileSet.from_row(read_json(inputs[FILES])), out)
        folder = out.path / MODEL_FOLDER
        revision, card = folder_revision(folder), folder / CARD
    else:
        wanted = ModelRef(name=config.name, revision=config.revision, kind=config.kind)
        folder = Path(weights_of_ref(wanted, out.settings).name_or_folder)
        counts, revision, card = Counts(taken=1, kept=1), config.revision, _card_of(wanted, folder, out.settings)
    facts, tokenizer = model_facts(folder), tokenizer_facts(folder)
    check_tokenizer(tokenizer, facts)
    licence = config.licence or card_licence(card)
    out.metrics["model"] = asdict(facts)
    out.metrics["tokenizer"] = asdict(tokenizer)
    out.metrics["licence"] = {"name": licence, "from": _origin(config, licence), "note": _note(licence)}
    documents = {name: place for name, place in inputs.items() if name != FILES}
    if documents:
        opened = open_tokenizer(folder)
        out.metrics["fertility"] = fertility_of(opened, documents, config.fertility_characters, config.seed)
    write_ref(out.path, ModelRef(name=config.name, revision=revision, kind=config.kind, licence=licence))
    return counts


def _which(config: AdoptConfig) -> ConfigError:
    return ConfigError(
        say(f"adopt: name = {config.name!r}, revision = {config.revision!r}: one model, from one place.",
            f"adopt: name = {config.name!r}、revision = {config.revision!r}: モデルとその場所は一つに定まること。"),
        say("Give a name, and either the files of a local folder or the commit of a hub model.",
            "名前と、ローカルフォルダのファイルかハブのコミットのどちらか一方を指定する。"),
    )  # fmt: skip


def _copy(files: FileSet, out: Output) -> Counts:
    """Copy the files of a model into ``model/``; other files of the folder are counted."""
    configs = [PurePosixPath(f.name) for f in files.files if PurePosixPath(f.name).name == CONFIG]
    if not configs:
        raise DataError(
            say(f"None of the {len(files.files)} files is a {CONFIG}: this is no model folder.",
                f"{len(files.files)} 個のファイルに {CONFIG} がない。モデルのフォルダではない。"),
            say("Name the folder that holds config.json.", "config.json のあるフォルダを指定する。"),
        )  # fmt: skip
    root = min(configs, key=lambda path: (len(path.parts), path)).parent
    taken = [f for f in files.files if _belongs(PurePosixPath(f.name), root)]
    out.meter.total(sum(f.bytes for f in taken), "bytes")
    for entry in taken:
        _copy_one(entry, out.path / MODEL_FOLDER / PurePosixPath(entry.name).name, out)
    left, lost = len(files.files) - len(taken), len(files.left_out)
    dropped = {"not_of_the_model": left, "unreadable": lost}
    return Counts(taken=len(files.files) + lost, kept=len(taken), dropped={why: n for why, n in dropped.items() if n})


def _belongs(path: PurePosixPath, root: PurePosixPath) -> bool:
    named = path.name == CARD or path.name.upper().startswith(("LICENSE", "LICENCE", "NOTICE"))
    return path.parent == root and (named or path.suffix in TAKEN) and not path.name.startswith("consolidated")


def _copy_one(entry: FileEntry, target: Path, out: Output) -> None:
    """Copy one file, and see that it is still the one that was listed."""
    if target.is_file() and file_sha256(target) == entry.sha256:  # of a run that was killed
        out.meter.advance(entry.bytes)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial, state = target.with_name(target.name + ".partial"), hashlib.sha256()
    try:
        with Path(entry.path).open("rb") as source, partial.open("wb") as copy:
            while piece := source.read(READ_BYTES):
                state.update(piece)
                copy.write(piece)
                out.meter.advance(len(piece))
    except OSError as error:
        raise _changed(entry, str(error)) from error
    if state.hexdigest() != entry.sha256:
        partial.unlink()
        raise _changed(entry, "sha256")
    partial.replace(target)


def _changed(entry: FileEntry, why: str) -> DataError:
    return DataError(
        say(f"{entry.path} is not the file that was listed ({why}).",
            f"{entry.path} は一覧にあるファイルと異なる({why})。"),
        say("Leave the folder as it is while a recipe runs, and run it again.",
            "レシピの実行中はフォルダを変更せず、もう一度実行する。"),
    )  # fmt: skip


def _card_of(ref: ModelRef, folder: Path, settings: Settings) -> Path:
    """The card of a hub model: beside its weights, else fetched when that is allowed."""
    if (folder / CARD).is_file():
        return folder / CARD
    from huggingface_hub import hf_hub_download

    def load(local: bool) -> str:  # noqa: FBT001 -- the shape ``from_hub`` asks for
        return str(hf_hub_download(ref.name, CARD, revision=ref.revision, local_files_only=local))

    try:
        return Path(from_hub(ref, settings, load))
    except (NotFound, OfflineError):
        return folder / CARD


def card_licence(card: Path) -> str:
    """The licence that a model card's heading states; empty when there is none."""
    import yaml
    from huggingface_hub import ModelCard

    try:
        heading: Any = ModelCard(card.read_text(encoding="utf-8"), ignore_metadata_errors=True).data
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    data = heading.to_dict()
    stated = data.get("license_name") if data.get("license") == "other" else data.get("license")
    return str((stated[0] if isinstance(stated, list) and stated else stated) or "")


def _origin(config: AdoptConfig, licence: str) -> str:
    if config.licence:
        return "config"
    return "card" if licence else ""


def _note(licence: str) -> str:
    if not licence:
        return say(
            "The card states no licence: read the model's terms and set licence = … where it is adopted.",
            "カードにライセンスの記載がない。条件を確かめ、採用する箇所で licence = … を設定する。",
        )
    if terms_of(licence) is UNKNOWN:
        return say(f"The terms of {licence!r} are not known here: read them.", f"{licence!r} の条件を確かめること。")
    return ""
