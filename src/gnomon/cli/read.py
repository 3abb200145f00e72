"""``search``, ``ask`` and ``trace``: what readers do with an expert."""

import sys
import time
from typing import Any

import click

from gnomon.cli.output import console, print_json
from gnomon.cli.session import Session, command
from gnomon.cli.talking import voice_option
from gnomon.core.errors import InputError
from gnomon.core.wording import say

MODES = ("hybrid", "text", "vector")


class YearRange(click.ParamType[tuple[int | None, int | None]]):
    """``1998``, ``1990..2000``, ``1990..`` or ``..2000``."""

    name = "A..B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a range of years."""
        if isinstance(value, tuple):
            return value
        first, dots, last = str(value).partition("..")
        try:
            low = int(first) if first.strip() else None
            high = (int(last) if last.strip() else None) if dots else low
        except ValueError:
            low, high = None, None
        if (low is None and high is None) or (low is not None and high is not None and low > high):
            self.fail(say(f"{value!r} is not a range of years such as 1990..2000, 1990.. or 1998.",
                          f"{value!r} は年の範囲（1990..2000、1990..、1998 など）ではない。"), param, ctx)  # fmt: skip
        return low, high


@command("Find passages in an expert's library.", "エキスパートの文献から文章を探す。")
@click.argument("query", nargs=-1, required=True)
@click.option("--k", "-k", type=click.IntRange(1, 1000), default=10, show_default=True,
              help=say("How many passages.", "件数。"))  # fmt: skip
@click.option("--year", type=YearRange(), help=say("Only these years.", "年の範囲。"))
@click.option("--author", default="", help=say("Only authors whose name holds this.", "著者名の一部。"))
@click.option(
    "--category", default="", help=say("Only this subject, such as astro-ph.CO.", "分野（astro-ph.CO など）。")
)
@click.option("--lang", default="", help=say("Only this language, such as en or ja.", "言語（en、ja など）。"))
@click.option("--source", default="", help=say("Only this kind of source, such as pdf.", "出典の種類（pdf など）。"))
@click.option("--mode", type=click.Choice(MODES), default="hybrid", show_default=True,
              help=say("Words, meaning, or both.", "語による検索、意味による検索、または両方。"))  # fmt: skip
def search(session: Session, query: tuple[str, ...], k: int, mode: str, **limits: Any) -> int:
    """Print the best passages for a query."""
    from gnomon.cli.reading import hit_row, show_hits
    from gnomon.core.protocols import Filters
    from gnomon.knowledge.library import Library

    words = _words(query)
    year = limits.pop("year") or (None, None)
    workspace = session.workspace()
    library = Library.open(workspace, session.expert(workspace))
    started = time.perf_counter()
    hits = library.search(words, k=k, mode=mode, filters=Filters(years=year, **limits))
    took = round((time.perf_counter() - started) * 1000, 1)
    if session.json:
        print_json({"query": words, "hits": [hit_row(rank, hit) for rank, hit in enumerate(hits, 1)], "ms": took})
    else:
        show_hits(console(), words, hits, took)
    return 0


@command(
    "Answer a question in English or Japanese from an expert's library, every sentence cited.",
    "エキスパートの文献から、英語または日本語の質問に全文引用付きで答える。",
)
@click.argument("question", nargs=-1, required=True)
@voice_option
def ask(session: Session, question: tuple[str, ...], voice: str) -> int:
    """Print a cited answer, or a refusal with the nearest documents."""
    from gnomon.cli.reading import show_answer
    from gnomon.research.ask import to_json
    from gnomon.research.opened import OpenExpert

    words, workspace = _words(question), session.workspace()
    with OpenExpert(workspace, session.expert(workspace)) as opened:
        given = opened.answer(words, voice)
        opened.keep(given)
    if session.json:
        print_json(to_json(given))
    else:
        show_answer(console(), given)
    return 0


@command(
    "Find the documents that a text's words stand in verbatim; a text of - is read from standard input.",
    "文章の言葉がそのまま現れる文書を探す。- を渡すと標準入力を読む。",
)
@click.argument("text", nargs=-1, required=True, metavar="TEXT|-")
def trace(session: Session, text: tuple[str, ...]) -> int:
    """Print the spans of a text that stand verbatim in what models were shown."""
    from gnomon.cli.reading import show_trace
    from gnomon.knowledge.tracing import Trace
    from gnomon.runs.experts import part

    words = sys.stdin.read() if text == ("-",) else _words(text)
    if not words.strip():
        raise InputError(say("There is no text to trace.", "調べる文章がない。"))
    workspace = session.workspace()
    found = Trace.open(workspace.artifact(part(session.expert(workspace), "trace"))).attribute(words)
    if session.json:
        print_json(found.to_row())
    else:
        show_trace(console(), found)
    return 0


def _words(parts: tuple[str, ...]) -> str:
    """The words of an argument given with or without quotes.

    Raises:
        InputError: There are none.
    """
    words = " ".join(parts)
    if not words.strip():
        raise InputError(
            say("The text is empty.", "文が空である。"), say("Write some words after the command.", "語を続けて書く。")
        )
    return words
