import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError
from gnomon.training import shapes
from gnomon.training.shapes import Shape, TokenIds

IDS = TokenIds(vocab_size=61, eos=0, bos=1, pad=2)
TINY = {"layers": 2, "hidden": 16, "intermediate": 24, "heads": 4, "kv_heads": 2, "context": 32}
EXPERTS = {"experts": 4, "experts_per_token": 2}


def tiny(architecture: str = "llama", **changes) -> Shape:
    experts = EXPERTS if architecture in shapes.MIXTURES else {}
    return Shape(**{"architecture": architecture, **TINY, **experts, **changes})


def counted(config) -> int:
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    return sum(p.numel() for p in model.parameters())


@st.composite
def any_shape(draw) -> Shape:
    architecture = draw(st.sampled_from(shapes.ARCHITECTURES))
    kv_heads = draw(st.integers(1, 3))
    heads = kv_heads * draw(st.integers(1, 3))
    experts = draw(st.integers(1, 5)) if architecture in shapes.MIXTURES else 0
    return Shape(
        architecture=architecture,
        layers=draw(st.integers(1, 3)),
        hidden=heads * 2 * draw(st.integers(1, 6)),
        intermediate=draw(st.integers(1, 50)),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=draw(st.sampled_from([0, 2, 6, 8])),
        tie_embeddings=draw(st.booleans()),
        experts=experts,
        experts_per_token=draw(st.integers(1, experts)) if experts else 0,
        vocab_multiple=draw(st.sampled_from([1, 7, 64])),
    )


@settings(max_examples=40, deadline=None)
@given(shape=any_shape())
def test_the_arithmetic_counts_what_torch_counts(shape: Shape) -> None:
    assert shapes.parameters(shape, IDS.vocab_size)[0] == counted(shapes.model_config(shape, IDS))


@pytest.mark.parametrize("name", shapes.NAMED)
def test_named_shapes_count_right_too(name: str) -> None:
    shape = shapes.NAMED[name]
    assert shapes.parameters(shape, 8_192)[0] == counted(shapes.model_config(shape, TokenIds(vocab_size=8_192, eos=0)))


def test_the_shapes_of_llm_jp_4_have_the_parameters_on_their_cards() -> None:
    assert shapes.parameters(shapes.LLMJP_4_8B, 196_608) == (8_590_200_832, 8_590_200_832)
    assert shapes.parameters(shapes.LLMJP_4_32B_A3B, 196_608) == (32_139_028_992, 3_827_476_992)


def test_other_bases_have_their_published_parameters() -> None:
    assert shapes.parameters(shapes.LLAMA_2_7B, 32_000)[0] == 6_738_415_616
    assert shapes.parameters(shapes.LLAMA_3_8B, 128_256)[0] == 8_030_261_248


@pytest.mark.parametrize("name", ["llmjp_4_8b_twin", "llmjp_4_32b_a3b_twin"])
def test_twins_have_about_five_million_parameters(name: str) -> None:
    total, active = shapes.parameters(shapes.NAMED[name], 8_192)
    assert 4.5e6 < total < 5.6e6
    assert active <= total


@pytest.mark.parametrize("architecture", shapes.ARCHITECTURES)
def test_a_fresh_model_is_about_as_surprised_as_a_die(architecture: str) -> None:
    model = shapes.build(tiny(architecture), IDS, seed=1)
    ids = torch.arange(3, 19)[None]
    loss = model(input_ids=ids, labels=ids).loss.item()
    assert loss == pytest.approx(torch.log(torch.tensor(61.0)).item(), abs=0.1)
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("architecture", shapes.ARCHITECTURES)
def test_equal_seeds_give_equal_weights_whatever_was_drawn_before(architecture: str) -> None:
    torch.manual_seed(5)
    first = shapes.build(tiny(architecture), IDS, seed=1).state_dict()
    torch.randn(7)
    before = torch.get_rng_state()
    second = shapes.build(tiny(architecture), IDS, seed=1).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = shapes.build(tiny(architecture), IDS, seed=2).state_dict()
    assert not torch.equal(first["model.embed_tokens.weight"], other["model.embed_tokens.weight"])


@pytest.mark.parametrize("architecture", shapes.ARCHITECTURES)
def test_layers_write_into_the_residual_stream_more_softly_the_deeper_the_model(architecture: str) -> None:
    model = shapes.build(tiny(architecture, layers=8, hidden=32, intermediate=64), IDS, seed=1)
    spread = {name: p.std().item() for name, p in model.named_parameters() if p.dim() >= 2}
    written = [s for name, s in spread.items() if "o_proj" in name or "down_proj" in name]
    rest = [s for name, s in spread.items() if "o_proj" not in name and "down_proj" not in name]
    assert len(written) == 16
    assert all(s == pytest.approx(0.02 / 4, rel=0.15) for s in written)
    assert all(s == pytest.approx(0.02, rel=0.25) for s in rest)


@pytest.mark.parametrize("architecture", shapes.MIXTURES)
def test_the_loss_of_a_mixture_holds_the_router_loss(architecture: str) -> None:
    ids = torch.arange(3, 19)[None]
    model = shapes.build(tiny(architecture, router_loss=0.5), IDS, seed=1)
    found = model(input_ids=ids, labels=ids)
    plain = torch.nn.functional.cross_entropy(found.logits[0, :-1], ids[0, 1:])
    assert found.aux_loss.item() > 0
    assert found.loss.item() == pytest.approx((plain + 0.5 * found.aux_loss).item(), rel=1e-5)


def test_a_pad_id_that_ends_documents_is_no_padding_row() -> None:
    model = shapes.build(tiny(), TokenIds(vocab_size=61, eos=4, pad=4), seed=1)
    assert model.config.pad_token_id is None
    assert model.generation_config.pad_token_id == 4
    assert model.get_input_embeddings().weight[4].abs().sum() > 0


def test_a_model_is_the_same_after_it_was_kept(tmp_path) -> None:
    model = shapes.build(tiny("qwen3_moe"), IDS, seed=1)
    model.save_pretrained(tmp_path)
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, local_files_only=True)
    ids = torch.arange(3, 19)[None]
    assert torch.equal(model(ids).logits, again(ids).logits)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"architecture": "rnn"}, "'rnn', known are llama"),
        ({"layers": 0}, "at least 1"),
        ({"hidden": 18}, "hidden 18 is not a multiple of 4 heads"),
        ({"kv_heads": 3}, "4 heads is not a multiple of 3"),
        ({"head_dim": 3}, "must be even"),
        ({"experts": 4}, "llama has no experts"),
        ({"architecture": "mixtral"}, "experts_per_token 0"),
        ({"initializer_range": 0.0}, "initializer_range"),
        ({"rope_theta": 1.0}, "rope_theta"),
    ],
)
def test_impossible_shapes_are_refused(changes, told) -> None:
    with pytest.raises(ConfigError, match=told):
        Shape(**{**TINY, **changes})


def test_ids_outside_the_vocabulary_are_refused() -> None:
    with pytest.raises(ConfigError, match="eos id 61"):
        shapes.model_config(tiny(), TokenIds(vocab_size=61, eos=61))
