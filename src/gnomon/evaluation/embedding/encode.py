"""Systems and their vectors: every text of every collection, once, in shards that survive a kill.

A *system* is a language model read through the mean of its last layer without [BOS]
(AstroLLaMA, arXiv 2309.06126, section 3), or a *general embedder* that was made for similarity.
One system is in memory at a time; vectors lie in memory-mapped files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.lib.format

from gnomon.core.hashing import plain
from gnomon.core.protocols import Vectors, resolve
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.evaluation.embedding.texts import Texts
from gnomon.evaluation.roles import Role, open_model
from gnomon.llm.vectors import unit_rows
from gnomon.runs.counts import NO_COUNTS
from gnomon.runs.output import Output

QUERIES = "queries"
Encode = Callable[[Sequence[str], str], Vectors]
"""Texts and the name of their collection in; unit rows out."""


@dataclass(frozen=True, kw_only=True)
class System:
    """Something that turns texts into vectors."""

    name: str
    """Its name in the tables."""
    open: Callable[[], tuple[Encode, dict[str, Any]]]
    """Loads it; gives what encodes, and the facts of its ``ref``."""


def model_system(
    role: Role, inputs: Mapping[str, Path], loader: tuple[str, str], settings: Settings, max_tokens: int
) -> System:
    """A language model of a role.

    Args:
        role: The role.
        inputs: Holds its artifact.
        loader: Entry that loads it, and the precision.
        settings: The machine.
        max_tokens: Tokens read of a text; 0 reads what its context holds.
    """

    def open_it() -> tuple[Encode, dict[str, Any]]:
        model = open_model(role, inputs, loader[0], settings, dtype=loader[1])
        return lambda texts, _: unit_rows(model.hidden_means(texts, max_tokens or None)), _facts(model.ref)

    return System(name=role.name, open=open_it)


def embedder_system(name: str, ref: ModelRef, loader: str, settings: Settings) -> System:
    """An embedder, with queries embedded as queries."""

    def open_it() -> tuple[Encode, dict[str, Any]]:
        embedder = resolve(loader)(ref, settings)

        def encode(texts: Sequence[str], collection: str) -> Vectors:
            return unit_rows(embedder.embed_queries(texts) if collection == QUERIES else embedder.embed(texts))

        return encode, _facts(embedder.ref)

    return System(name=name, open=open_it)


def _facts(ref: ModelRef) -> dict[str, Any]:
    return {"ref": plain(ref)}


def encode_all(systems: Sequence[System], collections: Sequence[Texts], out: Output) -> dict[str, dict[str, Any]]:
    """Make the vectors that are missing; gives the facts of each system by name."""
    out.meter.total(len(systems) * sum(texts.size for texts in collections), "texts")
    facts = {}
    for number, system in enumerate(systems):
        keys = [key for texts in collections for key in _keys(number, texts)]
        missing = set(out.pending(keys))
        if missing:
            encode, note = system.open()
            for texts in collections:
                _encode_one(number, texts, (encode, note), missing, out)
        facts[system.name] = out.notes(keys[:1])[0]
    return facts


def _encode_one(number: int, texts: Texts, how: tuple[Encode, dict[str, Any]], missing: set[str], out: Output) -> None:
    wanted = {b for b, key in enumerate(_keys(number, texts)) if key in missing}
    out.meter.advance(sum(min(texts.block, texts.size - b * texts.block) for b in texts.blocks if b not in wanted))
    for block, part in texts.read(wanted):
        key = _key(number, texts, block)
        vectors = how[0](part, texts.name)
        _save(_file(out, key), vectors)
        out.done(key, NO_COUNTS, note=how[1])
        out.meter.advance(len(part))


def _save(path: Path, vectors: Vectors) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.save(file, np.ascontiguousarray(vectors, dtype=np.float32))
    partial.replace(path)


def vectors_of(number: int, texts: Texts, out: Output) -> Vectors:
    """All vectors of one system and collection, shape (texts, dimensions), memory-mapped."""
    path = out.shards / "vectors" / f"{number:02d}-{texts.name}-all.npy"
    parts = [_file(out, key) for key in _keys(number, texts)]
    width = np.load(parts[0], mmap_mode="r").shape[1]
    shape = (texts.size, width)
    whole = numpy.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    start = 0
    for part in _loaded(parts):
        whole[start : start + len(part)] = part
        start += len(part)
    whole.flush()
    found: Vectors = np.load(path, mmap_mode="r")
    return found


def _loaded(parts: Sequence[Path]) -> Iterator[Vectors]:
    for part in parts:
        yield np.load(part)


def _keys(number: int, texts: Texts) -> list[str]:
    return [_key(number, texts, block) for block in texts.blocks]


def _key(number: int, texts: Texts, block: int) -> str:
    return f"{number:02d}-{texts.name}-{block:06d}"


def _file(out: Output, key: str) -> Path:
    return out.shards / "vectors" / f"{key}.npy"
