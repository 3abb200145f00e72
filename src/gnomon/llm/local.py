"""Local weights as a ``Client``: any causal language model of transformers, on a CPU or one GPU.

Besides continuing texts and scoring continuations it gives what only weights can give: log-probabilities of every
token of a long text, and hidden states. All of it is batched by a budget of tokens, and no answer depends on which
texts stood beside it (up to rounding, about 1e-6 in float32; ``docs/design/local-models.md``).
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.protocols import Vectors
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm.chat import ChatOptions, Conversation, Reply
from gnomon.llm.client import Completion, Generation, LogLikelihood, Scored, TooLong
from gnomon.llm.forward import Floats, Forward
from gnomon.llm.hub import folder_revision
from gnomon.llm.likelihood import pair_scores, strided
from gnomon.llm.loading import load_causal
from gnomon.llm.local_chat import asked_of, generation, growing, reply_to, speaking
from gnomon.llm.sampling import Decoding
from gnomon.llm.scored import scored
from gnomon.llm.templated import encode_learnt, template_in
from gnomon.llm.tokens import Tokens
from gnomon.llm.vectors import unit_rows
from gnomon.llm.weights import REF_FILE, Weights, read_ref, weights_of, weights_of_ref

WIDEST = 2048
"""Context assumed when a model's configuration names none."""


class LocalModel:
    """A causal language model on this machine, a ``Client``.

    Args:
        model: A causal language model of transformers, in evaluation mode.
        tokens: Its tokenizer.
        ref: What it is called.
        batch_tokens: Most tokens in a batch, padding included; 0 chooses by device and free memory.
    """

    def __init__(self, model: Any, tokens: Tokens, ref: ModelRef, batch_tokens: int = 0) -> None:
        self.ref, self._tokens = ref, tokens
        self._forward = Forward(model, batch_tokens)
        config = model.config.get_text_config()
        self.context: int = getattr(config, "max_position_embeddings", None) or WIDEST

    def encode(self, text: str, bos: bool = True) -> list[int]:  # noqa: FBT001 -- the contract's shape
        """A text's ids, BOS in front if the tokenizer has one; names of special tokens are plain text."""
        return self._tokens.encode(text, bos)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, without special tokens."""
        return self._tokens.decode(ids)

    def complete(self, prompts: Sequence[str], options: Generation) -> list[Completion]:
        """One continuation a prompt, in order; the same prompt and seed give the same text in any batch.

        Raises:
            DataError: A prompt fills the whole context, or is empty where the tokenizer has neither BOS nor EOS.
        """
        return self._continued(prompts, self._tokens.prompt(prompts), self._tokens, options)

    def chat(self, conversations: Sequence[Conversation], options: ChatOptions) -> list[Reply]:
        """One reply a conversation, in order, by the model's own chat template.

        Raises:
            ConfigError: The model has no template, or it cannot render these turns.
            DataError: A conversation fills the whole context.
        """
        asked = [asked_of(self._spoken, conversation, options) for conversation in conversations]
        made = self._continued([a.seed for a in asked], [a.ids for a in asked], self._spoken, generation(options))
        return [reply_to(a, completion, options) for a, completion in zip(asked, made, strict=True)]

    def learnt(self, messages: Conversation) -> tuple[list[int], list[bool]]:
        """The ids of a whole conversation, and which of them the assistant says; errors as ``encode_learnt``."""
        return encode_learnt(self._tokens, messages)

    def stream_complete(self, prompt: str, options: Generation) -> Iterator[Completion]:
        """The continuation as it grows, the whole at the end; errors as ``complete``."""
        (ids,) = self._tokens.prompt([prompt])
        yield from self._growing(prompt, ids, self._tokens, options)

    def score(self, prompt: str, options: Generation | None, tops: int = 0) -> Scored:
        """A text, or a continuation of it, with the log-probability of every token.

        Args:
            prompt: The text.
            options: How it is continued; not at all when None.
            tops: How many of the most probable tokens are told of each place.

        Raises:
            TooLong: The prompt fills the whole context.
            RunError: The weights give something that is not a number.
        """
        (ids,) = self._tokens.prompt([prompt])
        self._check_length(len(ids) + (options is not None), prompt)
        made, written = Completion(text="", tokens=0, finish="length", tokens_in=len(ids)), list[int]()
        if options is not None:
            decoding = Decoding([prompt], [ids], self._tokens, options)
            (made,) = self._generate(decoding, [ids], min(options.max_tokens, self.context - len(ids)))
            written = decoding.made(0)
        return scored(self._forward, self._tokens, prompt, (ids, written), made, tops)

    def stream(self, conversation: Conversation, options: ChatOptions) -> Iterator[Reply]:
        """The reply as it grows; errors as ``chat``."""
        asked = asked_of(self._spoken, conversation, options)
        whole = None
        with closing(self._growing(asked.seed, asked.ids, asked.tokens, generation(options))) as texts:
            for whole in texts:
                yield replace(reply_to(asked, whole, replace(options, schema=None)), fault="")
        if whole is not None:
            yield reply_to(asked, whole, options)

    def _growing(self, seed: str, ids: list[int], tokens: Tokens, options: Generation) -> Generator[Completion]:
        self._check_length(len(ids) + 1, seed)
        limit = min(options.max_tokens, self.context - len(ids))
        decoding = Decoding([seed], [ids], tokens, options)
        yield from growing(decoding, lambda: self._generate(decoding, [ids], limit))

    @cached_property
    def _spoken(self) -> Tokens:
        return speaking(self._tokens)

    def _continued(
        self, seeds: Sequence[str], ids: Sequence[list[int]], tokens: Tokens, options: Generation
    ) -> list[Completion]:
        for text, row in zip(seeds, ids, strict=True):
            self._check_length(len(row) + 1, text)
        # Rows of a batch share one limit, so that none runs past the end of its own context.
        limits = [min(options.max_tokens, self.context - len(row)) for row in ids]
        sizes = [len(row) + limit for row, limit in zip(ids, limits, strict=True)]
        found: dict[int, Completion] = {}
        for batch in self._forward.batches(sizes, limits, self._forward.held):
            decoding = Decoding([seeds[i] for i in batch], [ids[i] for i in batch], tokens, options)
            found.update(zip(batch, self._generate(decoding, [ids[i] for i in batch], limits[batch[0]]), strict=True))
        return [found[i] for i in range(len(seeds))]

    def _generate(self, decoding: Decoding, rows: Sequence[list[int]], limit: int) -> list[Completion]:
        import torch
        from transformers import GenerationConfig, StoppingCriteriaList

        ids, mask = self._forward.left_padded(rows)
        settings = GenerationConfig(max_new_tokens=limit, do_sample=False, pad_token_id=0, use_cache=True)
        with torch.inference_mode():
            self._forward.model.generate(
                ids,
                attention_mask=mask,
                generation_config=settings,
                logits_processor=decoding.processors(),
                stopping_criteria=StoppingCriteriaList([decoding.stopped]),
            )
        return decoding.completions()

    def log_likelihoods(self, pairs: Sequence[tuple[str, str]]) -> list[LogLikelihood]:
        """How probable each (context, continuation) is, in order (see ``Client``).

        A context shared by many continuations is run once. An empty continuation is certain: 0, of 0 tokens.

        Raises:
            DataError: A pair is longer than the context; nothing is cut silently.
            RunError: The weights give something that is not a number.
        """
        ids = self._tokens.pairs(pairs)
        for (context, _), (before, after) in zip(pairs, ids, strict=True):
            self._check_length(len(before) + len(after) - 1, context)
        return pair_scores(self._forward, ids)

    def token_log_probs(self, ids: Sequence[Sequence[int]], stride: int | None = None) -> list[Floats]:
        """Log-probabilities (natural) of every token after the first, given those before it.

        Args:
            ids: Sequences of any length; encode with BOS to have the first word scored too.
            stride: Tokens the window moves by, 1 to ``context - 1``; half the context when None. Smaller gives
                every token more to its left and costs more: each is run ``context / stride`` times.

        Returns:
            One float32 array a sequence, of its length less one.

        Raises:
            ConfigError: The stride is outside its range.
            DataError: An id is none of the model's.
            RunError: The weights give something that is not a number.
        """
        self._check_ids(ids)
        step = self.context // 2 if stride is None else stride
        if not 1 <= step < self.context:
            raise ConfigError(
                say(f"stride = {step} cannot be used.", f"stride = {step} は使えない。"),
                say(f"Wanted: 1 to {self.context - 1}.", f"条件: 1 から {self.context - 1}。"),
            )
        return strided(self._forward, ids, self.context, step)

    def hidden_means(self, texts: Sequence[str], max_tokens: int | None = None) -> Vectors:
        """The mean of the last layer's hidden states over a text's tokens without BOS, as unit rows.

        AstroLLaMA (Nguyen et al. 2023, arXiv 2309.06126) compares models by the cosines of these vectors; the
        mean is taken of raw float32 states after the final norm, and made unit length at the end.

        Args:
            texts: What to read; a text without a token points along the diagonal.
            max_tokens: Tokens read of each, BOS not counted; as many as the context holds when None.

        Returns:
            Shape (len(texts), width), float32.
        """
        import torch

        front = [] if self._tokens.bos is None else [self._tokens.bos]
        limit = self.context - len(front)
        limit = limit if max_tokens is None else max(0, min(limit, max_tokens))
        ids = [row[:limit] for row in self._tokens.encode_all(texts, bos=False)]
        some = [i for i, row in enumerate(ids) if row]
        means = np.zeros((len(ids), self._forward.model.config.get_text_config().hidden_size), dtype=np.float32)
        with torch.inference_mode():
            for batch in self._forward.batches([len(ids[i]) for i in some]):
                states = self._forward.hidden([front + ids[some[k]] for k in batch])
                for row, index in enumerate(some[k] for k in batch):
                    own = states[row, len(front) : len(front) + len(ids[index])]
                    means[index] = own.float().mean(dim=0).cpu().numpy()
        return unit_rows(means)

    def _check_ids(self, ids: Sequence[Sequence[int]]) -> None:
        """Refuse what would crash on a CPU and leave a GPU unusable."""
        known = int(self._forward.model.get_input_embeddings().weight.shape[0])
        for number, row in enumerate(ids):
            if len(row) and not (min(row) >= 0 and max(row) < known):
                worst = max(row) if max(row) >= known else min(row)
                raise DataError(
                    say(
                        f"Sequence {number} holds the token {worst}; the model {self.ref.name!r} has {known}.",
                        f"系列 {number} にトークン {worst} がある。モデル {self.ref.name!r} の語彙は {known}。",
                    ),
                    say("Encode with this model's tokenizer.", "このモデルのトークナイザーで符号化する。"),
                )

    def _check_length(self, length: int, text: str) -> None:
        if length > self.context:
            name, start = self.ref.name, text[:60]
            raise TooLong(
                say(
                    f"A text needs {length} tokens, the model {name!r} reads {self.context}: {start!r}…",
                    f"{length} トークンの入力に対し、モデル {name!r} の文脈長は {self.context}: {start!r}…",
                ),
                say("Shorten it, or use a model with a longer context.", "短くするか、文脈長の大きいモデルを使う。"),
            )


def load_local(
    source: Path | ModelRef,
    settings: Settings,
    *,
    dtype: str = "float32",
    device: str = "auto",
    batch_tokens: int = 0,
) -> LocalModel:
    """Read a causal language model.

    Args:
        source: A model artifact (with ``model.json``), a folder in Hugging Face's layout, or a reference to a
            model of the hub or of ``gnomon.toml``.
        settings: The machine.
        dtype: ``float32``, ``bfloat16``, ``float16``, or ``auto`` for that of the file.
        device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda``…
        batch_tokens: Most tokens in a batch, padding included; 0 chooses by device and free memory.

    Raises:
        NotFound: There is no such folder or model.
        ConfigError: The architecture, revision, dtype or device is not there.
        DataError: A file is missing, damaged, or does not fit the others.
        OfflineError: The model would have to be fetched while ``offline = true``.
        MissingExtra: torch or transformers is not installed.
    """
    ref, weights = _found(source, settings)
    model, tokens = load_causal(weights, dtype, device)
    if settings.threads:
        import torch

        torch.set_num_threads(settings.threads)
    return LocalModel(model, tokens, ref, batch_tokens)


def _found(source: Path | ModelRef, settings: Settings) -> tuple[ModelRef, Weights]:
    if isinstance(source, ModelRef):
        return source, weights_of_ref(source, settings)
    if (source / REF_FILE).is_file():
        return read_ref(source), weights_of(source, settings)
    revision = folder_revision(source) if source.is_dir() else ""
    kind = "instruct" if template_in(source) else "base"
    return ModelRef(name=source.name, revision=revision, kind=kind), Weights(name_or_folder=str(source))
