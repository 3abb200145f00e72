"""``lineage``, ``show`` and ``verify``: looking closely, changing nothing."""

from typing import Any

import click

from gnomon.cli.errors import DONE, FINDING
from gnomon.cli.output import console, count, error_console, print_json, safe, table
from gnomon.cli.session import Session, command
from gnomon.core.errors import InputError, NotFound
from gnomon.core.wording import say
from gnomon.runs.workspace import Workspace


class TokenRange(click.ParamType[tuple[int, int]]):
    """``0..512``: the first token, and one past the last."""

    name = "A..B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a range of tokens."""
        first, _, last = str(value).partition("..")
        if not (first.isdecimal() and last.isdecimal() and int(first) < int(last)):
            self.fail(say(f"{value!r} is not a range of tokens such as 0..512.",
                          f"{value!r} はトークンの範囲（0..512 など）ではない。"), param, ctx)  # fmt: skip
        return int(first), int(last)


@command(
    "Walk a document, chunk, answer, question, step, file or model back to its source; a document that was left out"
    " is found too, with where and why. Of a model, tell what it was shown, and when.",
    "文書・チャンク・回答・問題・ステップ・ファイル・モデルを出典まで遡る。除かれた文書も、どこでなぜ除かれたかを示す。"
    "モデルについては、何をいつ見せられたかを示す。",
)
@click.argument("id", nargs=-1, required=True, metavar="ID")
@click.option("--document", metavar="ID", default="",
              help=say("When the model ID was shown this document.", "モデル ID にこの文書を見せた時。"))  # fmt: skip
@click.option("--tokens", type=TokenRange(),
              help=say("Only these tokens of the document.", "文書のこの範囲のトークンだけ。"))  # fmt: skip
@click.option("--text", metavar="WORDS", default="",
              help=say("Only these words of the document.", "文書のこの言葉だけ。"))  # fmt: skip
def lineage(session: Session, id: tuple[str, ...], document: str, tokens: tuple[int, int] | None, text: str) -> int:
    """Print a lineage."""
    from gnomon.cli.lineages import show_lineage
    from gnomon.research.lineages import shown_to, walk_back

    workspace, name = session.workspace(), " ".join(id)
    expert = session.expert(workspace) if session.name or workspace.names("experts") else None
    if not document and (tokens or text):
        raise InputError(
            say("--tokens and --text are parts of a document.", "--tokens と --text は文書の一部を指す。"),
            say("Add --document ID.", "--document ID を加える。"),
        )
    if document:
        link = shown_to(workspace, name, expert, document, tokens=tokens, excerpt=text)
    else:
        link = walk_back(workspace, name, expert, elsewhere=not session.name)
    if session.json:
        print_json(link.to_row())
    else:
        show_lineage(console(), link)
    return DONE


@command(
    "List the experts of a workspace: their parts and how far each is, sizes, counts per step and costs.",
    "エキスパートの一覧と内訳（各部の状態、容量、ステップごとの件数、費用）を示す。",
)
def show(session: Session) -> int:
    """Print the state of a workspace."""
    from gnomon.cli.showing import show_state, state

    workspace = session.workspace()
    _refuse_empty(workspace)
    row = state(workspace, session.name)
    if session.json:
        print_json(row)
    else:
        show_state(console(), row)
    return DONE


def _refuse_empty(workspace: Workspace) -> None:
    if not workspace.fs.exists(workspace.root):
        raise NotFound(
            say(f"There is no workspace at {workspace.url}.", f"{workspace.url} に作業場所がない。"),
            say("Make one with `gnomon run quickstart`, or give --workspace.",
                "`gnomon run quickstart` で作るか、--workspace を指定する。"),
        )  # fmt: skip


@command(
    "Check that every artifact still holds what its record says; exit code 1 when one does not.",
    "すべての成果物を記録と照合する。違いがあれば終了コード 1。",
)
def verify(session: Session) -> int:
    """Print what is not as recorded."""
    from gnomon.runs.verify import Finding
    from gnomon.runs.verify import verify as verify_all

    workspace = session.workspace()
    _refuse_empty(workspace)
    findings, checked = [], 0
    err = error_console()
    with err.status(say("Checking…", "照合中…")) as status:
        for item in verify_all(workspace):
            if isinstance(item, Finding):
                findings.append(item)
                continue
            checked += 1
            status.update(say(f"Checked {checked}: {item.name}", f"{checked} 件照合: {item.name}"))
    if session.json:
        rows = [{"address": f.address, "place": f.place, "problem": f.problem} for f in findings]
        print_json({"checked": checked, "findings": rows})
    else:
        out = console()
        if findings:
            shown = table(say("artifact", "成果物"), say("place", "場所"), say("problem", "問題"))
            for finding in findings:
                shown.add_row(finding.address, safe(finding.place), safe(finding.problem))
            out.print(shown)
        out.print(_verdict(checked, len(findings)))
    return FINDING if findings else DONE


def _verdict(checked: int, findings: int) -> str:
    if findings:
        return say(
            f"{count(findings)} findings. Delete the folders of these artifacts below `runs` and run the recipe again.",
            f"{count(findings)} 件の問題。`runs` の下の該当する成果物のフォルダを消し、レシピを再実行する。",
        )
    return say(f"{count(checked)} artifacts are as recorded.", f"{count(checked)} 件の成果物はすべて記録どおり。")
