"""Reading what a model wrote: which options it names, or why none can be told.

The answer asked for is JSON, ``{"ANSWER": "B", …}``; models write ``B) because``, ``The answer is (B)`` or the
option's own words as well. What is read is what cannot mean anything else; a sentence that begins with the
article "A" is no choice of option A. An answer that was whole before the limit cut the explanation is an answer.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

from gnomon.core.text import fold

NOTHING = frozenset({"", "none", "null", "n/a", "なし"})
_BETWEEN = r"(?:\s*(?:[,;&/、・]|and\b|と|および)\s*|\s+)"
_LETTERS = rf"[A-Z]{{1,26}}(?:{_BETWEEN}[A-Z]{{1,26}})*"
_OPEN, _CLOSE = r"[(\[\"'「*]*", r"[)\]\"'」*]*"
_BARE = re.compile(rf"(?:options?\s+|選択肢\s*)?{_OPEN}({_LETTERS}){_CLOSE}(?:\s*$|[.:)、。]|\s*\n)", re.IGNORECASE)
_FIELD = re.compile(r'"ANSWER"\s*:\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|null)', re.IGNORECASE)
_SAID = re.compile(
    rf"(?:\b[Aa]nswers?(?:\s+(?:is|are))?|\bANSWERS?|答え[はが]?|正解[はが]?|解答[はが]?)\s*[:：]?\s*"
    rf"{_OPEN}({_LETTERS}){_CLOSE}(?=\s*$|\s*\n|[.,;:、。]|で|\s+(?:because|since)\b)"
)
Choice = tuple[int, ...]


def read_value(value: Any, options: Sequence[str]) -> Choice | None:
    """The options that a structured answer names, None when it cannot be told.

    Args:
        value: The answer's value: a string, a list of strings, or nothing.
        options: The options as they were shown.
    """
    if isinstance(value, list | tuple):
        parts = [read_value(part, options) for part in value]
        return None if None in parts else tuple(sorted({i for part in parts if part for i in part}))
    if value is None or not isinstance(value, str):
        return () if value is None else None
    text = unicodedata.normalize("NFKC", value).strip()
    if text.casefold() in NOTHING:
        return ()
    same = [i for i, option in enumerate(options) if fold(option) == fold(text)]
    if len(same) == 1 and len(text) > 1:
        return (same[0],)
    found = _BARE.match(text)
    return _indices(found[1], len(options)) if found else None


def read_text(text: str, options: Sequence[str]) -> Choice | None:
    """The options that a free text names: by its field ``ANSWER``, by what it says, or as a whole; the last counts."""
    plain = unicodedata.normalize("NFKC", text)
    fields = _FIELD.findall(plain)
    if fields:
        return read_value(_json(fields[-1]), options)
    said = [_indices(letters, len(options)) for letters in _SAID.findall(plain)]
    told = [choice for choice in said if choice is not None]
    return told[-1] if told else read_value(plain, options)


def _json(literal: str) -> Any:
    try:
        return json.loads(literal)
    except ValueError:
        return literal


def _indices(letters: str, options: int) -> Choice | None:
    """Indices of letters, None when one was not offered or the letters make a word."""
    bare = re.sub(r"and|[^A-Za-z]", "", letters, flags=re.IGNORECASE)
    if len(bare) > 1 and not bare.isupper():
        return None
    found = [ascii_uppercase.index(letter) for letter in bare.upper()]
    if not found or max(found) >= options or len(set(found)) != len(found):
        return None
    return tuple(sorted(found))
