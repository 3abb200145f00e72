import io
import json
import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from evaluation_kit import output
from exam_kit import held, item
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import content_digest, read_json
from gnomon.core.records import ModelRef
from gnomon.evaluation.cost.chart import chart
from gnomon.evaluation.cost.frame import HEIGHT, WIDTH, About
from gnomon.evaluation.cost.placing import Wanted, log_range, overlap, place_labels, share_ticks, spread, usd
from gnomon.evaluation.cost.points import (
    OURS,
    PUBLISHED,
    QUESTION,
    TOKENS,
    VIEWS,
    Point,
    Prices,
    front,
    our_points,
    published_points,
)  # fmt: skip
from gnomon.evaluation.cost.shapes import Text, png, svg, text_width
from gnomon.evaluation.cost.step import CostConfig, run
from gnomon.evaluation.exam.arms import Paper, standard_arms
from gnomon.evaluation.roles import Role, role_of
from gnomon.evaluation.steps import cost_chart, exam, items
from gnomon.runs.sources import FileSet

ABOUT = About(paper="stars", questions=20, benchmark="AstroMLab-1", same=True, human=0.68, chance=0.25)
FIELD = (70.0, 80.0, 800.0, 500.0)


def point(name: str, accuracy: float, dollars: float | None, **more: Any) -> Point:
    about = {
        "kind": OURS,
        "usd_tokens": dollars,
        "usd_question": dollars,
        "low": accuracy - 0.01,
        "high": accuracy + 0.01,
    }
    return Point(name=name, accuracy=accuracy, **{**about, **more})


MANY = [point(f"model {i}", 0.5 + 0.04 * (i % 9), 10.0 ** (i % 5 - 3), open_book=i % 3 == 0) for i in range(14)]

# Points --------------------------------------------------------------------------------------


def test_published_points_name_their_sources_and_prices_are_blended_list_prices() -> None:
    found = {one.name: one for one in published_points()}
    assert all(one.source for one in found.values())
    assert all(one.price for one in found.values() if one.usd_tokens)
    assert found["GPT-4o"].usd_tokens == pytest.approx((5 + 15) / 2 / 10)
    assert found["AstroSage-8B"].usd_tokens == pytest.approx(found["GPT-4o"].usd_tokens / 1000)
    assert (found["AstroSage-8B"].accuracy, found["Claude-3.5-Sonnet"].accuracy) == (0.809, 0.85)
    assert found["LLaMA-3-70B"].usd(TOKENS) is None  # no price was found: none is made up
    assert read_json(PUBLISHED)["questions"] == 4425


def test_costs_come_from_the_log_then_from_what_is_stated_then_from_the_clock() -> None:
    row = {
        "n": 4,
        "accuracy": {"value": 0.5, "low": 0.2, "high": 0.8},
        "tokens_in": 900,
        "tokens_out": 100,
        "asked": 10,
    }
    rows = {
        "far": {**row, "usd_per_question": 0.01, "usd_per_100k_tokens": 10.0},
        "near": {**row, "usd_per_question": None, "usd_per_100k_tokens": None},
        "none": {**row, "usd_per_question": None, "usd_per_100k_tokens": None},
        "silent": {**row, "accuracy": None},
    }
    about = {"kind": "model", "open_book": False, "label": "", "model": ""}
    facts = {
        "order": {"arms": ["chance", *rows]}, "arms": {"chance": {**about, "kind": "chance"}}, "exams": {"e": {"arms": rows}},
    }  # fmt: skip
    facts["arms"] |= {name: {**about, "label": name, "model": name} for name in rows}
    speed = {"near": {"items_per_second": 5.0, "tokens_per_second": 500.0}, "none": {}}
    found = {p.name: p for p in our_points(facts, "e", speed, Prices(usd_per_hour=3.6))}
    assert set(found) == {"far", "near", "none"}
    assert (found["far"].usd_question, found["far"].usd_tokens, found["far"].price) == (0.01, 10.0, "call_log")
    assert found["near"].usd_question == pytest.approx(0.001 / 5)
    assert found["near"].usd_tokens == pytest.approx(0.001 / 500 * 100_000)
    assert found["none"].usd(TOKENS) is found["none"].usd(QUESTION) is None
    stated = {p.name: p for p in our_points(facts, "e", speed, Prices(stated={"near": 2.0}))}
    assert (stated["near"].usd_tokens, stated["near"].usd_question) == (2.0, pytest.approx(2.0 * 100 / 100_000))
    assert stated["near"].price == "stated"


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1e-6, 1e3) | st.none()), max_size=12))
def test_nobody_is_both_cheaper_and_better_than_one_of_the_front(pairs: list[tuple[float, float | None]]) -> None:
    points = [point(str(i), a, d) for i, (a, d) in enumerate(pairs)]
    best = front(points, TOKENS)
    for one in best:
        assert not any(
            (p.usd(TOKENS) or math.inf) <= (one.usd(TOKENS) or 0) and p.accuracy > one.accuracy for p in points
        )
    for p in points:
        if p.usd(TOKENS):
            assert any((b.usd(TOKENS) or 0) <= (p.usd(TOKENS) or 0) and b.accuracy >= p.accuracy for b in best)
    assert [b.accuracy for b in best] == sorted(b.accuracy for b in best)


# Placing -------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(80, 790), st.floats(90, 490), st.floats(10, 140)), max_size=14))
def test_labels_lie_inside_the_field_and_on_nothing(wanted: list[tuple[float, float, float]]) -> None:
    marks = [(x - 9, y - 9, x + 9, y + 9) for x, y, _ in wanted]
    labels = [Wanted(x=x, y=y, width=w, height=13) for x, y, w in wanted]
    boxes = [box for box in place_labels(labels, marks, FIELD) if box]
    for i, box in enumerate(boxes):
        assert box[0] >= FIELD[0] and box[1] >= FIELD[1] and box[2] <= FIELD[2] and box[3] <= FIELD[3]  # noqa: PT018
        assert not any(overlap(box, other) for other in [*marks, *boxes[:i]])


@given(st.lists(st.floats(0, 400), max_size=10))
def test_places_are_moved_apart_in_their_order(places: list[float]) -> None:
    moved = spread(places, 16, -200, 600)
    order = sorted(range(len(places)), key=lambda i: places[i])
    assert all(moved[b] - moved[a] >= 15.9 for a, b in pairwise(order))


def test_axes_are_round_and_prices_readable() -> None:
    assert share_ticks(0.65, 0.9) == [0.65, 0.7, 0.75, 0.8, 0.85, 0.9]
    assert [usd(v) for v in (1000, 12.5, 1, 0.3, 0.01, 0.0019, 0.00001, 0.0000123)] == [
        "$1,000", "$12.5", "$1", "$0.3", "$0.01", "$0.0019", "$1e-5", "$1.2e-5",
    ]  # fmt: skip
    low, high = log_range([0.1])
    assert high - low == pytest.approx(2)
    assert log_range([]) == (pytest.approx(-3.18), pytest.approx(0.18))


# Pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_no_two_texts_of_a_chart_overlap_and_none_leaves_it(view: str, lang: str) -> None:
    drawn = chart([*published_points(), *MANY], view, ABOUT, lang)
    boxes = []
    for one in drawn:
        if isinstance(one, Text) and not one.turned:
            width = text_width(one.text, one.size)
            left = one.place[0] - {"start": 0, "middle": width / 2, "end": width}[one.anchor]
            boxes.append((left, one.place[1] - 0.72 * one.size, left + width, one.place[1] + 0.1 * one.size, one.text))
    for i, (*a, text) in enumerate(boxes):
        assert a[0] >= 0 and a[2] <= WIDTH and a[1] >= 0 and a[3] <= HEIGHT, text  # noqa: PT018
        for *b, other in boxes[:i]:
            assert not overlap(tuple(a), tuple(b)), (text, other)  # type: ignore[arg-type]
    named = {one.text for one in drawn if isinstance(one, Text)}
    assert {p.name for p in MANY} <= named


def test_both_pictures_are_whole_and_say_what_they_show() -> None:
    drawn = chart([*published_points(), *MANY, point("<b>&", 0.6, 0.02)], TOKENS, ABOUT, "en")
    picture = svg(drawn, WIDTH, HEIGHT, 'A "title"')
    tree = ET.fromstring(picture)
    assert tree.attrib["aria-label"] == 'A "title"'
    assert not re.findall(r"(?:href|src|url)\s*[=(]", picture)
    texts = [element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert "<b>&" in texts
    assert any(str(text).startswith("human experts") for text in texts)
    from PIL import Image

    image = Image.open(io.BytesIO(png(drawn, WIDTH, HEIGHT, scale=1)))
    assert image.size == (WIDTH, HEIGHT)
    assert len(image.getcolors(1 << 20) or ()) > 50


def test_without_any_price_every_point_stands_at_the_edge() -> None:
    drawn = chart(
        [point("a", 0.5, None), point("b", 0.5, None)], TOKENS, About(paper="p", questions=2, benchmark=""), "en"
    )
    places = {one.text: one.place for one in drawn if isinstance(one, Text)}
    assert places["a  50.0%"][1] != places["b  50.0%"][1]
    assert "no price per token" in places


# The step ------------------------------------------------------------------------------------


def drawn(folder: Path, **how: Any) -> Any:
    """A chart of a small exam with a local model, an endpoint and a solver."""
    roles = (role_of("base"), Role(name="far", kind="general", ref=ModelRef(name="far", revision="15")))
    config = {
        "models": roles,
        "arms": standard_arms(roles, mode="generate", library=True),
        "exams": (Paper(name="stars"),),
    }
    _, _, _, sat = held(folder / "exam", config, {"stars": [item(n) for n in range(20)]}, {"base": {"knows": 3}})
    speed = {
        "stars": {"base": {"items_per_second": 10.0, "tokens_per_second": 1000.0}, "solver": {"items_per_second": 50.0}}
    }
    out = output(folder)
    out.records = {"exam": SimpleNamespace(metrics={"speed": speed})}  # type: ignore[dict-item]
    counts = run(CostConfig(**how), {"exam": sat.path}, out)
    assert counts.add_up
    return json.loads((out.path / "cost.json").read_text()), out


def test_an_exam_becomes_a_chart_a_page_and_facts(tmp_path: Path) -> None:
    facts, out = drawn(tmp_path, usd_per_hour=2.0, human=0.68)
    points = {row["name"]: row for row in facts["points"]}
    assert (points["far"]["price"], points["base"]["price"], points["solver"]["price"]) == (
        "call_log",
        "clock",
        "clock",
    )
    assert points["far"]["usd_question"] == pytest.approx(0.001)
    assert points["base"]["usd_tokens"] == pytest.approx(2 / 3600 / 1000 * 100_000)
    assert points["solver"]["usd_tokens"] is None  # it reads no tokens
    assert points["GPT-4o"]["source"]
    assert facts["about"]["chance"] == 0.25
    assert set(facts["front"]["question"]) <= {
        "solver",
        "base",
        "far",
        "far · open book",
    }  # other questions: ours alone
    for view in VIEWS:
        ET.fromstring((out.path / f"cost_{view}.svg").read_text())
        assert (out.path / f"cost_{view}.png").read_bytes().startswith(b"\x89PNG")
    page = (out.path / "cost.html").read_text()
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert "other questions" in page
    assert page.count("<figure") == 4
    again, _ = drawn(tmp_path / "again", usd_per_hour=2.0, human=0.68)
    assert again == facts
    for name in ("cost.html", "cost_tokens.svg", "cost_tokens.png"):
        assert content_digest(out.path / name) == content_digest(tmp_path / "again/data" / name)


def test_on_the_same_questions_published_models_share_the_front(tmp_path: Path) -> None:
    facts, _ = drawn(tmp_path, same_benchmark=True)
    assert "Claude-3.5-Sonnet" in facts["front"]["tokens"]
    alone, out = drawn(tmp_path / "alone", published=False)
    assert {row["kind"] for row in alone["points"]} == {OURS}
    assert "Claude" not in (out.path / "cost.html").read_text()


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    for wrong in ({"usd_per_hour": 0.0}, {"human": 68.0}, {"stated": (("a", -1.0),)}, {"points_per_decade": -1.0}):
        with pytest.raises(ConfigError, match="Prices are above 0"):
            CostConfig(**wrong)
    with pytest.raises(DataError, match="no paper 'planets'"):
        drawn(tmp_path, paper="planets")
    (tmp_path / "q.jsonl").write_text("{}")
    sat = exam({"base": ModelRef(name="x")}, {"stars": items(FileSet.scan([tmp_path / "q.jsonl"]))})
    assert cost_chart(sat, human=0.7).inputs == {"exam": sat}
