"""Streams: the token stream of a document, ``[BOS] text [EOS]``, and nothing in it that the text did not say.

A document that quotes ``<|im_end|>`` must not end a turn. The library reads names of special tokens as
plain text when asked to, but two cases are left: added tokens that are not *special* (``<think>``), and a
Unigram vocabulary that holds the name itself as a piece. Such a text is cut inside each such name and
its parts are encoded one by one, so its characters are all there and the id is not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import DataError
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm.tokens import beginning
from gnomon.llm.weights import REF_FILE, weights_of
from gnomon.training.encoding import encode_texts, open_tokenizer, tokenizer_folder, tokenizer_revision

SMALL = 65_536
"""Vocabularies up to this size are stored in two bytes a token."""
_NAME = re.compile(r"[<\[{(].+[>\]})]|[<\[].*[|▁].*", re.DOTALL)
"""Added tokens that are commands by their look, not runs of spaces or words."""


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """A tokenizer, ready to turn documents into token streams."""

    tokenizer: Any
    """The ``transformers`` tokenizer."""
    revision: str
    """Hash of what decides its tokens."""
    size: int
    """Number of ids, added tokens included."""
    bos: int | None
    """Id before each document."""
    eos: int
    """Id after each document."""
    pad: int | None
    """Id that fills up a row."""
    commands: dict[int, str]
    """Added tokens that a document's text must never become, by id."""

    @property
    def dtype(self) -> npt.DTypeLike:
        """How a token is stored: little-endian, two or four bytes."""
        return np.dtype("<u2" if self.size <= SMALL else "<u4")

    def streams(self, texts: Sequence[str]) -> Iterator[npt.NDArray[np.integer[Any]]]:
        """The token stream of each text; an empty array for a text without a token."""
        forbidden = np.zeros(self.size, bool)
        forbidden[list(self.commands)] = True
        for text, ids in zip(texts, encode_texts(self.tokenizer, texts), strict=True):
            if not ids:
                yield np.empty(0, self.dtype)
                continue
            whole = np.array(ids, np.int64)
            if forbidden[whole].any():
                whole = self._disarmed(text, forbidden)
            ends = [[self.bos]] if self.bos is not None else []
            yield np.concatenate([*ends, whole, [self.eos]]).astype(self.dtype)

    def _disarmed(self, text: str, forbidden: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        names = sorted(self.commands.values(), key=len, reverse=True)
        parts = re.split("|".join(f"(?<={re.escape(n[0])})(?={re.escape(n[1:])})" for n in names if len(n) > 1), text)
        found = np.concatenate([np.array(ids, np.int64) for ids in encode_texts(self.tokenizer, parts)])
        kept: npt.NDArray[np.int64] = found[~forbidden[found]]  # what is left out has a name of one character
        return kept


def open_encoder(artifact: Path, settings: Settings) -> Encoder:
    """The encoder of a tokenizer artifact or a model artifact.

    Raises:
        DataError: It has no tokenizer that can be used, or one without an end-of-text token.
    """
    adopted = (artifact / REF_FILE).is_file() and not (artifact / "model").is_dir()
    place = Path(weights_of(artifact, settings).name_or_folder) if adopted else artifact
    folder = tokenizer_folder(place)
    tokenizer = open_tokenizer(folder)
    if tokenizer.eos_token_id is None:
        raise DataError(
            say(f"The tokenizer in {folder} has no EOS token, so documents cannot be told apart.",
                f"{folder} のトークナイザに EOS がなく、文書の境目を示せない。"),
            say('Set "eos_token" in its tokenizer_config.json, or train one with training/tokenizer.',
                "tokenizer_config.json の eos_token を設定するか、training/tokenizer で作る。"),
        )  # fmt: skip
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return Encoder(
        tokenizer=tokenizer, revision=tokenizer_revision(folder), size=_size(tokenizer),
        bos=beginning(tokenizer), eos=int(tokenizer.eos_token_id), pad=tokenizer.pad_token_id,
        commands=_commands(tokenizer),
    )  # fmt: skip


def _size(tokenizer: Any) -> int:
    """Ids run from 0 below this, even where a vocabulary has gaps."""
    return int(max(tokenizer.get_vocab().values(), default=0)) + 1


def _commands(tokenizer: Any) -> dict[int, str]:
    added = tokenizer.backend_tokenizer.get_added_tokens_decoder()
    found = {int(i): str(t.content) for i, t in added.items() if t.special or _NAME.fullmatch(t.content)}
    found |= {int(i): str(tokenizer.convert_ids_to_tokens(int(i))) for i in tokenizer.all_special_ids}
    if tokenizer.unk_token_id not in {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}:
        found.pop(tokenizer.unk_token_id, None)
    return found
