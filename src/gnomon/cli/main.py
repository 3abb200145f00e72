"""The front door: ``gnomon`` and its commands.

Nothing here imports more than click. A command's module is imported when the command is asked
for, which is why ``gnomon --help`` answers at once; the one-line descriptions therefore stand
here and not beside the commands.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from gnomon import __version__
from gnomon.cli.errors import guarded
from gnomon.cli.session import Session
from gnomon.core.wording import say

COMPLETION_VARIABLE = "_GNOMON_COMPLETE"
GROUPS: tuple[tuple[str, str, tuple[tuple[str, str, str, str], ...]], ...] = (
    ("Make", "作る", (
        ("build", "gnomon.cli.build", "Make an expert from your own papers.", "自分の論文からエキスパートを作る。"),
        ("run", "gnomon.cli.build", "Run a recipe, such as quickstart.", "レシピ（quickstart など）を実行する。"),
        ("plan", "gnomon.cli.build", "Show what a run would do, and why.", "実行すると何が起きるかを示す。"),
    )),
    ("Read", "読む", (
        ("search", "gnomon.cli.read", "Find passages.", "文章を探す。"),
        ("ask", "gnomon.cli.read", "Answer a question, every sentence cited.", "質問に、全文に引用を付けて答える。"),
        ("talk", "gnomon.cli.talking", "Ask question after question, in context.", "前を踏まえて続けて質問する。"),
        ("trace", "gnomon.cli.read", "Find where a text's words come from.", "文章の言葉の出どころを探す。"),
        ("complete", "gnomon.cli.complete", "Continue a text with language models.", "文章の続きをモデルに書かせる。"),
    )),
    ("Look", "確かめる", (
        ("eval", "gnomon.cli.examining", "Put an exam to models and library.", "モデルと文献に試験を課す。"),
        ("lineage", "gnomon.cli.inspect", "Walk anything back to its source.", "何でも出典まで遡る。"),
        ("show", "gnomon.cli.inspect", "List experts, their parts, sizes and costs.", "エキスパートと内訳を一覧する。"),
        ("verify", "gnomon.cli.inspect", "Check every artifact against its record.", "成果物を記録と照合する。"),
    )),
    ("Open", "公開する", (
        ("serve", "gnomon.cli.serving", "Open an expert to browsers and programs.", "ブラウザとプログラムに公開する。"),
        ("key", "gnomon.cli.serving", "Make, list or revoke keys to a server.", "サーバーの鍵を作る・失効させる。"),
        ("mcp", "gnomon.cli.agents", "Give agents an expert's tools.", "エージェントに道具を渡す。"),
    )),
    ("Give", "渡す", (
        ("export", "gnomon.cli.exporting", "Write a model as others take it.", "モデルを配布用に書き出す。"),
        ("push", "gnomon.cli.pushing", "Send an exported model to the hub.", "書き出したモデルをハブに公開する。"),
    )),
    ("Keep", "保つ", (
        ("remove", "gnomon.cli.keep", "Take documents out of an expert.", "エキスパートから文書を取り除く。"),
        ("gc", "gnomon.cli.keep", "Delete what no expert needs.", "どのエキスパートにも要らないものを消す。"),
        ("doctor", "gnomon.cli.doctor", "Check this machine and this workspace.", "この環境と作業場所を点検する。"),
    )),
)  # fmt: skip
"""(heading, its Japanese, commands); a command is (name, module, description, its Japanese)."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the help text."""
        return [row[0] for _, _, rows in GROUPS for row in rows]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        import importlib

        modules = {row[0]: row[1] for _, _, rows in GROUPS for row in rows}
        if name not in modules:
            return None
        found: click.Command = getattr(importlib.import_module(modules[name]), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, grouped, without importing any of them."""
        for en, ja, rows in GROUPS:
            with formatter.section(say(en, ja)):
                formatter.write_dl([(name, say(about, about_ja)) for name, _, about, about_ja in rows])


def root() -> click.Group:
    """The command group, with help in the reader's language."""
    text = say(
        "Gnomon turns a body of literature into an expert that can be trusted: every answer can be walked back to"
        " the exact passage it came from.\n\nStart with: gnomon run quickstart",
        "Gnomon は文献の集まりを、信頼できるエキスパートに変える。どの答えも、もとの一節まで遡れる。"
        "\n\nまずは: gnomon run quickstart",
    )
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    group = LazyGroup("gnomon", help=text, context_settings=settings, no_args_is_help=True)
    return click.version_option(__version__, prog_name="gnomon", message="%(prog)s %(version)s")(group)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Its words; those of the process when None.

    Returns:
        0 done, 1 a finding (verify, doctor), 2 wrong usage or input, 3 a run failed, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    group, session = root(), Session()
    if COMPLETION_VARIABLE in os.environ:
        group.main(words, prog_name="gnomon", standalone_mode=True)

    def action() -> Any:
        with group.make_context("gnomon", words, obj=session) as context:
            return group.invoke(context)

    return guarded(action, session)


if __name__ == "__main__":
    sys.exit(main())
