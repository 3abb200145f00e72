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

from gnomon.core.amounts import count as count
from gnomon.core.amounts import seconds as seconds
from gnomon.core.amounts import size as size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_KEPT = {"\n", "\t"}
PIPED_WIDTH = 160


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
