"""Pre-tokenizers: how text is cut into words before a vocabulary is learned, under the names llama.cpp has for them.

A GGUF file does not hold the cutting rule, only its *name* (``tokenizer.ggml.pre``), and llama.cpp
has the rule compiled in. So a tokenizer made here uses one of those rules exactly as its first
tokenizer defined it, and keeps the name, because llama.cpp's converter can only recognise the
vocabularies it has seen before. All of them work on bytes: nothing is ever out of vocabulary.
"""

from dataclasses import dataclass
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say

_TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"


@dataclass(frozen=True, kw_only=True)
class Pretokenizer:
    """One rule for cutting text into words."""

    pattern: str
    """The regular expression whose matches are the words (Oniguruma syntax)."""
    ignore_merges: bool
    """BPE: a word of the vocabulary is one token, whatever the merges say (as llama.cpp does under this name)."""


PRETOKENIZERS = {
    "llama-bpe": Pretokenizer(pattern=_WORDS + r"|\p{N}{1,3}" + _TAIL, ignore_merges=True),
    "qwen2": Pretokenizer(pattern=_WORDS + r"|\p{N}" + _TAIL, ignore_merges=False),
    "gpt-2": Pretokenizer(
        pattern=r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", ignore_merges=False
    ),
}
"""By llama.cpp's name: Llama 3 (digits in groups of up to three), Qwen 2 (single digits), GPT-2 (runs of digits)."""


def named(name: str) -> Pretokenizer:
    """The rule of a name.

    Raises:
        ConfigError: There is no such name.
    """
    if name not in PRETOKENIZERS:
        known = ", ".join(PRETOKENIZERS)
        raise ConfigError(
            say(
                f"tokenizer: pretokenizer = {name!r} is not known.", f"tokenizer: pretokenizer = {name!r} は知らない。"
            ),
            say(f"Use one of: {known}.", f"次のいずれかを使う: {known}。"),
        )
    return PRETOKENIZERS[name]


def splitter(name: str) -> Any:
    """The rule as a pre-tokenizer of ``tokenizers``: words, then their bytes as printable characters."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

    cut = Split(Regex(named(name).pattern), "isolated")
    return Sequence([cut, ByteLevel(add_prefix_space=False, use_regex=False)])
