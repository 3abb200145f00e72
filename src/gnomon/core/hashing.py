"""Hashes: canonical JSON, tagged content hashes, file hashes.

A hash carries the name of the algorithm that made it (``b2:`` for BLAKE2b-128), so a later
change of algorithm can be seen. Canonical JSON refuses what has no stable form instead of
falling back to ``str()``.
"""

import dataclasses
import enum
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError

HASH_PREFIX = "b2:"
READ_BYTES = 1 << 20
_SCALARS = frozenset((str, int, bool, type(None)))
"""Types that are JSON as they are; subclasses (enums) are not."""


def text_hash(text: str) -> str:
    """The tagged BLAKE2b-128 of a text's UTF-8 bytes; lone surrogates are kept as they are."""
    return bytes_hash(text.encode("utf-8", "surrogatepass"))


def bytes_hash(data: bytes) -> str:
    """The tagged BLAKE2b-128 of some bytes."""
    return HASH_PREFIX + hashlib.blake2b(data, digest_size=16).hexdigest()


def combined_hash(parts: Iterable[str]) -> str:
    """The tagged hash of a sequence of strings; the borders between them count."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        state.update(len(data).to_bytes(8, "little") + data)
    return HASH_PREFIX + state.hexdigest()


def hash_place(text: str) -> float:
    """A number from 0 to below 1, spread evenly over texts: decides a text's part, share or draw for good."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest()) / 2**64


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces, equal for equal values in every process.

    Raises:
        ConfigError: The value holds something without a stable form (a path, a callable, NaN).
    """
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(value: Any, where: str = "value") -> Any:
    """The value as JSON types: dataclasses become objects, enums their value, tuples lists.

    Raises:
        ConfigError: Something inside has no stable form; the message says where.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict and all(type(key) is str for key in value):
        pairs = value.items()
        return {key: item if type(item) in _SCALARS else plain(item, f"{where}.{key}") for key, item in pairs}
    if kind is list:
        return [item if type(item) in _SCALARS else plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, bool | int | str):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, enum.Enum):
        return plain(value.value, where)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {f.name: plain(getattr(value, f.name), f"{where}.{f.name}") for f in fields}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        pairs = value.items()
        return {key: item if type(item) in _SCALARS else plain(item, f"{where}.{key}") for key, item in pairs}
    if isinstance(value, tuple | list):
        return [item if type(item) in _SCALARS else plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    raise ConfigError(
        f"{where} is a {type(value).__name__} ({value!r}), which has no stable form to hash.",
        "Use str, int, float, bool, None, tuples, string-keyed mappings, enums or dataclasses;"
        " a place (path, host) belongs in gnomon.toml.",
    )
