"""CSV and TSV: one record a row, the first row names the columns."""

import csv
from collections.abc import Iterator

from gnomon.corpus.readers.draft import EXCERPT, Draft, Fault, Unreadable
from gnomon.corpus.readers.feed import Feed, clean_text, decode
from gnomon.corpus.readers.fields import TEXT_COLUMNS
from gnomon.corpus.readers.jsonl import value_draft


class _Lines:
    """Decoded lines for the CSV reader; keeps aside what is too long, and which encoding was met."""

    def __init__(self, feed: Feed) -> None:
        self._lines, self.faults, self.encoding = feed.lines(), list[Fault](), "utf-8"

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        for _, line in self._lines:
            if isinstance(line, Fault):
                self.faults.append(line)
                continue
            text, encoding = decode(line)
            self.encoding = encoding if not encoding.startswith("utf-8") else self.encoding
            return clean_text(text) + "\n"
        raise StopIteration


def read(feed: Feed) -> Iterator[Draft | Fault]:
    """Rows of a CSV or TSV file, in order.

    Raises:
        Unreadable: None of its columns can hold a text.
    """
    csv.field_size_limit(max(csv.field_size_limit(), feed.limits.max_line_bytes))
    lines = _Lines(feed)
    rows = csv.reader(lines, delimiter="\t" if feed.plain_name.lower().endswith(".tsv") else ",")
    columns = [c.strip().lower() for c in next(rows, [])]
    if lines.faults:
        raise Unreadable(lines.faults[0].reason, lines.faults[0].detail)
    if not TEXT_COLUMNS.intersection(columns):
        raise Unreadable("no_text_column", clean_text(f"columns: {', '.join(columns)}"[:EXCERPT]))
    while True:
        lines.encoding = "utf-8"
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Fault(reason="broken_line", detail=f"line {rows.line_num}: {error}")
            continue
        yield from lines.faults
        lines.faults.clear()
        if row is None:
            return
        if row:
            yield _row(row, columns, rows.line_num, lines.encoding)


def _row(row: list[str], columns: list[str], line: int, encoding: str) -> Draft | Fault:
    if len(row) > len(columns):
        detail = f"line {line}: {len(row)} fields for {len(columns)} columns"
        return Fault(reason="broken_line", detail=detail, excerpt=" | ".join(row)[:EXCERPT])
    return value_draft(dict(zip(columns, row, strict=False)), f"line {line}", "csv", encoding)
