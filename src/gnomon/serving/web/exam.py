"""The page of scores: the report's charts live, from the same facts as the API."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from gnomon.core.errors import MissingExtra
from gnomon.core.wording import language
from gnomon.evaluation.report.markup import Markup, join
from gnomon.evaluation.report.models.axes import MINUS, plain
from gnomon.evaluation.report.models.exam import differences, how_held, notes
from gnomon.evaluation.report.models.exam_arms import Arms, arms_of, chip
from gnomon.evaluation.report.models.exam_groups import calibrations, groups
from gnomon.evaluation.report.models.gain import perplexity
from gnomon.evaluation.report.models.likeness import embedding
from gnomon.evaluation.report.models.names import Names
from gnomon.research.opened import OpenExpert
from gnomon.serving.api.exam import CostForm
from gnomon.serving.facts.cost import Costs, costs
from gnomon.serving.facts.exam import Arm, Paper, exam_facts, roles, sitting
from gnomon.serving.facts.gathered import report_facts
from gnomon.serving.facts.measures import embeddings
from gnomon.serving.house import Housed
from gnomon.serving.web import exam_files, exam_items
from gnomon.serving.web.drawings import drawn, rules_address
from gnomon.serving.web.pages import page
from gnomon.serving.web.scores_chart import scores_chart

router = APIRouter(include_in_schema=False)
router.include_router(exam_files.router)
router.include_router(exam_items.router)
Sort = Literal["", "accuracy", "n", "unscored", "log_prob", "difference", "p", "seconds"]


class ExamQuery(CostForm):
    """What the page is asked to show."""

    sort: Sort = Field("", description="By which column arms stand, the greatest first; empty as they sat.")


@router.get("/exam")
async def show(request: Request, house: Housed, asked: Annotated[ExamQuery, Query()]) -> Response:
    """Everything that was measured of the expert."""
    told = await house.readers.run(_told, house.opened, asked)
    return page(
        request,
        "exam.html",
        drawings=rules_address(),
        asked=asked,
        plain=plain,
        signed=_signed,
        why_unscored=exam_items.why,
        **told,
    )


def _told(opened: OpenExpert, asked: ExamQuery) -> dict[str, Any]:
    known, measures = roles(opened), _measures(opened)
    if not known and not asked.sitting:
        return {
            "sitting": None,
            "sittings": (),
            "papers": [],
            "cost": None,
            "cost_chart": "",
            "why_no_cost": "",
            **measures,
        }
    held = sitting(opened, asked.sitting)
    facts = exam_facts(opened, held.role)
    names, arms = Names(facts["models"]), arms_of(facts)
    found = {row["name"]: row for row in facts["papers"]}
    papers = [_paper(paper, found[paper.name], arms, names, (held.role, asked.sort)) for paper in held.papers]
    cost, chart, why = _cost(opened, held.role, asked)
    return {
        "sitting": held, "sittings": known, "how": drawn(how_held, facts["how"]), "papers": papers, "cost": cost,
        "cost_chart": chart, "why_no_cost": why, **measures,
    }  # fmt: skip


def _paper(paper: Paper, found: Mapping[str, Any], arms: Arms, names: Names, shown: tuple[str, Sort]) -> dict[str, Any]:
    """A paper with its drawings."""
    role, sort = shown
    rows = [{"arm": arm, "chip": drawn(chip, arms[arm.name], names)} for arm in _sorted(paper.arms, sort)]
    return {
        "paper": paper, "rows": rows, "chart": drawn(scores_chart, paper, arms, names, role),
        "notes": drawn(notes, found, arms, names), "differences": drawn(differences, found, arms, names),
        "groups": drawn(_groups, found, arms, names),
        "calibrations": drawn(calibrations, found, arms, names),
    }  # fmt: skip


def _groups(found: Mapping[str, Any], arms: Arms, names: Names) -> Markup:
    return join(groups(found, arms, names))


def _sorted(arms: tuple[Arm, ...], by: Sort) -> list[Arm]:
    """Arms by a column, the greatest first; what has no value stands last. Without a column as they sat."""
    if not by:
        return list(arms)

    def value(arm: Arm) -> float | None:
        against = arm.against_base
        known: dict[str, float | None] = {
            "accuracy": arm.accuracy.value if arm.accuracy else None, "n": arm.n,
            "unscored": sum(arm.unscored.values()), "log_prob": arm.log_prob.value if arm.log_prob else None,
            "difference": against.difference.value if against and against.difference else None,
            "p": -against.p if against else None, "seconds": arm.seconds_per_question,
        }  # fmt: skip
        return known[by]

    return sorted(arms, key=lambda arm: (value(arm) is None, -(value(arm) or 0.0), arm.name))


def _cost(opened: OpenExpert, role: str, asked: CostForm) -> tuple[Costs, str, str]:
    """The facts, the chart, and why there is none: nobody knows a price, or what draws it is not installed."""
    told = costs(opened, role, usd_per_hour=asked.usd_per_hour, published=asked.published)
    if not told.priced and not asked.published:
        return told, "", ""
    try:
        return told, drawn(_as_markup, exam_files.cost_chart(opened, asked, language())), ""
    except MissingExtra as error:
        return told, "", f"{error.message} {error.hint}"


def _as_markup(text: str) -> Markup:
    """A drawing that escapes what it is given, as ``shapes.svg`` does."""
    return Markup(text)


def _measures(opened: OpenExpert) -> dict[str, Any]:
    """Perplexity and embeddings, drawn as in the report, and the latter's numbers."""
    model = report_facts(opened).get("model") or {}
    names = Names(model.get("roles", ()))
    return {
        "perplexities": [(row["step"], drawn(perplexity, row, names)) for row in _main_first(model, "perplexity")],
        "embeddings": [(row["step"], drawn(embedding, row, names)) for row in _main_first(model, "embedding")],
        "systems": embeddings(opened),
    }


def _signed(value: float) -> str:
    """A difference of shares in points of a per cent, with its sign."""
    return ("+" if value > 0 else MINUS if value < 0 else "") + f"{100 * abs(value):.1f}"


def _main_first(model: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """Measurements of a kind, that which bears its name first."""
    return sorted(model.get(kind, ()), key=lambda row: (row["step"] != kind, row["step"]))
