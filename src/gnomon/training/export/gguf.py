"""GGUF: one file with weights, tokenizer and chat template, as llama.cpp and Ollama read it.

Written with llama.cpp's own ``gguf`` package, tensor by tensor, so that memory holds one of them. Matrices are
quantised in blocks of 32 weights with one scale (``q8_0``, ``q5_1``, ``q4_0``); norms and vectors stay float32. The
finer K-quants need llama.cpp's ``llama-quantize``, which reads the ``f16`` file.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import ConfigError, DataError, MissingExtra
from gnomon.core.files import read_json
from gnomon.core.wording import say
from gnomon.training.export.vocabulary import write_vocabulary

QUANTS = {"f32": "F32", "f16": "F16", "bf16": "BF16", "q8_0": "Q8_0", "q5_1": "Q5_1", "q5_0": "Q5_0", "q4_1": "Q4_1",
          "q4_0": "Q4_0"}  # fmt: skip
"""Kinds of file, and ggml's name of the type of their matrices."""
ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
"""transformers' model types, and what llama.cpp calls them."""
Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class About:
    """What a file says of itself."""

    name: str
    """The model's name."""
    licence: str = ""
    """Its licence."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes."""


def check_quants(quants: Sequence[str]) -> None:
    """Refuse kinds of files that are not written here.

    Raises:
        ConfigError: One is unknown.
    """
    for quant in quants:
        if quant not in QUANTS:
            raise ConfigError(
                say(f"There is no GGUF kind {quant!r}.", f"GGUF の種類 {quant!r} はない。"),
                say(f"Known: {', '.join(QUANTS)}.", f"候補: {'、'.join(QUANTS)}。"),
            )


def write_gguf(folder: Path, path: Path, quant: str, about: About) -> None:
    """Write a model folder as one GGUF file.

    Args:
        folder: Weights, configuration and tokenizer in Hugging Face's layout.
        path: The file to write; it appears under its name only when it is whole.
        quant: One of ``QUANTS``.
        about: What it says of itself.

    Raises:
        ConfigError: The kind of file or the architecture is not known here.
        DataError: A tensor has no place in the architecture, or the tokenizer is no byte-level BPE.
        MissingExtra: gguf is not installed.
    """
    gguf = _gguf()
    config = read_json(folder / "config.json")
    kind = config.get("model_type", "")
    if quant not in QUANTS or kind not in ARCHITECTURES:
        raise ConfigError(
            say(f"A {kind!r} model cannot be written as {quant!r}.", f"{kind!r} のモデルは {quant!r} として書けない。"),
            say(f"Architectures: {', '.join(ARCHITECTURES)}; kinds: {', '.join(QUANTS)}.",
                f"構造: {'、'.join(ARCHITECTURES)}。種類: {'、'.join(QUANTS)}。"),
        )  # fmt: skip
    partial = path.with_name(path.name + ".partial")
    writer = gguf.GGUFWriter(partial, ARCHITECTURES[kind])
    _write_facts(gguf, writer, config, about)
    writer.add_file_type(getattr(gguf.LlamaFileType, _file_type(quant)))
    write_vocabulary(writer, folder, int(config["vocab_size"]))
    kind_of = _kinds(gguf, quant, tied=bool(config.get("tie_word_embeddings")))
    for name, tensor in _tensors(gguf, folder, config):
        writer.add_tensor_info(name, *_planned(gguf, tensor, kind_of(name)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, tensor in _tensors(gguf, folder, config):
        writer.write_tensor_data(_stored(gguf, tensor, kind_of(name)))
    writer.close()
    partial.rename(path)


def _gguf() -> Any:
    try:
        import gguf
    except ImportError as error:
        raise MissingExtra("gguf", "export", say("Writing GGUF", "GGUF の書き出し")) from error
    return gguf


def _file_type(quant: str) -> str:
    return {"f32": "ALL_F32"}.get(quant, f"MOSTLY_{QUANTS[quant]}")


def _write_facts(gguf: Any, writer: Any, config: dict[str, Any], about: About) -> None:
    heads = int(config["num_attention_heads"])
    width = int(config.get("head_dim") or config["hidden_size"] // heads)
    writer.add_name(about.name)
    if about.licence:
        writer.add_license(about.licence)
    if about.languages:
        writer.add_languages(list(about.languages))
    writer.add_block_count(int(config["num_hidden_layers"]))
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(int(config["hidden_size"]))
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config.get("num_key_value_heads") or heads))
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_vocab_size(int(config["vocab_size"]))
    _write_rope(gguf, writer, config, width)


def _write_rope(gguf: Any, writer: Any, config: dict[str, Any], width: int) -> None:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0))
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind in {"linear", "yarn"}:
        writer.add_rope_scaling_type(getattr(gguf.RopeScalingType, kind.upper()))
        writer.add_rope_scaling_factor(float(rope["factor"]))
        if rope.get("original_max_position_embeddings"):
            writer.add_rope_scaling_orig_ctx_len(int(rope["original_max_position_embeddings"]))
    elif kind not in {"default", "llama3"}:
        raise ConfigError(
            say(f"Rotary embeddings of the kind {kind!r} cannot be written.", f"RoPE の種類 {kind!r} は書き出せない。"),
            say("Known: default, linear, yarn, llama3.", "対応: default、linear、yarn、llama3。"),
        )


def _tensors(gguf: Any, folder: Path, config: dict[str, Any]) -> Iterator[tuple[str, Array]]:
    """(GGUF's name, float32 values) of every tensor, in a fixed order."""
    from safetensors import safe_open

    arch = {name: key for key, name in gguf.MODEL_ARCH_NAMES.items()}[ARCHITECTURES[config["model_type"]]]
    names = gguf.get_tensor_name_map(arch, int(config["num_hidden_layers"]))
    if (config.get("rope_parameters") or {}).get("rope_type") == "llama3":
        yield "rope_freqs.weight", _llama3_factors(config)
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as weights:
            for source in sorted(weights.keys()):
                if source == "lm_head.weight" and config.get("tie_word_embeddings"):
                    continue
                name = names.get_name(source, try_suffixes=(".weight", ".bias"))
                if name is None:
                    raise DataError(
                        say(f"{file} holds {source}, which {config['model_type']} has no place for.",
                            f"{file} の {source} は {config['model_type']} に対応しない。"),
                        say("Merge adapters first; export the merged model.", "アダプタを統合してから書き出す。"),
                    )  # fmt: skip
                values = weights.get_tensor(source).float().numpy()
                yield name, _turned(source, values, config)


def _turned(source: str, values: Array, config: dict[str, Any]) -> Array:
    """Rows of queries and keys in llama.cpp's order: it turns neighbours, transformers turns halves of a head."""
    if ARCHITECTURES[config["model_type"]] != "llama" or not source.endswith(("q_proj.weight", "k_proj.weight")):
        return values
    heads = int(config["num_attention_heads"])
    if source.endswith("k_proj.weight"):
        heads = int(config.get("num_key_value_heads") or heads)
    rows, width = values.shape
    return values.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width)


def _llama3_factors(config: dict[str, Any]) -> Array:
    """By how much each rotary frequency is slowed down, as Llama 3.1 stretches its context."""
    rope = config["rope_parameters"]
    width = int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])
    frequencies = float(rope["rope_theta"]) ** (-np.arange(0, width, 2, dtype=np.float64) / width)
    lengths = 2 * np.pi / frequencies
    low, high, factor = (float(rope[name]) for name in ("low_freq_factor", "high_freq_factor", "factor"))
    whole = float(rope["original_max_position_embeddings"])
    smooth = np.clip((whole / lengths - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / factor + smooth)).astype(np.float32)


def _kinds(gguf: Any, quant: str, *, tied: bool) -> Callable[[str], Any]:
    """By a tensor's name the type that is wanted for it.

    The matrix that gives the logits keeps eight bits (llama.cpp spends at least six on it): at four it costs the most.
    """
    types = gguf.GGMLQuantizationType
    wanted = getattr(types, QUANTS[quant])
    coarse = quant.startswith(("q4", "q5"))
    head = "token_embd.weight" if tied else "output.weight"
    return lambda name: types.Q8_0 if coarse and name == head else wanted


def _kind(gguf: Any, tensor: Array, wanted: Any) -> Any:
    """The type of a tensor in the file: matrices as wanted where their rows fill whole blocks, else half floats."""
    types = gguf.GGMLQuantizationType
    if tensor.ndim < 2 or wanted == types.F32:
        return types.F32
    return wanted if tensor.shape[-1] % gguf.GGML_QUANT_SIZES[wanted][0] == 0 else types.F16


def _planned(gguf: Any, tensor: Array, wanted: Any) -> tuple[Sequence[int], Any, int, Any]:
    """(shape, dtype, bytes, type) of a tensor as it will be written, without quantising it, which takes long."""
    kind, types = _kind(gguf, tensor, wanted), gguf.GGMLQuantizationType
    if kind in {types.F32, types.F16}:
        floats: np.dtype[Any] = np.dtype(np.float32 if kind == types.F32 else np.float16)
        return tensor.shape, floats, tensor.size * floats.itemsize, None
    shape = gguf.quant_shape_to_byte_shape(tensor.shape, kind)
    return shape, np.dtype(np.uint8), math.prod(shape), kind


def _stored(gguf: Any, tensor: Array, wanted: Any) -> Array:
    """A tensor's values as they are written."""
    kind, types = _kind(gguf, tensor, wanted), gguf.GGMLQuantizationType
    if kind in {types.F32, types.F16}:
        return np.ascontiguousarray(tensor, np.float32 if kind == types.F32 else np.float16)
    quantised: Array = gguf.quants.quantize(np.ascontiguousarray(tensor, np.float32), kind)
    return quantised
