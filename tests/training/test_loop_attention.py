"""Attention and loss never cross a document's border."""

import itertools
from pathlib import Path

import loop_kit as kit
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gnomon.training.loop import attention
from gnomon.training.loop.batches import Collator
from gnomon.training.loop.opening import open_model
from gnomon.training.packed import NO_TARGET, PackedTokens


def lengths() -> st.SearchStrategy[list[int]]:
    return st.lists(st.one_of(st.integers(1, 12), st.integers(250, 530)), min_size=1, max_size=4)


@given(lengths(), st.integers(0, 2**31), st.sampled_from([(1, 1), (4, 2), (4, 1)]))
@example([attention.QUERIES, 1, 2 * attention.QUERIES], 0, (4, 2))
@settings(max_examples=25)
def test_blocks_are_what_a_mask_of_pieces_would_give(pieces: list[int], seed: int, heads: tuple[int, int]) -> None:
    """Values and gradients against PyTorch's attention with the mask written out, with grouped queries too."""
    generator = torch.Generator().manual_seed(seed)
    borders = [0, *itertools.accumulate(pieces)]
    tokens, width = borders[-1], 8

    def fresh(count: int) -> torch.Tensor:
        return torch.randn(1, count, tokens, width, generator=generator, requires_grad=True)

    query, key, value = fresh(heads[0]), fresh(heads[1]), fresh(heads[1])
    piece = torch.repeat_interleave(torch.arange(len(pieces)), torch.tensor(pieces))
    mask = (piece[:, None] == piece[None]).tril()
    wanted = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, enable_gqa=True)
    found, _ = attention._blocks(
        None, query, key, value, None, cu_seq_lens_q=torch.tensor(borders), scaling=width**-0.5
    )
    found = found.transpose(1, 2)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    above = torch.randn(wanted.shape, generator=generator)
    for one, other in zip(
        *(torch.autograd.grad(out, (query, key, value), above) for out in (found, wanted)), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit.ground(tmp_path_factory.mktemp("ground"))


def losses(model, batch: dict) -> torch.Tensor:
    labels = batch.pop("labels")
    shifted = batch.pop("shift_labels", None)
    logits = model(**batch, use_cache=False).logits[0]
    targets = shifted[0] if shifted is not None else torch.cat([labels[0, 1:], torch.tensor([NO_TARGET])])
    return torch.nn.functional.cross_entropy(logits, targets, ignore_index=NO_TARGET, reduction="sum")


@pytest.mark.parametrize("padded", [False, True])
def test_a_micro_batch_holds_every_target_and_padding_only_where_it_is_wanted(ground: Path, padded: bool) -> None:
    tokens = PackedTokens(ground / "pack" / "work")
    numbers = [*range(len(tokens)), -1]
    rows, batch = tokens.rows(numbers[:-1]), Collator(tokens, pad=2, padded=padded)(numbers)
    stored = int(rows.segments[:, 2].sum())
    length = len(numbers) * tokens.context if padded else stored
    assert {batch[name].shape for name in ("input_ids", "position_ids", "labels", "shift_labels")} == {(1, length)}
    assert int((batch["shift_labels"] != NO_TARGET).sum()) == rows.targets
    assert batch["cu_seq_lens_q"][-1] == length
    assert stored < rows.ids.size


def test_a_micro_batch_of_blank_rows_is_something_a_model_can_see_and_learns_nothing(ground: Path) -> None:
    batch = Collator(PackedTokens(ground / "pack" / "work"), pad=2)([-1, -1])
    assert batch["input_ids"].tolist() == [[2] * 8]
    assert (batch["labels"] == NO_TARGET).all()


@pytest.mark.parametrize("shape", ["llama", "qwen3", "qwen3_moe"])
def test_the_loss_of_a_packed_batch_is_that_of_its_documents_one_by_one(
    shape: str, ground: Path, tmp_path: Path
) -> None:
    """Loss and gradients, one by one with transformers' own attention."""
    tokens = PackedTokens(ground / "pack" / "work")
    job = kit.job(tmp_path, ground, shape=shape)
    packed, plain = open_model(job, "cpu"), open_model(job, "cpu")
    plain.set_attn_implementation("sdpa")
    together = losses(packed, Collator(tokens, pad=2)([0, 1, 2, -1]))
    together.backward()
    rows = tokens.rows([0, 1, 2])
    alone = torch.tensor(0.0)
    for row, begin, length in rows.segments.tolist():
        ids = torch.from_numpy(np.ascontiguousarray(rows.ids[row, begin : begin + length]))[None]
        labels = torch.from_numpy(np.ascontiguousarray(rows.labels[row, begin : begin + length]))[None]
        loss = losses(plain, {"input_ids": ids, "labels": labels})
        loss.backward()
        alone = alone + loss.detach()
    assert rows.targets > 100
    torch.testing.assert_close(together.detach() / rows.targets, alone / rows.targets, atol=1e-5, rtol=1e-5)
    for (name, one), other in zip(packed.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-4, rtol=1e-4, msg=lambda text, n=name: f"{n}: {text}")


def test_models_whose_attention_is_more_than_causal_are_left_to_transformers() -> None:
    from transformers import AutoConfig

    assert attention.choose(AutoConfig.for_model("llama"), "cpu") == attention.BLOCKS
    assert attention.choose(AutoConfig.for_model("gemma2"), "cpu") == "sdpa"
    assert attention.choose(AutoConfig.for_model("mistral", sliding_window=128), "cpu") == "sdpa"
