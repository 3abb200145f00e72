"""Pairs: preferences as token ids, and the order in which they are learnt from.

A question and its answer are encoded as in fine-tuning (the model's template; names of special tokens inside a text are
text), so what is preferred is exactly what the model would have to write, its end of turn included.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.hashing import hash_place
from gnomon.core.messages import Message
from gnomon.core.records import Drop
from gnomon.core.synthetic import Preference
from gnomon.core.tables import read_table
from gnomon.core.wording import say
from gnomon.training.packing.dialogues import DialogueEncoder

PREFERENCES = "preferences.parquet"
TOO_LONG, SAME_TOKENS, HELD_OUT = "too_long", "same_tokens", "held_out"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A preference as token ids."""

    id: str
    """Its id."""
    prompt: list[int]
    """Everything up to where the answers part."""
    chosen: list[int]
    """The answer that is wanted, with the end of its turn."""
    rejected: list[int]
    """The answer that is not."""

    @property
    def longest(self) -> int:
        """Tokens of the question with the longer answer."""
        return len(self.prompt) + max(len(self.chosen), len(self.rejected))

    @property
    def answers(self) -> int:
        """Tokens of both answers: what is learnt."""
        return len(self.chosen) + len(self.rejected)


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """What is learnt from, what is kept to measure, and what was left out."""

    learnt: list[Pair]
    """Pairs to learn from, in order of the file."""
    held: list[Pair]
    """Pairs that are only measured."""
    drops: list[Drop]
    """The others."""


def read_pairs(artifact: Path, tokenizer: Any, *, longest: int, held_out: float) -> Pairs:
    """The pairs of a step that leaves preferences.

    Args:
        artifact: Its files.
        tokenizer: The model's, with a chat template or the marks of one of ours.
        longest: Most tokens of a question with an answer.
        held_out: Share to hold out.

    Raises:
        DataError: There are no preferences, or none that can be learnt from.
        ConfigError: The template cannot render a conversation.
    """
    found = Pairs(learnt=[], held=[], drops=[])
    encoder = DialogueEncoder(tokenizer, "int64")
    for preference in read_table(artifact / PREFERENCES, Preference):
        pair = encode(encoder, preference)
        if pair.longest > longest:
            found.drops.append(_drop(preference, TOO_LONG, f"{pair.longest} tokens, at most {longest}"))
        elif pair.chosen == pair.rejected:
            found.drops.append(_drop(preference, SAME_TOKENS, ""))
        else:
            (found.held if _held_out(preference, held_out) else found.learnt).append(pair)
    if not found.learnt:
        raise DataError(
            say(f"{artifact / PREFERENCES} has no pair to learn from; {len(found.drops)} were left out.",
                f"{artifact / PREFERENCES} に学習できる組がない。除外は {len(found.drops)} 件。"),
            say("Raise max_length, hold out fewer, or look at what the step before dropped.",
                "max_length を上げるか held_out を下げる。または前の段階の除外を確かめる。"),
        )  # fmt: skip
    return found


def encode(encoder: DialogueEncoder, preference: Preference) -> Pair:
    """A preference as token ids; the answers begin where they part, at the latest after the assistant's mark."""
    (chosen, begin), (rejected, other) = (
        _answered(encoder, preference.messages, text) for text in (preference.chosen, preference.rejected)
    )
    shared = min(begin, other, _common(chosen, rejected))
    return Pair(id=preference.id, prompt=chosen[:shared], chosen=chosen[shared:], rejected=rejected[shared:])


def _answered(encoder: DialogueEncoder, messages: Sequence[Message], answer: str) -> tuple[list[int], int]:
    """Ids of a conversation with an answer, and where the answer begins."""
    *_, (ids, learnt) = encoder.streams((*messages, Message(role="assistant", text=answer)))
    begin = next((i + 1 for i in range(len(learnt) - 1, -1, -1) if not learnt[i]), 0)
    return [int(i) for i in ids], begin


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _held_out(preference: Preference, share: float) -> bool:
    """By document, so that nothing is measured on a document that was learnt from."""
    key = preference.doc_ids[0] if preference.doc_ids else preference.id
    return hash_place(f"preference\0{key}") < share


def _drop(preference: Preference, reason: str, detail: str) -> Drop:
    asked = preference.messages[-1].text
    return Drop(doc_id=preference.id, reason=reason, detail=detail, excerpt=asked[:200])


def order(pairs: int, batch: int, epochs: int, seed: int) -> list[int]:
    """Numbers of the pairs in the order they are shown: every pass shuffled anew, whole steps.

    Args:
        pairs: Number of pairs, at least 1.
        batch: Pairs a step; the last one is filled from one more pass.
        epochs: Passes.
        seed: Decides the order.
    """
    shown = -(-pairs * epochs // batch) * batch
    stream = _passes(pairs, random.Random(seed))
    return [next(stream) for _ in range(shown)]


def _passes(pairs: int, rng: random.Random) -> Iterator[int]:
    while True:
        numbers = list(range(pairs))
        rng.shuffle(numbers)
        yield from numbers


def columns(pairs: Iterable[Pair]) -> dict[str, list[list[int]]]:
    """Pairs as TRL's trainer takes them when they are token ids already."""
    rows = list(pairs)
    return {
        "prompt_ids": [pair.prompt for pair in rows],
        "chosen_ids": [pair.chosen for pair in rows],
        "rejected_ids": [pair.rejected for pair in rows],
    }


class Shown:
    """The pairs in the order of training, for who has to name those of a step.

    Args:
        pairs: The pairs, one a place of the order.
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def documents(self, rows: Sequence[int]) -> list[str]:
        """Ids of the preferences at some places."""
        return list(dict.fromkeys(self._pairs[row].id for row in rows))
