"""Vocabulary: learning tokens from text, with the ``tokenizers`` library.

*BPE* merges the most frequent pair again and again (Sennrich et al. 2016, arXiv 1508.07909), here of
bytes (GPT-2). *Unigram* prunes a large set of pieces to the most probable ones (Kudo 2018, arXiv
1804.10959). Both start from all 256 bytes, so that every text has tokens and comes back unchanged.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from gnomon.training.pretokenizers import named, splitter


def train_bpe(texts: Iterable[str], size: int, specials: Sequence[str], pretokenizer: str, min_frequency: int) -> Any:
    """A byte-level BPE ``tokenizers.Tokenizer``; special tokens have the first ids.

    Pairs of equal frequency are merged in order of their ids, so the result does not depend on threads
    or hash seeds.
    """
    from tokenizers import Tokenizer, models, trainers

    tokenizer = Tokenizer(models.BPE(ignore_merges=named(pretokenizer).ignore_merges))
    tokenizer.pre_tokenizer = splitter(pretokenizer)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=min_frequency,
        special_tokens=list(specials),
        initial_alphabet=byte_alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def byte_alphabet() -> list[str]:
    """The 256 characters that stand for bytes, in a fixed order."""
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())


def finish(tokenizer: Any, bos: str, plain: Sequence[str]) -> Any:
    """Add what surrounds the vocabulary: the decoder, BOS before each text, and which added tokens are plain.

    Args:
        tokenizer: A trained ``tokenizers.Tokenizer``.
        bos: Put before every text unless ``add_special_tokens=False``; nothing when empty.
        plain: Added tokens that a decoder shows even when it skips special ones.
    """
    from tokenizers import Tokenizer, decoders, processors

    tokenizer.decoder = decoders.ByteLevel()
    steps = [processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)]
    if bos:
        pair = f"{bos}:0 $A:0 {bos}:1 $B:1"
        known = [(bos, tokenizer.token_to_id(bos))]
        steps.append(processors.TemplateProcessing(single=f"{bos}:0 $A:0", pair=pair, special_tokens=known))
    tokenizer.post_processor = processors.Sequence(steps)
    whole = json.loads(tokenizer.to_str())
    for token in whole["added_tokens"]:
        token["special"] = token["content"] not in plain
    return Tokenizer.from_str(json.dumps(whole))
