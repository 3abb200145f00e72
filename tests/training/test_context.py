import pytest
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from gnomon.core.errors import ConfigError
from gnomon.training import shapes
from gnomon.training.context import METHODS, ExtendConfig, adjusted_base, extend, follow

SHORT, LONG = 16, 64
SHAPE = shapes.Shape(layers=2, hidden=32, intermediate=48, heads=4, kv_heads=2, context=SHORT)
IDS = shapes.TokenIds(vocab_size=61, eos=0, bos=1)


@pytest.fixture
def kept(tmp_path):
    shapes.build(SHAPE, IDS, seed=3).save_pretrained(tmp_path)
    return tmp_path


def opened(folder, **config) -> transformers.PreTrainedModel:
    base = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    extended = extend(base, ExtendConfig(**config))
    return transformers.AutoModelForCausalLM.from_pretrained(folder, config=extended, local_files_only=True).eval()


def frequencies(model) -> torch.Tensor:
    return model.model.rotary_emb.inv_freq


@pytest.mark.parametrize("method", METHODS)
def test_an_extended_model_reads_past_its_old_context_and_generates_there(kept, method, caplog) -> None:
    model = opened(kept, context=LONG, method=method)
    ids = torch.randint(2, 61, (1, LONG - 8), generator=torch.Generator().manual_seed(0))
    assert torch.isfinite(model(ids, labels=ids).loss)
    written = model.generate(ids, max_new_tokens=8, min_new_tokens=8, do_sample=False, pad_token_id=0)
    assert written.shape == (1, LONG)
    assert not caplog.records


@pytest.mark.parametrize("method", METHODS)
def test_the_extended_context_is_kept_with_the_model(kept, tmp_path, method) -> None:
    model = opened(kept, context=LONG, method=method)
    model.save_pretrained(tmp_path / "long")
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "long", local_files_only=True)
    assert again.config.max_position_embeddings == LONG
    assert again.config.rope_parameters == model.config.rope_parameters
    ids = torch.arange(2, 50)[None]
    assert torch.equal(again(ids).logits, model(ids).logits)


def test_weights_stay_and_the_given_configuration_too(kept) -> None:
    base = transformers.AutoModelForCausalLM.from_pretrained(kept, local_files_only=True)
    before = base.config.to_dict()
    extended = opened(kept, context=LONG, method="yarn")
    extend(base.config, ExtendConfig(context=LONG, method="yarn"))
    assert base.config.to_dict() == before
    assert all(torch.equal(p, q) for p, q in zip(base.parameters(), extended.parameters(), strict=True))


def test_linear_slows_every_rotation_alike(kept) -> None:
    old = frequencies(transformers.AutoModelForCausalLM.from_pretrained(kept, local_files_only=True))
    assert torch.allclose(frequencies(opened(kept, context=LONG, method="linear")), old / 4)


def test_the_adjusted_base_keeps_the_fastest_rotation_and_slows_the_slowest_by_the_factor(kept) -> None:
    old = frequencies(transformers.AutoModelForCausalLM.from_pretrained(kept, local_files_only=True))
    new = frequencies(opened(kept, context=LONG))
    assert new[0] == old[0]
    assert torch.allclose(new[-1], old[-1] / 4)
    assert (new <= old).all()


def test_a_stated_base_is_taken(kept) -> None:
    assert opened(kept, context=LONG, rope_theta=500_000.0).config.rope_parameters["rope_theta"] == 500_000.0


def test_yarn_lies_between_untouched_and_linear_and_sharpens_attention(kept) -> None:
    old = frequencies(transformers.AutoModelForCausalLM.from_pretrained(kept, local_files_only=True))
    model = opened(kept, context=LONG, method="yarn")
    new = frequencies(model)
    assert (new <= old * (1 + 1e-6)).all()
    assert (new >= old / 4 * (1 - 1e-6)).all()
    assert model.model.rotary_emb.attention_scaling == pytest.approx(1 + 0.1 * torch.log(torch.tensor(4.0)).item())


def test_generation_and_tokenizer_follow(kept) -> None:
    model = opened(kept, context=LONG)
    model.generation_config.max_length = SHORT
    words = Tokenizer(WordLevel({f"w{n}": n for n in range(61)}, unk_token="w0"))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=SHORT)
    follow(model, tokenizer)
    assert (tokenizer.model_max_length, model.generation_config.max_length) == (LONG, LONG)
    model.generation_config.max_length = None
    follow(model)
    assert model.generation_config.max_length is None


def test_the_cluster_scale_reaches_65536(kept) -> None:
    config = shapes.model_config(shapes.LLMJP_4_8B, shapes.TokenIds(vocab_size=196_608, eos=2))
    long = extend(config, ExtendConfig(context=65_536, factor=16))
    assert long.max_position_embeddings == 65_536
    assert long.rope_parameters["rope_theta"] == pytest.approx(adjusted_base(500_000.0, 16, 128))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"context": SHORT}, "16 is not longer than the 16"),
        ({"context": 8}, "8 is not longer"),
        ({"context": LONG, "factor": 8.0}, "factor 8 does not fit 16 -> 64 tokens, which is 4"),
        ({"context": LONG, "method": "magic"}, "'magic' is not known"),
        ({"context": LONG, "method": "yarn", "rope_theta": 1e6}, "no meaning"),
        ({"context": LONG, "rope_theta": 5_000.0}, "5000 is not above the base's 10000"),
        ({"context": -1}, "must be positive"),
    ],
)
def test_nonsense_is_refused(kept, changes, told) -> None:
    with pytest.raises(ConfigError, match=told):
        opened(kept, **changes)


def test_what_was_stretched_is_not_stretched_again(kept) -> None:
    once = opened(kept, context=LONG, method="yarn").config
    with pytest.raises(ConfigError, match="already stretched by 'yarn'"):
        extend(once, ExtendConfig(context=4 * LONG))


def test_a_raised_base_can_be_raised_again(kept) -> None:
    once = opened(kept, context=LONG).config
    twice = extend(once, ExtendConfig(context=4 * LONG))
    at_once = extend(shapes.model_config(SHAPE, IDS), ExtendConfig(context=4 * LONG))
    assert twice.rope_parameters["rope_theta"] == pytest.approx(at_once.rope_parameters["rope_theta"])


def test_a_model_without_rotary_positions_is_refused() -> None:
    with pytest.raises(ConfigError, match="'gpt2' has no rotary positions"):
        extend(transformers.GPT2Config(n_positions=16), ExtendConfig(context=LONG))
