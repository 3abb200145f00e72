"""Text and token ids: how a causal language model's tokenizer is read here, the same for every use.

A *special token* (``<s>``, ``<|im_end|>``) is a control mark with an id of its own. The string of one in a text
is encoded as the plain characters it is, so no document and no question can end a sequence or open another role.
*BOS* and *EOS* begin and end a document; BOS is put in front wherever the tokenizer has one, as in training. Some
instruct models (SmolLM2) name the mark that opens a turn as BOS: a document behind it would read as the name of a role,
so for them there is none.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.wording import say
from gnomon.llm.vectors import well_formed
from gnomon.llm.weights import Weights

FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
"""A model's folder holds at least one of these, if it has a tokenizer."""
ANCHOR = 8
"""Tokens decoded before new ones, since some tokenizers drop the space at the beginning of what they decode."""


class Tokens:
    """A tokenizer of transformers, and the rules above.

    Args:
        tokenizer: A ``PreTrainedTokenizerBase``.
        ends: Ids at which the model ends a text, besides the tokenizer's own EOS.
        marks: Whether decoded text shows special tokens, as the channels of Harmony need.
    """

    def __init__(self, tokenizer: Any, ends: Sequence[int] = (), *, marks: bool = False) -> None:
        self.tokenizer, self._marks = tokenizer, marks
        self.bos: int | None = beginning(tokenizer)
        self.eos: int | None = tokenizer.eos_token_id
        self.ends = frozenset({*ends, *(() if self.eos is None else (self.eos,))})

    def encode(self, text: str, bos: bool = True) -> list[int]:  # noqa: FBT001 -- the contract's shape
        """A text's ids, with BOS in front where asked and where the tokenizer has one; never EOS."""
        return self.encode_all([text], bos)[0]

    def encode_all(self, texts: Sequence[str], bos: bool = True) -> list[list[int]]:  # noqa: FBT001
        """The ids of many texts, in order; a lone surrogate is read as a question mark."""
        if not texts:
            return []
        clean = [well_formed(text, len(text)) for text in texts]
        coded = self.tokenizer(clean, add_special_tokens=False, split_special_tokens=True, verbose=False)
        front = [self.bos] if bos and self.bos is not None else []
        return [front + list(ids) for ids in coded["input_ids"]]

    def places(self, text: str) -> list[tuple[int, int]]:
        """The characters of each token of a text, first and one past the last, without BOS."""
        clean = well_formed(text, len(text))
        coded = self.tokenizer(clean, add_special_tokens=False, split_special_tokens=True, verbose=False,
                               return_offsets_mapping=True)  # fmt: skip
        return [(start, end) for start, end in coded["offset_mapping"]]

    def prompt(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids that a model can be run on: as ``encode``, and never empty.

        Raises:
            DataError: A text is empty and the tokenizer has neither BOS nor EOS to begin with.
        """
        return [ids or self.first() for ids in self.encode_all(texts)]

    def first(self) -> list[int]:
        """The one token before an empty text: BOS, else EOS (as in lm-evaluation-harness).

        Raises:
            DataError: The tokenizer has neither.
        """
        mark = self.eos if self.bos is None else self.bos
        if mark is None:
            raise DataError(
                say(
                    "The prompt is empty and the tokenizer has neither a BOS nor an EOS token to begin with.",
                    "プロンプトが空であり、トークナイザーに BOS も EOS もない。",
                ),
                say("Give a prompt of at least one character.", "一文字以上のプロンプトを与える。"),
            )
        return [mark]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; special tokens are left out unless asked for, bytes that are no UTF-8 become U+FFFD."""
        hidden = not self._marks
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=hidden, clean_up_tokenization_spaces=False))

    def decode_after(self, before: Sequence[int], ids: Sequence[int]) -> str:
        """The text that ids add to the text before them, with the space some decoders would drop."""
        anchor = list(before[-ANCHOR:])
        start, whole = self.decode(anchor), self.decode([*anchor, *ids])
        return whole[len(start) :] if whole.startswith(start) else self.decode(ids)

    def pair(self, context: str, continuation: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Ids of a context, never empty, and of what follows it; see ``pairs``."""
        return self.pairs([(context, continuation)])[0]

    def pairs(self, texts: Sequence[tuple[str, str]]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Ids of contexts, never empty, and of what follows each, after lm-evaluation-harness (see ``Client``).

        Where one token would span the border and nothing would be left to score, the continuation is encoded alone.
        """
        contexts = list(dict.fromkeys(context.rstrip() for context, _ in texts))
        wholes = [context + continuation for context, continuation in texts]
        ids = self.encode_all([*contexts, *wholes])
        before = dict(zip(contexts, ids, strict=False))
        found = []
        for (context, continuation), whole in zip(texts, ids[len(contexts) :], strict=True):
            start = before[context.rstrip()]
            after = whole[len(start) :]
            if continuation and not after:
                after = self.encode(context[len(context.rstrip()) :] + continuation, bos=False)
            found.append((tuple(start or self.first()), tuple(after)))
        return found


def beginning(tokenizer: Any) -> int | None:
    """The id before a document: BOS, unless there is none or the chat template opens every turn with it."""
    bos: int | None = tokenizer.bos_token_id
    if bos is None or not tokenizer.chat_template:
        return bos
    turn = [{"role": "user", "content": "a"}]
    try:
        shown = str(tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True))
    except Exception:  # noqa: BLE001 -- templates raise what they like: whoever chats is told, documents need none
        return bos
    return None if shown.count(tokenizer.bos_token) > 1 else bos


def load_tokens(weights: Weights, ends: Sequence[int] = ()) -> Tokens:
    """The tokenizer beside a model's weights.

    Raises:
        DataError: There is none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    folder = Path(weights.name_or_folder)
    if folder.is_dir() and not any((folder / name).is_file() for name in FILES):
        raise _unreadable(folder, say("there is no tokenizer.json", "tokenizer.json がない"))
    try:
        return Tokens(AutoTokenizer.from_pretrained(**weights.keywords()), ends)
    except Exception as error:  # tokenizers raises bare Exception for a damaged file
        raise _unreadable(folder, f"{error}") from error


def _unreadable(folder: Path, why: str) -> DataError:
    return DataError(
        say(f"The tokenizer of {folder} cannot be read: {why}.", f"{folder} のトークナイザーを読めない: {why}。"),
        say(
            "Put tokenizer.json and tokenizer_config.json beside the weights.",
            "重みと同じ場所に tokenizer.json と tokenizer_config.json を置く。",
        ),
    )
