"""Local models continue texts: exactly, in any batch, and stop where they are told to."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as law
from hypothesis import strategies as st
from language_models import CONTEXT, KINDS, TEXTS, model

from gnomon.core.errors import ConfigError, DataError
from gnomon.llm import local_chat
from gnomon.llm.client import Generation, TooLong
from gnomon.llm.local import LocalModel
from gnomon.llm.sampling import Decoding

Local = Callable[..., LocalModel]
PROMPTS = [text[: 5 + 4 * i] for i, text in enumerate(TEXTS)]


def loop(kind: str, client: LocalModel, prompt: str, steps: int) -> str:
    """Greedy continuation without batch, padding or cache."""
    net, ids = model(kind), client.encode(prompt)
    start = len(ids)
    with torch.inference_mode():
        for _ in range(steps):
            token = int(net(torch.tensor([ids])).logits[0, -1].argmax())
            if token == 2:
                break
            ids.append(token)
    whole, before = client.decode(ids), client.decode(ids[:start])
    return whole[len(before) :]


@pytest.mark.parametrize("kind", [*KINDS, "mixture"])
def test_greedy_text_equals_a_plain_loop_without_batch_padding_or_cache(local: Local, kind: str) -> None:
    client = local(kind)
    found = client.complete(PROMPTS, Generation(max_tokens=12))
    assert [one.text for one in found] == [loop(kind, client, prompt, 12) for prompt in PROMPTS]


@law(max_examples=25, deadline=None)
@given(st.data())
def test_a_sampled_text_depends_on_prompt_and_seed_alone(local: Local, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["llama", "qwen", "sliding"]))
    prompts = data.draw(st.lists(st.sampled_from(PROMPTS), min_size=1, max_size=8))
    options = Generation(
        max_tokens=10, temperature=data.draw(st.sampled_from([0.3, 1.0, 2.0])),
        top_p=data.draw(st.sampled_from([0.5, 0.95, 1.0])), seed=data.draw(st.integers(0, 3)),
    )  # fmt: skip
    batch = local(kind, batch_tokens=data.draw(st.sampled_from([1, 70, 4096]))).complete(prompts, options)
    assert batch == [local(kind).complete([prompt], options)[0] for prompt in prompts]


def test_a_streamed_text_grows_into_what_complete_gives(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_chat, "WATCH_SECONDS", 0.001)
    client, options = local(), Generation(max_tokens=40, temperature=1.0, seed=1)
    grown = list(client.stream_complete(PROMPTS[3], options))
    assert grown[-1] == client.complete([PROMPTS[3]], options)[0]
    assert grown[-1].tokens_in == len(client.encode(PROMPTS[3]))
    assert all(len(one.text) <= len(other.text) for one, other in pairwise(grown[:-1]))
    with pytest.raises(TooLong, match=str(CONTEXT)):
        next(client.stream_complete("word " * 400, options))


def test_another_seed_or_another_prompt_has_other_noise(local: Local) -> None:
    client = local()
    texts = {
        client.complete([p], Generation(max_tokens=8, temperature=1.0, seed=s))[0].text
        for p in PROMPTS
        for s in range(3)
    }
    assert len(texts) == 15


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.7)])
def test_tokens_are_drawn_with_their_probabilities(local: Local, temperature: float, top_p: float) -> None:
    logits = torch.tensor([2.0, 1.5, 0.0, -1.0, 1.0, -30.0])
    count = 6000
    prompts = [f"prompt {i}" for i in range(count)]
    options = Generation(temperature=temperature, top_p=top_p)
    drawing = Decoding(prompts, [[1]] * count, local()._tokens, options)
    chosen = drawing.processors()(None, logits.repeat(count, 1)).argmax(1)
    found = torch.bincount(chosen, minlength=6) / count
    wanted = (logits / temperature).softmax(0)
    if top_p < 1:
        order = wanted.argsort(descending=True)
        kept = order[: int((wanted[order].cumsum(0) < top_p).sum()) + 1]
        wanted = torch.zeros(6).index_copy(0, kept, wanted[kept]) / wanted[kept].sum()
        assert not found[wanted == 0].any()
    assert found.numpy() == pytest.approx(wanted.numpy(), abs=4 * np.sqrt(0.25 / count))


# Ends -----------------------------------------------------------------------------------------


def test_text_ends_before_a_stop_string_even_across_the_borders_of_tokens(local: Local) -> None:
    client = local()
    for prompt in PROMPTS:
        whole = client.complete([prompt], Generation(max_tokens=20))[0]
        for start in range(len(whole.text) - 3):
            stop = whole.text[start : start + 3]
            found = client.complete([prompt], Generation(max_tokens=20, stop=("never", stop)))[0]
            assert found.text == whole.text[: whole.text.find(stop)]
            assert found.finish == "stop"
            assert found.tokens <= whole.tokens


def test_generation_ends_with_the_stop_string_and_does_not_go_on(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    client = local()
    whole = client.complete(PROMPTS[:1], Generation(max_tokens=20))[0]
    stop = whole.text[:2]
    assert client.complete(PROMPTS[:1], Generation(max_tokens=20, stop=(stop,)))[0].tokens <= 4


def test_rows_of_a_batch_end_each_at_its_own_place(local: Local) -> None:
    client = local()
    free = client.complete(PROMPTS, Generation(max_tokens=12))
    stop = free[2].text[4:6]
    found = client.complete(PROMPTS, Generation(max_tokens=12, stop=(stop,)))
    for before, after in zip(free, found, strict=True):
        assert after.text == before.text.partition(stop)[0]
        assert after.finish == ("stop" if stop in before.text else "length")


def test_the_end_of_text_token_ends_the_text_and_is_not_in_it(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    client = local()
    whole = client.complete(PROMPTS[:1], Generation(max_tokens=12))[0]
    ids = client.encode(PROMPTS[0])
    with torch.inference_mode():
        first = int(model("llama")(torch.tensor([ids])).logits[0, -1].argmax())
    monkeypatch.setattr(client._tokens, "ends", frozenset({first}))
    found = client.complete(PROMPTS[:1], Generation(max_tokens=12))[0]
    assert (found.text, found.tokens, found.finish) == ("", 1, "stop")
    assert whole.finish == "length"


# Prompts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bos", [True, False])
def test_an_empty_prompt_begins_a_text(local: Local, bos: bool) -> None:
    found = local(bos=bos).complete(["", "The"], Generation(max_tokens=4))
    assert [one.tokens for one in found] == [4, 4]


def test_an_empty_prompt_without_a_token_to_begin_with_is_an_error(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = local("llama", bos=False, batch_tokens=32)
    monkeypatch.setattr(client._tokens, "eos", None)
    with pytest.raises(DataError, match="neither a BOS nor an EOS"):
        client.complete([""], Generation())


def test_a_prompt_may_fill_the_context_but_for_one_token(local: Local) -> None:
    client = local()
    most, short = client.complete(["x" * (CONTEXT - 2), "The"], Generation(max_tokens=9))
    assert (most.tokens, most.finish, short.tokens) == (1, "length", 9)
    with pytest.raises(DataError, match=rf"{CONTEXT + 1} tokens.*reads {CONTEXT}.*Shorten"):
        client.complete(["x" * (CONTEXT - 1)], Generation(max_tokens=1))


def test_no_row_runs_past_the_last_position_of_a_model_with_learnt_positions(local: Local) -> None:
    client = local("gpt2")
    found = client.complete(["x" * (CONTEXT - 4), "The", "x" * (CONTEXT - 2)], Generation(max_tokens=40))
    assert [one.tokens for one in found] == [3, 40, 1]


def test_names_of_special_tokens_in_a_text_are_plain_text(local: Local) -> None:
    client = local()
    ids = client.encode("a</s><s>b<unk>")
    assert ids[0] == 1
    assert not {0, 1, 2} & set(ids[1:])
    assert client.decode(ids) == "a</s><s>b<unk>"


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_any_text_is_encoded_and_comes_back(local: Local, text: str) -> None:
    client = local()
    wanted = text.encode("utf-8", "replace").decode("utf-8")
    assert client.decode(client.encode(text)) == wanted


@pytest.mark.parametrize("text", ["\ud800", "\x00", "💫" * 5, "銀河" * 4, " ", "\n\n"])
def test_odd_prompts_are_continued(local: Local, text: str) -> None:
    assert local().complete([text], Generation(max_tokens=3, temperature=1.0))[0].tokens == 3


def test_no_prompts_no_texts(local: Local) -> None:
    assert local().complete([], Generation()) == []


@pytest.mark.parametrize(
    "wrong", [{"max_tokens": 0}, {"temperature": -1.0}, {"temperature": float("nan")}, {"top_p": 0.0}, {"top_p": 1.1},
              {"stop": ("",)}, {"stop": "ab"}],
)  # fmt: skip
def test_options_outside_their_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Generation(**wrong)
