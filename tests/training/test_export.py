"""An exported model is what others' programs expect, and its card says what is known and nothing else."""

from pathlib import Path
from typing import Any

import packs
import pytest
import yaml
from huggingface_hub import ModelCard
from huggingface_hub.repocard import metadata_load

from gnomon.core.errors import ConfigError
from gnomon.core.files import write_json
from gnomon.core.records import ModelRef
from gnomon.llm.templated import own_template
from gnomon.llm.weights import write_ref
from gnomon.training.export.card import Facts, card, front_matter
from gnomon.training.export.modelfile import modelfile
from gnomon.training.export.step import ExportConfig, measures_of, run
from gnomon_recipes.bases import NANO_FILES, NANO_FOLDER

REF = ModelRef(
    name="gnomon/tiny-chat", revision="sha256:1", kind="instruct", licence="Apache-2.0", parents=("gnomon/nano-base",)
)


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "artifact"
    (folder / "model").mkdir(parents=True)
    for name in NANO_FILES:
        (folder / "model" / name).write_bytes((NANO_FOLDER / name).read_bytes())
    (folder / "model" / "chat_template.jinja").write_text(own_template("chatml"), encoding="utf-8")
    write_ref(folder, REF)
    write_json(
        folder / "training.json", {"tokens": 1234, "steps": 5, "sequences_per_step": 4, "context": 1024, "loss": 3.5}
    )
    return folder


def measured(folder: Path) -> Path:
    value = {"value": 20.123, "low": 19.0, "high": 21.5, "n": 40}
    tests = {"by_time": {"models": {"final": {"perplexity": value}, "base": {"perplexity": {**value, "value": 99.0}}}}}
    models = {"final": {"ref": {"revision": "sha256:1"}}, "base": {"ref": {"revision": "sha256:0"}}}
    write_json(folder / "perplexity.json", {"models": models, "tests": tests})
    return folder


def exported(tmp_path: Path, artifact: Path, **config: Any) -> Path:
    tokens = tmp_path / "tokens"
    tokens.mkdir(exist_ok=True)
    source = {"licences": {"CC0-1.0": 3, "": 1}, "documents": 4, "tokens": 999, "repeats": 1.5}
    write_json(tokens / "pack.json", {"sources": {"notes": source}})
    (tmp_path / "measure").mkdir(exist_ok=True)
    out = packs.output(tmp_path / "out")
    inputs = {"model": artifact, "tokens": tokens, "measure:perplexity": measured(tmp_path / "measure")}
    assert run(ExportConfig(**config), inputs, out).add_up
    return out.path


def test_an_export_loads_by_transformers_and_carries_its_template(tmp_path: Path, artifact: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = exported(tmp_path, artifact)
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.hidden_size == 224
    assert "<|im_start|>user" in tokenizer.apply_chat_template([{"role": "user", "content": "a"}], tokenize=False)
    assert not (folder / "Modelfile").exists()


def test_gguf_files_come_with_a_modelfile_that_ends_turns(tmp_path: Path, artifact: Path) -> None:
    folder = exported(tmp_path, artifact, quants=("f16", "q8_0"))
    assert {path.name for path in folder.glob("*.gguf")} == {"tiny-chat-f16.gguf", "tiny-chat-q8_0.gguf"}
    text = (folder / "Modelfile").read_text(encoding="utf-8")
    assert text.startswith("FROM ./tiny-chat-q8_0.gguf\nPARAMETER num_ctx 1024\n")
    assert 'PARAMETER stop "<|im_end|>"' in text
    assert "{{- range .Messages }}<|im_start|>{{ .Role }}" in text


def test_a_strangers_template_is_left_to_ollama(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {"max_position_embeddings": 64})
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    assert modelfile(tmp_path, "m.gguf") == "FROM ./m.gguf\nPARAMETER num_ctx 64\n"


def test_the_card_says_what_is_known_in_the_hubs_own_terms(tmp_path: Path, artifact: Path) -> None:
    folder = exported(tmp_path, artifact, languages=("en", "ja"), purpose="For tests.", limits="Knows nothing.")
    data = metadata_load(folder / "README.md")
    assert data is not None
    assert (data["license"], data["language"], data["base_model"]) == ("apache-2.0", ["en", "ja"], ["gnomon/nano-base"])
    text = ModelCard.load(folder / "README.md").text
    for line in (
        "| notes | CC0-1.0 | 4 | 999 | 1.50 |",
        "1,234 targets in 5 steps of 4 rows of 1,024 tokens, last loss 3.500",
        "| perplexity per token | by_time | 20.12 [19.00, 21.50] (n = 40) |",
        "vllm serve gnomon/tiny-chat --reasoning-parser deepseek_r1",
        "thinking: on",
        "Knows nothing.",
    ):
        assert line in text, line
    assert "99.0" not in text, "figures of another model"


def test_the_data_of_every_stage_are_in_the_card(tmp_path: Path, artifact: Path) -> None:
    inputs = {"model": artifact}
    for stage, tokens in (("cpt", 5_000), ("sft", 70)):
        (tmp_path / stage).mkdir()
        source = {"licences": {"CC0-1.0": 3}, "documents": 4, "tokens": tokens, "repeats": 1.0}
        write_json(tmp_path / stage / "pack.json", {"sources": {"notes": source}})
        inputs[f"tokens:{stage}"] = tmp_path / stage
    out = packs.output(tmp_path / "out")
    run(ExportConfig(), inputs, out)
    text = (out.path / "README.md").read_text(encoding="utf-8")
    assert "| notes, cpt | CC0-1.0 | 4 | 5,000 | 1.00 |" in text
    assert "| notes, sft | CC0-1.0 | 4 | 70 | 1.00 |" in text


def test_a_card_of_preferences_speaks_of_pairs() -> None:
    training = {
        "objective": "dpo", "beta": 0.1, "pairs": 120, "steps": 15, "sequences_per_step": 8, "loss": 0.61,
        "held_out": {"n": 30, "accuracy": 0.8, "margin": 0.25, "loss": 0.6},
    }  # fmt: skip
    text = card(Facts(ref=REF, training=training))
    assert "(beta 0.1) on 120 pairs of answers, in 15 steps of 8; at its end the loss is 0.610." in text
    assert "Of 30 pairs held out, the wanted answer is rewarded more in 80.0%, by 0.250 in the mean." in text
    assert "nats a token" not in text


def test_duties_and_naming_of_licences_are_in_the_card() -> None:
    duty = "meta/llama (llama3.1): a published name must begin with 'Llama', and show 'Built with Llama'"
    text = card(Facts(ref=REF, duties=(duty,)))
    assert "**Built with Llama.**" in text
    assert f"- {duty}" in text
    assert "Nothing was measured." in text


@pytest.mark.parametrize(
    ("licence", "wanted"),
    [("MIT", "mit"), ("CC0-1.0", "cc0-1.0"), ("llama3.1", "llama3.1"), ("my own", "other"), ("", "other")],
)
def test_licences_are_those_the_hub_knows(licence: str, wanted: str) -> None:
    data = yaml.safe_load(front_matter(Facts(ref=ModelRef(name="m", licence=licence))))
    assert data["license"] == wanted
    assert data.get("license_name") == ({"my own": "my own", "": "not-stated"}.get(licence))


def test_an_exam_is_told_of_the_model_it_was_taken_by(tmp_path: Path) -> None:
    refs = {
        "final": {"name": REF.name, "revision": "sha256:1"},
        "small": {"name": f"{REF.name}:q4_0", "revision": "sha256:9", "parents": [REF.name]},
        "base": {"name": "gnomon/nano-base", "revision": "sha256:0"},
        "other": {"name": "another:q4_0", "revision": "sha256:8", "parents": ["another"]},
    }
    arms = {name: {"mode": "letter", "open_book": False, "ref": ref} for name, ref in refs.items()}
    arms["chance"] = {"mode": "", "open_book": False}
    value = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 100}
    sat = {name: {"accuracy": None if name == "other" else value} for name in arms}
    write_json(tmp_path / "exam.json", {"arms": arms, "exams": {"starter": {"label": "", "arms": sat}}})
    assert sorted(measures_of(tmp_path, REF)) == [
        ("accuracy, letter, closed book", "starter", "0.500 [0.400, 0.600] (n = 100)"),
        ("accuracy, letter, closed book, q4_0", "starter", "0.500 [0.400, 0.600] (n = 100)"),
    ]


def test_an_unknown_kind_is_refused_before_anything_is_written(tmp_path: Path, artifact: Path) -> None:
    with pytest.raises(ConfigError, match=r"q9.*q8_0"):
        exported(tmp_path, artifact, quants=("q9",))
    assert not list((tmp_path / "out" / "work").iterdir())
