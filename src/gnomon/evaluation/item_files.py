"""Exam files as rows: JSON Lines, JSON, CSV and Parquet, in the forms in which exams are published.

MMLU and JMMLU come as CSV without a head, one file a subject (question, options, letter) and as Parquet; AstroMLab-1 as
Parquet with the options in columns ``A`` to ``D``; Astro-QA as sheets, which are saved as CSV; others as JSON. Whatever
the file, a *row* is a mapping that ``items.to_item`` reads. A file's name tells its split where the rows do not.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from gnomon.runs.sources import FileEntry

EXCERPT_CHARACTERS = 200
LISTS = ("questions", "items", "data")
"""Keys of a JSON object under which the list of questions may stand."""
_SPLIT = re.compile(r"(?:^|[_\-./])(dev|validation|val|test)(?=$|[_\-./])")
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")


class NotAnItem(Exception):
    """A line that cannot be an item.

    Args:
        reason: The code that is counted.
        detail: The value, and what was wanted.
    """

    def __init__(self, reason: str, detail: str, excerpt: str = "") -> None:
        super().__init__(detail)
        self.reason, self.detail, self.excerpt = reason, detail, excerpt


Row = Mapping[str, Any] | NotAnItem


def rows(file: FileEntry) -> Iterator[tuple[str, Row]]:
    """Rows of a file with their places, such as ``exam.jsonl#3``.

    Raises:
        OSError: It cannot be read to its end; so with ``EOFError``.
        NotAnItem: It is none of the known forms, or damaged as a whole.
    """
    read = next((read for ending, read in READERS.items() if file.name.lower().endswith(ending)), None)
    if read is None:
        raise NotAnItem("unknown_format", f"wanted {', '.join(READERS)}")
    for number, row in read(file):
        yield f"{file.name}#{number}", row


def _lines(file: FileEntry) -> Iterator[tuple[int, Row]]:
    with _opened(Path(file.path)) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _parsed(line)


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _parsed(line: bytes) -> Row:
    text = line[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "replace")[:EXCERPT_CHARACTERS]
    try:
        return _object(json.loads(line), text)
    except (ValueError, RecursionError) as error:
        return NotAnItem("broken_line", f"not JSON: {error}", text)


def _object(value: Any, text: str) -> Row:
    if isinstance(value, dict):
        return value
    return NotAnItem("broken_line", f"a {type(value).__name__}, wanted an object", text)


def _json(file: FileEntry) -> Iterator[tuple[int, Row]]:
    try:
        whole = json.loads(Path(file.path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise NotAnItem("broken_json", f"not JSON: {error}") from None
    if isinstance(whole, dict):
        whole = next((whole[key] for key in LISTS if isinstance(whole.get(key), list)), None)
    if not isinstance(whole, list):
        raise NotAnItem("broken_json", f"wanted a list of questions, alone or under {', '.join(LISTS)}")
    for number, value in enumerate(whole, 1):
        yield number, _object(value, str(value)[:EXCERPT_CHARACTERS])


# Tables --------------------------------------------------------------------------------------


def _table(delimiter: str) -> Callable[[FileEntry], Iterator[tuple[int, Row]]]:
    def read(file: FileEntry) -> Iterator[tuple[int, Row]]:
        split, subject = told_by_name(file.name)
        try:
            text = Path(file.path).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise NotAnItem("encoding", f"not UTF-8: {error}") from None
        head: list[str] | None = None
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
            cells = [cell.strip() for cell in cells]
            if number == 1 and {"question", "prompt"} & {cell.casefold() for cell in cells}:
                head = cells
            elif any(cells):
                yield number, _of_head(head, cells, split) if head else _of_mmlu(cells, split, subject)

    return read


def _of_head(head: list[str], cells: list[str], split: str) -> Row:
    return {"split": split} | {name: cell for name, cell in zip(head, cells, strict=False) if cell}


def _of_mmlu(cells: list[str], split: str, subject: str) -> Row:
    """Question, options and the letter of the right one, as in MMLU's and JMMLU's files."""
    if len(cells) < 4:
        return NotAnItem("broken_line", f"{len(cells)} cells; wanted a question, options and a letter", ",".join(cells))
    options = [cell for cell in cells[1:-1] if cell]
    return {"split": split, "subject": subject, "question": cells[0], "choices": options, "answer": cells[-1]}


def _parquet(file: FileEntry) -> Iterator[tuple[int, Row]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number, (split, _) = 0, told_by_name(file.name)
    try:
        for batch in pq.ParquetFile(file.path).iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield number, {"split": split} | {key: value for key, value in row.items() if value is not None}
    except pa.ArrowException as error:
        raise NotAnItem("broken_parquet", str(error)) from None


def told_by_name(name: str) -> tuple[str, str]:
    """Split and subject that a file's name tells: ``test`` and ``astronomy`` of ``test/astronomy_test.csv``.

    Args:
        name: Its name in the set of files, with ``/`` between folders.
    """
    place = PurePosixPath(name)
    stem = _SHARD.sub("", place.stem)
    found = _SPLIT.findall(str(place.parent / stem))
    return found[-1] if found else "", _SPLIT.sub("", stem).strip("_-.") or place.parent.name


READERS: dict[str, Callable[[FileEntry], Iterator[tuple[int, Row]]]] = {
    ".jsonl": _lines, ".jsonl.gz": _lines, ".ndjson": _lines, ".json": _json,
    ".csv": _table(","), ".tsv": _table("\t"), ".parquet": _parquet,
}  # fmt: skip
"""Endings and how files with them are read."""
