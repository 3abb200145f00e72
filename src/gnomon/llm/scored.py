"""A text token by token: how probable each was where it stands, and what would have been more so.

Probabilities are the model's own, before temperature. A token's characters are those that the tokenizer read for it,
or, of one that was written, those it added to the text.
"""

from collections.abc import Sequence
from itertools import accumulate

from gnomon.llm.client import Completion, Scored, ScoredToken
from gnomon.llm.forward import Forward
from gnomon.llm.tokens import Tokens


def scored(
    forward: Forward, tokens: Tokens, prompt: str, ids: tuple[list[int], list[int]], made: Completion, tops: int
) -> Scored:
    """Every token of a prompt and its continuation with its log-probability.

    Args:
        forward: Runs the model.
        tokens: The tokenizer.
        prompt: The text before.
        ids: The prompt's ids, as the model was run on them, and those written after it.
        made: The continuation.
        tops: How many of the most probable tokens are told of each place.

    Raises:
        RunError: The weights give something that is not a number.
    """
    read, written = ids
    places = tokens.places(prompt)
    texts = [prompt[start:end] for start, end in places] + _texts(tokens, read, written)
    starts = [start for start, _ in places] + _starts(len(prompt), texts[len(places) :])
    whole = [*read, *written]
    values, top = _values(forward, tokens, whole, tops)
    skipped = len(read) - len(places)  # BOS, or the one token before an empty text
    found = [
        ScoredToken(text=text, start=start, log_prob=value, top=tuple(most))
        for text, start, value, most in zip(texts, starts, values[skipped:], top[skipped:], strict=True)
    ]
    shown = [token for token in found[len(places) :] if token.start < len(prompt) + len(made.text)]
    return Scored(completion=made, prompt=tuple(found[: len(places)]), written=tuple(shown))


def _values(
    forward: Forward, tokens: Tokens, ids: Sequence[int], tops: int
) -> tuple[list[float | None], list[list[tuple[str, float]]]]:
    """Of every token its log-probability and the most probable ones in its place; the first has nothing before it."""
    import torch

    if len(ids) < 2:
        return [None] * len(ids), [[] for _ in ids]
    with torch.inference_mode():
        states = forward.states([ids[:-1]])[0]
        values, _ = forward.log_probs(states, ids[1:])
        most = forward.top_log_probs(states, tops)
    told = [[(tokens.decode([token]), score) for token, score in row] for row in most]
    return [None, *(float(value) for value in values)], [[], *told]


def _texts(tokens: Tokens, read: Sequence[int], written: Sequence[int]) -> list[str]:
    """What each token added to the text before it."""
    whole = [*read, *written]
    return [tokens.decode_after(whole[:at], [whole[at]]) for at in range(len(read), len(whole))]


def _starts(first: int, texts: Sequence[str]) -> list[int]:
    return list(accumulate((len(text) for text in texts), initial=first))[:-1]
