"""Vocabulary: learning tokens from text, with ``tokenizers`` (BPE) and ``sentencepiece`` (Unigram).

*BPE* merges the most frequent pair again and again (Sennrich et al. 2016, arXiv 1508.07909), here of
bytes (GPT-2). *Unigram* prunes a large set of pieces to the most probable ones (Kudo 2018, arXiv
1804.10959). Both start from all 256 bytes, so that every text has tokens and comes back unchanged.
Unigram is trained by its author's own library because the trainer of ``tokenizers`` walks hash maps in
random order: two runs gave other scores for a fifth of 4,000 pieces.
"""

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gnomon.core.errors import ConfigError, MissingExtra
from gnomon.core.wording import say
from gnomon.training.pretokenizers import named, splitter

LONGEST_PIECE = 16
"""Bytes in a piece of Unigram."""
LONGEST_WORD = 1 << 20
"""Bytes in a word that Unigram still learns from; far above what an excerpt can hold."""


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


def train_unigram(texts: Iterable[str], size: int, specials: Sequence[str], pretokenizer: str) -> Any:
    """A byte-level Unigram ``tokenizers.Tokenizer``; special tokens have the first ids.

    One thread, and words in sorted order, so that equal text gives equal scores.

    Raises:
        MissingExtra: sentencepiece is not installed.
    """
    from tokenizers import Tokenizer, models

    cut = splitter(pretokenizer)
    words = Counter(byte_alphabet())  # each once, or sentencepiece would leave out bytes it has not seen
    for text in texts:
        words.update(word for word, _ in cut.pre_tokenize_str(text))
    pieces = _unigram_pieces(words, size - len(specials))
    never = min(score for _, score in pieces) - 10.0  # a special token's name in a text is text
    tokenizer = Tokenizer(models.Unigram([*((token, never) for token in specials), *pieces]))
    tokenizer.pre_tokenizer = cut
    tokenizer.add_special_tokens(list(specials))
    return tokenizer


def _unigram_pieces(words: Mapping[str, int], size: int) -> list[tuple[str, float]]:
    """At most ``size`` (piece, log-probability) pairs, best first."""
    try:
        import sentencepiece
        from sentencepiece import sentencepiece_model_pb2
    except ImportError as error:
        raise MissingExtra("sentencepiece", "train", say("A Unigram tokenizer", "Unigram トークナイザ")) from error
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=(f"{word}\t{count}" for word, count in sorted(words.items())),
            model_writer=model,
            vocab_size=size + 1,  # <unk>, which it insists on, and which bytes make needless
            **_SENTENCEPIECE,
        )
    except RuntimeError as error:
        raise ConfigError(
            say(f"tokenizer: no Unigram vocabulary: {error}.", f"tokenizer: Unigram の語彙を作れない: {error}。"),
            say("Give more text, or a smaller vocab_size.", "本文を増やすか、vocab_size を小さくする。"),
        ) from error
    schema: Any = sentencepiece_model_pb2  # its classes are made at run time
    found = schema.ModelProto.FromString(model.getvalue())
    return [(piece.piece, piece.score) for piece in found.pieces if piece.type == piece.NORMAL]


_SENTENCEPIECE: dict[str, Any] = {
    "model_type": "unigram", "input_format": "tsv", "num_threads": 1, "minloglevel": 2, "hard_vocab_limit": False,
    "normalization_rule_name": "identity", "add_dummy_prefix": False, "remove_extra_whitespaces": False,
    "split_by_unicode_script": False, "split_by_number": False, "split_by_whitespace": False,
    "character_coverage": 1.0, "unk_id": 0, "bos_id": -1, "eos_id": -1, "pad_id": -1,
    "max_sentencepiece_length": LONGEST_PIECE, "max_sentence_length": LONGEST_WORD,
}  # fmt: skip
"""Words come already cut and as bytes: sentencepiece only learns the pieces."""


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
    steps: list[Any] = [processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)]
    if bos:
        pair = f"{bos}:0 $A:0 {bos}:1 $B:1"
        known = [(bos, tokenizer.token_to_id(bos))]
        steps.append(processors.TemplateProcessing(single=f"{bos}:0 $A:0", pair=pair, special_tokens=known))
    tokenizer.post_processor = processors.Sequence(steps)
    whole = json.loads(tokenizer.to_str())
    for token in whole["added_tokens"]:
        token["special"] = token["content"] not in plain
    return Tokenizer.from_str(json.dumps(whole))
