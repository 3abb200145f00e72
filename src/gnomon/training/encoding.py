"""Encoding: opening a tokenizer folder, and turning the text of documents into tokens.

The names of special tokens (``<|im_start|>``…) inside a *document* are text, never commands:
a page that quotes them must not end a document or open a chat turn. ``encode_texts`` sees to that.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.hashing import bytes_hash
from gnomon.core.wording import say

_DECIDING = ("added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model")
"""The parts of ``tokenizer.json`` that decide which tokens a text becomes; padding and truncation do not."""


def tokenizer_folder(artifact: Path) -> Path:
    """Where the tokenizer of a tokenizer artifact or of a model artifact lies.

    Raises:
        DataError: The artifact holds neither.
    """
    for folder in (artifact / "tokenizer", artifact / "model", artifact):
        if (folder / "tokenizer.json").is_file() or (folder / "tokenizer_config.json").is_file():
            return folder
    raise DataError(
        say(f"{artifact} holds no tokenizer.", f"{artifact} にトークナイザがない。"),
        say(
            "Give the artifact of training/tokenizer, or a model that brings its tokenizer.",
            "training/tokenizer の成果物か、トークナイザを含むモデルを指定する。",
        ),
    )


def open_tokenizer(folder: Path | str, revision: str | None = None) -> Any:
    """A ``transformers`` fast tokenizer from a folder or the local hub cache; never from the network.

    Raises:
        DataError: The files cannot be read, or describe no fast tokenizer.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), revision=revision or "main", local_files_only=True)
    except Exception as error:  # the library raises anything, KeyError or its own
        raise _unusable(folder, f"{type(error).__name__}: {error}") from error
    if not tokenizer.is_fast:
        raise _unusable(folder, "no tokenizer.json")
    return tokenizer


def _unusable(folder: Path | str, why: str) -> DataError:
    return DataError(
        say(f"The tokenizer in {folder} cannot be opened: {why}.", f"{folder} のトークナイザを開けない: {why}。"),
        say(
            "Its folder needs a whole tokenizer.json and tokenizer_config.json: fetch or save them again.",
            "完全な tokenizer.json と tokenizer_config.json が必要: 取得または保存し直す。",
        ),
    )


def encode_texts(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of texts, with no token added; names of special tokens are read as plain text."""
    backend = tokenizer.backend_tokenizer
    before = backend.encode_special_tokens
    backend.encode_special_tokens = True
    try:
        return [encoding.ids for encoding in backend.encode_batch_fast(list(texts), add_special_tokens=False)]
    finally:
        backend.encode_special_tokens = before


def vocabulary_size(tokenizer: Any) -> int:
    """One more than the highest id, even where a vocabulary has gaps: the rows an embedding needs."""
    return int(max(tokenizer.get_vocab().values(), default=-1)) + 1


def tokenizer_revision(folder: Path) -> str:
    """Hash of what decides the tokens of a text, equal for a tokenizer that was only saved again.

    Raises:
        DataError: ``tokenizer.json`` is missing or damaged.
    """
    try:
        whole = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        parts = {name: whole.get(name) for name in _DECIDING}
    except (OSError, ValueError, AttributeError) as error:
        raise _unusable(folder, str(error)) from error
    return bytes_hash(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass"))


_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
)
"""What a tokenizer may consist of in a Hugging Face folder."""


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy a tokenizer's files as they are: saving it again through transformers may change its rules."""
    target.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
