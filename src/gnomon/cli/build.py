"""``build``, ``run`` and ``plan``: from files or a recipe to an expert.

``build`` is the ``library`` recipe on the user's own files, with ``--base`` a model made from them too; everything
else is the same for both: plan, run with progress, and a summary that says what became of every file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gnomon.cli import recipes
from gnomon.cli.output import console, print_json
from gnomon.cli.session import Session, command
from gnomon.core.errors import DataError
from gnomon.core.wording import say
from gnomon.runs.record import Record
from gnomon.runs.step import Recipe, Step
from gnomon.runs.workspace import Workspace

TO_LIBRARY = ("corpus/ingest", "corpus/withhold", "corpus/clean", "corpus/dedup")
_scale = click.option(
    "--scale", type=click.Choice(recipes.SCALES), default="laptop", show_default=True,
    help=say("How large the machine is.", "計算機の規模。"),
)  # fmt: skip
_set = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE",
    help=say("An argument of the recipe; files by their path, @FILE for what a file holds.",
             "レシピの引数。ファイルはパスで、@ファイル はその中身を表す。"),
)  # fmt: skip
_base = click.option(
    "--base", default="", metavar="MODEL",
    help=say("Also continue this model on the papers: nano, a folder of weights, or a name of the hub.",
             "このモデルを論文で継続学習する。nano、重みのフォルダ、またはハブの名前。"),
)  # fmt: skip
_revision = click.option(
    "--revision", default="", metavar="COMMIT",
    help=say("The commit of a hub model.", "ハブのモデルのコミット。"),
)  # fmt: skip


@command(
    "Make an expert from your own papers: files or folders of PDF, LaTeX, Markdown, text, JSONL, Parquet, CSV, BibTeX"
    " or RIS. Run it again after adding files: only what changed is made anew.",
    "自分の論文（PDF、LaTeX、Markdown、テキスト、JSONL、Parquet、CSV、BibTeX、RIS のファイルやフォルダ）から"
    "エキスパートを作る。ファイルを足して再実行すると、変わった分だけを作り直す。",
)
@click.argument("source", nargs=-1, required=True, metavar="SOURCE…")
@click.option("--name", default="", metavar="NAME", help=say("The expert's name.", "エキスパートの名前。"))
@_base
@_revision
@_scale
@_set
def build(session: Session, source: tuple[str, ...], name: str, scale: str, **more: Any) -> int:
    """Run the ``library`` recipe on some files."""
    workspace = session.workspace()
    chosen = recipes.checked_name(name or session.name)
    return execute(session, workspace, _library(source, (chosen, scale), more, workspace, fetch=True))


@command(
    "Run a recipe: an installed one such as quickstart, or package.module:function.",
    "レシピを実行する。quickstart などの名前か、package.module:function で指定する。",
)
@click.argument("recipe")
@_scale
@_set
def run(session: Session, recipe: str, scale: str, settings: tuple[str, ...]) -> int:
    """Run a recipe by name."""
    workspace = session.workspace()
    return execute(session, workspace, _by_name(recipe, scale, settings, workspace, fetch=True))


@command(
    "Show what a run would do, step by step, and why, without doing it.",
    "実行せずに、何がなぜ行われるかをステップごとに示す。",
)
@click.argument("what", nargs=-1, required=True, metavar="RECIPE|SOURCE…")
@click.option("--name", default="", metavar="NAME", help=say("The expert's name.", "エキスパートの名前。"))
@_base
@_revision
@_scale
@_set
def plan(session: Session, what: tuple[str, ...], name: str, scale: str, **more: Any) -> int:
    """Plan a recipe, or a build of some files."""
    from gnomon.cli.planned import plan_row, show_plan
    from gnomon.runs.plan import plan as planned

    workspace = session.workspace()
    chosen = recipes.checked_name(name or session.name)
    lines = planned(_recipe_or_files(what, (chosen, scale), more, workspace), workspace)
    if session.json:
        print_json({"steps": [plan_row(line) for line in lines]})
    else:
        show_plan(lines)
    return 0


def _recipe_or_files(
    what: Sequence[str], named: tuple[str, str], more: Mapping[str, Any], workspace: Workspace
) -> Recipe:
    """A single word without a slash that names a recipe is the recipe; anything else is files."""
    if len(what) == 1 and (what[0] in recipes.recipe_names() or (":" in what[0] and not Path(what[0]).exists())):
        base = (f"base={more['base']}{'@' if more['revision'] else ''}{more['revision']}",) if more["base"] else ()
        return _by_name(what[0], named[1], (*more["settings"], *base), workspace)
    return _library(what, named, more, workspace)


def _library(
    sources: Sequence[str],
    named: tuple[str, str],
    more: Mapping[str, Any],
    workspace: Workspace,
    *,
    fetch: bool = False,
) -> Recipe:
    """The ``library`` recipe for some files, with the base and the other arguments that were given."""
    from gnomon.cli.arguments import model_argument, recipe_arguments

    make = recipes.find_recipe(recipes.LIBRARY)
    arguments = recipes.library_arguments(sources, *named, workspace, fetch=fetch)
    _refuse_nothing(arguments["files"], sources)
    arguments |= recipe_arguments(make, more["settings"], workspace, fetch=fetch)
    if more["base"]:
        arguments["base"] = model_argument(more["base"], more["revision"])
    return make(arguments)


def _by_name(name: str, scale: str, settings: Sequence[str], workspace: Workspace, *, fetch: bool = False) -> Recipe:
    """A recipe by name; what was removed from its expert before stays removed."""
    from gnomon.cli.arguments import recipe_arguments

    make = recipes.find_recipe(name)
    arguments = {"scale": scale, **recipe_arguments(make, settings, workspace, fetch=fetch)}
    made = make(arguments)
    removed = recipes.removed_from(workspace, made.serve.name) if made.serve else []
    return make({**arguments, "removed": removed}) if removed else made


def _refuse_nothing(files: dict[str, Any], sources: Sequence[str]) -> None:
    if not files["files"]:
        raise DataError(
            say(
                f"There is no readable file in {', '.join(sources)}.", f"{', '.join(sources)} に読めるファイルがない。"
            ),
            _reasons(dict(files["left_out"])),
        )


def _reasons(left_out: dict[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in sorted(left_out.items())[:5])


def execute(session: Session, workspace: Workspace, recipe: Recipe) -> int:
    """Run a recipe with progress, and print what became of everything."""
    import time

    from gnomon.cli.progress import shown
    from gnomon.cli.summary import show_summary, summary
    from gnomon.runs.runner import run as run_recipe

    started = time.monotonic()
    with shown(_stop_when_empty) as progress:
        records = run_recipe(recipe, workspace, progress)
    row = summary(recipe, workspace, records, round(time.monotonic() - started, 1))
    if session.json:
        print_json(row)
    else:
        show_summary(console(), row)
    return 0


def _stop_when_empty(step: Step, record: Record) -> None:
    """End a run early when nothing of what the user gave is usable.

    Raises:
        DataError: A step on the way to the library kept nothing; the message lists why.
    """
    if step.name not in TO_LIBRARY or record.counts.kept:
        return
    lost = ", ".join(f"{reason}: {n}" for reason, n in sorted(record.counts.dropped.items()))
    raise DataError(
        say(f"Nothing usable was found in {record.counts.taken} records ({lost}).",
            f"{record.counts.taken} 件のうち使えるものがなかった（{lost}）。"),
        say("`gnomon lineage file:NAME` says what became of one file.",
            "`gnomon lineage file:ファイル名` で個々の理由がわかる。"),
    )  # fmt: skip
