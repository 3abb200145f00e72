"""Log-probabilities of given tokens: of continuations after a context, and of whole long texts.

A *context* that many continuations share (the options of one question) is run once and continued from its KV cache.
A text longer than the model's context is read through a *sliding window* that moves by a *stride* (the method of
Hugging Face's guide "Perplexity of fixed-length models"): every token after the first is scored exactly once, with
at least ``context - stride`` tokens to its left where the text has them.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnomon.llm.client import LogLikelihood
from gnomon.llm.forward import Floats, Forward

Ids = tuple[int, ...]
Pair = tuple[Ids, Ids]
Group = tuple[Ids, list[Ids]]
SHARE = 4
"""The caches of contexts take at most one part in so many of what can be held; their continuations want the rest."""
PADDING = 64
"""Tokens of padding in a batch of continuations that cost about as much as running one batch more."""
NOTHING = LogLikelihood(total=0.0, tokens=0, greedy=True)
"""Of an empty continuation: it is certain."""


def pair_scores(forward: Forward, pairs: Sequence[Pair]) -> list[LogLikelihood]:
    """The log-likelihood of each (context, continuation), as ids, in order."""
    import torch

    members: dict[Ids, list[Ids]] = {}
    for context, after in dict.fromkeys(pairs):
        if after:
            members.setdefault(context, []).append(after)
    shared = {c: m for c, m in members.items() if len(m) > 1 and forward.shares}
    single = [(c, a) for c, m in members.items() if c not in shared for a in m]
    with torch.inference_mode():
        found = {**_single(forward, single), **_shared(forward, shared)}
    return [found.get(pair, NOTHING) for pair in pairs]


def _single(forward: Forward, pairs: Sequence[Pair]) -> dict[Pair, LogLikelihood]:
    """Each pair as one sequence."""
    found = {}
    for batch in forward.batches([len(c) + len(a) for c, a in pairs]):
        chosen = [pairs[i] for i in batch]
        states = forward.states([(c + a)[:-1] for c, a in chosen])
        parts = [states[row, len(c) - 1 : len(c) + len(a) - 1] for row, (c, a) in enumerate(chosen)]
        found.update(_collected(forward, chosen, parts))
    return found


def _collected(forward: Forward, pairs: Sequence[Pair], parts: Sequence[Any]) -> dict[Pair, LogLikelihood]:
    """Scores of pairs, from the states before each token of their continuations."""
    import torch

    values, best = forward.log_probs(torch.cat(list(parts)), [token for _, after in pairs for token in after])
    borders = np.cumsum([len(after) for _, after in pairs])[:-1]
    return {
        pair: LogLikelihood(total=float(value.sum(dtype=np.float64)), tokens=len(value), greedy=bool(top.all()))
        for pair, value, top in zip(pairs, np.split(values, borders), np.split(best, borders), strict=True)
    }


def _shared(forward: Forward, members: Mapping[Ids, list[Ids]]) -> dict[Pair, LogLikelihood]:
    """Each context once, its continuations from the cache."""
    found, contexts = {}, list(members)
    most = min(forward.budget, forward.held // SHARE)
    for batch in forward.batches([len(context) for context in contexts], budget=most):
        found.update(_continuations(forward, [(contexts[i], members[contexts[i]]) for i in batch]))
    return found


def _continuations(forward: Forward, groups: Sequence[Group]) -> dict[Pair, LogLikelihood]:
    """Scores of the continuations of a batch of contexts: their first tokens at once, then the rest."""
    ids, mask = forward.left_padded([context for context, _ in groups])
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    states, cache = forward.continued(ids, mask, positions, None)
    pairs = [(context, after) for context, afters in groups for after in afters]
    owners = [i for i, (_, afters) in enumerate(groups) for _ in afters]
    values, best = forward.log_probs(states[:, -1], [after[0] for _, after in pairs], owners)
    scores = [(float(value), bool(top)) for value, top in zip(values, best, strict=True)]
    prefix = Prefix(mask=mask, positions=positions, cache=cache)
    for rows in _tails(forward, [len(after) - 1 for _, after in pairs], ids.shape[1]):
        more = _rest(forward, prefix, [owners[i] for i in rows], [pairs[i][1] for i in rows])
        for i, (value, top) in zip(rows, more, strict=True):
            scores[i] = scores[i][0] + value, scores[i][1] and top
    return {
        pair: LogLikelihood(total=total, tokens=len(pair[1]), greedy=top)
        for pair, (total, top) in zip(pairs, scores, strict=True)
    }


def _tails(forward: Forward, lengths: Sequence[int], context: int) -> Iterator[list[int]]:
    """Continuations of more than one token, those of like length together, as many as can be run and held."""
    batch: list[int] = []
    padding = 0
    for row in sorted((i for i, length in enumerate(lengths) if length), key=lambda i: (-lengths[i], i)):
        longest, rows = lengths[batch[0]] if batch else 0, len(batch) + 1
        padding += longest - lengths[row]
        full = rows * longest > forward.budget or rows * (context + longest) > forward.held
        if batch and (full or padding > PADDING):
            yield batch
            batch, padding = [], 0
        batch.append(row)
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class Prefix:
    """Contexts that were run, one a row, and what continues them."""

    mask: Any
    """Which places are their own, shape (contexts, longest)."""
    positions: Any
    """Their places, shape (contexts, longest)."""
    cache: Any
    """Keys and values."""


def _rest(forward: Forward, prefix: Prefix, owners: Sequence[int], afters: Sequence[Ids]) -> list[tuple[float, bool]]:
    """Log-probability of all tokens of continuations but the first, and whether each was the most probable."""
    import torch

    owner = torch.tensor(owners, device=forward.device)
    cache = _selected(prefix.cache, owner)
    tail = forward.right_padded([after[:-1] for after in afters])
    # What stands right of a row's own tokens is never looked at: the mask is causal there as everywhere.
    masks = torch.cat([prefix.mask[owner], torch.ones_like(tail)], dim=1)
    places = prefix.positions[owner, -1:] + 1 + torch.arange(tail.shape[1], device=forward.device)
    states, _ = forward.continued(tail, masks, places, cache)
    parts = [states[i, : len(after) - 1] for i, after in enumerate(afters)]
    values, best = forward.log_probs(torch.cat(parts), [token for after in afters for token in after[1:]])
    borders = np.cumsum([len(after) - 1 for after in afters])[:-1]
    return [
        (float(value.sum(dtype=np.float64)), bool(top.all()))
        for value, top in zip(np.split(values, borders), np.split(best, borders), strict=True)
    ]


def _selected(cache: Any, owner: Any) -> Any:
    """A cache of some rows; these kinds of layer bind new tensors and write into none, so the old one stays whole."""
    found = copy.copy(cache)
    found.layers = [copy.copy(layer) for layer in cache.layers]
    found.batch_select_indices(owner)
    return found


# Whole texts ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """One position of the sliding window."""

    row: int
    """The sequence."""
    start: int
    """Its first token."""
    end: int
    """One past its last token."""
    scored: int
    """The first token it scores; those before are only context."""


def windows(length: int, context: int, stride: int, row: int = 0) -> Iterator[Window]:
    """The windows over a sequence: each scores the tokens that no window before it scored.

    Args:
        length: Tokens of the sequence.
        context: Tokens a window holds.
        stride: Tokens it moves by, 1 to ``context - 1``.
        row: The sequence's number.
    """
    scored = 1
    for start in range(0, max(length, 1), stride):
        end = min(start + context, length)
        if scored < end:
            yield Window(row, start, end, scored)
        scored = end
        if end == length:
            return


def strided(forward: Forward, ids: Sequence[Sequence[int]], context: int, stride: int) -> list[Floats]:
    """Log-probabilities of every token after the first of each sequence, in order."""
    import torch

    found = [np.zeros(max(0, len(row) - 1), dtype=np.float32) for row in ids]
    every = [window for row, one in enumerate(ids) for window in windows(len(one), context, stride, row)]
    with torch.inference_mode():
        for batch in forward.batches([w.end - w.start for w in every]):
            chosen = [every[i] for i in batch]
            states = forward.states([ids[w.row][w.start : w.end - 1] for w in chosen])
            parts = [states[i, w.scored - w.start - 1 : w.end - w.start - 1] for i, w in enumerate(chosen)]
            targets = [token for w in chosen for token in ids[w.row][w.scored : w.end]]
            values, _ = forward.log_probs(torch.cat(parts), targets)
            borders = np.cumsum([w.end - w.scored for w in chosen])[:-1]
            for window, part in zip(chosen, np.split(values, borders), strict=True):
                found[window.row][window.scored - 1 : window.end - 1] = part
    return found
