"""Wholeness: is a model folder complete, readable and of a kind that can be trained?

Found out in a second from configurations and headers, before hours are spent. Weights are read as
safetensors only: their header says how long the file must be, and opening one runs no code.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.wording import say
from gnomon.llm.tokens import beginning
from gnomon.training.encoding import open_tokenizer, tokenizer_revision, vocabulary_size

CONFIG, INDEX, WEIGHTS = "config.json", "model.safetensors.index.json", "model.safetensors"
PROBE = "  Don't 12345\n\n Él e\u0301 星の光 <think>"
"""A text on which tokenizers that differ in cutting, digits or normalisation differ."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts:
    """What a model folder's files say about it."""

    model_type: str
    """The architecture, as transformers names it."""
    vocabulary: int
    """Rows of its embedding."""
    context: int | None
    """Longest sequence it was made for, in tokens; None when it states none."""
    parameters: int
    """Numbers in its weight files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenizerFacts:
    """What a tokenizer folder says about it."""

    revision: str
    """``tokenizer_revision`` of the folder."""
    size: int
    """One more than its highest id."""
    eos: int
    """Id that ends a text."""
    bos: int | None
    """Id that begins one."""
    differs: str
    """How ``AutoTokenizer`` departs from ``tokenizer.json`` on ``PROBE``; empty when it does not."""


def model_facts(folder: Path) -> ModelFacts:
    """Read and check a model folder.

    Raises:
        DataError: The configuration cannot be read, transformers does not know the architecture or has no
            language model for it, or weights are missing or cut short; the message says which.
    """
    config = read_config(folder)
    text = config.get_text_config()
    return ModelFacts(
        model_type=config.model_type,
        vocabulary=int(text.vocab_size),
        context=getattr(text, "max_position_embeddings", None),
        parameters=count_parameters(folder),
    )


def read_config(folder: Path) -> Any:
    """The ``transformers`` configuration of a model folder.

    Raises:
        DataError: It cannot be read, or is not of a causal language model that transformers knows.
    """
    path = folder / CONFIG
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        model_type, classes = str(row["model_type"]), frozenset(row.get("architectures") or ())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            say(f"{path} cannot be read as a model's configuration: {error!r}.",
                f"{path} をモデルの設定として読めない: {error!r}。"),
            say("Fetch the model again, or name the folder that holds config.json.",
                "モデルを取得し直すか、config.json のあるフォルダを指定する。"),
        ) from error  # fmt: skip
    _check_known(model_type, classes, folder)
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers checks values with errors of its own
        raise DataError(
            say(f"transformers refuses {path}: {error}.", f"transformers が {path} を受け付けない: {error}。"),
            say("Fetch the model again, or mend the value.", "モデルを取得し直すか、値を直す。"),
        ) from error


def _check_known(model_type: str, classes: frozenset[str], where: Path) -> None:
    """Refuse an architecture that transformers has no causal language model for.

    Raises:
        DataError: The message names it.
    """
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    language_models = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    if model_type in language_models and (not classes or classes & frozenset(language_models.values())):
        return
    version = transformers.__version__
    if model_type in CONFIG_MAPPING_NAMES:
        kind = ", ".join(sorted(classes)) or model_type
        raise DataError(
            say(f"The model in {where} is a {kind}, which is no causal language model.",
                f"{where} のモデル {kind} は因果言語モデルではない。"),
            say("Choose a base that continues text (llama, qwen3, mistral…).",
                "文章の続きを生成するモデル(llama、qwen3、mistral など)を選ぶ。"),
        )  # fmt: skip
    raise DataError(
        say(f"The model in {where} has the architecture {model_type!r}, which transformers {version} does not know.",
            f"{where} のモデルの構造 {model_type!r} を transformers {version} は知らない。"),
        say("Update transformers (pip install -U transformers), or choose another base; code that a model brings"
            " along is not run.",
            "transformers を更新する(pip install -U transformers)か、別のモデルを選ぶ。"
            "モデル付属のコードは実行しない。"),
    )  # fmt: skip


def count_parameters(folder: Path) -> int:
    """Numbers in the weight files of a model folder, whose headers are checked against their sizes.

    Raises:
        DataError: A file is missing, cut short or not what the index says.
    """
    index = folder / INDEX
    if not index.is_file():
        if not (folder / WEIGHTS).is_file():
            raise _no_weights(folder)
        return sum(read_header(folder / WEIGHTS).values())
    try:
        placed = dict(json.loads(index.read_text(encoding="utf-8"))["weight_map"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(index, repr(error)) from error
    headers = {name: read_header(folder / name) for name in sorted(set(placed.values()))}
    for tensor, name in placed.items():
        if tensor not in headers[name]:
            raise _damaged(folder / name, f"it lacks {tensor}, which {INDEX} places there")
    return sum(sum(header.values()) for header in headers.values())


def read_header(path: Path) -> dict[str, int]:
    """Numbers in each tensor of a safetensors file, checked to be whole without reading the tensors.

    Raises:
        DataError: The file is missing, cut short or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise _damaged(path, "it is missing")
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: math.prod(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _damaged(path, f"{path.stat().st_size:,} bytes; {error}") from error


def _damaged(path: Path, why: str) -> DataError:
    return DataError(
        say(f"The weights are not whole: {path}: {why}.", f"重みが不完全: {path}: {why}。"),
        say("Fetch or copy that file again.", "そのファイルを取得またはコピーし直す。"),
    )


def _no_weights(folder: Path) -> DataError:
    pickled = sorted(p.name for p in folder.glob("*.bin"))
    there = f" ({', '.join(pickled[:3])})" if pickled else ""
    return DataError(
        say(f"{folder} holds no {WEIGHTS}{there}.", f"{folder} に {WEIGHTS} がない{there}。"),
        say("Weights are read as safetensors only; load the model once with transformers and save_pretrained it.",
            "重みは safetensors のみを読む。transformers で一度読み込み、save_pretrained で保存し直す。"),
    )  # fmt: skip


def tokenizer_facts(folder: Path) -> TokenizerFacts:
    """Open and check a tokenizer folder.

    Raises:
        DataError: It cannot be opened, or has no token that ends a text.
    """
    from tokenizers import Tokenizer

    tokenizer = open_tokenizer(folder)
    if tokenizer.eos_token_id is None:
        raise DataError(
            say(f"The tokenizer in {folder} has no EOS token, so a model could not learn where a text ends.",
                f"{folder} のトークナイザに EOS がなく、モデルは文書の終わりを学べない。"),
            say('Set "eos_token" in its tokenizer_config.json, or train one with training/tokenizer.',
                "tokenizer_config.json の eos_token を設定するか、training/tokenizer で作る。"),
        )  # fmt: skip
    stored = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(PROBE, add_special_tokens=False).tokens
    opened = tokenizer.convert_ids_to_tokens(tokenizer(PROBE, add_special_tokens=False).input_ids)
    return TokenizerFacts(
        revision=tokenizer_revision(folder),
        size=vocabulary_size(tokenizer),
        eos=int(tokenizer.eos_token_id),
        bos=beginning(tokenizer),
        differs="" if stored == opened else f"{stored} / {opened}",
    )
