"""What commands print: one JSON object for machines, tables and short texts for people.

Text that comes out of documents is never trusted: control characters (a title may hold terminal
escapes) are shown as a replacement sign, and rich's own markup is off everywhere.
"""

import json
import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_KEPT = {"\n", "\t"}
PIPED_WIDTH = 160
UNITS = ("B", "kB", "MB", "GB", "TB")


def safe(text: str) -> str:
    """A text without the control characters a terminal would obey."""
    return "".join("\ufffd" if unicodedata.category(c) in {"Cc", "Cs"} and c not in _KEPT else c for c in text)


def print_json(row: Mapping[str, Any]) -> None:
    """Print exactly one JSON object, on one line."""
    text = json.dumps(row, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(row, ensure_ascii=True, allow_nan=False)
    print(text)


def console() -> "Console":
    """The console of a person's output, on stdout."""
    return _console(stderr=False)


def error_console() -> "Console":
    """The console of progress and warnings, on stderr."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> "Console":
    from rich.console import Console

    class Quiet(Console):
        """A console that leaves a closed pipe to the caller."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH
    return Quiet(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)


def table(*columns: str, right: Sequence[str] = ()) -> "Table":
    """An empty table with a head, in the house's plain manner."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return made


def size(number: float) -> str:
    """Bytes as a person reads them."""
    for unit in UNITS[:-1]:
        if abs(number) < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} {UNITS[-1]}"


def seconds(number: float) -> str:
    """A duration as a person reads it."""
    if number < 10:
        return f"{number:.1f} s"
    if number < 120:
        return f"{number:.0f} s"
    minutes, rest = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def count(number: int) -> str:
    """A number with its thousands set apart."""
    return f"{number:,}"
