"""GGUF files, read back by transformers' own loader: the same tokens, and logits within the quantisation."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import packs
import pytest
import torch
from gguf import GGUFReader
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from gnomon.core.errors import ConfigError, DataError
from gnomon.training.export.gguf import About, _llama3_factors, write_gguf
from gnomon_recipes.bases import NANO_FOLDER

TEXT = "The faint galaxy turns slowly; its gas (10.5 km/s) falls inward. 銀河の中心 <|im_start|> 💫\n\n  x"
ABOUT = About(name="gnomon/nano-base", licence="Apache-2.0", languages=("en",))


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
DIGITS = {"type": "Digits", "individual_digits": True}


def tiny(folder: Path, splitter: dict[str, Any], *, tied: bool = False, **settings: str) -> Path:
    """A tiny Llama with a byte-level tokenizer that splits in a way, and settings of the tokenizer besides."""
    model = folder / "model"
    size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=300, tie_word_embeddings=tied, **size)).save_pretrained(model)
    for file in (packs.turns(folder / "t") / "tokenizer").iterdir():
        values = json.loads(file.read_text(encoding="utf-8"))
        values |= {"pre_tokenizer": splitter} if file.name == "tokenizer.json" else settings
        (model / file.name).write_text(json.dumps(values), encoding="utf-8")
    return model


@pytest.fixture(scope="module", autouse=True)
def quiet() -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()


def logits(model: Any, ids: list[int]) -> np.ndarray:
    with torch.inference_mode():
        return np.asarray(model(torch.tensor([ids])).logits[0].float())


def reread(path: Path, **config: Any) -> Any:
    return AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32, **config)


@pytest.fixture(scope="module")
def ids() -> list[int]:
    return list(AutoTokenizer.from_pretrained(NANO_FOLDER)(TEXT)["input_ids"])


@pytest.fixture(scope="module")
def nano(ids: list[int]) -> np.ndarray:
    return logits(AutoModelForCausalLM.from_pretrained(NANO_FOLDER, dtype=torch.float32), ids)


@pytest.mark.parametrize(
    ("quant", "least", "most"),
    [
        ("f32", 0.999999, 1e-4),
        ("bf16", 0.999999, 1e-4),
        ("f16", 0.99999, 1e-2),
        ("q8_0", 0.9995, 0.4),
        ("q5_1", 0.993, 1.5),
        ("q4_0", 0.94, 3.0),
    ],
)
def test_logits_are_the_models_within_the_quantisation(
    tmp_path: Path, nano: np.ndarray, ids: list[int], quant: str, least: float, most: float
) -> None:
    write_gguf(NANO_FOLDER, tmp_path / "nano.gguf", quant, ABOUT)
    read = logits(reread(tmp_path / "nano.gguf"), ids)
    together = [float(np.corrcoef(a, b)[0, 1]) for a, b in zip(read, nano, strict=True)]
    assert min(together) > least
    assert float(np.abs(read - nano).max()) < most


def test_a_matrix_is_quantised_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quantised: list[tuple[int, ...]] = []
    quantise = gguf.quants.quantize
    monkeypatch.setattr(
        gguf.quants, "quantize", lambda values, kind: quantised.append(values.shape) or quantise(values, kind)
    )
    write_gguf(NANO_FOLDER, tmp_path / "nano.gguf", "q8_0", ABOUT)
    written = [tensor for tensor in GGUFReader(tmp_path / "nano.gguf").tensors if tensor.tensor_type.name == "Q8_0"]
    assert len(quantised) == len(written) > 0


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("quant", "head"), [("q4_0", "Q8_0"), ("q5_1", "Q8_0"), ("q8_0", "Q8_0"), ("f16", "F16")])
def test_the_matrix_that_gives_the_logits_keeps_eight_bits(tmp_path: Path, quant: str, head: str, tied: bool) -> None:
    folder = tiny(tmp_path, BYTES, tied=tied)
    write_gguf(folder, tmp_path / "m.gguf", quant, About(name="m"))
    kinds = {tensor.name: tensor.tensor_type.name for tensor in GGUFReader(tmp_path / "m.gguf").tensors}
    assert kinds["token_embd.weight" if tied else "output.weight"] == head
    assert kinds["blk.0.attn_v.weight"] == quant.upper()
    assert tied or kinds["token_embd.weight"] == quant.upper()


def test_finer_kinds_are_smaller_and_say_what_they_are(tmp_path: Path) -> None:
    sizes = {}
    for quant in ("f32", "f16", "q8_0", "q4_0"):
        path = tmp_path / f"{quant}.gguf"
        write_gguf(NANO_FOLDER, path, quant, ABOUT)
        sizes[quant] = path.stat().st_size
    assert sizes["q4_0"] < sizes["q8_0"] < sizes["f16"] < sizes["f32"]
    fields = GGUFReader(path).fields
    assert fields["general.name"].contents() == "gnomon/nano-base"
    assert fields["tokenizer.ggml.pre"].contents() == "llama-bpe"
    assert fields["llama.context_length"].contents() == 1024
    assert not list(tmp_path.glob("*.partial"))


def test_the_tokenizer_gives_the_same_tokens(tmp_path: Path, ids: list[int]) -> None:
    write_gguf(NANO_FOLDER, tmp_path / "nano.gguf", "f16", ABOUT)
    read = AutoTokenizer.from_pretrained(tmp_path, gguf_file="nano.gguf")
    plain = AutoTokenizer.from_pretrained(NANO_FOLDER)
    text = TEXT.replace("<|im_start|>", "")
    assert read(text, add_special_tokens=False)["input_ids"] == plain(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("kind", ["grouped", "tied-not", "llama3", "yarn", "qwen3"])
def test_other_shapes_come_back_as_they_were(tmp_path: Path, kind: str) -> None:
    size: dict[str, Any] = {
        "vocab_size": 300, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 1,
    }  # fmt: skip
    llama3 = {
        "rope_type": "llama3",
        "rope_theta": 1e4,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    }
    yarn = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 16}
    torch.manual_seed(4)
    model = {
        "grouped": lambda: LlamaForCausalLM(LlamaConfig(**size, tie_word_embeddings=True)),
        "tied-not": lambda: LlamaForCausalLM(LlamaConfig(**size)),
        "llama3": lambda: LlamaForCausalLM(LlamaConfig(**size, rope_parameters=llama3)),
        "yarn": lambda: LlamaForCausalLM(LlamaConfig(**size, rope_parameters=yarn)),
        "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**size, head_dim=16)),
    }[kind]().eval()  # fmt: skip
    model.save_pretrained(tmp_path / "model")
    for file in (packs.turns(tmp_path / "t") / "tokenizer").iterdir():
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    config = tmp_path / "model" / "tokenizer_config.json"
    config.write_text(
        config.read_text(encoding="utf-8").replace("{", '{"gguf_pre_tokenizer": "llama-bpe", ', 1), encoding="utf-8"
    )
    write_gguf(tmp_path / "model", tmp_path / "m.gguf", "f32", About(name="m"))
    ids = list(range(5, 45))
    read = reread(
        tmp_path / "m.gguf", config=model.config
    )  # its loader reads neither scaled rotation nor Qwen's head size
    np.testing.assert_allclose(logits(read, ids), logits(model, ids), atol=2e-4)
    fields = GGUFReader(tmp_path / "m.gguf").fields
    if kind == "yarn":
        assert fields["llama.rope.scaling.type"].contents() == "yarn"
        assert fields["llama.rope.scaling.factor"].contents() == 4.0
    if kind == "qwen3":
        assert fields["qwen3.attention.key_length"].contents() == 16


@pytest.mark.parametrize(
    ("splitter", "name"),
    [
        (BYTES, "gpt-2"),
        ({"type": "Sequence", "pretokenizers": [BYTES]}, "gpt-2"),
        ({"type": "Sequence", "pretokenizers": [DIGITS, BYTES]}, "smollm"),
        ({"type": "Sequence", "pretokenizers": [DIGITS | {"individual_digits": False}, BYTES]}, ""),
        ({"type": "Sequence", "pretokenizers": [DIGITS, BYTES | {"add_prefix_space": True}]}, ""),
        ({"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, BYTES]}, ""),
    ],
    ids=["bytes", "bytes-in-a-list", "single-digits", "runs-of-digits", "a-space-in-front", "words"],
)
def test_a_splitter_without_a_pattern_is_known_by_its_steps(
    tmp_path: Path, splitter: dict[str, Any], name: str
) -> None:
    folder = tiny(tmp_path, splitter)
    if not name:
        with pytest.raises(DataError, match="no name for its splitter"):
            write_gguf(folder, tmp_path / "m.gguf", "f16", About(name="m"))
        return
    write_gguf(folder, tmp_path / "m.gguf", "f16", About(name="m"))
    assert GGUFReader(tmp_path / "m.gguf").fields["tokenizer.ggml.pre"].contents() == name


@pytest.mark.parametrize(("bos", "added"), [("<s>", True), ("<|im_start|>", False)], ids=["begins", "opens-turns"])
def test_llama_cpp_is_told_to_put_bos_before_a_text_only_where_training_does(
    tmp_path: Path, bos: str, added: bool
) -> None:
    turn = "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    template = f"{{% for m in messages %}}{turn}{{% endfor %}}<|im_start|>assistant\n"
    folder = tiny(tmp_path, BYTES, bos_token=bos, eos_token="<|im_end|>", chat_template=template)
    write_gguf(folder, tmp_path / "m.gguf", "f16", About(name="m"))
    fields = GGUFReader(tmp_path / "m.gguf").fields
    assert fields["tokenizer.ggml.add_bos_token"].contents() is added
    assert fields["tokenizer.chat_template"].contents() == template  # although it has no file of its own


def test_llama3s_slower_rotation_is_written_as_factors(tmp_path: Path) -> None:
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    rope = {
        "rope_type": "llama3",
        "rope_theta": 5e5,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    config = LlamaConfig(hidden_size=512, num_attention_heads=4, rope_parameters=rope, max_position_embeddings=131_072)
    theirs, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 5e5 ** (-np.arange(0, 128, 2) / 128)
    np.testing.assert_allclose(_llama3_factors(config.to_dict()), plain / theirs.numpy(), rtol=1e-5)


def test_what_llama_cpp_would_read_wrongly_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    LlamaForCausalLM(LlamaConfig(
        vocab_size=300, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2,
    )).save_pretrained(folder)  # fmt: skip
    for file in (packs.letters(tmp_path / "t") / "tokenizer").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with pytest.raises(DataError, match=r"no name for its splitter.*convert_hf_to_gguf"):
        write_gguf(folder, tmp_path / "m.gguf", "f16", About(name="m"))
    with pytest.raises(ConfigError, match="q3_k"):
        write_gguf(folder, tmp_path / "m.gguf", "q3_k", About(name="m"))
    config = folder / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace('"llama"', '"mamba"'), encoding="utf-8")
    with pytest.raises(ConfigError, match="mamba"):
        write_gguf(folder, tmp_path / "m.gguf", "f16", About(name="m"))
