"""Questions of several turns, read from a user's own copy of MT-Bench or of anything in its format.

A line is an object: ``question_id``, ``category``, ``turns`` (what the user says, turn after turn) and, where there is
one, ``reference`` (an answer a turn). A line with ``question_id`` and ``choices`` but no ``turns`` is one of MT-Bench's
files of reference answers, ``{"question_id": 101, "choices": [{"turns": ["…", "…"]}]}``, and completes the question of
its id. The Japanese MT-Bench has the same shape.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.hashing import combined_hash
from gnomon.core.records import Drop
from gnomon.core.tables import TableWriter
from gnomon.core.text import has_kana
from gnomon.core.wording import say
from gnomon.runs.sources import FileEntry, FileSet

SUFFIXES = (".jsonl", ".ndjson")
NOT_CHOSEN, REPEATED = "not_chosen", "repeated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One conversation as the user speaks it."""

    id: str
    """Unique within the set."""
    category: str
    """``writing``, ``math``…; empty when none is stated."""
    turns: tuple[str, ...]
    """What the user says."""
    references: tuple[str, ...] = ()
    """A reference answer for each turn, empty where there is none."""

    @property
    def lang(self) -> str:
        """``ja`` where a turn holds kana, else ``en``."""
        return "ja" if has_kana(" ".join(self.turns)) else "en"

    def reference(self, turn: int) -> str:
        """The reference answer of a turn, from 0; empty when there is none."""
        return self.references[turn] if turn < len(self.references) else ""


def read_questions(files: FileSet, max_items: int, seed: int, drops: TableWriter) -> tuple[list[Question], int, int]:
    """The questions of some files, with their references.

    Args:
        files: What to read.
        max_items: Most questions, chosen by seed; 0 takes all.
        seed: Of the choice.
        drops: Receives every line that is neither a question nor a reference.

    Returns:
        (questions in order, lines that held a question or nothing usable, lines of references).

    Raises:
        DataError: There is no question.
    """
    found: dict[str, Question] = {}
    answers: dict[str, tuple[str, ...]] = {}
    lines = references = 0
    for row in _rows(files):
        lines += 1
        if isinstance(row, Question) and row.id not in found:
            found[row.id] = row
        elif isinstance(row, tuple):
            references += 1
            answers[row[0]] = row[1]
        else:
            drops.write(Drop(doc_id=row.id, reason=REPEATED) if isinstance(row, Question) else row)
    kept = _chosen(found, max_items, seed, drops)
    if not kept:
        raise DataError(
            say(f"No question in {len(files.files)} files.", f"{len(files.files)} 個のファイルに質問がない。"),
            say('Give JSONL with {"question_id": …, "category": …, "turns": ["…", "…"]}.',
                'JSONL で {"question_id": …, "category": …, "turns": ["…", "…"]} を渡す。'),
        )  # fmt: skip
    whole = [replace(q, references=q.references or answers.get(q.id, ())) for q in kept]
    return whole, lines - references, references


def _chosen(found: dict[str, Question], most: int, seed: int, drops: TableWriter) -> list[Question]:
    order = sorted(found, key=lambda name: (combined_hash([str(seed), name]), name))
    wanted = set(order[:most] if most else order)
    for name in found:
        if name not in wanted:
            drops.write(Drop(doc_id=name, reason=NOT_CHOSEN, excerpt=found[name].turns[0][:200]))
    return [question for name, question in found.items() if name in wanted]


def _rows(files: FileSet) -> Iterator[Question | tuple[str, tuple[str, ...]] | Drop]:
    for name, reason in files.left_out:
        yield Drop(doc_id=f"file:{name}", reason=reason)
    for file in files.files:
        if file.name.lower().endswith(SUFFIXES):
            yield from _of(file)
        else:
            yield Drop(doc_id=f"file:{file.name}", reason="not_jsonl", detail=f"wanted {', '.join(SUFFIXES)}")


def _of(file: FileEntry) -> Iterator[Question | tuple[str, tuple[str, ...]] | Drop]:
    for number, line in enumerate(Path(file.path).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if line.strip():
            yield _row(line, f"{file.name}#{number}")


def _row(line: str, place: str) -> Question | tuple[str, tuple[str, ...]] | Drop:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Drop(doc_id=place, reason="broken_line", detail=str(error), excerpt=line[:200])
    if not isinstance(row, dict):
        return Drop(doc_id=place, reason="broken_line", detail="wanted an object", excerpt=line[:200])
    name, turns = str(row.get("question_id", place)), _texts(row.get("turns"))
    if turns:
        return Question(
            id=name, category=str(row.get("category") or ""), turns=turns,
            references=_texts(row.get("reference"), every=False),
        )  # fmt: skip
    choices = row.get("choices")
    answers = _texts(choices[0].get("turns"), every=False) if isinstance(choices, list) and _is_object(choices) else ()
    if answers:
        return name, answers
    return Drop(doc_id=place, reason="no_turns", detail=f"keys: {', '.join(sorted(row))}", excerpt=line[:200])


def _is_object(choices: list[Any]) -> bool:
    return bool(choices) and isinstance(choices[0], dict)


def _texts(value: Any, *, every: bool = True) -> tuple[str, ...]:
    """The texts of a list; nothing when it is none, or when ``every`` one is needed and one is empty."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return ()
    texts = tuple(str(text or "").strip() for text in value)
    return () if not any(texts) or (every and not all(texts)) else texts
