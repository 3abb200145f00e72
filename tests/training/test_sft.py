"""Supervised fine-tuning, whole: conversations in, a model that answers them out."""

from pathlib import Path
from typing import Any

import packs
import pytest

from gnomon.core.errors import ConfigError
from gnomon.core.files import read_json
from gnomon.core.messages import Message
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.synthetic import Example
from gnomon.llm.chat import ChatOptions
from gnomon.llm.local import load_local
from gnomon.llm.weights import read_ref, write_ref
from gnomon.training import train
from gnomon.training.recipe import LoRA, TrainConfig

ANSWERS = {"a?": "bb", "c?": "dd", "e?": "ff"}


def base(folder: Path, tokenizer: Path) -> Path:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(2)
    config = LlamaConfig(
        vocab_size=300, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=128, bos_token_id=0, eos_token_id=1, pad_token_id=2, tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder / "model")
    for file in (tokenizer / "tokenizer").iterdir():
        (folder / "model" / file.name).write_bytes(file.read_bytes())
    write_ref(folder, ModelRef(name="tiny", revision="1", kind="base", licence="Apache-2.0"))
    return folder


def examples() -> list[Example]:
    found = []
    for number, (question, answer) in enumerate([*ANSWERS.items()] * 150):
        turns = (Message(role="user", text=question), Message(role="assistant", text=answer))
        found.append(Example(id=f"e{number}", messages=turns, lang="en", kind="open", source="t", licence="CC0-1.0"))
    return found


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packs.turns(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("inputs")
    chat = packs.conversations(folder / "chat", examples())
    tokens, _, _ = packs.pack(folder / "tokens", tokenizer, {"chat": chat}, context=128)
    return {"tokens": tokens, "model": base(folder / "base", tokenizer)}


def tuned(folder: Path, inputs: dict[str, Path], **config: Any) -> Path:
    out = packs.output(folder)
    settings: dict[str, Any] = {"learning_rate": 5e-3, "batch": 1, "warmup": 0.1, "chat": True, "spike": 0.0}
    train.run(TrainConfig(name="tiny-chat", **{**settings, **config}), inputs, out)
    return out.path


def test_a_tuned_model_ships_its_template_ends_its_turns_and_answers(tmp_path: Path, inputs: dict[str, Path]) -> None:
    artifact = tuned(tmp_path, inputs)
    ref = read_ref(artifact)
    assert (ref.kind, ref.parents, ref.licence) == ("instruct", ("tiny",), "Apache-2.0")
    assert "{%- generation -%}" in (artifact / "model" / "chat_template.jinja").read_text(encoding="utf-8")
    ends = read_json(artifact / "model" / "generation_config.json")["eos_token_id"]
    model = load_local(artifact, Settings())
    assert ends == [model._tokens.tokenizer.convert_tokens_to_ids(mark) for mark in ("<|im_end|>", "</s>")]
    asked = [[Message(role="user", text=question)] for question in ANSWERS]
    replies = model.chat(asked, ChatOptions(max_tokens=12))
    assert [(reply.text, reply.finish) for reply in replies] == [(answer, "stop") for answer in ANSWERS.values()]


def test_an_adapter_is_tuned_alike(tmp_path: Path, inputs: dict[str, Path]) -> None:
    artifact = tuned(tmp_path, inputs, lora=LoRA(rank=8), steps=4)
    assert (artifact / "adapter").is_dir()
    assert (artifact / "model" / "chat_template.jinja").is_file()


def test_a_tokenizer_without_marks_is_refused_before_training(tmp_path: Path, inputs: dict[str, Path]) -> None:
    bare = packs.letters(tmp_path / "letters")
    text = packs.shelf(tmp_path / "text", [packs.document(i, "the gas falls inward" * 9) for i in range(4)])
    tokens, _, _ = packs.pack(tmp_path / "tokens", bare, {"text": text}, context=128)
    with pytest.raises(ConfigError, match="no chat template"):
        tuned(tmp_path / "out", {"tokens": tokens, "model": base(tmp_path / "base", bare)})
