"""What a run learns does not depend on how it is cut up; what it must not learn stops it; all of it can be watched."""

import itertools
import random
from dataclasses import replace
from pathlib import Path

import loop_kit as kit
import numpy as np
import pytest
import torch

from gnomon.core.errors import ConfigError, TrainingError
from gnomon.core.files import read_json
from gnomon.training.loop.arguments import schedule, trackers
from gnomon.training.loop.guard import Guard
from gnomon.training.loop.work import work
from gnomon.training.recipe import LoRA, TrainConfig


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit.ground(tmp_path_factory.mktemp("ground"))


@pytest.mark.parametrize("shape", list(kit.SHAPES))
def test_rows_a_device_takes_at_a_time_change_nothing(shape: str, ground: Path, tmp_path: Path) -> None:
    jobs = []
    for micro in (1, 4):
        jobs.append(kit.job(tmp_path / str(micro), ground, shape=shape, place={"micro_batch": micro}, steps=3))
        work(jobs[-1])
    tolerance = 1e-3 if shape == "qwen3_moe" else 1e-5  # how busy experts are is judged in each micro-batch
    for one, four in zip(kit.curve(jobs[0]), kit.curve(jobs[1]), strict=True):
        assert one.loss == pytest.approx(four.loss, abs=tolerance)
        assert one.tokens == four.tokens


def test_gradient_checkpointing_changes_nothing_and_bfloat16_little(ground: Path, tmp_path: Path) -> None:
    ways = {"plain": {}, "again": {"place": {"gradient_checkpointing": True}}, "half": {"precision": "bfloat16"}}
    jobs = {name: kit.job(tmp_path / name, ground, steps=4, **way) for name, way in ways.items()}
    for job in jobs.values():
        work(job)
    assert kit.digest(jobs["again"]) == kit.digest(jobs["plain"])
    for half, whole in zip(kit.curve(jobs["half"]), kit.curve(jobs["plain"]), strict=True):
        assert half.loss == pytest.approx(whole.loss, rel=0.01)
        assert half.loss != whole.loss


def test_the_result_is_a_model_that_knows_what_it_is(ground: Path, tmp_path: Path) -> None:
    job = kit.job(tmp_path, ground, saved_precision="bfloat16", steps=2)
    work(job)
    config = read_json(job.result / "model" / "config.json")
    assert (config["dtype"], config["architectures"], config["use_cache"]) == ("bfloat16", ["LlamaForCausalLM"], True)
    assert all(value.dtype == torch.bfloat16 for value in kit.weights(job).values())
    assert "lm_head.weight" not in kit.weights(job)  # it is the embedding, and written once
    assert read_json(job.result / "model" / "tokenizer_config.json")["model_max_length"] == kit.CONTEXT
    facts = read_json(job.result / "training.json")
    assert (facts["steps"], facts["tokens"]) == (2, kit.curve(job)[-1].tokens)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing.:FutureWarning")  # PEFT asks by a name that goes
def test_an_adapter_changes_the_model_by_what_it_says(ground: Path, tmp_path: Path) -> None:
    """The merged model is the base with the adapter on it, as PEFT puts it on; the base itself has not moved."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    job = kit.job(tmp_path, ground, lora=LoRA(rank=2), steps=3, learning_rate=0.05)
    work(job)
    ids = torch.arange(10, 40)[None]
    base = AutoModelForCausalLM.from_pretrained(job.start, dtype=torch.float32)
    before = base(ids).logits.detach()
    adapted = PeftModel.from_pretrained(base, job.result / "adapter")(ids).logits.detach()
    merged = AutoModelForCausalLM.from_pretrained(job.result / "model", dtype=torch.float32)(ids).logits.detach()
    torch.testing.assert_close(merged, adapted, atol=1e-5, rtol=1e-5)
    assert (merged - before).abs().max() > 1e-3
    assert kit.curve(job)[-1].loss < kit.curve(job)[0].loss


def rates(steps: int, **settings: object) -> list[float]:
    """The learning rate of every step, as transformers gives it for our settings."""
    from transformers import get_scheduler

    config = TrainConfig(name="toy", learning_rate=1.0, **settings)
    course = schedule(config, steps)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = get_scheduler(
        course["lr_scheduler_type"], optimizer, num_warmup_steps=course["warmup_steps"], num_training_steps=steps,
        scheduler_specific_kwargs=course.get("lr_scheduler_kwargs"),
    )  # fmt: skip
    found = []
    for _ in range(steps):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def test_cosine_rises_to_the_peak_and_falls_to_its_share() -> None:
    found = rates(100, schedule="cosine", warmup=0.1, final=0.1)
    assert found[:11] == pytest.approx([i / 10 for i in range(11)])
    assert found[10] == max(found)
    assert all(a > b for a, b in itertools.pairwise(found[10:]))
    assert found[55] == pytest.approx(0.55, abs=0.01)
    assert found[-1] == pytest.approx(0.1, abs=0.002)


def test_warm_up_stable_decay_is_flat_between() -> None:
    found = rates(100, schedule="wsd", warmup=0.1, decay=0.2, final=0.05)
    assert found[10:81] == pytest.approx([1.0] * 71)
    assert all(a > b for a, b in itertools.pairwise(found[80:]))
    assert found[-1] == pytest.approx(0.05, abs=0.02)
    assert rates(50, schedule="constant", warmup=0.1)[5:] == pytest.approx([1.0] * 45)


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_documents(ground: Path, tmp_path: Path) -> None:
    job = kit.job(tmp_path, ground, learning_rate=1e30, clip=0.0, place={"checkpoint_steps": 1})
    with pytest.raises(
        TrainingError, match=r"stopped at step \d+: .* hold \d+ documents: local:toy-\d+.*lower learning_rate"
    ):
        work(job)
    for checkpoint in job.checkpoints.glob("checkpoint-*"):  # none with spoilt weights is left
        values = torch.load(checkpoint / "optimizer.pt", weights_only=True)["state"]
        assert all(torch.isfinite(v["exp_avg"]).all() for v in values.values())


def test_a_row_whose_loss_leaps_stops_the_run_and_is_named(tmp_path: Path) -> None:
    """28 steps on one sentence, and noise in step 26 (rows 100 to 103)."""
    import packs

    from gnomon.training.packed import PackedTokens

    rng = random.Random(0)
    texts = ["star galaxy dust " * 3] * 112
    shelf = packs.shelf(tmp_path / "documents", [packs.document(i, text) for i, text in enumerate(texts)])
    tokenizer = packs.letters(tmp_path / "tokenizer")
    packs.pack(tmp_path / "pack", tokenizer, {"toy": shelf}, context=kit.CONTEXT)
    kit.start(tmp_path / "llama", tokenizer)
    tokens = PackedTokens(tmp_path / "pack" / "work")
    assert len(tokens) == 112
    file = tokens.folder / "tokens.bin"
    rows = np.memmap(file, np.dtype(tokens.facts["dtype"]), mode="r+", shape=(112, kit.CONTEXT))
    rows[100:104] = [[rng.randrange(10, 250) for _ in range(kit.CONTEXT)] for _ in range(4)]
    rows.flush()
    job = kit.job(tmp_path / "job", tmp_path, steps=0, learning_rate=0.03, spike=1.0)
    with pytest.raises(TrainingError, match=r"at step 26: .*rows 100 to 103 hold 4 documents: .*") as caught:
        work(job)
    assert all(name in str(caught.value) for name in tokens.documents([100, 101, 102, 103]))
    work(replace(job, config=replace(job.config, spike=0.0), folder=tmp_path / "bold"))


def test_a_gradient_that_is_no_number_stops_before_its_weights_are_kept() -> None:
    class Tokens:
        def __len__(self) -> int:
            return 8

        def documents(self, rows: list[int]) -> list[str]:
            return [f"local:{row}" for row in rows]

    guard = Guard(Tokens(), batch=2, spike=2.0)
    guard.look(1, {"loss": 5.0, "grad_norm": 1.0}, [])
    guard.look(2, {"loss": 50.0, "grad_norm": 1.0}, [{"loss": 5.0}])  # too early to call it a spike
    with pytest.raises(TrainingError, match=r"step 3: .*norm nan.*rows 4 to 5 hold 2 documents: local:4, local:5"):
        guard.look(3, {"loss": 5.0, "grad_norm": float("nan")}, [])


def test_every_step_can_be_read_back_from_tensorboard_files(ground: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    job = kit.job(tmp_path, ground, steps=3)
    work(job)
    events = EventAccumulator(str(job.logs))
    events.Reload()
    written = [(event.step, event.value) for event in events.Scalars("train/loss")]
    assert written == [(row.step, pytest.approx(row.loss)) for row in kit.curve(job)]
    assert {"train/learning_rate", "train/grad_norm"} <= set(events.Tags()["scalars"])


def test_other_trackers_are_told_only_when_asked_for_and_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    assert trackers(()) == ["tensorboard"]
    with pytest.raises(ConfigError, match="'prophet' is unknown or not installed"):
        trackers(("prophet",))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="'wandb' is unknown or not installed"):
        trackers(("wandb",))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert trackers(("wandb", "mlflow")) == ["tensorboard", "wandb", "mlflow"]
