"""``export``: a model as others take it.

The export is the step ``training/export``, run in the workspace; with an expert its card says what the model was shown
and how it was measured, and GGUF files are measured on the documents that were held out.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gnomon.cli.output import console, print_json, safe, size
from gnomon.cli.session import Session, command
from gnomon.core.errors import ConfigError, NotFound
from gnomon.core.wording import say

if TYPE_CHECKING:
    from gnomon.runs.step import Step
    from gnomon.runs.workspace import Workspace

FINAL = ("final", "preferred", "tuned", "specialised")
"""Roles that are exported when none is named, the first that an expert has."""
_MEASURES = ("evaluation/perplexity", "evaluation/exam")
_DOCUMENTS, _MODEL = "documents:", "model:"


@command(
    "Write a model as others take it: weights, tokenizer, chat template, card, GGUF files with their measured loss.",
    "モデルを配布用に書き出す。重み、トークナイザ、チャットテンプレート、カード、実測損失付きの GGUF。",
)
@click.argument("model", required=False, default="", metavar="MODEL|EXPERT")
@click.option(
    "--gguf",
    "quants",
    default="",
    metavar="KINDS",
    help=say("Kinds of GGUF files to write too: f16,q8_0,q4_0.", "書き出す GGUF の種類: f16,q8_0,q4_0。"),
)
@click.option(
    "--measure",
    "documents",
    multiple=True,
    metavar="FILE",
    help=say(
        "Texts the model was not shown, to measure GGUF files on; the expert's own held-out ones when not given.",
        "GGUF を測るための、学習に使っていない文書。省略時はエキスパートの評価用文書。",
    ),
)
@click.option(
    "--languages",
    default="en",
    show_default=True,
    metavar="CODES",
    help=say("Languages the model reads, for its card: en,ja.", "カードに書く言語: en,ja。"),
)
@click.option(
    "--to",
    "target",
    default="",
    metavar="FOLDER",
    help=say("Copy the result there; it must not exist yet.", "結果のコピー先。既存のフォルダは使えない。"),
)
def export(session: Session, model: str, target: str, **how: Any) -> int:
    """Print what was written."""
    from gnomon.cli.progress import shown
    from gnomon.runs import Recipe
    from gnomon.runs.runner import run

    place = Path(target).expanduser() if target else None
    if place is not None and place.exists():
        raise ConfigError(
            say(f"{place} exists already.", f"{place} は既にある。"),
            say("Name a folder that does not.", "存在しないフォルダを指定する。"),
        )
    workspace = session.workspace()
    step = export_step(session, workspace, model, how)
    with shown() as progress:
        records = run(Recipe(name="export", goals=(step,)), workspace, progress)
    folder = workspace.artifact(step.address)
    row = export_row(folder, records[step.inputs["model"].address].metrics.get("duties", ()))
    if place is not None:
        folder = _copied(folder, place)
    row |= {"folder": str(folder), "address": step.address}
    if session.json:
        print_json(row)
    else:
        _show(row)
    return 0


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a model besides its weights."""

    model: "Step"
    """The step that leaves it."""
    tokens: "Mapping[str, Step]" = field(default_factory=dict)
    """What it was shown, by stage."""
    measures: "Mapping[str, Step]" = field(default_factory=dict)
    """Evaluations of it that are made."""
    held_out: "Step | None" = None
    """Documents it was not shown."""


def export_step(session: Session, workspace: "Workspace", name: str, how: Mapping[str, Any]) -> "Step":
    """The step that exports a model.

    Args:
        session: Names the expert.
        workspace: Holds it.
        name: A role of the expert, an expert, a folder of weights, or empty for the expert's best model.
        how: The options ``quants``, ``documents`` and ``languages``.

    Raises:
        NotFound: There is no such model.
        RunError: The expert was made by other code.
    """
    from gnomon.training import steps as training

    known = _known(session, workspace, name)
    quants, languages = (tuple(filter(None, how[key].split(","))) for key in ("quants", "languages"))
    held_out = _read(how["documents"]) if how["documents"] else known.held_out
    return training.export(
        known.model, known.tokens, known.measures, held_out if quants else None, quants=quants, languages=languages
    )


def _read(files: Sequence[str]) -> "Step":
    from gnomon.corpus import steps as corpus
    from gnomon.runs import FileSet

    return corpus.ingest(FileSet.scan(list(files)))


def _known(session: Session, workspace: "Workspace", name: str) -> Known:
    from gnomon.llm.templated import template_in
    from gnomon.runs import FileSet
    from gnomon.training import steps as training

    folder = Path(name).expanduser()
    if name and folder.is_dir():
        kind = "instruct" if template_in(folder) else "base"
        return Known(model=training.adopt(f"local/{folder.resolve().name}", files=FileSet.scan([folder]), kind=kind))
    if name in workspace.names("experts"):
        session.name, name = name, ""
    return _of_expert(session, workspace, name)


def _of_expert(session: Session, workspace: "Workspace", role: str) -> Known:
    """A model of the expert, with the measures that are made of it."""
    from gnomon.cli.examining import expert_steps
    from gnomon.cli.recipes import again
    from gnomon.runs.models import MODEL_STEPS

    parts = expert_steps(session, workspace)
    models = {name: step for name, step in parts.items() if step.address.startswith(MODEL_STEPS)}
    chosen = role or next((name for name in FINAL if name in models), next(iter(models), ""))
    if chosen not in models:
        raise NotFound(
            say(f"There is no model {role!r}.", f"モデル {role!r} はない。"),
            say(f"Name a folder of weights, an expert, or one of the expert's models: {', '.join(models) or '-'}.",
                f"重みのフォルダ、エキスパート、またはそのモデルを指定する: {', '.join(models) or '-'}。"),
        )  # fmt: skip
    model = models[chosen]
    expert = session.expert(workspace)
    steps = again(expert, _removed(expert)).steps()
    measures = [s for s in steps if s.name in _MEASURES and _measures(s, model) and workspace.record(s.address)]
    return Known(
        model=model, tokens=_tokens(model), measures={str(i): step for i, step in enumerate(measures)},
        held_out=next((held for step in measures if (held := _held_out(step)) is not None), None),
    )  # fmt: skip


def _tokens(model: "Step") -> dict[str, "Step"]:
    """What a model and those it is made from were shown, by stage."""
    found: dict[str, Step] = {}
    if "tokens" in model.inputs:
        found[model.name.rpartition("/")[2]] = model.inputs["tokens"]
    for name in sorted(model.inputs):
        if name == "model" or name.startswith(_MODEL):
            for stage, tokens in _tokens(model.inputs[name]).items():
                same = tokens.address in {step.address for step in found.values()}
                found |= {} if same else {_free(stage, found): tokens}
    return found


def _free(stage: str, taken: Mapping[str, Any]) -> str:
    """The stage's name, numbered where another has it."""
    return next(name for name in (stage, *(f"{stage} {i}" for i in range(2, 99))) if name not in taken)


def _removed(expert: Any) -> list[str]:
    import json

    removed: list[str] = json.loads(expert.arguments).get("removed", [])
    return removed


def _measures(step: "Step", model: "Step") -> bool:
    return any(name.startswith(_MODEL) and made.address == model.address for name, made in step.inputs.items())


def _held_out(step: "Step") -> "Step | None":
    """The first test set of the domain that a perplexity was measured on."""
    tests: Any = getattr(step.config, "tests", ())
    names = [test.name for test in tests if test.kind == "domain"]
    return next((step.inputs[_DOCUMENTS + name] for name in names if _DOCUMENTS + name in step.inputs), None)


def export_row(folder: Path, duties: Sequence[str]) -> dict[str, Any]:
    """An export as ``gnomon export --json`` prints it."""
    from gnomon.core.files import folder_files, read_json
    from gnomon.training.export.step import MEASURED

    measured = folder / MEASURED
    files = [{"name": p.relative_to(folder).as_posix(), "bytes": p.stat().st_size} for p in folder_files(folder)]
    return {"files": files, "gguf": read_json(measured) if measured.is_file() else None, "duties": list(duties)}


def _copied(folder: Path, place: Path) -> Path:
    """Copied, not linked: what is edited there must not change the artifact."""
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(place.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(folder, partial)
    partial.rename(place)
    return place


def _show(row: Mapping[str, Any]) -> None:
    from gnomon.cli.output import table
    from gnomon.training.export.measured import rows_of

    out = console()
    shown = table(say("file", "ファイル"), say("size", "大きさ"), right=(say("size", "大きさ"),))
    for file in row["files"]:
        shown.add_row(safe(file["name"]), size(file["bytes"]))
    out.print(shown)
    if row["gguf"]:
        names = [
            say("GGUF file", "GGUF ファイル"),
            "MB",
            say("perplexity", "パープレキシティ"),
            say("change, %", "変化 %"),
        ]
        costs = table(*names, right=tuple(names[1:]))
        for line in rows_of(row["gguf"]):
            costs.add_row(*map(safe, line))
        out.print(costs)
        out.print(say(f"Measured on {row['gguf']['documents']} held-out documents, 95 % intervals.",
                      f"評価用の文書 {row['gguf']['documents']} 件で測定。95 % 区間。"))  # fmt: skip
    for duty in row["duties"]:
        out.print(say(f"Licence: {duty}", f"ライセンス: {duty}"))
    out.print(row["folder"])
