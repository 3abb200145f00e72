"""``talk``, and the voices that ``ask`` and ``talk`` speak with.

A *voice* is ``extractive`` (no model: verbatim sentences) or a model: a name with an address in ``gnomon.toml``, a role
of the expert (``final``), or a folder of weights. What was asked for is what answers: no voice stands in for another.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from gnomon.cli.output import console, print_json, safe
from gnomon.cli.session import Session, command
from gnomon.core.wording import say

if TYPE_CHECKING:
    from gnomon.core.answers import Answer
    from gnomon.core.messages import Message
    from gnomon.llm.models import LanguageModel

EXTRACTIVE = "extractive"
ENDINGS = frozenset({"/quit", "/exit", "/q"})


def voice_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names a voice."""
    return click.option(
        "--voice", default=EXTRACTIVE, show_default=True, metavar="NAME",
        help=say("Who answers: extractive (verbatim sentences), a model of gnomon.toml or of the expert, or a folder.",
                 "回答者。extractive（原文の引用のみ）、gnomon.toml かエキスパートのモデル、または重みのフォルダ。"),
    )(function)  # fmt: skip


@contextmanager
def opened_voice(session: Session, name: str) -> "Iterator[LanguageModel]":
    """The model behind a name, closed afterwards.

    Raises:
        NotFound: Neither ``gnomon.toml`` nor the expert has one, and it is no folder.
    """
    from gnomon.cli.complete import chosen
    from gnomon.core.records import ModelRef
    from gnomon.llm.call_log import FILE, CallLog
    from gnomon.llm.models import load_model
    from gnomon.llm.remote import RemoteModel

    workspace = session.workspace()
    known = name in workspace.settings.models
    source = ModelRef(name=name, kind="instruct") if known else chosen(session, (name,))[name]
    with closing(CallLog(workspace.local / "cache" / FILE)) as log:
        model = load_model(source, workspace.settings, log=log)
        try:
            yield model
        finally:
            if isinstance(model, RemoteModel):
                model.close()


@contextmanager
def answering(session: Session, voice: str) -> "Iterator[Callable[[str, Sequence[Message]], Answer]]":
    """A function that answers the questions of a conversation in a voice, everything opened once."""
    from gnomon.cli.reading import sentence_embedder
    from gnomon.knowledge.library import Library
    from gnomon.research.ask import answer
    from gnomon.research.voice import speak

    workspace = session.workspace()
    expert = session.expert(workspace)
    library = Library.open(workspace, expert)
    embedder = sentence_embedder(library)
    if voice == EXTRACTIVE:
        yield lambda question, _: answer(question, library, embedder=embedder, parts=expert.parts)
        return
    with opened_voice(session, voice) as model:
        yield lambda question, history: speak(
            question, library, model, embedder=embedder, history=history, parts=expert.parts
        )


@command(
    "Talk with an expert: questions line by line, follow-ups in context, every sentence cited; /quit ends it.",
    "エキスパートと対話する。一行ずつ質問し、前の質問を踏まえて答える。/quit で終了。",
)
@voice_option
def talk(session: Session, voice: str) -> int:
    """Answer questions from standard input until it ends."""
    from gnomon.cli.reading import save_answer, show_answer
    from gnomon.core.messages import Message
    from gnomon.research.ask import to_json

    workspace, history = session.workspace(), list[Message]()
    with answering(session, voice) as answer:
        for question in _questions(quiet=session.json):
            given = answer(question, history)
            save_answer(workspace, given)
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
