"""Scores of local models equal those of plain loops over single texts, in any batch."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import settings as law
from hypothesis import strategies as st
from language_models import CONTEXT, KINDS, TEXTS, model

from gnomon.core.errors import ConfigError, DataError, RunError
from gnomon.llm.client import Generation, LogLikelihood, TooLong
from gnomon.llm.likelihood import windows
from gnomon.llm.local import LocalModel

Local = Callable[..., LocalModel]
EVERY = [*KINDS, "mixture", "dynamic"]
ENDINGS = [" star", " galaxy that turns", "銀河", "x", " a"]
PAIRS = [(text[: 7 + 3 * i], ending) for i, text in enumerate(TEXTS) for ending in ENDINGS]
SHORT = [(context[:4], ending[:4]) for context, ending in PAIRS]


def plain(kind: str, ids: list[int]) -> npt.NDArray[np.float32]:
    """Log-probabilities of the whole vocabulary after each token, by one forward of one text."""
    with torch.inference_mode():
        logits = model(kind)(torch.tensor([ids])).logits[0]
    table: npt.NDArray[np.float32] = logits.double().log_softmax(-1).float().numpy()
    return table


def by_hand(kind: str, client: LocalModel, context: str, continuation: str) -> LogLikelihood:
    before, whole = client.encode(context.rstrip()), client.encode(context + continuation)
    table = plain(kind, whole)
    places = range(len(before), len(whole))
    total = sum(float(table[i - 1, whole[i]]) for i in places)
    return LogLikelihood(
        total=total, tokens=len(places), greedy=all(int(table[i - 1].argmax()) == whole[i] for i in places)
    )


@pytest.mark.parametrize("kind", EVERY)
def test_log_likelihoods_equal_a_plain_loop_whether_contexts_are_shared_or_not(local: Local, kind: str) -> None:
    client = local(kind)
    pairs = SHORT if kind == "dynamic" else PAIRS
    shared = client.log_likelihoods(pairs)
    alone = [client.log_likelihoods([pair])[0] for pair in pairs]
    for pair, a, b in zip(pairs, shared, alone, strict=True):
        wanted = by_hand(kind, client, *pair)
        assert (a.tokens, a.greedy) == (b.tokens, b.greedy) == (wanted.tokens, wanted.greedy)
        assert a.total == pytest.approx(wanted.total, abs=1e-5 * a.tokens)
        assert a.total == pytest.approx(b.total, abs=1e-5 * a.tokens)


def test_the_most_probable_continuation_is_greedy(local: Local) -> None:
    client, seen = local(), 0
    for context in (text[:n].rstrip() for text in TEXTS for n in (3, 8, 12)):
        ids = client.encode(context)
        best = int(plain("llama", ids)[-1].argmax())
        text = client.decode([best])
        if client.encode(context + text) == [*ids, best]:
            seen += 1
            greedy, other = client.log_likelihoods([(context, text), (context, "q" if text != "q" else "z")])
            assert (greedy.greedy, other.greedy) == (True, False)
    assert seen > 3


def test_white_space_at_the_end_of_a_context_belongs_to_the_continuation(local: Local) -> None:
    client = local()
    moved, told = client.log_likelihoods([("The faint  ", "galaxy"), ("The faint", "  galaxy")])
    assert moved == told


def test_an_empty_continuation_is_certain_and_an_empty_context_is_the_beginning(local: Local) -> None:
    for bos in (True, False):
        client = local(bos=bos)
        nothing, begun = client.log_likelihoods([("The", ""), ("", "The")])
        assert nothing == LogLikelihood(total=0.0, tokens=0, greedy=True)
        first = 1 if bos else 2
        ids = client.encode("The", bos=False)
        table = plain("llama", [first, *ids])
        assert begun.tokens == len(ids)
        assert begun.total == pytest.approx(sum(float(table[i, token]) for i, token in enumerate(ids)), abs=1e-5)


def test_a_continuation_that_merges_into_its_context_still_has_a_score(local: Local) -> None:
    client = local(bos=False)
    merged = next(t for t in ["The", "ar", "st", "in", "th"] if len(client.encode(t)) == 1)
    found = client.log_likelihoods([(merged[0], merged[1:])])[0]
    assert found.tokens >= 1
    assert found.total < 0


def test_a_pair_fills_the_context_to_the_last_token_and_no_further(local: Local) -> None:
    client = local()
    text = "x" * (CONTEXT - 1)
    assert client.log_likelihoods([(text, "q")])[0].tokens == 1
    with pytest.raises(DataError, match=rf"{CONTEXT + 1} tokens.*reads {CONTEXT}"):
        client.log_likelihoods([(text + "x", "q")])


def test_no_pairs_no_sequences_no_texts_give_nothing(local: Local) -> None:
    client = local()
    assert client.log_likelihoods([]) == []
    assert client.token_log_probs([]) == []
    assert client.hidden_means([]).shape == (0, 32)


@law(max_examples=15, deadline=None)
@given(st.data())
def test_the_score_of_a_pair_does_not_depend_on_its_batch(local: Local, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["llama", "sliding", "gemma"]))
    pairs = data.draw(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=20))
    found = local(kind, batch_tokens=data.draw(st.sampled_from([1, 90, 4096]))).log_likelihoods(pairs)
    for pair, one in zip(pairs, found, strict=True):
        assert one.total == pytest.approx(local(kind).log_likelihoods([pair])[0].total, abs=1e-5 * one.tokens)


@pytest.mark.parametrize("padding", [0, 3, 10_000])
@pytest.mark.parametrize("kind", ["llama", "sliding"])
def test_continuations_are_batched_by_length_without_changing_a_score(
    local: Local, monkeypatch: pytest.MonkeyPatch, kind: str, padding: int
) -> None:
    wanted = local(kind).log_likelihoods(PAIRS)
    monkeypatch.setattr("gnomon.llm.likelihood.PADDING", padding)
    for one, other in zip(local(kind, batch_tokens=48).log_likelihoods(PAIRS), wanted, strict=True):
        assert (one.tokens, one.greedy) == (other.tokens, other.greedy)
        assert one.total == pytest.approx(other.total, abs=1e-5 * one.tokens)


# Sliding windows ------------------------------------------------------------------------------


@given(st.integers(0, 300), st.integers(2, 40), st.data())
def test_windows_score_every_token_once_with_enough_to_their_left(
    length: int, context: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, context - 1))
    found = list(windows(length, context, stride))
    assert [i for w in found for i in range(w.scored, w.end)] == list(range(1, length))
    for w in found:
        assert w.end - w.start <= context
        assert all(i - w.start >= min(i, context - stride) for i in range(w.scored, w.end))
    assert all(b.start - a.start == stride for a, b in pairwise(found))


def hugging_face(kind: str, ids: list[int], context: int, stride: int) -> list[float]:
    """The loop of Hugging Face's guide, window by window."""
    found: list[float] = []
    previous = 0
    for begin in range(0, len(ids), stride):
        end = min(begin + context, len(ids))
        window = ids[begin:end]
        table = plain(kind, window)
        new = end - previous
        found += [float(table[i - 1, window[i]]) for i in range(len(window) - new, len(window)) if i > 0]
        previous = end
        if end == len(ids):
            break
    return found


@pytest.mark.parametrize("kind", ["llama", "qwen", "yarn", "sliding"])
@pytest.mark.parametrize("stride", [1 + CONTEXT // 8, None, CONTEXT - 1])
def test_token_log_probs_equal_the_strided_loop_of_hugging_face(local: Local, kind: str, stride: int | None) -> None:
    client = local(kind)
    ids = [client.encode(text * times) for text, times in zip(TEXTS, [1, 3, 2, 1, 4], strict=True)] + [[1], [], [1, 9]]
    found = client.token_log_probs(ids, stride)
    for row, values in zip(ids, found, strict=True):
        assert values.dtype == np.float32
        assert values.shape == (max(0, len(row) - 1),)
        assert values == pytest.approx(hugging_face(kind, row, CONTEXT, stride or CONTEXT // 2), abs=1e-5)


@pytest.mark.parametrize("kind", ["llama", "dynamic", "gemma"])
def test_token_log_probs_do_not_depend_on_batch_or_block(
    local: Local, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [local(kind).encode(text * 2) for text in TEXTS]
    alone = [local(kind).token_log_probs([row])[0] for row in ids]
    small = local(kind, batch_tokens=100)
    monkeypatch.setattr(small._forward, "block", 1000)  # three positions of the vocabulary at once
    for a, b in zip(alone, small.token_log_probs(ids), strict=True):
        assert a == pytest.approx(b, abs=1e-5)


def test_logits_of_a_large_vocabulary_are_never_made_whole(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    client = local(batch_tokens=2048)
    seen: list[int] = []
    head = client._forward._head

    def watched(states: torch.Tensor) -> object:
        seen.append(states.shape[0])
        return head(states)

    monkeypatch.setattr(client._forward, "_head", watched)
    monkeypatch.setattr(client._forward, "block", 20 * 400)
    client.token_log_probs([client.encode(text * 2) for text in TEXTS])
    assert max(seen) == 20


@pytest.mark.parametrize("stride", [0, -1, CONTEXT, 10**6])
def test_a_stride_outside_the_context_is_refused(local: Local, stride: int) -> None:
    with pytest.raises(ConfigError, match=rf"stride = {stride}.*1 to {CONTEXT - 1}"):
        local().token_log_probs([[1, 2]], stride)


@pytest.mark.parametrize("row", [[1, 400], [-1, 3]])
def test_ids_of_another_vocabulary_are_refused(local: Local, row: list[int]) -> None:
    with pytest.raises(DataError, match=r"Sequence 1 holds the token (400|-1).*has 400"):
        local().token_log_probs([[1, 2], row])


def test_weights_that_hold_nan_are_an_error_not_a_score(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    client = local("llama", batch_tokens=64)
    head = client._forward._head
    monkeypatch.setattr(client._forward, "_head", lambda states: head(states) * float("nan"))
    with pytest.raises(RunError, match="no number"):
        client.token_log_probs([[1, 5, 9]])


def test_a_head_that_is_not_ours_to_repeat_is_run_whole(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    client = local("gemma", batch_tokens=256)
    wanted = client.log_likelihoods(PAIRS)
    ids = [client.encode(text) for text in TEXTS]
    probs = client.token_log_probs(ids)
    monkeypatch.setattr(client._forward, "apart", False)
    for a, b in zip(wanted, client.log_likelihoods(PAIRS), strict=True):
        assert a.total == pytest.approx(b.total, abs=1e-5 * a.tokens)
    for a, b in zip(probs, client.token_log_probs(ids), strict=True):
        assert a == pytest.approx(b, abs=1e-5)


# Hidden states --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("bos", [True, False])
def test_hidden_means_equal_a_plain_mean_without_bos_in_any_batch(local: Local, kind: str, bos: bool) -> None:
    client = local(kind, bos=bos)
    limit = 12
    found = client.hidden_means(TEXTS, limit)
    for text, vector in zip(TEXTS, found, strict=True):
        ids = client.encode(text)[: limit + bos]
        with torch.inference_mode():
            states = model(kind)(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0, bos:]
        mean = states.mean(0)
        assert vector == pytest.approx((mean / mean.norm()).numpy(), abs=1e-5)
        assert vector == pytest.approx(client.hidden_means([text], limit)[0], abs=1e-5)
    assert found.dtype == np.float32


def test_a_text_without_tokens_points_along_the_diagonal_and_a_long_one_is_cut(local: Local) -> None:
    client = local()
    empty, long, cut = client.hidden_means(["", "x" * 500, "x" * (CONTEXT - 1)])
    assert np.allclose(empty, 32**-0.5)
    assert np.allclose(long, cut, atol=1e-6)


# Token by token ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_token_of_a_text_and_its_continuation_has_its_score_and_its_place(local: Local, kind: str) -> None:
    client, prompt = local(kind), TEXTS[0]
    found = client.score(prompt, Generation(max_tokens=6, temperature=1.0, seed=2), tops=3)
    assert found.completion == client.complete([prompt], Generation(max_tokens=6, temperature=1.0, seed=2))[0]
    ids = client.encode(prompt)
    table = plain(kind, ids)
    own = ids[len(ids) - len(found.prompt) :]
    for place, (token, one) in enumerate(zip(own, found.prompt, strict=True), len(ids) - len(own)):
        assert one.text == prompt[one.start : one.start + len(one.text)]
        if place:
            assert one.log_prob == pytest.approx(float(table[place - 1, token]), abs=1e-5)
            assert one.top[0][1] == pytest.approx(float(table[place - 1].max()), abs=1e-5)
            assert len(one.top) == 3
    assert found.written[0].start == len(prompt)
    assert "".join(one.text for one in found.written).startswith(found.completion.text)


def test_scores_of_tokens_add_up_to_the_likelihood_of_a_continuation(local: Local) -> None:
    client, alike = local(), 0
    for context, after in PAIRS:
        scored = client.score(context + after, None)
        border = len(context.rstrip())
        assert scored.completion.tokens == 0
        own = [one for one in scored.prompt if one.start >= border]
        (wanted,) = client.log_likelihoods([(context, after)])
        if wanted.tokens == len(own):  # no token spans the border
            alike += 1
            assert sum(one.log_prob or 0.0 for one in own) == pytest.approx(wanted.total, abs=1e-4)
    assert alike > len(PAIRS) / 2


def test_without_a_token_before_it_the_first_has_no_score(local: Local) -> None:
    found = local(bos=False).score("A star", None, tops=1)
    assert found.prompt[0].log_prob is None
    assert found.prompt[0].top == ()
    assert local(bos=False).score("", None).prompt == ()
    with pytest.raises(TooLong):
        local().score("word " * 400, None)
