"""``complete``: a text, continued by an expert's models side by side.

The same beginning, the same settings and the same seed for every model: what differs is what they have
learned. Base models continue a text; they do not answer, and what they write is no fact.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gnomon.cli.output import console, print_json, safe
from gnomon.cli.session import Session, command
from gnomon.core.errors import InputError
from gnomon.core.wording import say

if TYPE_CHECKING:
    from rich.console import Console

    from gnomon.runs.workspace import Workspace


@command(
    "Continue a text with an expert's language models, side by side; a text of - is read from standard input.",
    "文章の続きを、エキスパートの言語モデルに並べて書かせる。- を渡すと標準入力を読む。",
)
@click.argument("text", nargs=-1, required=True, metavar="TEXT|-")
@click.option("--model", "models", multiple=True, metavar="NAME",
              help=say("Only this model: its role in the expert (base, specialised) or a folder of weights.",
                       "モデルの指定。エキスパートでの役割（base、specialised）か、重みのフォルダ。"))  # fmt: skip
@click.option("--max-tokens", type=click.IntRange(1, 100_000), default=128, show_default=True,
              help=say("Most tokens to write.", "生成する最大トークン数。"))  # fmt: skip
@click.option("--temperature", type=click.FloatRange(0.0, 10.0), default=0.3, show_default=True,
              help=say("0 takes the most probable word every time.", "0 なら常に最も確からしい語を選ぶ。"))  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True,
              help=say("Another seed, another text.", "乱数の種。"))  # fmt: skip
def complete(session: Session, text: tuple[str, ...], models: tuple[str, ...], **how: Any) -> int:
    """Print what each model writes after a text."""
    from gnomon.llm.client import Generation

    prompt = (sys.stdin.read() if text == ("-",) else " ".join(text)).rstrip()
    if not prompt:
        raise InputError(say("There is no text to continue.", "続きを書く文章がない。"))
    options = Generation(**how)
    workspace = session.workspace()
    places, same = _chosen(session, models, workspace)
    rows = [_continued(name, place, prompt, options, workspace) for name, place in places.items()]
    rows = [{**row, "same": list(same.get(row["model"], ()))} for row in rows]
    if session.json:
        print_json({"text": prompt, **how, "completions": rows})
    else:
        _show(console(), prompt, rows)
    return 0


def _chosen(
    session: Session, names: Sequence[str], workspace: "Workspace"
) -> tuple[dict[str, Path], Mapping[str, Sequence[str]]]:
    """Where the models asked for are, and the other roles of each when none was named; folders need no expert."""
    from gnomon.research.opened import OpenExpert

    folders = {name: Path(name).expanduser() for name in names if Path(name).expanduser().is_dir()}
    if names and len(folders) == len(set(names)):
        return folders, {}
    opened = OpenExpert(workspace, session.expert(workspace))
    return opened.model_places(names), {} if names else opened.models


def _continued(name: str, place: Path, prompt: str, options: Any, workspace: "Workspace") -> dict[str, Any]:
    from gnomon.llm.local import load_local

    model = load_local(place, workspace.settings)
    (written,) = model.complete([prompt], options)
    return {
        "model": name, "name": model.ref.name, "revision": model.ref.revision, "text": written.text,
        "tokens": written.tokens, "finish": written.finish,
    }  # fmt: skip


def _show(out: "Console", prompt: str, rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    for row in rows:
        roles = " = ".join([row["model"], *row["same"]])
        head = Text.assemble((safe(roles), "bold cyan"), (f"  {safe(row['name'])}", "dim"))
        out.print(head)
        out.print(Padding(Text.assemble((safe(prompt), "dim"), safe(row["text"])), (0, 0, 1, 2), expand=False))
    told = say("Models continue a text here, they look nothing up; what they write is no fact.",
               "モデルは文章を続けるだけで何も調べない。内容は事実とは限らない。")  # fmt: skip
    out.print(told, style="dim")
