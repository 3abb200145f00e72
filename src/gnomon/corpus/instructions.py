"""The step ``corpus/instructions``: questions and answers as plain documents, for instruction pre-training.

*Instruction pre-training* mixes question-and-answer text into the last part of pre-training (LLM-jp-4: 60 % of its
decay branch), before there is any chat format. A record of a JSONL file becomes one document: its turns under plain
headings, in its own language. Nothing is cleaned or judged here; the documents pass through the same steps as any.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.files import read_json
from gnomon.core.records import Document, Drop, Source
from gnomon.core.tables import TableWriter
from gnomon.core.text import has_kana
from gnomon.core.wording import say
from gnomon.corpus.ids import document_id
from gnomon.corpus.readers.draft import EXCERPT, Fault, Limits, Unreadable
from gnomon.corpus.readers.feed import Feed, clean_text, decode
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.sources import FileEntry, FileSet

SHARD = "00000"
ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson")
ASKED = ("question", "prompt", "instruction", "query")
GIVEN = ("input", "context")
ANSWERED = ("answer", "response", "output", "completion", "reference")
TURNS = ("messages", "conversations", "conversation")
PERSONS = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "system": "system"}
HEADINGS = {
    "en": {"user": "Question", "assistant": "Answer", "system": "Setting"},
    "ja": {"user": "質問", "assistant": "回答", "system": "設定"},
}
Turn = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class InstructionsConfig:
    """How records are read."""

    limits: Limits = field(default_factory=Limits)
    """Bounds on what is read."""
    licence: str = ""
    """Licence of records that state none, when you know it."""


class NoTurns(Exception):
    """A record that holds no question with its answer.

    Args:
        reason: The code that is counted.
        detail: What was found.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def run(config: InstructionsConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Read the JSONL files of ``inputs["files"]`` into ``documents/`` and ``drops.parquet``.

    Raises:
        DataError: No record of theirs is a question with its answer.
    """
    files = FileSet.from_row(read_json(inputs["files"]))
    out.meter.total(sum(entry.bytes for entry in files.files), "bytes")
    reasons, seen, taken = Counter[str](), set[str](), 0
    with (
        TableWriter(out.path / "documents" / f"{SHARD}.parquet", Document) as documents,
        TableWriter(out.path / "drops.parquet", Drop) as drops,
    ):
        for found in _everything(files, config, out):
            taken += 1
            if isinstance(found, Document) and found.id in seen:
                found = Drop(doc_id=found.id, reason="repeated_id", excerpt=found.text[:EXCERPT])
            if isinstance(found, Document):
                seen.add(found.id)
                documents.write(found)
            else:
                drops.write(found)
                reasons[found.reason] += 1
        kept = documents.rows
    if not kept:
        raise DataError(
            say(f"None of {taken} records is a question with its answer ({dict(reasons)}).",
                f"{taken} 件のうち、質問と回答を備えたものがない（{dict(reasons)}）。"),
            say("Give JSONL with question and answer, or with messages.",
                "question と answer、または messages のある JSONL を渡す。"),
        )  # fmt: skip
    return Counts(taken=taken, kept=kept, dropped=dict(sorted(reasons.items())))


def _everything(files: FileSet, config: InstructionsConfig, out: Output) -> Iterator[Document | Drop]:
    for name, reason in files.left_out:
        yield Drop(doc_id=f"file:{name}", reason=reason)
    for entry in files.files:
        if entry.name.lower().endswith(ENDINGS):
            yield from _records(entry, config)
        else:
            yield Drop(doc_id=f"file:{entry.name}", reason="not_jsonl", detail=f"wanted {', '.join(ENDINGS)}")
        out.meter.advance(entry.bytes)


def _records(entry: FileEntry, config: InstructionsConfig) -> Iterator[Document | Drop]:
    feed = Feed(entry.name, entry.path, entry.bytes, config.limits)
    try:
        for number, line in feed.lines():
            if isinstance(line, Fault):
                yield Drop(doc_id=f"file:{entry.name}#{number}", reason=line.reason, detail=line.detail)
            elif line.strip():
                yield _document_or_drop(line, number, entry, config)
    except Unreadable as error:
        yield Drop(doc_id=f"file:{entry.name}", reason=error.reason, detail=error.detail)
    except OSError as error:
        yield Drop(doc_id=f"file:{entry.name}", reason="unreadable", detail=str(error.strerror))


def _document_or_drop(line: bytes, number: int, entry: FileEntry, config: InstructionsConfig) -> Document | Drop:
    text, _ = decode(line)
    place = f"{entry.name}#{number}"
    try:
        row = json.loads(text)
        return to_document(row, place, entry, config.licence)
    except NoTurns as error:
        return Drop(
            doc_id=f"file:{place}", reason=error.reason, detail=error.detail, excerpt=clean_text(text[:EXCERPT])
        )
    except (ValueError, RecursionError) as error:
        return Drop(doc_id=f"file:{place}", reason="broken_line", detail=str(error), excerpt=clean_text(text[:EXCERPT]))


def to_document(row: Any, place: str, entry: FileEntry, licence: str = "") -> Document:
    """A record as a document.

    Args:
        row: The record.
        place: File and line, its id when it has none.
        entry: The file.
        licence: When the record states none.

    Raises:
        NoTurns: It holds no question with its answer.
    """
    if not isinstance(row, Mapping):
        raise NoTurns("not_a_record", f"a {type(row).__name__}, wanted an object")
    turns = turns_of(row)
    stated = str(row.get("lang") or row.get("language") or "")
    lang = stated or ("ja" if any(has_kana(text) for _, text in turns) else "en")
    own = str(row.get("id") or row.get("item_id") or place)
    terms = str(row.get("licence") or row.get("license") or licence)
    source = Source(kind="instructions", key=place, sha256=entry.sha256, licence=terms)
    return Document(id=document_id(own), title="", text=rendered(turns, lang), lang=lang, source=source)


def turns_of(row: Mapping[str, Any]) -> list[Turn]:
    """Who says what, in order.

    Raises:
        NoTurns: Nobody asks, or nobody answers.
    """
    held = next((row[key] for key in TURNS if isinstance(row.get(key), list)), None)
    if held is not None:
        turns = [_turn(each) for each in held]
    else:
        question = "\n\n".join(text for keys in (ASKED, GIVEN) if (text := _first(row, keys)))
        turns = [("user", question), ("assistant", _first(row, ANSWERED))]
    turns = [(person, text) for person, text in turns if text]
    if {"user", "assistant"} - {person for person, _ in turns}:
        raise NoTurns("no_answer", f"fields: {', '.join(sorted(map(str, row)))}")
    return turns


def _turn(each: Any) -> Turn:
    if not isinstance(each, Mapping):
        raise NoTurns("broken_turn", f"a {type(each).__name__}, wanted an object")
    person = str(each.get("role") or each.get("from") or "").lower()
    if person not in PERSONS:
        raise NoTurns("unknown_role", f"role {person!r}, known are {', '.join(PERSONS)}")
    return PERSONS[person], _first(each, ("content", "value", "text"))


def _first(row: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """The first of some fields that is a text, fit for a file."""
    return next(
        (clean_text(row[key]).strip() for key in keys if isinstance(row.get(key), str) and row[key].strip()), ""
    )


def rendered(turns: list[Turn], lang: str) -> str:
    """Turns as plain text, each under its heading."""
    headings = HEADINGS.get(lang, HEADINGS["en"])
    return "\n\n".join(f"{headings[person]}: {text}" for person, text in turns)
