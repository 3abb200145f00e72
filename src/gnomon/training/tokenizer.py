"""The step ``training/tokenizer``: a vocabulary learned from documents, as a ``transformers`` folder.

The tokenizer works on bytes, so any text comes back exactly as it was; nothing is normalised (not
even NFC). Special tokens for later chat have their ids from the first day, because adding them
afterwards would change the shape of a trained model. BOS is put before each text as Llama does;
EOS is the business of whoever packs documents.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import write_atomic, write_json
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.training.encoding import open_tokenizer
from gnomon.training.excerpts import Size, excerpts, size_of
from gnomon.training.fertility import fertility_of
from gnomon.training.pretokenizers import named
from gnomon.training.vocabulary import finish, train_bpe, train_unigram

SMALLEST = 256
"""Bytes that every vocabulary holds."""


@dataclass(frozen=True, kw_only=True)
class TokenizerConfig:
    """How a vocabulary is learned."""

    kind: str = "bpe"
    """``"bpe"``, or ``"unigram"`` (which llama.cpp cannot read on bytes: no GGUF export)."""
    vocab_size: int = 32_000
    """Tokens, special ones and bytes included; a small corpus may give fewer."""
    pretokenizer: str = "llama-bpe"
    """A name of ``PRETOKENIZERS``: ``llama-bpe``, ``qwen2`` or ``gpt-2``."""
    min_frequency: int = 2
    """BPE: times a pair must occur to be merged."""
    bos: str = "<|begin_of_text|>"
    """Begin of a text; empty for none."""
    eos: str = "<|end_of_text|>"
    """End of a text; needed."""
    pad: str = "<|pad|>"
    """Fills a row; needed."""
    chat: tuple[str, ...] = ("<|im_start|>", "<|im_end|>")
    """Special tokens for later chat."""
    visible: tuple[str, ...] = ("<think>", "</think>")
    """Added tokens that stay in what a decoder shows, so that a chain of thought can be told from an answer."""
    reserved: int = 8
    """Nameless special tokens kept for later (``<|reserved_0|>``…)."""
    characters: int = 50_000_000
    """Characters of training text taken from a source."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """The same for single sources, by name."""
    fertility_characters: int = 2_000_000
    """Characters of each source on which fertility is measured."""
    seed: int = 0
    """Decides which excerpts are taken."""

    @property
    def specials(self) -> tuple[str, ...]:
        """Every added token, in order of its id."""
        fixed = (self.bos, self.eos, self.pad, *self.chat, *self.visible)
        return (*(token for token in fixed if token), *(f"<|reserved_{i}|>" for i in range(self.reserved)))


def run(config: TokenizerConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Learn a tokenizer from the documents of all inputs and write it to ``tokenizer/``.

    Raises:
        ConfigError: A setting cannot be used.
        DataError: The inputs hold no text.
    """
    check(config, inputs)
    sizes = {name: size_of(folder) for name, folder in inputs.items()}
    if not sum(size.characters for size in sizes.values()):
        raise _no_text(sizes)
    shares = {name: _share(config, name, size) for name, size in sizes.items()}
    taken: dict[str, int] = dict.fromkeys(sorted(inputs), 0)
    out.meter.total(int(sum(shares[n] * size.characters for n, size in sizes.items())), "characters")
    texts = _texts(excerpts(inputs, shares, f"tokenizer/{config.seed}"), taken, out)
    trained = _train(config, texts)
    folder = out.path / "tokenizer"
    write(finish(trained, config.bos, config.visible), config, folder)
    out.metrics["vocabulary"] = {"wanted": config.vocab_size, "got": trained.get_vocab_size()}
    out.metrics["characters"] = {n: {"taken": taken[n], "held": sizes[n].characters} for n in taken}
    out.metrics["fertility"] = fertility_of(open_tokenizer(folder), inputs, config.fertility_characters, config.seed)
    documents = sum(size.documents for size in sizes.values())
    return Counts(taken=documents, kept=documents, made={"tokens": trained.get_vocab_size()})


def _train(config: TokenizerConfig, texts: Iterator[str]) -> Any:
    if config.kind == "unigram":
        return train_unigram(texts, config.vocab_size, config.specials, config.pretokenizer)
    return train_bpe(texts, config.vocab_size, config.specials, config.pretokenizer, config.min_frequency)


def _texts(chosen: Iterator[Any], taken: dict[str, int], out: Output) -> Iterator[str]:
    for excerpt in chosen:
        taken[excerpt.source] += len(excerpt.text)
        out.meter.advance(len(excerpt.text))
        yield excerpt.text


def _share(config: TokenizerConfig, name: str, size: Size) -> float:
    limit = config.limits.get(name, config.characters)
    return min(1.0, limit / size.characters) if size.characters else 0.0


def write(tokenizer: Any, config: TokenizerConfig, folder: Path) -> None:
    """Write a finished ``tokenizers.Tokenizer`` as a folder that ``AutoTokenizer`` opens, byte for byte the same."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "tokenizer.json", tokenizer.to_str(pretty=True))
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": config.eos,
        "pad_token": config.pad,
        "additional_special_tokens": list(config.chat),
        "clean_up_tokenization_spaces": False,
        "gguf_pre_tokenizer": config.pretokenizer if config.kind == "bpe" else "",
    }
    write_json(folder / "tokenizer_config.json", settings | ({"bos_token": config.bos} if config.bos else {}))


def check(config: TokenizerConfig, inputs: Mapping[str, Path]) -> None:
    """Refuse settings that cannot give a tokenizer.

    Raises:
        ConfigError: The message names the setting.
    """
    named(config.pretokenizer)
    specials = config.specials
    wrong = {
        f"kind = {config.kind!r}": config.kind not in {"bpe", "unigram"},
        "eos is empty": not config.eos,
        "pad is empty": not config.pad,
        "two special tokens are equal": len(set(specials)) != len(specials),
        f"vocab_size = {config.vocab_size}": config.vocab_size < SMALLEST + len(specials),
        f"min_frequency = {config.min_frequency}": config.min_frequency < 0,
        f"reserved = {config.reserved}": config.reserved < 0,
        f"limits name no input: {sorted(set(config.limits) - set(inputs))}": not set(config.limits) <= set(inputs),
        "there are no inputs": not inputs,
    }
    for problem, holds in wrong.items():
        if holds:
            least = SMALLEST + len(specials)
            raise ConfigError(
                say(f"tokenizer: {problem}.", f"tokenizer の設定が使えない: {problem}。"),
                say(
                    f"kind is 'bpe' or 'unigram'; eos and pad have different names; vocab_size is at least {least}"
                    " (256 bytes and the special tokens); limits name inputs; there is at least one input.",
                    f"kind は 'bpe' か 'unigram'。eos と pad には異なる名前。vocab_size は {least} 以上"
                    "(256 バイトと特殊トークン)。limits には入力の名前。入力は一つ以上。",
                ),
            )


def _no_text(sizes: Mapping[str, Size]) -> DataError:
    found = ", ".join(f"{name}: {size.documents} documents" for name, size in sorted(sizes.items()))
    return DataError(
        say(f"tokenizer: the inputs hold no text ({found}).", f"tokenizer: 入力に本文がない({found})。"),
        say(
            "Look at what the steps before dropped (drops.parquet), or give other documents.",
            "前の段階で除外された文書(drops.parquet)を確かめるか、別の文書を与える。",
        ),
    )
