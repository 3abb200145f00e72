"""Bases: the models that recipes continue, as an argument names them.

``nano`` is the small base of this package, trained by the ``nano_base`` recipe, and ``nano-instruct`` the same tuned on
general conversations (``nano_instruct``). Any other model is a folder of weights
(its files, by content) or a name of the hub or of ``gnomon.toml`` with the commit that is meant:
``org/model@COMMIT``. A name without a commit is refused, because it would mean another model next year.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, NotFound
from gnomon.core.wording import say
from gnomon.runs import FileSet, Step
from gnomon.training import steps as training
from gnomon_recipes.arguments import wrong

NANO, NANO_INSTRUCT = "nano", "nano-instruct"
NANO_FOLDER = Path(__file__).parent / "nano" / "base"
NANO_NAME, NANO_LICENCE = "gnomon/nano-base", "Apache-2.0"
NANO_FILES = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
"""What the model consists of: a word changed in its card makes no other model."""
INSTRUCT_FOLDER, INSTRUCT_NAME = NANO_FOLDER.parent / "instruct", "gnomon/nano-instruct"
INSTRUCT_FILES = (*NANO_FILES, "chat_template.jinja")


def adopted(base: Any, documents: Mapping[str, Step] | None = None, kind: str = "base") -> Step:
    """The step that adopts a model.

    Args:
        base: ``"nano"``, ``"nano-instruct"``, ``"NAME@COMMIT"``, ``{"name", "revision"}`` or ``{"name", "files"}``.
        documents: Documents on which its tokenizer's fertility is measured, by the name of their source.
        kind: What a model that is none of ours is: ``base`` or ``instruct``.

    Raises:
        ConfigError: It is none of these, or has no revision.
        NotFound: The package was built without the nano models.
    """
    if base == NANO:
        return training.adopt(
            NANO_NAME, files=nano_files(NANO_FOLDER, NANO_FILES), documents=documents, licence=NANO_LICENCE
        )
    if base == NANO_INSTRUCT:
        files = nano_files(INSTRUCT_FOLDER, INSTRUCT_FILES)
        return training.adopt(INSTRUCT_NAME, files=files, documents=documents, licence=NANO_LICENCE, kind="instruct")
    if isinstance(base, str) and base:
        name, _, revision = base.rpartition("@")
        base = {"name": name, "revision": revision} if name else {"name": base}
    if not isinstance(base, Mapping) or not base.get("name"):
        raise wrong("base", base, "nano, a folder of weights, or NAME@COMMIT of the hub")
    if base.get("files"):
        files = FileSet.from_row(dict(base["files"]))
        return training.adopt(str(base["name"]), files=files, documents=documents, kind=kind)
    if not base.get("revision"):
        raise ConfigError(
            say(f"The base {base['name']!r} has no revision.", f"ベースモデル {base['name']!r} に revision がない。"),
            say("Name the commit of the hub that you mean (NAME@COMMIT, or --revision), or a folder of weights.",
                "ハブのコミットを指定する（NAME@COMMIT または --revision）か、重みのフォルダを渡す。"),
        )  # fmt: skip
    return training.adopt(str(base["name"]), revision=str(base["revision"]), documents=documents, kind=kind)


def nano_files(folder: Path, names: Sequence[str]) -> FileSet:
    """The files of a nano model.

    Raises:
        NotFound: They are not there.
    """
    if not (folder / "config.json").is_file():
        raise NotFound(
            say(f"This installation has no nano/{folder.name}.", f"このインストールに nano/{folder.name} がない。"),
            say(f"Install the released wheel, or train one: gnomon run nano_{folder.name}.",
                f"配布版を入れるか、gnomon run nano_{folder.name} で学習する。"),
        )  # fmt: skip
    return FileSet.scan([folder / name for name in names])
