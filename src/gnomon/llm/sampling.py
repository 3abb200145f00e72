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
        self._made: list[list[int]] = [[] for _ in ids]
        """New tokens of each text, until it ended."""
        self._ended = [False] * len(ids)
        self._halted = False
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
            if not self._ended[row]:
                torch.rand(noise.shape[1], generator=generator, out=noise[row])
        # A draw of exactly 0 becomes minus infinity (never chosen); 1 is never drawn.
        return scores - noise.log_().neg_().log_().to(scores.device)

    def stopped(self, ids: Any, _: Any, **__: Any) -> Any:
        """Which rows have ended, as a tensor of truths: a ``StoppingCriteria`` without the base class."""
        import torch

        for row, token in enumerate(ids[:, -1].tolist()):
            if not self._ended[row]:
                self._made[row].append(token)
                self._ended[row] = token in self._tokens.ends or self._at_stop(row)
        return torch.tensor([ended or self._halted for ended in self._ended], device=ids.device)

    def halt(self) -> None:
        """Let ``generate`` end after its next token, because nobody reads on."""
        self._halted = True

    def _at_stop(self, row: int) -> bool:
        """Whether a stop string has appeared: looked for near the end first, since decoding all of a text is slow."""
        if not self._options.stop:
            return False
        made = self._made[row]
        near = self._tokens.decode_after([*self._ids[row], *made[: -self._window]], made[-self._window :])
        return any(stop in near for stop in self._options.stop) and self._cut(self._text(row)) is not None

    def _text(self, row: int) -> str:
        made = self._made[row]
        ended = bool(made) and made[-1] in self._tokens.ends
        return self._tokens.decode_after(self._ids[row], made[:-1] if ended else made)

    def _cut(self, text: str) -> int | None:
        found = [at for stop in self._options.stop if (at := text.find(stop)) >= 0]
        return min(found, default=None)

    def made(self, row: int) -> list[int]:
        """The tokens of a text, without the one that ends it."""
        made = self._made[row]
        return made[:-1] if made and made[-1] in self._tokens.ends else list(made)

    def completions(self) -> list[Completion]:
        """The texts, once ``generate`` has returned, or as far as they are."""
        found = []
        for row, made in enumerate(self._made):
            text = self._text(row)
            cut = self._cut(text)
            finish = "stop" if self._ended[row] or cut is not None else "length"
            read = len(self._ids[row])
            found.append(Completion(text=text[:cut], tokens=len(made), finish=finish, tokens_in=read))
        return found


def _seed(seed: int, prompt: str) -> int:
    return int(combined_hash([str(seed), prompt]).rpartition(":")[2][:15], 16)
