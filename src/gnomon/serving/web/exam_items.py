"""The browser of an exam's questions: a list to narrow down, and each question with every arm's answer."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from gnomon.evaluation.report.models.exam import UNSCORED
from gnomon.evaluation.report.models.exam_arms import Arms, arms_of, chip
from gnomon.evaluation.report.models.names import Names
from gnomon.research.opened import OpenExpert
from gnomon.serving.api.exam import ItemsQuery
from gnomon.serving.facts.answered import question
from gnomon.serving.facts.corpus import language_name, subject_name, worded
from gnomon.serving.facts.evidence import evidence
from gnomon.serving.facts.exam import exam_facts
from gnomon.serving.facts.items import ItemsPage, Wanted, items
from gnomon.serving.house import Housed
from gnomon.serving.web.drawings import drawn, place, rules_address
from gnomon.serving.web.pages import page

router = APIRouter(include_in_schema=False)


@router.get("/exam/items")
async def show_items(request: Request, house: Housed, asked: Annotated[ItemsQuery, Query()]) -> Response:
    """Questions of a paper."""
    found, names = await house.readers.run(_listed, house.opened, asked.wanted(house), asked.page, asked.rows)
    return page(request, "exam_items.html", found=found, asked=asked, names=names, subject_name=subject_name,
                language_name=language_name, why=why)  # fmt: skip


@router.get("/exam/items/{item_id:path}")
async def show_item(
    request: Request, house: Housed, item_id: Annotated[str, Path(max_length=500)],
    sitting: Annotated[str, Query(max_length=200)] = "", paper: Annotated[str, Query(max_length=200)] = "",
) -> Response:  # fmt: skip
    """One question with every arm's answer."""
    told = await house.readers.run(_told, house.opened, item_id, sitting, paper)
    return page(request, "exam_item.html", place=place, drawings=rules_address(), subject_name=subject_name, why=why,
                **told)  # fmt: skip


def why(reason: str) -> str:
    """Why an answer was not scored, in the reader's language.

    Args:
        reason: The code.
    """
    return worded(reason, UNSCORED)


def _listed(opened: OpenExpert, wanted: Wanted, at: int, size: int) -> tuple[ItemsPage, dict[str, str]]:
    found = items(opened, wanted, at, size)
    return found, {name: _label(opened, found.sitting, name) for name in found.arms}


def _marks(opened: OpenExpert, role: str) -> tuple[Arms, Names]:
    facts = exam_facts(opened, role)
    return arms_of(facts), Names(facts["models"])


def _label(opened: OpenExpert, role: str, name: str) -> str:
    """An arm's name without its mark, for a list to choose from."""
    arms, names = _marks(opened, role)
    return str(drawn(chip, arms[name], names).striptags())


def _told(opened: OpenExpert, item_id: str, role: str, paper: str) -> dict[str, Any]:
    asked = question(opened, item_id, role, paper)
    arms, names = _marks(opened, asked.sitting)
    chips = {answer.arm: drawn(chip, arms[answer.arm], names) for answer in asked.answers}
    return {"asked": asked, "rests": evidence(opened, asked), "chips": chips}
