import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exam_kit import SECRET, SEEN, held, item

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.exams import REASONS
from gnomon.core.files import content_digest
from gnomon.core.records import Drop, ModelRef
from gnomon.core.tables import read_table
from gnomon.evaluation.exam import sitting
from gnomon.evaluation.exam.arms import Arm, Paper, standard_arms
from gnomon.evaluation.exam.config import ExamConfig
from gnomon.evaluation.roles import Role, role_of
from gnomon.evaluation.steps import exam, items
from gnomon.runs.sources import FileSet

ITEMS = [item(n) for n in range(20)]
ROLES = (role_of("base"), role_of("specialised"))
PUPILS: dict[str, dict[str, Any]] = {"base": {"knows": 0}, "specialised": {"knows": 15}}
PLAIN: dict[str, Any] = {"models": ROLES, "arms": standard_arms(ROLES), "exams": (Paper(name="stars"),)}


def test_who_knows_more_scores_more_and_who_knows_nothing_is_at_chance(tmp_path: Path) -> None:
    _, facts, rows, _ = held(tmp_path, PLAIN, {"stars": ITEMS}, PUPILS)
    assert facts["order"] == {"arms": ["chance", "base", "specialised"], "exams": ["stars"]}
    paper = facts["exams"]["stars"]
    assert paper["items"] == 20
    found = paper["arms"]
    assert found["chance"]["accuracy"]["value"] == 0.25
    assert found["base"]["accuracy"]["value"] == 0.25
    assert found["base"]["at_chance"]
    assert found["specialised"]["accuracy"]["value"] == pytest.approx((15 + 5 / 4) / 20)
    assert not found["specialised"]["at_chance"]
    (change,) = paper["comparisons"]
    assert (change["arm"], change["against"], change["n"]) == ("specialised", "base", 20)
    assert (change["better"], change["worse"]) == (15, 0)
    assert change["p"] < 0.001
    assert change["difference"]["low"] > 0
    assert len(rows) == 2 * 20 * 4
    assert sum(g["n"] for g in found["base"]["by_subject"].values()) == 20
    assert found["base"]["by_lang"]["en"]["n"] == 20
    assert found["base"]["log_prob"]["value"] < found["specialised"]["log_prob"]["value"] < 0
    assert sum(b["n"] for b in found["base"]["calibration"]["bins"]) == 80
    assert facts["arms"]["base"] | {"ref": 0} == {
        "label": "base", "kind": "model", "mode": "letter", "open_book": False, "role_kind": "base", "model": "base",
        "style": "json", "ref": 0,
    }  # fmt: skip


def test_a_liking_for_one_letter_is_worth_exactly_chance_when_orders_are_balanced(tmp_path: Path) -> None:
    _, _, rows, _ = held(tmp_path, PLAIN, {"stars": ITEMS}, PUPILS)
    for _, group in itertools.groupby((r.result for r in rows if r.result.arm == "base"), key=lambda r: r.item_id):
        scores = [result.score for result in group]
        assert sorted(scores) == [0, 0, 0, 1]


def test_solvers_and_books_never_see_what_tells_the_right_option(tmp_path: Path) -> None:
    SEEN.clear()
    arms = standard_arms(ROLES, library=True)
    held(tmp_path, {**PLAIN, "arms": arms}, {"stars": ITEMS}, PUPILS)
    assert len(SEEN) == 40
    for seen in SEEN:
        assert seen.targets == ()
        assert SECRET not in repr(seen)
    # nor does the place of the right option: it is where a shuffle put it
    first = Counter(next(i for i, text in enumerate(seen.choices) if text.endswith("yes")) for seen in SEEN)
    assert len(first) == 4


def test_an_open_book_puts_passages_before_the_question_and_is_labelled(tmp_path: Path) -> None:
    arms = standard_arms(ROLES, library=True)
    _, facts, _, _ = held(tmp_path, {**PLAIN, "arms": arms, "passage_characters": 100}, {"stars": ITEMS}, PUPILS)
    assert list(facts["order"]["arms"]) == [
        "chance", "solver", "base", "base · open book", "specialised", "specialised · open book",
    ]  # fmt: skip
    book = facts["arms"]["base · open book"]
    assert book["open_book"]
    assert book["passages"] == {"given": 80, "left_out": 80}
    assert facts["arms"]["solver"]["kind"] == "solver"
    assert len(facts["exams"]["stars"]["comparisons"]) == 10


def test_general_ability_is_told_by_models_and_chance_alone(tmp_path: Path) -> None:
    papers = (Paper(name="stars"), Paper(name="other", general=True))
    config = {**PLAIN, "arms": standard_arms(ROLES, library=True), "exams": papers}
    _, facts, _, _ = held(tmp_path, config, {"stars": ITEMS, "other": ITEMS[:6]}, PUPILS)
    assert set(facts["exams"]["other"]["arms"]) == {"chance", "base", "specialised"}
    assert facts["exams"]["other"]["general"]


def test_a_killed_run_goes_on_and_ends_with_the_same_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {**PLAIN, "arms": standard_arms(ROLES, library=True), "block": 7}
    held(tmp_path / "whole", config, {"stars": ITEMS}, PUPILS)
    answer, calls = sitting.answer, itertools.count()

    def dying(*task: Any) -> Any:
        if next(calls) == 7:
            raise KeyboardInterrupt
        return answer(*task)

    monkeypatch.setattr(sitting, "answer", dying)
    with pytest.raises(KeyboardInterrupt):
        held(tmp_path / "killed", config, {"stars": ITEMS}, PUPILS)
    monkeypatch.setattr(sitting, "answer", answer)
    held(tmp_path / "killed", config, {"stars": ITEMS}, PUPILS)
    for name in ("results.parquet", "exam.json", "drops.parquet"):
        assert content_digest(tmp_path / "whole/data" / name) == content_digest(tmp_path / "killed/data" / name)
    held(tmp_path / "killed", config, {"stars": ITEMS}, PUPILS)
    opened = {name: (tmp_path / "killed/models" / name / "opened").read_text() for name in PUPILS}
    assert opened == {"base": "xx", "specialised": "x"}  # once a run for both of its arms, and never for nothing


def test_blocks_change_nothing(tmp_path: Path) -> None:
    one = held(tmp_path / "one", {**PLAIN, "block": 1}, {"stars": ITEMS}, PUPILS)
    many = held(tmp_path / "many", {**PLAIN, "block": 50}, {"stars": ITEMS}, PUPILS)
    assert one[1] == many[1]
    assert one[2] == many[2]


def test_the_dev_split_is_shown_and_never_scored(tmp_path: Path) -> None:
    dev = [item(n) for n in range(3)]
    renamed = replace(dev[1], id="another-id", prompt=dev[1].prompt.upper())
    counts, facts, rows, out = held(
        tmp_path, {**PLAIN, "shots": 2}, {"stars": [*ITEMS, renamed]}, PUPILS, dev={"stars": dev}
    )
    assert dict(counts.dropped) == {"in_dev": 4} == facts["exams"]["stars"]["dropped"]
    assert not {"q0", "q1", "q2", "another-id"} & {row.result.item_id for row in rows}
    assert len(list(read_table(out.path / "drops.parquet", Drop))) == 4
    with pytest.raises(DataError, match="wanted shots = 4"):
        held(tmp_path / "few", {**PLAIN, "shots": 4}, {"stars": ITEMS}, PUPILS, dev={"stars": dev})


def test_what_a_set_calls_dev_is_shown_and_never_scored_without_being_told(tmp_path: Path) -> None:
    mixed = [replace(one, split="dev" if n < 2 else "test" if n < 18 else "validation") for n, one in enumerate(ITEMS)]
    _, facts, rows, _ = held(tmp_path, {**PLAIN, "shots": 2}, {"stars": mixed}, PUPILS)
    assert facts["exams"]["stars"]["dropped"] == {"in_dev": 2}
    assert not {"q0", "q1"} & {row.result.item_id for row in rows}
    paper = Paper(name="stars", split="test")
    _, facts, _, _ = held(tmp_path / "b", {**PLAIN, "exams": (paper,)}, {"stars": mixed}, PUPILS)
    assert facts["exams"]["stars"]["dropped"] == {"in_dev": 2, "other_split": 2}
    with pytest.raises(ConfigError, match="never scored"):
        Paper(name="stars", split="dev")


def test_several_right_letters_need_an_arm_that_can_name_them(tmp_path: Path) -> None:
    mixed = [*ITEMS[:4], item(10, targets=(0, 2)), item(11, targets=(1, 2, 3))]
    arms = (*standard_arms(ROLES), Arm(name="writes", model="specialised", mode="generate"))
    _, facts, rows, _ = held(tmp_path, {**PLAIN, "arms": arms}, {"stars": mixed}, PUPILS)
    found = facts["exams"]["stars"]["arms"]
    assert found["specialised"]["unscored"] == {"one_answer_only": 2}
    assert (found["specialised"]["n"], found["specialised"]["chance"]) == (4, 0.25)
    assert found["writes"]["n"] == 6
    assert found["writes"]["accuracy"]["value"] == 1.0
    assert found["writes"]["chance"] == pytest.approx((4 * 0.25 + 2 / 15) / 6)
    assert {r.result.order for r in rows if r.result.reason == "one_answer_only"} == {()}
    _, facts, _, _ = held(
        tmp_path / "b", {**PLAIN, "exams": (Paper(name="stars", single=True),)}, {"stars": mixed}, PUPILS
    )
    assert facts["exams"]["stars"]["dropped"] == {"several_answers": 2}


def test_what_was_cut_or_unreadable_is_counted_apart_and_never_wrong(tmp_path: Path) -> None:
    pupils = {"base": {"knows": 99, "how": "cut"}, "specialised": {"knows": 99, "how": "babble"}}
    arms = tuple(Arm(name=name, model=name, mode="generate") for name in pupils)
    _, facts, rows, _ = held(tmp_path, {**PLAIN, "arms": arms, "max_tokens": 50}, {"stars": ITEMS}, pupils)
    found = facts["exams"]["stars"]["arms"]
    assert (found["base"]["n"], found["base"]["truncated"], found["base"]["unscored"]) == (19, 1, {"truncated": 1})
    assert found["base"]["accuracy"]["value"] == 1
    assert found["base"]["if_unscored_were_wrong"] == 0.95
    assert found["specialised"]["accuracy"] is None
    assert found["specialised"]["unscored"] == {"unreadable": 20}
    assert found["specialised"]["at_chance"]
    assert {r.result.score for r in rows if r.result.reason} == {None}
    assert {r.result.reason for r in rows} - {""} <= set(REASONS)


def test_money_comes_from_the_replies_and_time_stays_out_of_the_artifact(tmp_path: Path) -> None:
    roles = (Role(name="far", kind="general", ref=ModelRef(name="far", revision="20", kind="instruct")),)
    arms = (Arm(name="far", model="far", mode="generate"), Arm(name="far letters", model="far"))
    _, facts, rows, out = held(tmp_path, {**PLAIN, "models": roles, "arms": arms, "orders": 2}, {"stars": ITEMS}, {})
    found = facts["exams"]["stars"]["arms"]
    assert found["far"]["usd_per_question"] == pytest.approx(0.001)
    assert found["far"]["usd_per_100k_tokens"] == pytest.approx(40 * 0.001 / (found["far"]["tokens_in"] + found["far"]["tokens_out"]) * 1e5)  # fmt: skip
    assert found["far letters"]["usd_per_question"] is None
    assert out.cost_usd == pytest.approx(0.04)
    assert {row.result.output.seconds for row in rows} == {0.0}
    assert out.metrics["speed"]["stars"]["far"]["items_per_second"] > 0
    assert facts["arms"]["far"]["ref"]["revision"] == "A"


def test_a_choice_of_items_is_seeded_and_counted(tmp_path: Path) -> None:
    config = {**PLAIN, "exams": (Paper(name="stars", max_items=5),)}
    counts, _, rows, _ = held(tmp_path / "a", config, {"stars": ITEMS}, PUPILS)
    _, _, other, _ = held(tmp_path / "b", {**config, "seed": 1}, {"stars": ITEMS}, PUPILS)
    assert (counts.taken, counts.kept, dict(counts.dropped)) == (20, 5, {"not_chosen": 15})
    assert {r.result.item_id for r in rows} != {r.result.item_id for r in other}


def test_an_exam_without_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no question"):
        held(tmp_path, PLAIN, {"stars": [replace(ITEMS[0], choices=(), targets=())]}, PUPILS)


@pytest.mark.parametrize(
    "settings",
    [
        {"arms": ()},
        {"exams": ()},
        {"arms": (Arm(name="a", model="nobody"),)},
        {"exams": (Paper(name="a"), Paper(name="a"))},
        {"normalise": "letters"},
        {"block": 0},
    ],
)
def test_an_exam_that_cannot_be_held_is_refused_when_it_is_described(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ExamConfig(**{**PLAIN, **settings})


@pytest.mark.parametrize(
    "arm", [{"kind": "judge"}, {"mode": "guess"}, {"kind": "chance", "model": "base"}, {"style": ""}, {}]
)
def test_an_arm_that_makes_no_sense_is_refused(arm: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Arm(name="x", **arm)


def test_the_door_names_inputs_after_papers_models_and_the_library() -> None:
    source = items(FileSet(files=()))
    step = exam({"base": source}, {"stars": source, Paper(name="mmlu", general=True): source}, dev={"mmlu": source},
                library={"index": source}, shots=5)  # fmt: skip
    assert set(step.inputs) == {"model:base", "items:stars", "items:mmlu", "dev:mmlu", "index"}
    assert [arm.name for arm in step.config.arms] == ["chance", "solver", "base", "base · open book"]
    assert step.identity != exam({"base": source}, {"stars": source}).identity
