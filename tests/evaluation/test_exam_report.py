import re
from pathlib import Path
from typing import Any

import pytest
from exam_kit import held, item
from test_report import EVIL, LIMITS, read, record

from gnomon.evaluation.exam.arms import Arm, Paper, standard_arms
from gnomon.evaluation.report.facts import gather
from gnomon.evaluation.report.models.exam import telling
from gnomon.evaluation.report.models.gathering import gather_models
from gnomon.evaluation.report.models.parts import model_figures
from gnomon.evaluation.report.page import page
from gnomon.evaluation.roles import role_of
from gnomon.runs.output import SilentMeter

ROLES = (role_of("base"), role_of("specialised"))
PUPILS: dict[str, dict[str, Any]] = {"base": {"knows": 6, "how": "cut"}, "specialised": {"knows": 26}}
PAPERS = (Paper(name="stars", label="Stars & dust"), Paper(name="others", general=True))


def mixed(n: int) -> list[Any]:
    kinds = ("astro-ph.SR", "astro-ph.GA", "high_school_physics")
    made = [item(i, subject=kinds[i % 3], lang="ja" if i % 5 == 0 else "en") for i in range(n)]
    return [*made, item(n, targets=(0, 2)), item(n + 1, split="dev")]


def examined(folder: Path, **more: Any) -> dict[str, Any]:
    """The facts of a report on an exam alone."""
    writes = Arm(name="base writes", model="base", mode="generate", label=more.pop("label", ""))
    config = {"models": ROLES, "arms": (*standard_arms(ROLES, library=True), writes), "exams": PAPERS, **more}
    _, _, _, out = held(folder, config, {"stars": mixed(40), "others": mixed(12)}, PUPILS)
    inputs, records = {"exam": out.path}, {"exam": record("evaluation/exam", 40, 40)}
    model = gather_models(inputs, records)
    assert model is not None
    return {**gather("Test", inputs, records, LIMITS, SilentMeter()), "model": model}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return examined(tmp_path_factory.mktemp("exam"), passage_characters=100, max_tokens=200)


@pytest.fixture(scope="module")
def html(facts: dict[str, Any]) -> str:
    return page(facts)


def text_of(html: str, lang: str) -> str:
    """What a reader of one language sees of the section on exams."""
    section = html[html.index('<section id="exam">') :]
    section = section[: section.index("</section>")]
    other = {"en": "ja", "ja": "en"}[lang]
    while f'<span class="{other}"' in section:
        section = re.sub(rf'<span class="{other}" lang="{other}">((?!<span)(?!</span>).)*</span>', "", section)
    inline = re.sub(r"</?(?:i|span|b|small|em|sup)\b[^>]*>", "", section)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", inline))


def test_an_exam_is_told_in_the_order_of_its_arms_and_papers(facts: dict[str, Any]) -> None:
    (told,) = facts["model"]["exam"]
    assert [arm["name"] for arm in told["arms"]][:4] == ["chance", "solver", "base", "base · open book"]
    assert [paper["name"] for paper in told["papers"]] == ["stars", "others"]
    assert [model["name"] for model in told["models"]] == ["base", "specialised"]
    assert [row["name"] for row in facts["model"]["roles"]] == ["base", "specialised"]
    stars = told["papers"][0]
    assert stars["dropped"] == {"in_dev": 1}
    assert [row["arm"] for row in told["papers"][1]["arms"]] == ["chance", "base", "specialised", "base writes"]
    by_arm = {row["arm"]: row for row in stars["arms"]}
    assert by_arm["base"]["unscored"] == {"one_answer_only": 1}
    assert by_arm["base writes"]["truncated"] == 1
    assert by_arm["base"]["at_chance"] is False
    assert by_arm["solver"]["at_chance"] is True


def test_the_section_names_arms_books_chance_and_what_is_not_scored(html: str) -> None:
    told = text_of(html, "en")
    for words in ("closed book", "open book", "at chance", "no model: retrieval", "Stars &amp; dust", "41 questions",
                  "several right, the arm names one: no model: retrieval 1", "kept for examples, never scored 1", "general: before and after",
                  "By subject", "By language", "Calibration", "Galaxies", "high school physics", "(1 cut)",
                  "written"):  # fmt: skip
        assert words in told, words
    assert "passages that did not fit" in told


def test_the_section_is_whole_in_japanese(html: str) -> None:
    told = text_of(html, "ja")
    for words in ("資料参照", "偶然並み", "採点不能", "分野別", "較正", "最も確からしい記号"):
        assert words in told, words
    for words in ("closed book", "open book", "at chance", "unscored", "accuracy", "By subject"):
        assert words not in told, words


def test_claims_rest_on_a_model_with_and_without_its_book_and_on_models_alike_in_book(facts: dict[str, Any]) -> None:
    (told,) = facts["model"]["exam"]
    arms = {arm["name"]: arm for arm in told["arms"]}
    found = {(row["arm"], row["against"]) for row in telling(told["papers"][0]["comparisons"], arms)}
    assert {("base · open book", "base"), ("specialised", "base"),
            ("specialised · open book", "base · open book")} <= found  # fmt: skip
    assert ("specialised · open book", "base") not in found
    assert ("base writes", "specialised") not in found


def test_the_page_asks_for_nothing_and_equal_exams_give_equal_pages(html: str, facts: dict[str, Any]) -> None:
    reader = read(html)
    assert not {"script", "img", "iframe", "object", "link"} & set(reader.tags)
    assert "url(" not in html
    assert page(facts) == html


def test_hostile_names_are_only_shown(tmp_path: Path) -> None:
    html = page(examined(tmp_path, label=EVIL))
    assert not {"script", "img", "iframe"} & set(read(html).tags)


def test_the_head_says_what_the_model_that_was_made_got_right(facts: dict[str, Any]) -> None:
    made = {**facts["model"], "pedigree": [
        {"model": "specialised", "stage": "sft", "ref": {"name": "x"}, "parameters": None, "trained": {}},
    ]}  # fmt: skip
    ((english, japanese, value),) = model_figures(made)
    assert english.startswith("of Stars & dust right, closed book [")
    assert english.endswith("chance 25.0\u202f%")
    assert "資料なし" in japanese
    assert value.endswith("%")


def test_limits_say_what_an_exam_does_not_prove(html: str) -> None:
    assert "among twenty pairs" in re.sub(r"\s+", " ", html)
