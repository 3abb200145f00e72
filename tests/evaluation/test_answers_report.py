"""The sections on open questions, conversations and cost, from artifacts that the steps themselves left."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_kit
import pytest
import test_cost
import test_open_chat
from test_report import EVIL, LIMITS, read, record

from gnomon.core.records import Item, ModelRef
from gnomon.core.tables import write_table
from gnomon.evaluation.exam.arms import Arm
from gnomon.evaluation.report.facts import gather
from gnomon.evaluation.report.models.gathering import gather_models
from gnomon.evaluation.report.page import page
from gnomon.evaluation.roles import Role, role_of
from gnomon.evaluation.steps import open_questions, report
from gnomon.runs import Counts, Output, Recipe, Step, Workspace, run
from gnomon.runs.output import SilentMeter

ROLES = (role_of("base"), role_of("final"))
STEPS = {"open": "open_questions", "conversation": "chat_exam", "cost": "cost_chart"}


def openly(folder: Path, judge: ModelRef | None = open_kit.JUDGE, label: str = "") -> Path:
    arms = (Arm(name="base", model="base", mode="generate"), Arm(name="final", model="final", mode="generate", label=label),
            Arm(name="final · open book", model="final", mode="generate", open_book=True))  # fmt: skip
    items = [open_kit.question(n, lang="ja" if n > 3 else "en") for n in range(6)]
    writers = {"base": {"knows": 2, "how": "silent"}, "final": {"knows": 6}}
    return open_kit.held(folder, {"models": ROLES, "arms": arms, "judge": judge}, items, writers)[3].path


def talked(folder: Path) -> Path:
    talkers = {"good": {"silent": "dark at night"}, "poor": {"silent": "And 6?"}}
    return test_open_chat.held(folder, talkers)[3].path


def priced(folder: Path) -> Path:
    return test_cost.drawn(folder, usd_per_hour=2.0)[1].path


def told_of(artifacts: dict[str, Path]) -> dict[str, Any]:
    records = {name: record(f"evaluation/{STEPS.get(name, name)}", 6, 6) for name in artifacts}
    model = gather_models(artifacts, records)
    assert model is not None
    return {**gather("Test", artifacts, records, LIMITS, SilentMeter()), "model": model}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("answers")
    return told_of({"open": openly(folder / "o"), "conversation": talked(folder / "c"), "cost": priced(folder / "p")})


@pytest.fixture(scope="module")
def html(facts: dict[str, Any]) -> str:
    return page(facts)


def text_of(html: str, section: str, lang: str) -> str:
    """What a reader of one language sees of a section."""
    part = html[html.index(f'<section id="{section}">') :]
    part = part[: part.index("</section>")]
    other = {"en": "ja", "ja": "en"}[lang]
    while f'<span class="{other}"' in part:
        part = re.sub(rf'<span class="{other}" lang="{other}">((?!<span)(?!</span>).)*</span>', "", part, flags=re.S)
    inline = re.sub(r"</?(?:i|span|b|small|em|code)\b[^>]*>", "", part)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", inline))


def test_open_questions_tell_points_overlap_and_what_has_no_answer(html: str, facts: dict[str, Any]) -> None:
    told = text_of(html, "open", "en")
    for words in ("6 open questions", "judge", "1 to 5 points", "open book", "ROUGE-L", " no answer: base 1",
                  "if no answer were 1 point", "Differences, question by question", "By language"):  # fmt: skip
        assert words in told, words
    (found,) = facts["model"]["open"]
    by_arm = {arm["name"]: arm for arm in found["arms"]}
    assert (by_arm["base"]["n"], by_arm["base"]["unscored"]) == (5, {"no_answer": 1})
    value = by_arm["final"]["judged"]["points"]
    assert f"{value['value']:.2f}" in told
    assert "[" in told


def test_open_questions_without_a_judge_say_so_and_show_no_points(tmp_path: Path) -> None:
    told = text_of(page(told_of({"open": openly(tmp_path, judge=None)})), "open", "en")
    assert "Nobody judged" in told
    assert "ROUGE-L" in told
    assert "1 to 5 points" not in told
    assert "if no answer were" not in told


def test_conversations_tell_turns_and_what_was_not_reached(html: str) -> None:
    told = text_of(html, "conversation", "en")
    for words in ("1 to 10 points", "first turn", "second − first", "turn not reached", "By category", "good", "poor",
                  "judged turns", "4 / 6"):  # fmt: skip
        assert words in told, words


def test_the_chart_of_cost_is_drawn_into_the_page_in_both_languages(html: str) -> None:
    part = html[html.index('<section id="cost">') :]
    part = part[: part.index("</section>")]
    assert part.count("<svg xmlns=") == 4
    assert "against USD per 0.1 million tokens" in part
    assert "10 万トークンあたりの米ドル" in part
    told = text_of(html, "cost", "en")
    for words in ("USD / question", "hourly price, measured speed", "the exam says how many and why"):
        assert words in told, words


@pytest.mark.parametrize("section", ["open", "conversation", "cost"])
def test_each_section_is_whole_in_japanese(html: str, section: str) -> None:
    told = text_of(html, section, "ja")
    for words in ("no answer", "judged", "points", "Differences", "accuracy", "arm ", "question"):
        assert words not in told, words
    assert {"open": "審査役", "conversation": "判定した発言", "cost": "費用の根拠"}[section] in told


def test_the_page_with_them_asks_for_nothing_and_is_the_same_again(html: str, facts: dict[str, Any]) -> None:
    reader = read(html)
    assert not {"script", "img", "iframe", "object", "link"} & set(reader.tags)
    assert "url(" not in html
    assert page(facts) == html


def test_models_that_only_answered_have_their_names_and_marks(facts: dict[str, Any]) -> None:
    assert [row["name"] for row in facts["model"]["roles"]] == ["base", "final", "good", "poor"]
    assert "What the numbers do not say" in page(facts)


def test_hostile_labels_are_only_shown(tmp_path: Path) -> None:
    html = page(told_of({"open": openly(tmp_path, label=EVIL)}))
    assert not {"script", "img", "iframe"} & set(read(html).tags)


def test_a_judge_that_cannot_be_read_leaves_marks_out_and_is_counted(tmp_path: Path) -> None:
    broken = ModelRef(name="judge", revision="broken", kind="instruct")
    told = text_of(page(told_of({"open": openly(tmp_path, judge=broken)})), "open", "en")
    assert "not judged: unreadable: base 1, final 1" in told
    assert "judge@broken" in told


def test_a_role_keeps_its_label(tmp_path: Path) -> None:
    roles = (Role(name="base", kind="base", label="Base & co"), role_of("final"))
    arms = (Arm(name="base", model="base", mode="generate"),)
    config = {"models": roles, "arms": arms, "judge": None}
    left = open_kit.held(tmp_path, config, [open_kit.question(1)], {"base": {"knows": 2}, "final": {}})[3].path
    assert 'id="open"' in page(told_of({"open": left}))


@dataclass(frozen=True, kw_only=True)
class ItemsConfig:
    amount: int = 4


def leave(config: ItemsConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    write_table(out.path / "items.parquet", Item, [open_kit.question(n) for n in range(config.amount)])
    return Counts(taken=config.amount, kept=config.amount)


def test_a_recipe_that_hands_the_step_to_the_report_under_any_name_sees_its_section(tmp_path: Path) -> None:
    items = Step(name="toy/items", entry="test_answers_report:leave", version=1, config=ItemsConfig())
    writer = ModelRef(name="writer", kind="instruct")
    asked = open_questions({"final": writer}, items, judge=open_kit.JUDGE, loader="open_kit:load", draws=50)
    shown = report({"whatever": asked}, title="Test")
    workspace = Workspace(tmp_path)
    run(Recipe(name="toy", goals=(shown,)), workspace)
    told = text_of((workspace.artifact(shown.address) / "report.html").read_text(), "open", "en")
    assert "4 open questions" in told
    assert "final" in told
