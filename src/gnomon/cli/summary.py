"""The summary after a run: what was taken, what was kept, what was left out and why, what next."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gnomon.cli.output import count, safe, seconds
from gnomon.core.wording import say
from gnomon.evaluation.report.words import REASONS
from gnomon.runs.models import MODEL_STEPS
from gnomon.runs.record import Record
from gnomon.runs.step import Recipe, Step
from gnomon.runs.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import Console

READERS_ROLE, REPORT_ROLE = "index", "report"
PROOF_ROLE, EXAM_ROLE, AUDIT_ROLE, KEPT_ROLE = "perplexity", "exam", "audit", "dedup"


def summary(recipe: Recipe, workspace: Workspace, records: Mapping[str, Record], took: float) -> dict[str, Any]:
    """What a run did, as JSON types.

    Documents are counted on the path from the sources to the readers' index; what only models are
    kept from seeing (decontamination) is not left out of the library and counts apart.
    """
    steps = {step.address: step for step in recipe.steps()}
    path = [records[step.address] for step in _readers_path(recipe) if step.address in records]
    taken = path[0].counts.taken if path else 0
    dropped: Counter[str] = Counter()
    for record in path:
        dropped.update(record.counts.dropped)
    return {
        "expert": recipe.serve.name if recipe.serve else "",
        "recipe": recipe.name,
        "workspace": workspace.url,
        "taken": taken,
        "kept": taken - sum(dropped.values()),
        "dropped": dict(sorted(dropped.items())),
        "steps": [_step_row(records[address]) for address in steps if address in records],
        "library": recipe.serve is not None and READERS_ROLE in recipe.serve.parts,
        "models": _models(recipe, records),
        "perplexity": _metrics(recipe, records, PROOF_ROLE),
        "exam": _metrics(recipe, records, EXAM_ROLE).get("accuracy", {}),
        "cost_usd": round(sum(record.cost_usd for record in records.values()), 6),
        "report": _page(recipe, workspace, REPORT_ROLE, "report.html"),
        "audit": _page(recipe, workspace, AUDIT_ROLE, "audit.html"),
        "seconds": took,
    }


def _readers_path(recipe: Recipe) -> list[Step]:
    """The steps that documents pass on their way to what readers search, in order.

    Only ``documents`` inputs are followed, so that exams and other side inputs stay out of it; the index
    itself counts chunks, not documents.
    """
    serve = recipe.serve
    step: Step | None = None
    if serve is not None:
        step = serve.parts.get(READERS_ROLE) or serve.parts.get(KEPT_ROLE)
    step = step or next((goal for goal in recipe.goals if goal.inputs), None)
    path: list[Step] = []
    while step is not None:
        path.append(step)
        step = step.inputs.get("documents")
    path.reverse()
    return [step for step in path if step.name.startswith("corpus/")]


def _models(recipe: Recipe, records: Mapping[str, Record]) -> dict[str, str]:
    """Addresses of the models that were made, by role."""
    parts = recipe.serve.parts if recipe.serve else {goal.name: goal for goal in recipe.goals}
    made = {
        role: step for role, step in parts.items() if step.address.startswith(MODEL_STEPS) and step.address in records
    }
    return {role: made[role].address for role in sorted(made, key=lambda role: (role != "base", role))}


def _metrics(recipe: Recipe, records: Mapping[str, Record], role: str) -> dict[str, Any]:
    """The headline figures of a measure, as its step's record carries them."""
    step = recipe.serve.parts.get(role) if recipe.serve else None
    return dict(records[step.address].metrics) if step is not None and step.address in records else {}


def _step_row(record: Record) -> dict[str, Any]:
    counts = record.counts
    return {
        "step": record.name, "address": record.address, "taken": counts.taken, "kept": counts.kept,
        "dropped": dict(sorted(counts.dropped.items())), "made": dict(sorted(counts.made.items())),
        "seconds": record.seconds,
    }  # fmt: skip


def _page(recipe: Recipe, workspace: Workspace, role: str, name: str) -> str:
    """Where a page for people is; empty when it was not made."""
    step = recipe.serve.parts.get(role) if recipe.serve else None
    if step is None or workspace.record(step.address) is None:
        return ""
    return str(workspace.artifact(step.address) / name)


def show_summary(out: "Console", row: Mapping[str, Any]) -> None:
    """Print a summary for a person."""
    out.print()
    name, took = row["expert"] or row["recipe"], seconds(row["seconds"])
    out.print(say(f"{name} is ready ({took}).", f"{name} ができた（{took}）。"), style="bold")
    of = f"{count(row['kept'])} of {count(row['taken'])}"
    if row["library"] or not row["models"]:
        out.print(say(f"  {of} documents are in the library.",
                      f"  {count(row['taken'])} 件中 {count(row['kept'])} 件の文書を収めた。"))  # fmt: skip
    elif row["taken"]:
        out.print(say(f"  {of} documents were kept.",
                      f"  {count(row['taken'])} 件中 {count(row['kept'])} 件の文書を残した。"))  # fmt: skip
    lost = sum(row["dropped"].values())
    if lost:
        out.print(say(f"  {count(lost)} were left out:", f"  {count(lost)} 件を除いた:"))
        for reason, number in sorted(row["dropped"].items(), key=lambda pair: (-pair[1], pair[0])):
            out.print(f"    {number:>9,}  {reason_name(reason)}")
    _show_models(out, row)
    if row["report"]:
        out.print(say("  Report: ", "  報告書: ") + safe(row["report"]), soft_wrap=True)
    if row["audit"]:
        out.print(say("  Questions to read and label: ", "  問題の点検ページ: ") + safe(row["audit"]), soft_wrap=True)
    out.print(say("Next: ", "次は: ") + _next_words(row), style="dim")


def _show_models(out: "Console", row: Mapping[str, Any]) -> None:
    """The models, and what each gives on every held-out set; the change is against the reference."""
    if row["models"]:
        out.print(say("  Models: ", "  モデル: ") + ", ".join(row["models"]))
    for test, figures in row["perplexity"].items():
        told = ", ".join(f"{model} {_perplexity(found)}" for model, found in figures.items())
        out.print(say(f"  Perplexity, {safe(test)}: ", f"  パープレキシティ、{safe(test)}: ") + safe(told))
    for paper, arms in row["exam"].items():
        told = ", ".join(f"{arm} {'–' if right is None else f'{right:.1%}'}" for arm, right in arms.items())
        out.print(say(f"  Right answers, {safe(paper)}: ", f"  正答率、{safe(paper)}: ") + safe(told))


def _perplexity(found: Mapping[str, Any]) -> str:
    value, change = found.get("perplexity"), found.get("change_percent")
    shown = "–" if value is None else f"{value:.4g}"
    return shown if change is None else f"{shown} ({change:+.1f} %)"


def _next_words(row: Mapping[str, Any]) -> str:
    words = 'gnomon ask "…"   gnomon search "…"   ' if row["library"] or not row["models"] else ""
    return words + ('gnomon complete "…"   ' if row["models"] else "") + "gnomon lineage ID   gnomon show"


def reason_name(reason: str) -> str:
    """A reason's code as words, as the report names it."""
    plain = safe(reason.replace("_", " "))
    return say(*REASONS.get(reason, (plain, plain)))
