"""``bench/packing_throughput.py``: equal work for every arm, and what is made of the runs."""

import sys
from pathlib import Path

import pytest
import torch

BENCH = str(Path(__file__).parents[2] / "bench")


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    import packing_throughput

    yield packing_throughput
    for name in ("packing_throughput", "packing_mix"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("arm", ["trl bfd", "trl bfd rows"])
def test_packed_arms_take_as_many_rows_a_step(bench, arm: str) -> None:
    found = bench.micro_batches(arm, rows=4, context=1_024, length=300.0)
    assert found["per_device_train_batch_size"] * found["gradient_accumulation_steps"] == 4


@pytest.mark.parametrize("length", [50.0, 233.0, 380.0, 1_000.0])
def test_the_unpacked_arm_takes_about_as_many_useful_tokens_a_step(bench, length: float) -> None:
    found = bench.micro_batches("trl", rows=4, context=1_024, length=length)
    documents = found["per_device_train_batch_size"] * found["gradient_accumulation_steps"]
    assert documents * length == pytest.approx(4_096, rel=0.15)
    assert found["per_device_train_batch_size"] <= 2 * bench.PADDED


def run(arm: str, seed: int, rate: float, loss: float) -> dict:
    return {
        "arm": arm, "seed": seed, "precision": "float32", "malloc": False, "rate": rate, "cpu_rate": rate / 2, "steps": 5, "targets": 100,
        "load": [1.0, 2.0], "attention": "sdpa", "losses": [[loss * 10, 10.0], [loss * 30, 30.0]],
    }  # fmt: skip


def test_speeds_are_compared_within_a_round(bench) -> None:
    found = [run("gnomon", 0, 200, 5.0), run("trl", 0, 100, 5.1), run("gnomon", 1, 50, 5.0), run("trl", 1, 20, 4.9)]
    ours, theirs = bench.summary(found, "float32")
    assert theirs["ours_over_it_by_round"] == [2.0, 2.5]
    assert theirs["loss_minus_ours"]["value"] == pytest.approx(0.0, abs=1e-9)
    assert theirs["loss_minus_ours_by_seed"] == [0.1, -0.1]
    assert ours["loss"]["value"] == pytest.approx(5.0)
    assert "| trl, float32 | 60 (100, 20) | 30 |" in bench.table([ours, theirs])


def test_a_look_over_a_border_is_seen(bench) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=32,
    ))  # fmt: skip
    ids = torch.randint(3, 32, (1, 12))
    batch = {"input_ids": ids, "position_ids": torch.tensor([[*range(7), *range(5)]])}
    assert bench.leak(model, batch) == 0
    assert bench.leak(model, {**batch, "attention_mask": torch.ones_like(ids)}) > 0
