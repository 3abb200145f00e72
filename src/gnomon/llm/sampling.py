"""Choosing tokens one by one: noise that belongs to a prompt, and knowing when a text has ended.

Sampling here is the *Gumbel-max trick* (Gumbel 1954; Maddison et al. 2014): add independent Gumbel noise to every
logit and take the largest, which draws exactly from the softmax. The noise comes from one generator a prompt, seeded
by (seed, prompt), so that a text does not depend on its batch; and since the noise does not depend on the logits,
their last bits (which do depend on the batch) matter only where two noisy logits are nearly equal. One uniform number
on a cumulative sum would change its token far more often. ``generate`` then runs greedily on the noisy logits.
"""

from collections.abc import Sequence
from typing import Any

from gnomon.core.hashing import combined_hash
from gnomon.llm.client import Completion, Generation
from gnomon.llm.tokens import Tokens

SLACK = 4
"""Tokens looked at for a stop string besides one for each of its bytes."""


class Decoding:
    """One batch being continued: what ``generate`` asks after every forward.

    Args:
        prompts: The texts, which seed the noise.
        ids: Their ids, not padded.
        tokens: The tokenizer.
        options: How to continue.
    """

    def __init__(self, prompts: Sequence[str], ids: Sequence[list[int]], tokens: Tokens, options: Generation) -> None:
        import torch

        self._ids, self._tokens, self._options = ids, tokens, options
        self._start = max(map(len, ids))
        self._lengths: list[int | None] = [None] * len(ids)
        """Tokens of each text that has ended, None for those that go on."""
        self._noise = [torch.Generator().manual_seed(_seed(options.seed, prompt)) for prompt in prompts]
        self._window = max((len(stop.encode()) for stop in options.stop), default=0) + SLACK

    def processors(self) -> Any:
        """What turns logits into those whose largest is taken."""
        from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

        found = LogitsProcessorList()
        if self._options.temperature > 0:
            found.append(TemperatureLogitsWarper(self._options.temperature))
            if self._options.top_p < 1:
                found.append(TopPLogitsWarper(self._options.top_p))
            found.append(self._noisy)
        return found

    def _noisy(self, _: Any, scores: Any) -> Any:
        import torch

        noise = torch.zeros(scores.shape, dtype=torch.float32)
        for row, generator in enumerate(self._noise):
            if self._lengths[row] is None:
                torch.rand(noise.shape[1], generator=generator, out=noise[row])
        # A draw of exactly 0 becomes minus infinity (never chosen); 1 is never drawn.
        return scores - noise.log_().neg_().log_().to(scores.device)

    def stopped(self, ids: Any, _: Any, **__: Any) -> Any:
        """Which rows have ended, as a tensor of truths: a ``StoppingCriteria`` without the base class."""
        import torch

        new = ids[:, self._start :].tolist()
        for row, made in enumerate(new):
            if self._lengths[row] is None and (made[-1] in self._tokens.ends or self._at_stop(row, made)):
                self._lengths[row] = len(made)
        return torch.tensor([length is not None for length in self._lengths], device=ids.device)

    def _at_stop(self, row: int, made: list[int]) -> bool:
        if not self._options.stop:
            return False
        before = [*self._ids[row], *made[: -self._window]]
        near = self._tokens.decode_after(before, made[-self._window :])
        return any(stop in near for stop in self._options.stop) and self._cut(self._text(row, made)) is not None

    def _text(self, row: int, made: list[int]) -> str:
        return self._tokens.decode_after(self._ids[row], made)

    def _cut(self, text: str) -> int | None:
        found = [at for stop in self._options.stop if (at := text.find(stop)) >= 0]
        return min(found, default=None)

    def completions(self, rows: Sequence[list[int]]) -> list[Completion]:
        """The texts, from the new ids of each row."""
        return [self._completion(row, made) for row, made in enumerate(rows)]

    def _completion(self, row: int, made: list[int]) -> Completion:
        made = made[: self._lengths[row]]
        ended = bool(made) and made[-1] in self._tokens.ends
        text = self._text(row, made[:-1] if ended else made)
        cut = self._cut(text)
        finish = "stop" if ended or cut is not None else "length"
        return Completion(text=text[:cut], tokens=len(made), finish=finish)


def _seed(seed: int, prompt: str) -> int:
    return int(combined_hash([str(seed), prompt]).rpartition(":")[2][:15], 16)
