"""``talk``, and the voices that ``ask`` and ``talk`` speak with.

A *voice* is ``extractive`` (no model: verbatim sentences) or a model: a name with an address in ``gnomon.toml``, a role
of the expert (``final``), or a folder of weights. What was asked for is what answers: no voice stands in for another.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

from gnomon.cli.output import console, print_json, safe
from gnomon.cli.session import Session, command
from gnomon.core.wording import say

EXTRACTIVE = "extractive"
ENDINGS = frozenset({"/quit", "/exit", "/q"})


def voice_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names a voice."""
    return click.option(
        "--voice", default=EXTRACTIVE, show_default=True, metavar="NAME",
        help=say("Who answers: extractive (verbatim sentences), a model of gnomon.toml or of the expert, or a folder.",
                 "回答者。extractive（原文の引用のみ）、gnomon.toml かエキスパートのモデル、または重みのフォルダ。"),
    )(function)  # fmt: skip


@command(
    "Talk with an expert: questions line by line, follow-ups in context, every sentence cited; /quit ends it.",
    "エキスパートと対話する。一行ずつ質問し、前の質問を踏まえて答える。/quit で終了。",
)
@voice_option
def talk(session: Session, voice: str) -> int:
    """Answer questions from standard input until it ends."""
    from gnomon.cli.reading import show_answer
    from gnomon.core.messages import Message
    from gnomon.research.ask import to_json
    from gnomon.research.opened import OpenExpert

    workspace, history = session.workspace(), list[Message]()
    with OpenExpert(workspace, session.expert(workspace)) as opened:
        for question in _questions(quiet=session.json):
            given = opened.answer(question, voice, history)
            opened.keep(given)
            history += [Message(role="user", text=question), Message(role="assistant", text=given.text)]
            if session.json:
                print_json(to_json(given))
            else:
                show_answer(console(), given)
    return 0


def _questions(*, quiet: bool) -> Iterator[str]:
    """Lines that ask something; a prompt is shown where a person types."""
    shown = sys.stdin.isatty() and not quiet
    while True:
        if shown:
            print(safe(say("you> ", "質問> ")), end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line or line.strip() in ENDINGS:
            return
        if line.strip():
            yield line.strip()
