"""Exam items: questions out of the files exams are published in, one ``Item`` a row.

A row is an object or a table's line with these keys, in upper or lower case; the names on the right are read too, since
exams use them (``docs/exams.md`` has examples):

============  ======================================================================  =======================
key           meaning                                                                 also
============  ======================================================================  =======================
``question``  the question (needed)                                                   ``prompt``
``choices``   list of options, or an object from letters to options; without it the   ``options``; columns
              question is open                                                        ``A``, ``B``, ``C``…
``answer``    index from 0, letter (``"B"``), letters (``"BD"``), the option itself,   ``target``,
              or a list of these; the reference answer of an open question            ``correct_option``,
                                                                                      ``correct_answer``,
                                                                                      ``answer_key``,
                                                                                      ``reference``
``id``        unique; made from file and line when missing                            ``item_id``
``lang``      ISO 639-1; read off the script when missing                             ``language``
``subject``   subfield                                                                ``category``,
                                                                                      ``subfield``
``split``     ``dev`` is for examples and never scored; others are what they are
``origin``    exam and licence, or the document it was made from                      ``note``
``evidence``  the sentence the answer rests on
============  ======================================================================  =======================

A row that is no item is dropped with its reason, never guessed at.
"""

import dataclasses
import re
import string
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json
from gnomon.core.hashing import combined_hash
from gnomon.core.records import Drop, Item
from gnomon.core.tables import TableWriter
from gnomon.core.text import has_kana
from gnomon.evaluation.item_files import EXCERPT_CHARACTERS, NotAnItem, Row, rows
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.sources import FileEntry, FileSet

ANSWERS = ("answer", "target", "correct_option", "correct_answer", "answer_key", "reference")
_LETTERS = string.ascii_lowercase
_BETWEEN = re.compile(r"[\s,;、/&.]+")


@dataclass(frozen=True, kw_only=True)
class ItemsConfig:
    """Settings of the step."""

    langs: tuple[str, ...] = ()
    """Languages to keep; empty keeps all."""


def run(config: ItemsConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Read exam files into ``items.parquet``; what is no item goes to ``drops.parquet``."""
    files = FileSet.from_row(read_json(inputs["files"]))
    taken, reasons, seen = 0, dict[str, int](), dict[str, str]()
    with (
        TableWriter(out.path / "items.parquet", Item) as items,
        TableWriter(out.path / "drops.parquet", Drop) as drops,
    ):
        for found in _everything(files):
            taken += 1
            if isinstance(found, Item):
                found = _kept(found, config, seen)
            if isinstance(found, Item):
                items.write(found)
            else:
                drops.write(found)
                reasons[found.reason] = reasons.get(found.reason, 0) + 1
        kept = items.rows
    return Counts(taken=taken, kept=kept, dropped=dict(sorted(reasons.items())), made={"items": kept})


def _kept(item: Item, config: ItemsConfig, seen: dict[str, str]) -> Item | Drop:
    """The item with an id of its own, or why it is left out."""
    excerpt = item.prompt[:EXCERPT_CHARACTERS]
    if config.langs and item.lang not in config.langs:
        return Drop(doc_id=item.id, reason="other_language", detail=item.lang, excerpt=excerpt)
    content = combined_hash([item.prompt, *item.choices, item.reference])
    free, number = item.id, 2
    while free in seen:
        if seen[free] == content:
            return Drop(doc_id=item.id, reason="repeated", detail=f"the same as {free}", excerpt=excerpt)
        free, number = f"{item.id}#{number}", number + 1
    seen[free] = content
    return dataclasses.replace(item, id=free)


def _everything(files: FileSet) -> Iterator[Item | Drop]:
    for name, reason in files.left_out:
        yield Drop(doc_id=f"file:{name}", reason=reason)
    for file in files.files:
        yield from read_items(file)


def read_items(file: FileEntry) -> Iterator[Item | Drop]:
    """The items of one file; a ``Drop`` for every row that is none, or for the file when it cannot be read."""
    try:
        for place, row in rows(file):
            yield _item_or_drop(row, place)
    except NotAnItem as error:
        yield Drop(doc_id=f"file:{file.name}", reason=error.reason, detail=error.detail)
    except (OSError, EOFError) as error:
        yield Drop(doc_id=f"file:{file.name}", reason="unreadable", detail=str(error))


def _item_or_drop(row: Row, place: str) -> Item | Drop:
    try:
        if isinstance(row, NotAnItem):
            raise row
        return to_item(row, place)
    except NotAnItem as error:
        text = error.excerpt or str(row)
        return Drop(doc_id=place, reason=error.reason, detail=error.detail, excerpt=text[:EXCERPT_CHARACTERS])


def to_item(row: Mapping[str, Any], place: str) -> Item:
    """The item a row describes.

    Args:
        row: Its keys and values, as the module's docstring lists them.
        place: File and row, used where it has no id.

    Raises:
        NotAnItem: It has no question, its options no answer, or its answer does not fit its options.
    """
    told = {str(key).strip().casefold(): value for key, value in row.items()}
    question = _text(told, "question", "prompt")
    if not question:
        raise NotAnItem("no_question", f"keys: {', '.join(sorted(map(str, row)))}")
    choices = _choices(told)
    answer = next((told[key] for key in ANSWERS if told.get(key) is not None), None)
    return Item(
        id=_text(told, "id", "item_id") or place,
        prompt=question,
        choices=choices,
        targets=_targets(answer, choices) if choices else (),
        reference="" if choices or answer is None else str(answer),
        lang=_text(told, "lang", "language") or ("ja" if has_kana(question) else "en"),
        subject=_text(told, "subject", "category", "subfield"),
        origin=_text(told, "origin", "note") or place.rpartition("#")[0],
        evidence=_text(told, "evidence"),
        split=_text(told, "split").casefold(),
    )


def _text(row: Mapping[str, Any], *keys: str) -> str:
    """The first of some keys that holds something, as text."""
    return next((str(row[key]).strip() for key in keys if row.get(key) is not None and row[key] != ""), "")


def _choices(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The options: a list, an object from letters to options, or columns with letters for names."""
    options = row.get("choices", row.get("options"))
    if options is None or options == "":
        options = {key: value for key, value in row.items() if key in set(_LETTERS)}
    if isinstance(options, Mapping):
        lettered = {str(key).strip().casefold(): value for key, value in options.items() if value not in (None, "")}
        options = [lettered[letter] for letter in _LETTERS[: len(lettered)] if letter in lettered]
        if len(options) != len(lettered):
            raise NotAnItem("bad_choices", f"options {', '.join(sorted(lettered))}, wanted a, b, c… without a gap")
    if not isinstance(options, list | tuple) or len(options) > len(_LETTERS):
        raise NotAnItem("bad_choices", f"choices = {options!r}, wanted a list of at most 26")
    return tuple(str(option) for option in options)


def _targets(answer: Any, choices: tuple[str, ...]) -> tuple[int, ...]:
    """Indices of the right options, sorted."""
    if answer is None or answer == "":
        raise NotAnItem("no_answer_key", f"wanted one of the keys {', '.join(ANSWERS)}")
    given = answer if isinstance(answer, list | tuple) else [answer]
    found: set[int] = set()
    for value in given:
        found |= _indices(value, choices)
    if not found or max(found) >= len(choices) or min(found) < 0:
        raise NotAnItem("bad_answer", f"answer = {answer!r} for {len(choices)} options")
    return tuple(sorted(found))


def _indices(value: Any, choices: tuple[str, ...]) -> set[int]:
    if isinstance(value, int) and not isinstance(value, bool):
        return {value}
    if not isinstance(value, str):
        return set()
    if value in choices:
        return {choices.index(value)}
    letters = _BETWEEN.sub("", unicodedata.normalize("NFKC", value).upper())
    if letters and all(letter in string.ascii_uppercase for letter in letters):
        return {string.ascii_uppercase.index(letter) for letter in letters}
    return set()
