"""What can be wrong with a model's files is said plainly, before any work; and nothing asks the network."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import language_models
import pytest

from gnomon.core.errors import ConfigError, DataError, NotFound, OfflineError
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.llm.client import Client, Generation
from gnomon.llm.hub import folder_revision
from gnomon.llm.local import LocalModel, load_local
from gnomon.llm.weights import write_ref

HERE = Settings(offline=True)
PROMPT = ["The faint galaxy"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return language_models.save(tmp_path / "base")


def test_a_folder_an_artifact_and_a_reference_give_the_same_model(folder: Path, tmp_path: Path) -> None:
    plain = load_local(folder, HERE)
    assert (plain.ref.name, plain.ref.revision) == ("base", folder_revision(folder))
    ref = ModelRef(name="nobody/base", revision=folder_revision(folder), kind="base", licence="CC0-1.0")
    shutil.copytree(folder, tmp_path / "artifact" / "model")
    write_ref(tmp_path / "artifact", ref)
    artifact = load_local(tmp_path / "artifact", HERE)
    named = load_local(ref, Settings(offline=True, models={ref.name: ModelPlace(url=folder.as_uri())}))
    assert artifact.ref == named.ref == ref
    models: list[Client] = [plain, artifact, named]
    texts = {model.complete(PROMPT, Generation(max_tokens=8))[0].text for model in models}
    assert len(texts) == 1


def test_a_folder_of_gguf_files_is_left_to_llama_cpp(tmp_path: Path) -> None:
    (tmp_path / "model-Q4_1.gguf").write_bytes(b"GGUF")
    with pytest.raises(ConfigError, match=r"GGUF.*llama-server"):
        load_local(tmp_path, HERE)


def test_a_folder_with_a_chat_template_is_an_instruct_model(folder: Path) -> None:
    assert load_local(folder, HERE).ref.kind == "base"
    settings = folder / "tokenizer_config.json"
    told = json.loads(settings.read_text(encoding="utf-8")) | {"chat_template": "{{ messages[0].content }}"}
    settings.write_text(json.dumps(told), encoding="utf-8")
    assert load_local(folder, HERE).ref.kind == "instruct"


def test_a_model_of_the_hub_is_not_fetched_offline() -> None:
    with pytest.raises(OfflineError, match="nobody/such-a-model"):
        load_local(ModelRef(name="nobody/such-a-model", revision="0" * 40, kind="base"), HERE)


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:500])


def garbage(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(b"\xff\x00 this is no such file" * 9)


def config(**values: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), encoding="utf-8")

    return change


def lose_a_tensor(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "error", "words"),
    [
        (shutil.rmtree, NotFound, "is not a folder"),
        (remove("config.json"), DataError, r"no config\.json"),
        (garbage("config.json"), DataError, "cannot be read"),
        (config(model_type="warp_drive"), ConfigError, r"warp_drive.*Update transformers"),
        (config(model_type="vit"), ConfigError, "vit"),
        (config(hidden_size=48), DataError, "cannot be read"),
        (remove("model.safetensors"), DataError, r"model\.safetensors"),
        (cut("model.safetensors"), DataError, "cannot be read"),
        (garbage("model.safetensors"), DataError, "cannot be read"),
        (lose_a_tensor, DataError, r"1 tensors are missing.*up_proj"),
        (remove("tokenizer.json"), DataError, r"no tokenizer\.json"),
        (cut("tokenizer.json"), DataError, "tokenizer"),
        (config(vocab_size=300), DataError, "cannot be read"),
    ],
)  # fmt: skip
def test_damage_is_named_with_its_place_and_cure(
    folder: Path, damage: Callable[[Path], object], error: type[Exception], words: str
) -> None:
    damage(folder)
    with pytest.raises(error, match=words) as caught:
        load_local(folder, HERE)
    assert str(folder) in str(caught.value)
    assert caught.value.hint  # type: ignore[attr-defined]


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(folder: Path) -> None:
    made = language_models.tokenizer(True)
    made.add_tokens([f"new{i}" for i in range(9)])
    made.save_pretrained(folder)
    with pytest.raises(DataError, match="tokens in the tokenizer, 400 in the model"):
        load_local(folder, HERE)


def test_an_encoder_is_no_language_model_though_transformers_would_run_it(folder: Path) -> None:
    import transformers

    size = {"vocab_size": 400, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    made = transformers.BertConfig(**size, intermediate_size=32, initializer_range=0.3)
    transformers.BertForMaskedLM(made).save_pretrained(folder)
    with pytest.raises(ConfigError, match=r"no causal language model.*bert reads ahead"):
        load_local(folder, HERE)


def test_code_that_a_model_brings_along_is_never_run(folder: Path) -> None:
    (folder / "own.py").write_text("raise SystemExit('run')\n", encoding="utf-8")
    config(model_type="own", auto_map={"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"})(folder)
    with pytest.raises((ConfigError, DataError)):
        load_local(folder, HERE)


@pytest.mark.parametrize(("option", "value"), [("dtype", "float7"), ("device", "warp"), ("device", "cuda:77")])
def test_a_dtype_or_device_that_is_not_there_is_refused(folder: Path, option: str, value: str) -> None:
    with pytest.raises(ConfigError, match=value):
        load_local(folder, HERE, **{option: value})


def test_sampling_settings_beside_the_weights_do_not_leak_into_a_measurement(folder: Path) -> None:
    wanted = load_local(folder, HERE).complete(PROMPT, Generation(max_tokens=12))
    path = folder / "generation_config.json"
    loud = {
        "do_sample": True,
        "temperature": 3.0,
        "repetition_penalty": 5.0,
        "top_k": 3,
        "max_length": 3,
        "min_length": 9,
    }
    path.write_text(json.dumps({"eos_token_id": 2, **loud}), encoding="utf-8")
    assert load_local(folder, HERE).complete(PROMPT, Generation(max_tokens=12)) == wanted


def test_every_end_of_text_token_the_model_names_ends_a_text(folder: Path) -> None:
    (folder / "generation_config.json").write_text('{"eos_token_id": [5, 7]}', encoding="utf-8")
    assert load_local(folder, HERE)._tokens.ends >= {2, 5, 7}


def test_bfloat16_is_near_float32(folder: Path) -> None:
    exact, near = load_local(folder, HERE), load_local(folder, HERE, dtype="bfloat16")
    pair = [(language_models.TEXTS[0], language_models.TEXTS[4][:8])]
    a, b = exact.log_likelihoods(pair)[0], near.log_likelihoods(pair)[0]
    assert a.total == pytest.approx(b.total, rel=0.1)
    assert near.hidden_means(PROMPT)[0] @ exact.hidden_means(PROMPT)[0] > 0.99
    assert near.complete(PROMPT, Generation(max_tokens=5, temperature=0.5))[0].tokens == 5


def test_threads_are_those_of_the_settings(folder: Path) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        load_local(folder, Settings(offline=True, threads=2))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_reading_and_running_a_model_prints_nothing_and_opens_no_connection(folder: Path) -> None:
    code = f"""
import socket, sys
def refuse(*a, **k): raise SystemExit("a connection was asked for")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from pathlib import Path
from gnomon.core.settings import Settings
from gnomon.llm.client import Generation
from gnomon.llm.local import load_local
model = load_local(Path({str(folder)!r}), Settings())
model.complete(["The " * 20, ""], Generation(max_tokens=4, stop=("zz",)))
model.log_likelihoods([("The", " star")])
"""
    env = {"HOME": str(folder), "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env=env, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_local_model_is_a_client_and_says_how_long_a_text_it_reads(folder: Path) -> None:
    model: LocalModel = load_local(folder, HERE)
    assert model.context == language_models.CONTEXT
