import subprocess
import sys

import pytest

from gnomon.runs.step import Step
from gnomon.training import estimates, steps
from gnomon.training.recipe import TrainConfig
from gnomon.training.shapes import LLMJP_4_8B_TWIN
from gnomon.training.tokenizer import TokenizerConfig


@pytest.fixture(autouse=True)
def two_cores_and_no_gpu(monkeypatch) -> None:
    monkeypatch.setattr(estimates.shutil, "which", lambda name: None)
    monkeypatch.setattr(estimates.os, "cpu_count", lambda: 2)


def config(**changes) -> TrainConfig:
    return TrainConfig(**{"name": "nano", "shape": LLMJP_4_8B_TWIN, **changes})


def test_fifteen_million_tokens_take_two_cores_about_two_hours_or_less_in_bfloat16() -> None:
    slow = estimates.train(config(steps=458, batch=32), 0, 0)
    fast = estimates.train(config(steps=458, batch=32, precision="bfloat16"), 0, 0)
    assert 0.5 < fast.hours < slow.hours < 3
    assert slow.usd == 0


def test_tokens_are_guessed_from_documents_until_they_are_known() -> None:
    assert estimates.train(config(), 42_000, 0).hours == pytest.approx(estimates.train(config(), 21_000, 0).hours * 2)


def test_a_graphics_processor_is_faster(monkeypatch) -> None:
    slow = estimates.train(config(), 1_000, 0)
    monkeypatch.setattr(estimates.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert estimates.train(config(), 1_000, 0).hours < slow.hours / 100


def test_a_base_that_is_not_there_yet_has_no_estimate() -> None:
    assert estimates.train(config(shape=None), 1_000, 0) is None


def test_training_steps_name_their_estimate_and_asking_it_loads_no_torch() -> None:
    tokenizer = Step(name="training/tokenizer", entry="x:y", version=1, config=TokenizerConfig())
    step = steps.pretrain(tokenizer, tokenizer, name="nano", shape=LLMJP_4_8B_TWIN)
    assert step.estimate == "gnomon.training.estimates:train"
    code = "import gnomon.training.estimates, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
