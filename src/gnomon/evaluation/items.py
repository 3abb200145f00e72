"""Exam items: questions out of JSONL files, one ``Item`` a line.

A line is an object with these keys; the names on the right are read too, since exams use them:

============  ======================================================================  =====================
key           meaning                                                                 also
============  ======================================================================  =====================
``question``  the question (needed)                                                   ``prompt``
``choices``   list of options; without it the question is open                        ``options``
``answer``    index from 0, letter (``"B"``), letters (``"BD"``), the option itself,   ``target``,
              or a list of these; the reference answer of an open question            ``reference``
``id``        unique; made from file and line when missing                            ``item_id``
``lang``      ISO 639-1; read off the script when missing                             ``language``
``subject``   subfield                                                                ``category``,
                                                                                      ``subfield``
``origin``    exam and licence, or the document it was made from                      ``note``
``evidence``  the sentence the answer rests on
============  ======================================================================  =====================

A line that is no item is dropped with its reason, never guessed at.
"""

import dataclasses
import gzip
import json
import string
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gnomon.core.files import read_json
from gnomon.core.hashing import combined_hash
from gnomon.core.records import Drop, Item
from gnomon.core.tables import TableWriter
from gnomon.core.text import has_kana
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.sources import FileEntry, FileSet

SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson")
EXCERPT_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True)
class ItemsConfig:
    """Settings of the step."""

    langs: tuple[str, ...] = ()
    """Languages to keep; empty keeps all."""


class NotAnItem(Exception):
    """A line that cannot be an item.

    Args:
        reason: The code that is counted.
        detail: The value, and what was wanted.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


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
        if file.name.lower().endswith(SUFFIXES):
            yield from read_items(file)
        else:
            yield Drop(doc_id=f"file:{file.name}", reason="not_jsonl", detail=f"wanted {', '.join(SUFFIXES)}")


def read_items(file: FileEntry) -> Iterator[Item | Drop]:
    """The items of one JSONL file; a ``Drop`` for every line that is none."""
    try:
        with _open(Path(file.path)) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _item_or_drop(line, f"{file.name}#{number}")
    except (OSError, EOFError) as error:
        yield Drop(doc_id=f"file:{file.name}", reason="unreadable", detail=str(error))


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _item_or_drop(line: bytes, place: str) -> Item | Drop:
    try:
        return to_item(_parse(line), place)
    except NotAnItem as error:
        text = line[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "replace")[:EXCERPT_CHARACTERS]
        return Drop(doc_id=place, reason=error.reason, detail=error.detail, excerpt=text)


def _parse(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise NotAnItem("broken_line", f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise NotAnItem("broken_line", f"a {type(row).__name__}, wanted an object")
    return row


def to_item(row: Mapping[str, Any], place: str) -> Item:
    """The item a JSON object describes.

    Args:
        row: The object.
        place: File and line, used where it has no id.

    Raises:
        NotAnItem: It has no question, or its answer does not fit its options.
    """
    question = _text(row, "question", "prompt")
    if not question:
        raise NotAnItem("no_question", f"keys: {', '.join(sorted(map(str, row)))}")
    options = row.get("choices", row.get("options")) or ()
    if not isinstance(options, list | tuple) or len(options) > len(string.ascii_uppercase):
        raise NotAnItem("bad_choices", f"choices = {options!r}, wanted a list of at most 26")
    choices = tuple(str(option) for option in options)
    answer = next((row[key] for key in ("answer", "target", "reference") if row.get(key) is not None), None)
    return Item(
        id=_text(row, "id", "item_id") or place,
        prompt=question,
        choices=choices,
        targets=_targets(answer, choices) if choices else (),
        reference="" if choices or answer is None else str(answer),
        lang=_text(row, "lang", "language") or ("ja" if has_kana(question) else "en"),
        subject=_text(row, "subject", "category", "subfield"),
        origin=_text(row, "origin", "note") or place.rpartition("#")[0],
        evidence=_text(row, "evidence"),
    )


def _text(row: Mapping[str, Any], *keys: str) -> str:
    """The first of some keys that holds something, as text."""
    return next((str(row[key]).strip() for key in keys if row.get(key) not in {None, ""}), "")


def _targets(answer: Any, choices: tuple[str, ...]) -> tuple[int, ...]:
    """Indices of the right options, sorted."""
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
    letters = unicodedata.normalize("NFKC", value).upper().replace(",", "").replace(" ", "")
    if letters and all(letter in string.ascii_uppercase for letter in letters):
        return {string.ascii_uppercase.index(letter) for letter in letters}
    return set()
