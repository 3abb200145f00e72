"""JSON Lines and JSON: one record a line, or one array of records.

A broken line costs that line only.
"""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from gnomon.corpus.readers.draft import EXCERPT, Draft, Fault, Unreadable
from gnomon.corpus.readers.feed import Feed, clean_text, decode, encoding_mark
from gnomon.corpus.readers.fields import record_draft


def read(feed: Feed) -> Iterator[Draft | Fault]:
    """Records of a JSONL file, in order; blank lines are passed over."""
    for number, line in feed.lines():
        if isinstance(line, Fault):
            yield line
        elif line.strip():
            yield _line(line, number)


def _line(line: bytes, number: int) -> Draft | Fault:
    text, encoding = decode(line)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        excerpt = clean_text(text[:EXCERPT])
        return Fault(reason="broken_line", detail=f"line {number}: {error}", excerpt=excerpt)
    return value_draft(value, f"line {number}", "jsonl", encoding)


def read_json(feed: Feed) -> Iterator[Draft | Fault]:
    """Records of a JSON file: an array of objects, or one object; JSONL under this name is read as such."""
    text, encoding = decode(feed.whole())
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("{") and "}\n" in text.replace("\r\n", "\n"):
            yield from read(feed)
            return
        raise Unreadable("broken_json", str(error)) from error
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        yield value_draft(item, f"item {number}", "json", encoding)


def value_draft(value: Any, place: str, kind: str, encoding: str = "utf-8") -> Draft | Fault:
    """One JSON value as a draft."""
    if not isinstance(value, dict):
        return Fault(reason="not_a_record", detail=f"{place}: a {type(value).__name__}", excerpt=repr(value)[:EXCERPT])
    return with_marks(clean_draft(scrubbed(value), place, kind), encoding_mark(encoding))


def clean_draft(value: dict[str, Any], place: str, kind: str) -> Draft | Fault:
    """One record whose strings are fit for a file as a draft; a fault says where it stands."""
    found = record_draft(value, kind)
    if isinstance(found, Fault):
        return dataclasses.replace(found, detail=f"{place}: {found.detail}")
    return found


def with_marks(draft: Draft | Fault, marks: dict[str, Any]) -> Draft | Fault:
    """The draft with further marks."""
    if isinstance(draft, Fault) or not marks:
        return draft
    return dataclasses.replace(draft, marks={**draft.marks, **marks})


def scrubbed(value: Any) -> Any:
    """The value with every string fit for a file."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [scrubbed(v) for v in value]
    if isinstance(value, dict):
        return {clean_text(str(k)): scrubbed(v) for k, v in value.items()}
    return value
