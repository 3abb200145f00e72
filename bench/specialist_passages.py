"""A step of ``specialist``: books in passages, so that a small share of them can be drawn at all.

``training/pack`` draws whole documents until their tokens come nearest to what was asked; a book has about 100,000, so
a share of 10 % of a million tokens would be one book or none, by luck.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.records import Document
from gnomon.core.tables import read_table, write_table
from gnomon.runs import Counts, Output, Step


@dataclass(frozen=True, kw_only=True)
class PassagesConfig:
    """How long they are."""

    characters: int = 32_000
    """At most so many characters, about 8,000 tokens: few borders inside a book, and many passages to draw from."""


def passages(documents: Step) -> Step:
    return Step(
        name="bench/passages",
        entry="specialist_passages:cut",
        version=1,
        config=PassagesConfig(),
        inputs={"documents": documents},
    )


def cut(config: PassagesConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Every document in passages of its own, in order."""
    documents = list(read_table(inputs["documents"] / "documents", Document))
    made = [passage for document in documents for passage in _of(document, config.characters)]
    write_table(out.path / "documents" / "00000.parquet", Document, made)
    return Counts(taken=len(documents), kept=len(documents), made={"passages": len(made)})


def _of(document: Document, most: int) -> Iterator[Document]:
    for number, text in enumerate(_texts(document.text, most)):
        yield dataclasses.replace(document.with_text(text), id=f"{document.id}#{number}", references=())


def _texts(text: str, most: int) -> Iterator[str]:
    """Stretches of at most so many characters that end with a paragraph, or a word, where one ends in time."""
    at = 0
    while at < len(text):
        end = min(len(text), at + most)
        if end < len(text):
            ends = (text.rfind(mark, at + most // 2, end) for mark in ("\n\n", "\n", " "))
            end = next((found + 1 for found in ends if found > 0), end)
        yield text[at:end]
        at = end
