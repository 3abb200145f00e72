"""The texts of ``packing_throughput``: short and long documents, some of them held out, and their tokens.

Half of the tokens are abstracts of other fields (about 230 tokens each), half is passages of books of 75 to 2,400 words,
which ``training/pack`` cuts to rows. Every arm gets the very pieces that it cut, so tokens and targets are equal to
the last one.
"""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.records import Document, Source
from gnomon.core.tables import read_table, write_table
from gnomon.runs import Counts, Output, Recipe, Step, Workspace, run
from gnomon.training import steps as training
from gnomon.training.encoding import open_tokenizer, tokenizer_folder
from gnomon.training.packed import PackedTokens
from gnomon.training.packing.mixture import MixtureSource
from gnomon.training.shapes import Shape, TokenIds, build

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
FILES = {"abstracts": SHARED / "arxiv" / "other_fields.jsonl.gz", "books": SHARED / "general" / "books.jsonl.gz"}
PASSAGES = (75, 150, 300, 600, 1_200, 2_400)
"""Words of the passages that books are cut into, in turn."""


@dataclass(frozen=True, kw_only=True)
class TextsConfig:
    """Which texts."""

    source: str
    """``abstracts`` or ``books``."""
    held_out: bool
    """The last texts of the file, or the first."""
    number: int
    """How many."""


def texts(config: TextsConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Some texts of one source as documents: abstracts, or passages of books."""
    rows = list(_rows(FILES[config.source]))
    chosen = rows[-config.number :] if config.held_out else rows[: config.number]
    made = [
        _document(config, f"{i}-{j}", row, body) for i, row in enumerate(chosen) for j, body in _bodies(config, row)
    ]
    write_table(out.path / "documents" / "00000.parquet", Document, made)
    left = len(rows) - len(chosen)
    return Counts(taken=len(made) + left, kept=len(made), dropped={"not_needed": left} if left else {})


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _bodies(config: TextsConfig, row: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The abstract of a record; passages of a book, as many as make up one round of lengths, from its middle on."""
    if config.source == "abstracts":
        yield 0, str(row["abstract"])
        return
    words = str(row["text"]).split()
    at = len(words) // 2
    for number, size in enumerate(PASSAGES):
        if passage := words[at : at + size]:
            yield number, " ".join(passage)
        at += size


def _document(config: TextsConfig, key: str, row: Mapping[str, Any], body: str) -> Document:
    key = f"{config.source}-{'held' if config.held_out else 'shown'}-{key}"
    source = Source(kind="bench", key=key, sha256="0")
    return Document(id=f"bench:{key}", title=str(row.get("title") or ""), text=body, lang="en", source=source)


@dataclass(frozen=True, kw_only=True)
class Mix:
    """What the arms train on."""

    tokens: Path
    """The token artifact."""
    tokenizer: Path
    """The tokenizer artifact."""
    held_out: tuple[Path, ...]
    """Artifacts of held-out documents."""

    def pieces(self) -> list[list[int]]:
        """The token ids of every piece, in the order of training."""
        packed = PackedTokens(self.tokens)
        found = []
        for number in range(len(packed)):
            row = packed.row(number)
            found += [row.ids[start : start + length].tolist() for _, start, length in row.segments.tolist()]
        return found

    def examined(self, context: int) -> list[list[int]]:
        """The token ids of every held-out document, cut to a context."""
        tokenizer = open_tokenizer(tokenizer_folder(self.tokenizer))
        found = []
        for folder in self.held_out:
            for document in read_table(folder / "documents", Document):
                ids = tokenizer.encode(f"{document.title}\n\n{document.text}", add_special_tokens=False)
                whole = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
                found.append([i for i in whole if i is not None][:context])
        return found


def prepare(work: Path, tokens: int, kind: str, shape: Shape, vocabulary: int) -> Mix:
    """Tokenise and pack.

    Args:
        work: Workspace.
        tokens: About how many to train on.
        kind: ``mixed`` or ``abstracts``.
        shape: Whose context is a row.
        vocabulary: Tokens of the vocabulary.
    """
    sources = ("abstracts", "books") if kind == "mixed" else ("abstracts",)
    number = {"abstracts": max(300, tokens // 200), "books": 120}
    shown = {name: _texts(name, held_out=False, number=number[name]) for name in sources}
    held = {name: _texts(name, held_out=True, number={"abstracts": 100, "books": 6}[name]) for name in sources}
    tokenizer = training.tokenizer(shown, vocab_size=vocabulary)
    share = tokens // len(sources)
    mixture = tuple(MixtureSource(name=name, most_tokens=share) for name in sources)
    packed = training.pack(tokenizer, shown, context=shape.context, sources=mixture)
    workspace = Workspace(work)
    run(Recipe(name="packing", goals=(packed, *held.values())), workspace)
    at = workspace.artifact
    return Mix(
        tokens=at(packed.address), tokenizer=at(tokenizer.address),
        held_out=tuple(at(step.address) for step in held.values()),
    )  # fmt: skip


def _texts(source: str, *, held_out: bool, number: int) -> Step:
    config = TextsConfig(source=source, held_out=held_out, number=number)
    return Step(name="bench/texts", entry="packing_mix:texts", version=1, config=config)


def start(mix: Mix, shape: Shape, seed: int, folder: Path) -> Path:
    """A folder with fresh weights and the tokenizer, the same for every arm."""
    place = folder / f"start-{seed}"
    if not place.is_dir():
        tokenizer = open_tokenizer(tokenizer_folder(mix.tokenizer))
        ids = TokenIds(
            vocab_size=len(tokenizer), eos=tokenizer.eos_token_id, bos=tokenizer.bos_token_id,
            pad=tokenizer.pad_token_id,
        )  # fmt: skip
        build(shape, ids, seed=seed).save_pretrained(place)
        tokenizer.save_pretrained(place)
    return place


def mean_length(pieces: Sequence[Sequence[int]]) -> float:
    """Tokens of a piece, on average."""
    return sum(map(len, pieces)) / len(pieces)
