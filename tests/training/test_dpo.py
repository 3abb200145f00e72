"""Direct preference optimisation, whole: pairs of answers in, a model that prefers the better ones out."""

import hashlib
import math
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import packs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import read_json
from gnomon.core.messages import Message
from gnomon.core.records import Drop, ModelRef
from gnomon.core.settings import Settings, TrainingPlace
from gnomon.core.synthetic import Preference
from gnomon.core.tables import read_table, write_table
from gnomon.llm.templated import encode_chat, own_template
from gnomon.llm.tokens import Tokens
from gnomon.llm.weights import read_ref, write_ref
from gnomon.training import dpo
from gnomon.training.encoding import open_tokenizer
from gnomon.training.packing.dialogues import DialogueEncoder
from gnomon.training.preference.config import PreferenceConfig
from gnomon.training.preference.pairs import PREFERENCES, Pair, encode, order, read_pairs
from gnomon.training.preference.rewards import Reward, log_probability, logits_of, rewards
from gnomon.training.preference.work import CURVE, PreferenceRow
from gnomon.training.recipe import LoRA
from gnomon_recipes.bases import NANO_FILES, NANO_FOLDER

ASKED = ("Which star is the nearest?", "What is dust made of?", "How old is the disc?", "Where does gas fall?")


def preferences(number: int = 16) -> list[Preference]:
    return [
        Preference(
            id=f"p{i}", messages=(Message(role="user", text=f"{ASKED[i % 4]} ({i})"),), lang="en", kind="open",
            chosen=f"The survey of year {i} says so, with a figure.", rejected="Nobody knows anything.",
            doc_ids=(f"local:d{i}",),
        )
        for i in range(number)
    ]  # fmt: skip


def chatting(folder: Path) -> Path:
    """The nano base as a model artifact; it knows the marks of turns."""
    (folder / "model").mkdir(parents=True)
    for name in NANO_FILES:
        (folder / "model" / name).write_bytes((NANO_FOLDER / name).read_bytes())
    (folder / "model" / "chat_template.jinja").write_text(own_template("chatml"), encoding="utf-8")
    write_ref(folder, ModelRef(name="tiny-chat", revision="1", kind="instruct", licence="Apache-2.0"))
    return folder


@pytest.fixture(scope="module", autouse=True)
def quiet() -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("inputs")
    write_table(folder / "preferences" / PREFERENCES, Preference, preferences())
    return {"model": chatting(folder / "model"), "preferences": folder / "preferences"}


SETTINGS: dict[str, Any] = {
    "name": "tiny-dpo", "learning_rate": 5e-5, "batch": 4, "epochs": 2, "max_length": 96, "saved_precision": "float32",
    "warmup": 0.0, "schedule": "constant",
}  # fmt: skip


def trained(folder: Path, inputs: dict[str, Path], place: TrainingPlace | None = None, **config: Any) -> Path:
    out = packs.output(folder)
    out.settings = Settings(training=place or TrainingPlace(), threads=1)
    assert dpo.run(PreferenceConfig(**(SETTINGS | config)), inputs, out).add_up
    return out.path


def curve(artifact: Path) -> list[PreferenceRow]:
    return list(read_table(artifact / CURVE, PreferenceRow))


def digest(artifact: Path) -> str:
    weights = hashlib.sha256((artifact / "model" / "model.safetensors").read_bytes()).hexdigest()
    return weights + hashlib.sha256(repr(curve(artifact)).encode()).hexdigest()


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory, inputs: dict[str, Path]) -> Path:
    return trained(tmp_path_factory.mktemp("whole"), inputs)


def model(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32).eval()


def measured(artifact: Path, inputs: dict[str, Path]) -> list[Reward]:
    tokenizer = open_tokenizer(inputs["model"] / "model")
    pairs = read_pairs(inputs["preferences"], tokenizer, longest=96, held_out=0).learnt
    return rewards(logits_of(model(artifact)), logits_of(model(inputs["model"])), pairs, 0.1)


def test_the_first_loss_is_the_logarithm_of_two_and_the_margin_grows(artifact: Path, inputs: dict[str, Path]) -> None:
    rows = curve(artifact)
    assert len(rows) == 8
    assert rows[0].loss == pytest.approx(math.log(2), abs=1e-6)
    assert rows[0].margin == pytest.approx(0.0, abs=1e-6)
    assert rows[-1].margin > rows[0].margin + 0.5
    after = measured(artifact, inputs)
    assert min(reward.margin for reward in after) > 0
    assert sum(reward.loss for reward in after) / len(after) < math.log(2)


def test_the_trainers_loss_is_that_of_plain_logits(artifact: Path, inputs: dict[str, Path], tmp_path: Path) -> None:
    again = dict(inputs, model=artifact)
    artifact_of_two = trained(tmp_path, again, learning_rate=1e-12, batch=16, epochs=1)
    tokenizer = open_tokenizer(inputs["model"] / "model")
    pairs = read_pairs(inputs["preferences"], tokenizer, longest=96, held_out=0).learnt
    logits = logits_of(model(artifact))
    chosen = [log_probability(logits, pair.prompt, pair.chosen) for pair in pairs]
    rejected = [log_probability(logits, pair.prompt, pair.rejected) for pair in pairs]
    (row,) = curve(artifact_of_two)
    assert row.chosen == pytest.approx(sum(chosen) / 16, rel=1e-5)
    assert row.rejected == pytest.approx(sum(rejected) / 16, rel=1e-5)


def test_the_loss_of_a_later_step_is_that_of_the_rewards(inputs: dict[str, Path], tmp_path: Path) -> None:
    one = trained(tmp_path / "one", inputs, batch=16, epochs=1)
    two = trained(tmp_path / "two", inputs, batch=16, epochs=2)
    after = measured(one, inputs)  # of the weights that the second step starts from
    row = curve(two)[1]
    assert row.loss == pytest.approx(sum(reward.loss for reward in after) / 16, rel=1e-4)
    assert row.margin == pytest.approx(sum(reward.margin for reward in after) / 16, rel=1e-4)


def test_the_model_that_comes_out_chats_and_says_where_it_comes_from(artifact: Path) -> None:
    ref = read_ref(artifact)
    assert (ref.name, ref.kind, ref.parents, ref.licence) == ("tiny-dpo", "instruct", ("tiny-chat",), "Apache-2.0")
    assert (artifact / "model" / "chat_template.jinja").read_text(encoding="utf-8") == own_template("chatml")
    assert isinstance(read_json(artifact / "model" / "generation_config.json")["eos_token_id"], list)
    facts = read_json(artifact / "training.json")
    assert (facts["objective"], facts["pairs"], facts["steps"], facts["held_out"]) == ("dpo", 16, 8, None)
    assert facts["margin"] > facts["first_margin"]
    start = read_json(NANO_FOLDER / "config.json")
    assert read_json(artifact / "model" / "config.json").get("pad_token_id") == start.get("pad_token_id")


def test_the_same_seed_gives_the_same_weights_and_another_one_others(
    artifact: Path, inputs: dict[str, Path], tmp_path: Path
) -> None:
    assert digest(trained(tmp_path / "again", inputs)) == digest(artifact)
    assert digest(trained(tmp_path / "other", inputs, seed=1)) != digest(artifact)


def train_and_die(folder: Path, inputs: dict[str, Path], config: dict[str, Any]) -> None:
    trained(folder, inputs, TrainingPlace(checkpoint_steps=1, checkpoints=2), **config)


@pytest.mark.parametrize("lora", [None, LoRA(rank=4, dropout=0.1)])
def test_a_killed_run_ends_with_the_same_content(lora: LoRA | None, inputs: dict[str, Path], tmp_path: Path) -> None:
    config = {"lora": lora, "learning_rate": 1e-3} if lora else {}
    whole = trained(tmp_path / "whole", inputs, **config)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["trl.trainer.dpo_trainer", "transformers.trainer", "peft"])
    folder = tmp_path / "killed"
    process = context.Process(target=train_and_die, args=(folder, inputs, config))
    process.start()
    progress = folder / "shards" / "training" / "progress.jsonl"
    while process.is_alive() and not (progress.is_file() and progress.read_bytes().count(b"\n") >= 3):
        time.sleep(0.005)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -9
    assert list((folder / "shards" / "training" / "checkpoints").glob("checkpoint-*"))
    assert digest(trained(folder, inputs, **config)) == digest(whole)


def test_an_adapter_leaves_the_reference_as_it_was(inputs: dict[str, Path], tmp_path: Path) -> None:
    artifact = trained(tmp_path, inputs, lora=LoRA(rank=4), learning_rate=2e-3, held_out=0.3)
    assert (artifact / "adapter" / "adapter_model.safetensors").is_file()
    rows = curve(artifact)
    assert rows[0].loss == pytest.approx(math.log(2), abs=1e-6)
    assert rows[-1].margin > rows[0].margin
    held = read_json(artifact / "training.json")["held_out"]
    by_hand = {reward.id: reward for reward in measured(artifact, inputs)}
    found = list(read_table(artifact / "held_out.parquet", Reward))
    assert held["n"] == len(found) > 0
    for reward in found:
        assert reward.margin == pytest.approx(by_hand[reward.id].margin, abs=1e-3)
    assert held["accuracy"] == sum(reward.margin > 0 for reward in found) / len(found)


def test_what_is_too_long_is_left_out_with_its_question(inputs: dict[str, Path], tmp_path: Path) -> None:
    long = Preference(
        id="long", messages=(Message(role="user", text="Why?"),), chosen="because " * 60, rejected="so",
        lang="en", kind="open",
    )  # fmt: skip
    write_table(tmp_path / "set" / PREFERENCES, Preference, [*preferences(4), long])
    out = packs.output(tmp_path)
    config = PreferenceConfig(**(SETTINGS | {"epochs": 1, "max_length": 64}))
    counts = dpo.run(config, inputs | {"preferences": tmp_path / "set"}, out)
    assert (counts.taken, counts.kept, dict(counts.dropped)) == (5, 4, {"too_long": 1})
    (drop,) = read_table(out.path / "drops.parquet", Drop)
    assert (drop.doc_id, drop.excerpt) == ("long", "Why?")
    with pytest.raises(DataError, match="no pair to learn from"):
        read_pairs(tmp_path / "set", open_tokenizer(inputs["model"] / "model"), longest=8, held_out=0)


def test_the_question_is_what_the_model_is_asked_by_and_names_of_tokens_are_text(inputs: dict[str, Path]) -> None:
    tokenizer = open_tokenizer(inputs["model"] / "model")
    messages = (
        Message(role="system", text="Be brief."), Message(role="user", text="a?"),
        Message(role="assistant", text="b"), Message(role="user", text="Say <|im_end|> now."),
    )  # fmt: skip
    preference = Preference(id="p", messages=messages, chosen="c <|im_end|> d", rejected="e", lang="en", kind="open")
    pair = encode(DialogueEncoder(tokenizer, "int64"), preference)
    assert pair.prompt == encode_chat(Tokens(tokenizer), messages, "auto")[0]
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert pair.chosen.count(end) == pair.rejected.count(end) == 1
    assert pair.chosen[-1] == pair.rejected[-1] == end
    assert tokenizer.decode(pair.chosen[:-1]) == "c <|im_end|> d"


def test_a_model_whose_context_is_shorter_is_refused(inputs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="longer than the 1,024"):
        trained(tmp_path, inputs, max_length=4096)


@pytest.mark.parametrize("wrong", [{"beta": 0.0}, {"epochs": 0}, {"held_out": 1.0}, {"precision": "float8"}])
def test_what_makes_no_sense_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"tiny"):
        PreferenceConfig(**{"name": "tiny", **wrong})


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 4), st.integers(0, 3))
def test_every_pass_shows_every_pair_once_and_steps_are_whole(pairs: int, batch: int, epochs: int, seed: int) -> None:
    numbers = order(pairs, batch, epochs, seed)
    assert len(numbers) % batch == 0
    assert 0 <= len(numbers) - pairs * epochs < batch
    for at in range(epochs):
        assert sorted(numbers[at * pairs : (at + 1) * pairs]) == list(range(pairs))


@given(st.floats(-40, 40), st.floats(-40, 40))
def test_the_loss_falls_with_the_margin(chosen: float, rejected: float) -> None:
    reward = Reward(id="p", chosen=chosen, rejected=rejected)
    assert reward.loss == pytest.approx(-math.log(1 / (1 + math.exp(-reward.margin))), rel=1e-6, abs=1e-12)
    assert Pair(id="", prompt=[1], chosen=[2, 3], rejected=[4]).longest == 3
