"""What the plan says of exams at endpoints and of judges."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import exam_kit
import open_kit

from gnomon.core.estimates import Calls, Estimate
from gnomon.core.records import Item, ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.core.tables import write_table
from gnomon.evaluation.exam.arms import Arm, Paper
from gnomon.evaluation.roles import Role
from gnomon.evaluation.steps import chat_exam, exam, open_questions
from gnomon.runs import Counts, FileSet, Output, Recipe, Step, Workspace, run
from gnomon.runs.plan import plan

REF = ModelRef(name="far", kind="instruct")
ROLE = Role(name="far", kind="general")
JUDGE = ModelRef(name="judge", kind="instruct")
PLACE = ModelPlace(url="http://127.0.0.1:9/v1", usd_per_million_tokens=1.0, usd_per_million_output_tokens=4.0)


@dataclass(frozen=True, kw_only=True)
class PaperConfig:
    amount: int = 6
    open: bool = False


def leave(config: PaperConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    one = open_kit.question if config.open else exam_kit.item
    write_table(out.path / "items.parquet", Item, [one(number) for number in range(config.amount)])
    return Counts(taken=config.amount, kept=config.amount)


def paper(*, asked_openly: bool = False) -> Step:
    return Step(name="toy/paper", entry="test_asking_estimates_of_exams:leave", version=1,
                config=PaperConfig(open=asked_openly))  # fmt: skip


def workspace(folder: Path, *steps: Step) -> Workspace:
    place = Workspace(folder, Settings(models={"far": PLACE, "judge": ModelPlace(url=PLACE.url)}))
    if steps:
        run(Recipe(name="toy", goals=steps), place)
    return place


def estimate(step: Step, place: Workspace) -> Estimate | None:
    return plan(Recipe(name="toy", goals=(step,)), place)[-1].estimate


def calls_of(step: Step, place: Workspace) -> list[Calls]:
    guess = estimate(step, place)
    assert guess is not None
    return list(guess.calls)


def writing(**more: object) -> Sequence[Arm]:
    return (Arm(name="far", model="far", mode="generate", **more),)  # type: ignore[arg-type]


def test_an_endpoint_that_writes_is_asked_once_an_order_of_every_question(tmp_path: Path) -> None:
    place = workspace(tmp_path, paper())
    (guess,) = calls_of(exam({ROLE: REF}, {"stars": paper()}, arms=writing()), place)
    assert guess.calls.least == guess.calls.most == 6 * 4
    assert guess.tokens_out.most == 24 * 1024
    assert guess.usd is not None
    assert guess.usd.most == (guess.tokens_in.most + 4 * guess.tokens_out.most) / 1e6
    (once,) = calls_of(exam({ROLE: REF}, {"stars": paper()}, arms=writing(), orders=1), place)
    assert once.calls.most == 6


def test_an_endpoint_that_weighs_options_is_asked_once_an_option(tmp_path: Path) -> None:
    place = workspace(tmp_path, paper())
    arms = [Arm(name="far", model="far", mode="option")]
    (guess,) = calls_of(exam({ROLE: REF}, {"stars": paper()}, arms=arms), place)
    assert (guess.calls.most, guess.tokens_out.most) == (24, 24)


def test_an_open_book_adds_what_its_passages_may_have(tmp_path: Path) -> None:
    place = workspace(tmp_path, paper())
    (closed,) = calls_of(exam({ROLE: REF}, {"stars": paper()}, arms=writing()), place)
    shelf = {"library": {"index": paper()}, "arms": writing(open_book=True)}
    (opened,) = calls_of(exam({ROLE: REF}, {"stars": paper()}, **shelf), place)
    assert opened.tokens_in.least == closed.tokens_in.least
    assert opened.tokens_in.most > closed.tokens_in.most + 24 * 8_000
    (unbounded,) = calls_of(exam({ROLE: REF}, {"stars": paper()}, passage_characters=0, **shelf), place)
    assert unbounded.tokens_in.most is None


def test_before_its_questions_are_made_an_exam_is_bounded_by_the_settings_alone(tmp_path: Path) -> None:
    place = workspace(tmp_path)
    (guess,) = calls_of(exam({ROLE: REF}, {"stars": paper()}, arms=writing()), place)
    assert (guess.calls.least, guess.calls.most) == (0, None)
    assert "after toy/paper" in guess.why
    few = {Paper(name="stars", max_items=5): paper()}
    (bounded,) = calls_of(exam({ROLE: REF}, few, arms=writing(), orders=2), place)
    assert bounded.calls.most == 10


def test_weights_on_this_machine_are_no_calls(tmp_path: Path) -> None:
    place = workspace(tmp_path, paper())
    near = ModelRef(name="near", kind="instruct")
    assert estimate(exam({ROLE: near}, {"stars": paper()}, arms=writing()), place) is None


def test_open_questions_count_answers_and_judgements_and_say_that_the_judge_has_no_price(tmp_path: Path) -> None:
    place, items = workspace(tmp_path, paper(asked_openly=True)), paper(asked_openly=True)
    answers, marks = calls_of(open_questions({ROLE: REF}, items, judge=JUDGE), place)
    assert (answers.calls.least, answers.calls.most) == (6, 6)
    assert (marks.model, marks.calls.least, marks.calls.most) == ("judge", 0, 6)
    assert marks.usd is None
    assert marks.tokens_in.most > 6 * 1024
    assert estimate(open_questions({ROLE: REF}, items, judge=JUDGE), place).usd is None
    assert estimate(open_questions({ROLE: REF}, items), place).usd > 0


def test_open_questions_that_are_not_made_yet_are_said_to_be_unknown(tmp_path: Path) -> None:
    answers, marks = calls_of(open_questions({ROLE: REF}, paper(asked_openly=True), judge=JUDGE), workspace(tmp_path))
    assert (answers.calls.most, marks.calls.most) == (None, None)
    assert "after toy/paper" in answers.why
    assert "after toy/paper" in marks.why


def test_conversations_are_known_from_their_files_and_grow_turn_by_turn(tmp_path: Path) -> None:
    (tmp_path / "q").mkdir()
    rows = [{"question_id": n, "turns": ["Why is the sky dark?", "Say it in five words."]} for n in range(3)]
    (tmp_path / "q" / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    files: FileSet = FileSet.scan([tmp_path / "q"])
    talk, marks = calls_of(chat_exam({ROLE: REF}, files, JUDGE), workspace(tmp_path / "w"))
    assert (talk.calls.least, talk.calls.most) == (3, 6)
    assert talk.tokens_in.most > 3 * 1024
    assert (marks.calls.least, marks.calls.most, marks.tokens_out.most) == (0, 6, 6 * 2048)


def test_a_file_without_questions_does_not_stop_the_plan(tmp_path: Path) -> None:
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "questions.jsonl").write_text('{"none": 1}')
    talk, _ = calls_of(chat_exam({ROLE: REF}, FileSet.scan([tmp_path / "q"]), JUDGE), workspace(tmp_path / "w"))
    assert talk.calls.most is None
    assert "No question" in talk.why
