"""The tokenizer inside a GGUF file: byte-level BPE, with the splitter that llama.cpp has under a name.

llama.cpp splits text before merging by rules that it knows by name. A tokenizer trained here says which it was
made for (``gguf_pre_tokenizer``); an adopted one is known by its pattern. One that llama.cpp does not know
would silently give other tokens, so it is refused.
"""

import json
import re
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.files import read_json
from gnomon.core.wording import say
from gnomon.llm.templated import template_in
from gnomon.llm.tokens import beginning
from gnomon.training.encoding import open_tokenizer

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5
"""llama.cpp's kinds of tokens."""
_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PATTERNS = {_PATTERN % r"\p{N}{1,3}": "llama-bpe", _PATTERN % r"\p{N}": "qwen2"}
"""Splitters of well-known families."""
_STEPS = {("ByteLevel",): "gpt-2", ("Digits", "ByteLevel"): "smollm"}
"""Splitters without a pattern: the one that byte-level BPE brings along (GPT-2's), alone or behind single digits."""
_GENERATION = re.compile(r"\{%(-?)\s*generation\s*(-?)%\}")
_ENDGENERATION = re.compile(r"\{%(-?)\s*endgeneration\s*(-?)%\}")


def write_vocabulary(writer: Any, folder: Path, size: int) -> None:
    """Write the tokens, merges, special ids and chat template of a tokenizer folder.

    Args:
        writer: A ``GGUFWriter``.
        folder: The tokenizer's files.
        size: Rows of the embedding; ids without a token are written as unused.

    Raises:
        DataError: It is no byte-level BPE, or llama.cpp does not know its splitter.
    """
    whole = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    settings = read_json(folder / "tokenizer_config.json")
    model = whole["model"]
    if model.get("type") != "BPE":
        raise _unknown(folder, say(f"its model is {model.get('type')}", f"モデルは {model.get('type')}"))
    tokens, kinds = _tokens(whole, size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_splitter(whole, settings, folder))
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]])
    _write_special(writer, folder, settings, {token: i for i, token in enumerate(tokens)})


def _tokens(whole: dict[str, Any], size: int) -> tuple[list[str], list[int]]:
    tokens, kinds = [f"[unused{i}]" for i in range(size)], [UNUSED] * size
    for token, number in whole["model"]["vocab"].items():
        tokens[number], kinds[number] = token, NORMAL
    for added in whole.get("added_tokens", []):
        tokens[added["id"]], kinds[added["id"]] = added["content"], CONTROL if added["special"] else USER_DEFINED
    return tokens, kinds


def _splitter(whole: dict[str, Any], settings: dict[str, Any], folder: Path) -> str:
    if settings.get("gguf_pre_tokenizer"):
        return str(settings["gguf_pre_tokenizer"])
    text = json.dumps(whole.get("pre_tokenizer"), ensure_ascii=False)
    for pattern, name in _PATTERNS.items():
        if json.dumps(pattern, ensure_ascii=False) in text:
            return name
    named = _STEPS.get(_steps(whole.get("pre_tokenizer") or {}))
    if named:
        return named
    raise _unknown(folder, say("llama.cpp has no name for its splitter", "llama.cpp に該当する分割規則がない"))


def _steps(splitter: dict[str, Any]) -> tuple[str, ...]:
    """The kinds of a splitter's steps, empty when one of them is set to do something else than those of ``_STEPS``."""
    steps = splitter.get("pretokenizers", [splitter])
    plain = {"ByteLevel": {"use_regex": True, "add_prefix_space": False}, "Digits": {"individual_digits": True}}
    usual = all(step.get(key) == value for step in steps for key, value in plain.get(step.get("type"), {}).items())
    return tuple(step.get("type", "") for step in steps) if usual else ()


def _write_special(writer: Any, folder: Path, settings: dict[str, Any], ids: dict[str, int]) -> None:
    for name in ("bos", "eos", "pad"):
        token = settings.get(f"{name}_token")
        token = token.get("content") if isinstance(token, dict) else token
        if token in ids:
            getattr(writer, f"add_{name}_token_id")(ids[token])
    writer.add_add_bos_token(beginning(open_tokenizer(folder)) is not None)
    generation = folder / "generation_config.json"
    ends = read_json(generation).get("eos_token_id") if generation.is_file() else None
    if isinstance(ends, list) and ends:
        writer.add_eot_token_id(int(ends[0]))
    template = template_in(folder)
    if template:
        writer.add_chat_template(plain_template(template))


def plain_template(template: str) -> str:
    """A chat template without the marks of what is learnt, which only transformers knows; it renders the same text."""
    opened = _GENERATION.sub(lambda mark: f"{{%{mark[1]} if true {mark[2]}%}}", template)
    return _ENDGENERATION.sub(lambda mark: f"{{%{mark[1]} endif {mark[2]}%}}", opened)


def _unknown(folder: Path, why: str) -> DataError:
    return DataError(
        say(f"The tokenizer in {folder} cannot be written into a GGUF file: {why}.",
            f"{folder} のトークナイザは GGUF に書けない: {why}。"),
        say("Use llama.cpp's convert_hf_to_gguf.py for this model.", "llama.cpp の convert_hf_to_gguf.py を使う。"),
    )  # fmt: skip
