"""``eval``: models sit a multiple-choice exam, beside chance and, with an expert, with its library at hand.

The exam is the step ``evaluation/exam``, run in the workspace: its answers are kept, a second call with the same
questions reads them, and one that was interrupted goes on. A model is a name with an address in ``gnomon.toml``, a role
of the expert (``base``, ``final``), or a folder of weights; without one, all of the expert's models sit.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gnomon.cli.output import console, print_json
from gnomon.cli.session import Session, command
from gnomon.core.errors import NotFound, RunError
from gnomon.core.wording import say

if TYPE_CHECKING:
    from gnomon.core.records import ModelRef
    from gnomon.runs.step import Recipe, Step
    from gnomon.runs.workspace import Workspace

MODES = ("letter", "option", "generate")
PAPER = "exam"
LIBRARY = ("index", "vectors")
_CHATS = ("training/sft/", "training/dpo/", "training/merge/", "training/choose/")
"""Steps whose models were taught to chat."""


@command(
    "Put a multiple-choice exam to models: chance beside them, and with an expert its library too (open book).",
    "多肢選択の試験をモデルに課す。偶然の正答率を並べ、エキスパートがあればその文献を参照する場合も測る。",
)
@click.argument("models", nargs=-1, metavar="MODEL…")
@click.option("--items", "files", multiple=True, required=True, metavar="FILE",
              help=say("The questions: JSONL, JSON, CSV or Parquet, or a folder.",
                       "問題の JSONL、JSON、CSV、Parquet、またはそのフォルダ。"))  # fmt: skip
@click.option("--mode", type=click.Choice(MODES), default="letter", show_default=True,
              help=say("How models answer: the likeliest letter, the likeliest option's text, or in writing.",
                       "回答の方法。最も確からしい記号、最も確からしい選択肢の文、または文章で答える。"))  # fmt: skip
@click.option("--orders", type=click.IntRange(0, 26), default=0, show_default=True,
              help=say("Orders of the options a question is asked in; 0: as many as it has options.",
                       "選択肢の並べ方の数。0 なら選択肢の数だけ。"))  # fmt: skip
@click.option("--book", type=click.Choice(("both", "closed", "open")), default="both", show_default=True,
              help=say("With the expert's library, without it, or both.",
                       "エキスパートの文献を参照するか、しないか、両方か。"))  # fmt: skip
def eval(session: Session, models: tuple[str, ...], files: tuple[str, ...], **how: Any) -> int:
    """Print how each arm did."""
    from gnomon.cli.progress import shown
    from gnomon.core.files import read_json
    from gnomon.evaluation.exam.step import FACTS
    from gnomon.runs.runner import run

    workspace = session.workspace()
    recipe = exam_recipe(session, workspace, models, files, how)
    with shown(made_before=False) as progress:
        records = run(recipe, workspace, progress)
    exam = recipe.goals[0]
    facts, speed = read_json(workspace.artifact(exam.address) / FACTS), records[exam.address].metrics["speed"][PAPER]
    rows = [arm_row(name, facts, speed) for name in facts["order"]["arms"]]
    left_out = {**records[exam.inputs[f"items:{PAPER}"].address].counts.dropped, **facts["exams"][PAPER]["dropped"]}
    if session.json:
        print_json({"arms": rows, "left_out": left_out, "address": exam.address})
    else:
        _show(rows, facts, left_out)
    return 0


def exam_recipe(
    session: Session, workspace: "Workspace", names: Sequence[str], files: Sequence[str], how: Mapping[str, Any]
) -> "Recipe":
    """The exam as a recipe of one goal.

    Raises:
        NotFound: A model is none of ``gnomon.toml``, of the expert, and no folder.
        RunError: The expert was made by other code: its models would have to be made again.
    """
    from gnomon.evaluation import steps as evaluation
    from gnomon.evaluation.exam.arms import Paper, standard_arms
    from gnomon.evaluation.roles import role_of
    from gnomon.runs import FileSet, Recipe

    apart = all(name in workspace.settings.models or Path(name).is_dir() for name in names)
    parts = {} if names and apart and not workspace.names("experts") else expert_steps(session, workspace)
    chosen = {name: _model(name, parts, workspace) for name in names or _own_models(parts)}
    library = {name: parts[name] for name in LIBRARY if name in parts} if how["book"] != "closed" else {}
    roles = [role_of(name) for name in chosen]
    arms = [
        replace(arm, chat=_chats(chosen[arm.model])) if arm.model else arm
        for arm in standard_arms(roles, mode=how["mode"], library=bool(library))
    ]
    exam = evaluation.exam(
        dict(zip(roles, chosen.values(), strict=True)),
        {Paper(name=PAPER): evaluation.items(FileSet.scan(list(files)))}, library=library,
        arms=[arm for arm in arms if how["book"] != "open" or arm.open_book or not arm.model], orders=how["orders"],
    )  # fmt: skip
    return Recipe(name="eval", goals=(exam,))


def expert_steps(session: Session, workspace: "Workspace") -> dict[str, "Step"]:
    """The steps an expert is served from, by role.

    Raises:
        NotFound: There is no expert.
        RunError: They are not those that its recipe describes today.
    """
    from gnomon.cli.recipes import again

    expert = session.expert(workspace)
    serve = again(expert, json.loads(expert.arguments).get("removed", [])).serve
    steps = dict(serve.parts) if serve else {}
    for role, address in expert.parts:
        if role in steps and steps[role].address != address:
            raise RunError(
                say(f"The {role} of expert {expert.name!r} was made by another version of its recipe.",
                    f"エキスパート {expert.name!r} の {role} は別の版のレシピで作られている。"),
                say("Run its recipe again first.", "先にレシピを実行し直す。"),
            )  # fmt: skip
    return {role: steps[role] for role, _ in expert.parts if role in steps}


def _own_models(parts: Mapping[str, "Step"]) -> list[str]:
    """The expert's models, base first, each once."""
    from gnomon.runs.models import MODEL_STEPS

    seen: dict[str, str] = {}
    for role in sorted(parts, key=lambda role: (role != "base", list(parts).index(role))):
        if parts[role].address.startswith(MODEL_STEPS):
            seen.setdefault(parts[role].address, role)
    return list(seen.values())


def _model(name: str, parts: Mapping[str, "Step"], workspace: "Workspace") -> "Step | ModelRef":
    from gnomon.core.records import ModelRef
    from gnomon.llm.templated import template_in
    from gnomon.runs import FileSet
    from gnomon.runs.models import MODEL_STEPS
    from gnomon.training import steps as training

    if name in workspace.settings.models:
        return ModelRef(name=name, kind="instruct")
    if name in parts and parts[name].address.startswith(MODEL_STEPS):
        return parts[name]
    folder = Path(name).expanduser()
    if folder.is_dir():
        kind = "instruct" if template_in(folder) else "base"
        return training.adopt(f"local/{folder.resolve().name}", files=FileSet.scan([folder]), kind=kind)
    own = ", ".join(_own_models(parts)) or "-"
    raise NotFound(
        say(f"There is no model {name!r}.", f"モデル {name!r} はない。"),
        say(f"Name a model of gnomon.toml, a folder of weights, or one of the expert's: {own}.",
            f"gnomon.toml のモデル、重みのフォルダ、またはエキスパートのモデルを指定する: {own}。"),
    )  # fmt: skip


def _chats(model: "Step | ModelRef") -> bool:
    """Whether a model was taught to chat; a base model is continued instead."""
    kind = getattr(model, "kind", "") or getattr(model.config, "kind", "")  # type: ignore[union-attr]
    return kind == "instruct" or str(getattr(model, "address", "")).startswith(_CHATS)


def arm_row(name: str, facts: Mapping[str, Any], speed: Mapping[str, Any]) -> dict[str, Any]:
    """One arm as ``gnomon eval --json`` prints it."""
    row, about = facts["exams"][PAPER]["arms"][name], facts["arms"][name]
    accuracy = row["accuracy"]
    return {
        "name": name, "n": row["n"], "accuracy": accuracy["value"] if accuracy else None,
        "interval": [accuracy["low"], accuracy["high"]] if accuracy else None,
        "unscored": sum(row["unscored"].values()), "truncated": row["truncated"], "reasons": row["unscored"],
        "at_chance": row["at_chance"], "mode": about["mode"], "open_book": about["open_book"],
        "usd_per_question": row["usd_per_question"],
        "items_per_second": speed[name]["items_per_second"] if name in speed else None,
    }  # fmt: skip


def _show(rows: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], left_out: Mapping[str, int]) -> None:
    from gnomon.cli.output import table

    names = [say("arm", "回答者"), "n", say("accuracy", "正答率"), say("95 % interval", "95 % 区間"),
             say("unscored", "採点不能"), say("items/s", "問/秒"), say("USD/question", "USD/問")]  # fmt: skip
    shown = table(*names, right=tuple(names[1:]))
    for row in rows:
        low_high = "" if row["interval"] is None else f"{row['interval'][0]:.1%} – {row['interval'][1]:.1%}"
        value = "–" if row["accuracy"] is None else f"{row['accuracy']:.1%}"
        chance = say(" at chance", " 偶然並み") if row["at_chance"] and row["name"] != "chance" else ""
        speed = "" if row["items_per_second"] is None else f"{row['items_per_second']:.1f}"
        usd = "" if row["usd_per_question"] is None else f"{row['usd_per_question']:.2g}"
        shown.add_row(row["name"], str(row["n"]), value + chance, low_high, str(row["unscored"]), speed, usd)
    out = console()
    out.print(shown)
    for change in facts["exams"][PAPER]["comparisons"]:
        out.print(
            f"{change['arm']} − {change['against']}: {change['difference']['value']:+.1%}"
            f" [{change['difference']['low']:+.1%}, {change['difference']['high']:+.1%}], p = {change['p']:.2g}"
        )
    if left_out:
        told = ", ".join(f"{reason}: {count}" for reason, count in left_out.items())
        out.print(say(f"Left out: {told}.", f"除いたもの: {told}。"))
