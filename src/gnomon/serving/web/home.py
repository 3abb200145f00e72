"""The home page: the library, the models, the exam, and what to try."""

from typing import Any

from fastapi import APIRouter, Request, Response

from gnomon.core.wording import say
from gnomon.evaluation.report.models.axes import short
from gnomon.evaluation.report.plots import years
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.exam import Arm, exam_facts
from gnomon.serving.facts.home import Headline, home
from gnomon.serving.house import Housed
from gnomon.serving.web import drawings
from gnomon.serving.web.drawings import drawn, place, rules_address
from gnomon.serving.web.pages import page
from gnomon.serving.web.rails import rails

router = APIRouter(include_in_schema=False)
router.include_router(drawings.router)
MOST_BARS = 6
"""Languages and subjects that are shown; the corpus page shows all."""


@router.get("/")
async def show(request: Request, house: Housed) -> Response:
    """The expert at a glance."""
    told = await house.readers.run(_told, house.opened)
    return page(request, "home.html", place=place, size=short, drawings=rules_address(), most_bars=MOST_BARS, **told)


def _told(opened: OpenExpert) -> dict[str, Any]:
    facts, label = home(opened), say("documents by year", "年別の文書数")
    return {
        "home": facts, "rails": rails(facts.models), "by_year": drawn(years, facts.library.composition.years, label),
        "lines": _lines(opened, facts.exam), "candidates": [m.role for m in facts.models if not m.main],
    }  # fmt: skip


def _lines(opened: OpenExpert, told: Headline | None) -> list[dict[str, Any]]:
    """The lines of the headline, each with its mark and interval on an axis of all shares."""
    if told is None:
        return []
    from gnomon.evaluation.report.models.charts import track
    from gnomon.evaluation.report.models.exam_arms import WHOLE, chip, points, style
    from gnomon.evaluation.report.models.names import Names

    found = exam_facts(opened, told.sitting)
    names = Names(found["models"])
    about = {arm["name"]: {**arm, "way": ""} for arm in found["arms"]}

    def line(arm: Arm) -> dict[str, Any]:
        own, value = about[arm.name], arm.accuracy.model_dump() if arm.accuracy else {"value": None}
        told_of = points(arm.accuracy.value) if arm.accuracy else ""
        return {
            "arm": arm, "chip": drawn(chip, own, names),
            "track": drawn(track, WHOLE, [(style(own, names), value, told_of)], told.chance or 0.0),
        }  # fmt: skip

    return [line(arm) for arm in told.lines]
