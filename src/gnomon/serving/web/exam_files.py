"""Files of what the exam page shows: numbers as CSV, drawings as SVG."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from gnomon.core.wording import language
from gnomon.evaluation.report.markup import for_reader
from gnomon.evaluation.report.models.exam_arms import arms_of
from gnomon.evaluation.report.models.names import Names
from gnomon.research.opened import OpenExpert
from gnomon.serving.api.exam import CostForm
from gnomon.serving.facts.cost import costs, measured
from gnomon.serving.facts.exam import Arm, Figure, exam_facts, sittings
from gnomon.serving.facts.items import place_of
from gnomon.serving.facts.measures import embeddings, perplexities
from gnomon.serving.house import Housed
from gnomon.serving.web.scores_chart import scores_file

router = APIRouter(include_in_schema=False)
Name = Annotated[str, Query(max_length=200)]
SPREAD = ("", "_low", "_high", "_n")
"""Endings of the columns of a measure."""


@router.get("/exam/scores.csv")
async def scores_table(house: Housed) -> Response:
    """Every arm of every paper in a row."""
    return table("scores", await house.readers.run(_scores, house.opened))


@router.get("/exam/scores.svg")
async def scores_drawing(
    house: Housed, role: Annotated[Name, Query(alias="sitting")] = "", paper: Name = ""
) -> Response:
    """The scores of a paper as a drawing."""
    text = await house.readers.run(_drawing, house.opened, role, paper)
    return file(text, "scores.svg", "image/svg+xml")


@router.get("/exam/perplexity.csv")
async def perplexity_table(house: Housed) -> Response:
    """Every model on every test set in a row."""
    return table("perplexity", await house.readers.run(_perplexity, house.opened))


@router.get("/exam/embeddings.csv")
async def embeddings_table(house: Housed) -> Response:
    """Every system in a row."""
    return table("embeddings", await house.readers.run(_embeddings, house.opened))


@router.get("/exam/cost.csv")
async def cost_table(house: Housed, asked: Annotated[CostForm, Query()]) -> Response:
    """Every point of the chart of costs in a row."""
    return table("cost", await house.readers.run(_costs, house.opened, asked))


@router.get("/exam/cost.svg")
async def cost_drawing(house: Housed, asked: Annotated[CostForm, Query()]) -> Response:
    """Accuracy against cost as a drawing."""
    return file(await house.readers.run(cost_chart, house.opened, asked, language()), "cost.svg", "image/svg+xml")


def cost_chart(opened: OpenExpert, asked: CostForm, lang: str) -> str:
    """Accuracy against cost as SVG: by tokens where anybody has a price for them, else by question.

    Args:
        opened: The expert.
        asked: Of which exam, and what is known of prices.
        lang: In which language.

    Raises:
        MissingExtra: Pillow is not installed, which measures the letters.
    """
    from gnomon.evaluation.cost.chart import chart
    from gnomon.evaluation.cost.frame import HEIGHT, WIDTH
    from gnomon.evaluation.cost.points import QUESTION, TOKENS
    from gnomon.evaluation.cost.shapes import svg

    points, about = measured(opened, asked.sitting, usd_per_hour=asked.usd_per_hour, published=asked.published)
    view = TOKENS if asked.published or any(point.usd_tokens for point in points) else QUESTION
    return svg(chart(points, view, about, lang), WIDTH, HEIGHT, about.paper)


def table(name: str, rows: Iterable[Sequence[Any]]) -> Response:
    """Rows as a CSV file that a browser saves; what has no value is an empty cell.

    Args:
        name: Of the file, without an ending.
        rows: The first is the head.
    """
    made = io.StringIO()
    csv.writer(made).writerows([[_cell(value) for value in row] for row in rows])
    return file(made.getvalue(), f"{name}.csv", "text/csv")


def file(text: str, name: str, media_type: str) -> Response:
    """A text as a file that a browser saves.

    Args:
        text: What it holds.
        name: Its name.
        media_type: Its kind.
    """
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=f"{media_type}; charset=utf-8", headers=headers)


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return "" if value is None else value


def _figure(told: Figure | None) -> tuple[float | None, ...]:
    return (None,) * len(SPREAD) if told is None else (told.value, told.low, told.high, told.n)


def _heads(*names: str) -> list[str]:
    return [f"{name}{ending}" for name in names for ending in SPREAD]


# Rows ----------------------------------------------------------------------------------------


def _costs(opened: OpenExpert, asked: CostForm) -> list[Sequence[Any]]:
    head = ["name", "kind", *_heads("accuracy"), "usd_per_100k_tokens", "usd_per_question", "price_from", "source"]
    found = costs(opened, asked.sitting, usd_per_hour=asked.usd_per_hour, published=asked.published).points
    return [head, *(
        [one.name, one.kind, one.share, *_figure(one.accuracy)[1:], one.usd_per_100k_tokens, one.usd_per_question,
         one.price_from, one.source]
        for one in found
    )]  # fmt: skip


def _scores(opened: OpenExpert) -> list[Sequence[Any]]:
    head = ["sitting", "paper", "arm", "kind", "model", "mode", "open_book", "scored", "unscored", "truncated",
            "chance", "at_chance", *_heads("accuracy", "log_prob"), "calibration_error", "against", "both_scored",
            "better", "worse", *_heads("difference"), "p", "seconds_per_question", "usd_per_question"]  # fmt: skip
    rows = (
        [held.role, paper.name, *_arm(arm)] for held in sittings(opened) for paper in held.papers for arm in paper.arms
    )
    return [head, *rows]


def _arm(arm: Arm) -> list[Any]:
    beside = arm.against_base
    compared = (None,) * 9 if beside is None else (
        beside.arm, beside.n, beside.better, beside.worse, *_figure(beside.difference), beside.p)  # fmt: skip
    return [
        arm.name, arm.kind, arm.model, arm.mode, arm.open_book, arm.n, sum(arm.unscored.values()), arm.truncated,
        arm.chance, arm.at_chance, *_figure(arm.accuracy), *_figure(arm.log_prob),
        arm.calibration.ece if arm.calibration else None, *compared, arm.seconds_per_question, arm.usd_per_question,
    ]  # fmt: skip


def _drawing(opened: OpenExpert, role: str, name: str) -> str:
    held, paper = place_of(opened, role, name)
    facts = exam_facts(opened, held.role)
    with for_reader(language()):
        return scores_file(paper, arms_of(facts), Names(facts["models"]))


def _perplexity(opened: OpenExpert) -> list[Sequence[Any]]:
    head = ["measurement", "test_set", "kind", "documents", "bytes", "model", *_heads("perplexity", "bits_per_byte"),
            "reference", *_heads("change_percent"), "change_of_bits_per_byte", "unscored"]  # fmt: skip
    return [head, *(
        [found.role, test.name, test.kind, test.documents, test.bytes, one.model, *_figure(one.perplexity),
         *_figure(one.bits_per_byte), found.reference, *_figure(one.change_percent), one.per_byte, one.unscored]
        for found in perplexities(opened) for test in found.tests for one in test.models
    )]  # fmt: skip


def _embeddings(opened: OpenExpert) -> list[Sequence[Any]]:
    measures = ("mean_similarity", "spread", "agreement_with_general", "probe_accuracy", "probe_macro_f1")
    head = ["measurement", "documents", "pairs", "system", *_heads(*measures)]  # fmt: skip
    return [head, *(
        [found.role, found.documents, found.pairs, one.system, *_figure(one.mean), *_figure(one.spread),
         *_figure(one.agreement), *_figure(one.probe), *_figure(one.macro_f1)]
        for found in embeddings(opened) for one in found.systems
    )]  # fmt: skip
