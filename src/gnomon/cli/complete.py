"""``complete``: a text, continued by an expert's models side by side.

The same beginning, the same settings and the same seed for every model: what differs is what they have
learned. Base models continue a text; they do not answer, and what they write is no fact.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gnomon.cli.models import MODEL_STEPS, models_of
from gnomon.cli.output import console, print_json, safe
from gnomon.cli.session import Session, command
from gnomon.core.errors import InputError, NotFound
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
    rows = [_continued(name, place, prompt, options, workspace) for name, place in chosen(session, models).items()]
    same = {} if models else _own(session, workspace)
    rows = [{**row, "same": list(same.get(row["model"], ()))} for row in rows]
    if session.json:
        print_json({"text": prompt, **how, "completions": rows})
    else:
        _show(console(), prompt, rows)
    return 0


def chosen(session: Session, names: Sequence[str]) -> dict[str, Path]:
    """Model artifacts or folders by name, in the order asked for.

    Raises:
        NotFound: The expert has no such model, or none at all.
    """
    from gnomon.runs.workspace import Workspace

    found = {name: Path(name).expanduser() for name in names if Path(name).expanduser().is_dir()}
    if names and len(found) == len(set(names)):
        return found
    workspace: Workspace = session.workspace()
    expert = session.expert(workspace)
    roles = {role: address for role, address in expert.parts if address.startswith(MODEL_STEPS)}
    missing = [name for name in names if name not in found and name not in roles]
    if missing or not roles:
        has, lacks = ", ".join(roles) or "-", ", ".join(missing)
        raise NotFound(
            say(f"Expert {expert.name!r} has no model {lacks}; it has: {has}.",
                f"エキスパート {expert.name!r} にモデル {lacks} はない。あるもの: {has}。"),
            say("Make one with `gnomon build FOLDER --base MODEL`, or name a folder of weights.",
                "`gnomon build フォルダ --base モデル` で作るか、重みのフォルダを指定する。"),
        )  # fmt: skip
    wanted = names or _own(session, workspace)
    return {name: found.get(name) or _artifact(workspace, roles[name]) for name in wanted}


def _own(session: Session, workspace: "Workspace") -> dict[str, tuple[str, ...]]:
    """The expert's models, each once, with the other roles it has."""
    return models_of(workspace, dict(session.expert(workspace).parts))


def _artifact(workspace: "Workspace", address: str) -> Path:
    if workspace.record(address) is None:
        raise NotFound(
            say(f"{address} is not made yet.", f"{address} はまだできていない。"),
            say("Run the recipe again; it goes on from where it stopped.", "レシピを再実行すると続きから進む。"),
        )
    return workspace.artifact(address)


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
    told = say("Base models continue a text; what they write is no fact.",
               "ベースモデルは文章を続けるだけで、内容は事実とは限らない。")  # fmt: skip
    out.print(told, style="dim")
