from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.capacity import training as plans
from gnomon.capacity.decoder import Decoder
from gnomon.capacity.hardware import CPU_CORE, H100, H200, KNOWN, hardware
from gnomon.capacity.memory import (
    CHECKPOINTING,
    LOSSES,
    PRECISIONS,
    Training,
    largest_micro_batch,
    lora_parameters,
    memory,
)
from gnomon.core.errors import ConfigError, NotFound

GIB = 2**30
LLAMA_8B = Decoder(vocab_size=128_256, layers=32, hidden=4_096, intermediate=14_336, heads=32, kv_heads=8, head_dim=128)
MIXTURE = Decoder(
    vocab_size=196_608, layers=32, hidden=2_560, intermediate=960, heads=40, kv_heads=4, head_dim=128, experts=128,
    experts_per_token=8, qk_norm=True,
)  # fmt: skip
TORCHTITAN = Training(decoder=LLAMA_8B, context=8_192, micro_batch=2, precision="mixed", checkpointing="selective")

trainings = st.builds(
    Training,
    decoder=st.sampled_from([LLAMA_8B, MIXTURE]),
    context=st.integers(64, 8_192),
    micro_batch=st.integers(1, 16),
    precision=st.sampled_from(sorted(PRECISIONS)),
    checkpointing=st.sampled_from(CHECKPOINTING),
    compiled=st.booleans(),
    loss=st.sampled_from(LOSSES),
    lora_rank=st.sampled_from([0, 8, 64]),
    ranks=st.sampled_from([1, 2, 8]),
)


@pytest.mark.parametrize(
    ("changes", "published"),
    [
        ({"ranks": 8}, 82.4),
        ({"ranks": 8, "compiled": True}, 77.0),
        ({"ranks": 128}, 67.0),
        ({"ranks": 128, "compiled": True}, 62.0),
        ({"ranks": 32, "compiled": True, "loss": "compiled"}, 47.96),
        ({"ranks": 64, "compiled": True, "loss": "compiled"}, 46.97),
    ],
)
def test_memory_is_within_eight_percent_of_what_torchtitan_published_for_8b(changes, published) -> None:
    assert memory(replace(TORCHTITAN, **changes)).total / GIB == pytest.approx(published, rel=0.08)


def test_speed_of_the_platform_and_of_torchtitan_as_mfu() -> None:
    assert plans.flops_per_token(LLAMA_8B, 8_192) == pytest.approx(5.79e10, rel=0.01)
    assert plans.mfu(LLAMA_8B, 8_192, 5_787, H200.bf16) == pytest.approx(0.339, abs=0.005)
    assert plans.mfu(LLAMA_8B, 8_192, 10_938, H200.fp8) == pytest.approx(0.32, abs=0.005)


def test_four_billion_tokens_take_a_node_of_h200_about_a_day() -> None:
    run = plans.Run(
        training=replace(TORCHTITAN, checkpointing="none", ranks=8),
        tokens=4e9,
        hardware=H200,
        devices=8,
        usd_per_hour=3.0,
    )
    estimate = plans.cost(run)
    assert estimate.hours == pytest.approx(24, rel=0.03)
    assert estimate.usd == pytest.approx(estimate.hours * 24)
    assert estimate.disk_bytes == 2 * LLAMA_8B.total
    assert estimate.memory_bytes > memory(run.training).total


def test_a_mixture_costs_what_its_active_parameters_cost() -> None:
    dense = plans.flops_per_token(LLAMA_8B, 4_096)
    assert 0.3 < plans.flops_per_token(MIXTURE, 4_096) / dense < 0.55
    assert memory(Training(decoder=MIXTURE, context=64)).weights == 4 * MIXTURE.total


@given(training=trainings)
def test_parts_add_up_and_more_sequences_never_take_less(training: Training) -> None:
    now, more = memory(training), memory(replace(training, micro_batch=training.micro_batch + 1))
    assert now.total == now.weights + now.gradients + now.states + now.activations + now.logits
    assert more.total > now.total


@given(training=trainings)
def test_every_way_to_save_memory_saves_some(training: Training) -> None:
    before = memory(training)
    assert memory(replace(training, ranks=64)).states < before.states or before.states < 64
    assert memory(replace(training, checkpointing="full")).activations <= before.activations
    assert memory(replace(training, loss="chunked")).logits <= memory(replace(training, loss="whole")).logits
    if not training.lora_rank:
        adapters = memory(replace(training, lora_rank=8))
        assert adapters.gradients + adapters.states < before.gradients + before.states


@given(training=trainings, gigabytes=st.integers(1, 400))
def test_the_largest_micro_batch_fits_and_the_next_does_not(training: Training, gigabytes: int) -> None:
    most = largest_micro_batch(training, gigabytes * GIB)
    assert most == 0 or memory(replace(training, micro_batch=most)).total <= gigabytes * GIB
    assert memory(replace(training, micro_batch=most + 1)).total > gigabytes * GIB


@given(training=trainings, gigabytes=st.integers(1, 400))
def test_whatever_is_offered_fits_and_never_exceeds_what_was_asked_for(training: Training, gigabytes: int) -> None:
    offered = plans.fits(training, gigabytes * GIB, H200)
    assert all(fit.memory_bytes <= gigabytes * GIB for fit in offered)
    batches = [fit.training.micro_batch for fit in offered]
    assert batches == sorted(set(batches))
    assert all(1 <= batch <= training.micro_batch for batch in batches)


def test_what_fits_as_asked_is_offered_alone() -> None:
    asked = Training(decoder=LLAMA_8B, context=8_192, precision="bf16", compiled=True, loss="chunked")
    (only,) = plans.fits(asked, H200.memory_bytes, H200)
    assert only.changed == ()
    assert only.training == asked
    assert only.describe("en").startswith("as asked, micro-batch 1: ")


def test_8b_on_one_gpu_needs_more_saving_the_smaller_it_is() -> None:
    asked = Training(decoder=LLAMA_8B, context=8_192, precision="mixed")
    (large,) = plans.fits(asked, H200.memory_bytes, H200)
    assert large.changed == ("chunked", "checkpointing", "adam8bit")
    (small,) = plans.fits(asked, H100.memory_bytes, H100)
    assert small.changed == ("chunked", "checkpointing", "lora")
    assert "LoRA of rank 16" in small.describe("en")
    assert "LoRA（ランク16）" in small.describe("ja")
    assert plans.fits(asked, 8 * GIB, H100) == []
    assert plans.fits(asked, 0, H100) == []


def test_adapters_count_as_lora_counts_them() -> None:
    assert lora_parameters(LLAMA_8B, 16) == 41_943_040


def test_recomputing_takes_time_and_adapters_save_it() -> None:
    plain = replace(TORCHTITAN, checkpointing="none")
    speeds = {
        name: plans.tokens_per_second(plans.Run(training=training, tokens=1, hardware=H200))
        for name, training in {
            "plain": plain,
            "full": replace(plain, checkpointing="full"),
            "lora": replace(plain, lora_rank=8),
        }.items()
    }
    assert speeds["full"] == pytest.approx(speeds["plain"] * 3 / 4)
    assert speeds["lora"] > speeds["plain"]


def test_a_laptop_core_trains_five_million_parameters_at_the_measured_speed() -> None:
    twin = Decoder(
        vocab_size=8_192, layers=4, hidden=256, intermediate=704, heads=8, kv_heads=2, head_dim=32, tied=True
    )
    training = Training(decoder=twin, context=1_024, micro_batch=4)
    run = plans.Run(training=training, tokens=1e6, hardware=CPU_CORE, arithmetic="float32")
    assert plans.tokens_per_second(run) == pytest.approx(2_748, rel=0.1)
    half = replace(run, arithmetic="bf16", training=replace(training, precision="autocast"))
    assert plans.tokens_per_second(half) == pytest.approx(3_984, rel=0.1)


def test_a_checkpoint_holds_weights_and_states() -> None:
    assert plans.checkpoint_bytes(Training(decoder=LLAMA_8B, context=64)) == 12 * LLAMA_8B.total


@pytest.mark.parametrize("name", KNOWN)
def test_hardware_is_found_by_name_with_its_source(name: str) -> None:
    device = hardware(name)
    assert device.source
    assert device.peak("fp8") >= device.peak("bf16") > device.peak("float32") > 0
    assert 0 < device.share("fp8") < 1


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(NotFound, match="'abacus'"):
        hardware("abacus")
    with pytest.raises(ConfigError, match="precision 'fp1'"):
        Training(decoder=LLAMA_8B, context=64, precision="fp1")
    with pytest.raises(ConfigError, match="checkpointing 'some'"):
        Training(decoder=LLAMA_8B, context=64, checkpointing="some")
