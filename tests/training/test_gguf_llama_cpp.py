"""GGUF files in llama.cpp itself: the same tokens, the same logits within the quantisation, an answer that ends.

llama-cpp-python compiles for over ten minutes, so it is no dependency: the test uses it where it is installed, or the
interpreter that ``GNOMON_LLAMA_PYTHON`` names (a virtual environment of its own). Run it with ``pytest -m slow``.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import packs
import pytest

from gnomon.core.messages import Message
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.synthetic import Example
from gnomon.llm.chat import ChatOptions
from gnomon.llm.local import load_local
from gnomon.llm.templated import own_template
from gnomon.llm.weights import write_ref
from gnomon.training import train
from gnomon.training.export.gguf import About, write_gguf
from gnomon.training.export.vocabulary import plain_template
from gnomon.training.recipe import TrainConfig
from gnomon_recipes.bases import NANO_FILES, NANO_FOLDER

TEXT = "The faint galaxy turns slowly; its gas (10.5 km/s) falls inward. 銀河の中心 <|im_start|> 💫\n\n  x"
SCRIPT = Path(__file__).with_name("llama_cpp_says.py")
ANSWERS = {"What is dust?": "Small grains.", "Where is gas?": "In the disc.", "How old?": "Nobody knows."}


@pytest.fixture(scope="module")
def interpreter() -> str:
    named = os.environ.get("GNOMON_LLAMA_PYTHON", "")
    if not named and importlib.util.find_spec("llama_cpp") is None:
        pytest.skip("needs llama-cpp-python, here or in the interpreter that GNOMON_LLAMA_PYTHON names")
    return named or sys.executable


def said(interpreter: str, file: Path, ids: list[int], messages: list[dict[str, str]]) -> dict[str, Any]:
    request = file.with_suffix(".json")
    request.write_text(json.dumps({"text": TEXT, "ids": ids, "messages": messages}), encoding="utf-8")
    done = subprocess.run(
        [interpreter, str(SCRIPT), str(file), str(request)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def nano(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The nano base as an artifact."""
    folder = tmp_path_factory.mktemp("nano")
    (folder / "model").mkdir()
    for name in NANO_FILES:
        (folder / "model" / name).write_bytes((NANO_FOLDER / name).read_bytes())
    write_ref(folder, ModelRef(name="gnomon/nano-base", revision="1", kind="base", licence="CC0-1.0"))
    return folder


@pytest.fixture(scope="module")
def chatting(tmp_path_factory: pytest.TempPathFactory, nano: Path) -> Path:
    """The nano base, tuned until it knows three answers."""
    folder = tmp_path_factory.mktemp("chat")
    examples = [
        Example(
            id=f"e{i}", messages=(Message(role="user", text=question), Message(role="assistant", text=answer)),
            lang="en", kind="open", source="t", licence="CC0-1.0",
        )
        for i, (question, answer) in enumerate([*ANSWERS.items()] * 40)
    ]  # fmt: skip
    tokens, _, _ = packs.pack(
        folder / "tokens", nano, {"chat": packs.conversations(folder / "set", examples)}, context=128
    )
    out = packs.output(folder / "out")
    config = TrainConfig(name="nano-chat", learning_rate=2e-3, batch=2, warmup=0.1, chat=True, spike=0.0)
    train.run(config, {"tokens": tokens, "model": nano}, out)
    return out.path


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("quant", "least"), [("f16", 0.9999), ("q8_0", 0.999), ("q4_0", 0.94)])
def test_llama_cpp_reads_the_same_tokens_and_computes_the_same_logits(
    quant: str, least: float, nano: Path, interpreter: str, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    ids = load_local(nano, Settings()).encode(TEXT)
    write_gguf(nano / "model", tmp_path / "nano.gguf", quant, About(name="nano"))
    there = said(interpreter, tmp_path / "nano.gguf", ids, [])
    model = AutoModelForCausalLM.from_pretrained(nano / "model", dtype=torch.float32)
    with torch.inference_mode():
        here = model(torch.tensor([ids])).logits[0].numpy()
        follows = model.generate(torch.tensor([ids]), max_new_tokens=16, do_sample=False)[0, len(ids) :].tolist()
    assert there["tokens"] == ids
    together = [float(np.corrcoef(a, b)[0, 1]) for a, b in zip(there["logits"], here, strict=True)]
    print(f"llama-cpp-python {there['version']}, {quant}: least correlation {min(together):.6f}")
    assert min(together) > least
    if quant == "f16":
        assert there["greedy"][:8] == follows[:8]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("quant", ["f16", "q8_0"])
def test_llama_cpp_answers_by_the_template_in_the_file_and_ends(
    quant: str, chatting: Path, interpreter: str, tmp_path: Path
) -> None:
    model = load_local(chatting, Settings())
    write_gguf(chatting / "model", tmp_path / "chat.gguf", quant, About(name="chat"))
    for question, answer in ANSWERS.items():
        there = said(interpreter, tmp_path / "chat.gguf", [0], [{"role": "user", "content": question}])
        (reply,) = model.chat([[Message(role="user", text=question)]], ChatOptions(max_tokens=12))
        assert (reply.text, reply.finish) == (answer, "stop")
        assert (there["chat"]["text"], there["chat"]["finish"]) == (answer, "stop")


@pytest.mark.parametrize("name", ["chatml", "llama3", "harmony"])
def test_the_template_in_the_file_writes_the_same_without_marks_that_only_transformers_knows(name: str) -> None:
    import jinja2.sandbox
    from transformers.utils.chat_template_utils import render_jinja_template

    template = own_template(name)
    messages = [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "a?"},
        {"role": "assistant", "content": "b", "thinking": "c"}, {"role": "user", "content": "d?"},
    ]  # fmt: skip
    plain = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    plain.globals["raise_exception"] = pytest.fail
    for given in (messages, messages[1:2], messages[:3]):
        for prompt in (True, False):
            more = {"add_generation_prompt": prompt, "bos_token": "<s>", "eos_token": "</s>"}
            (wanted,), _ = render_jinja_template(conversations=[given], chat_template=template, **more)
            assert plain.from_string(plain_template(template)).render(messages=given, **more) == wanted
