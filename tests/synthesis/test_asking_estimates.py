"""What the plan says of steps that ask models, held against what they then ask."""

from pathlib import Path

import pytest
from writing import DOCUMENTS, shelf

from gnomon.core.estimates import Calls
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.llm.models import FAKE
from gnomon.runs import Recipe, Step, Workspace, run
from gnomon.runs.plan import PlannedStep, plan
from gnomon.synthesis import estimates
from gnomon.synthesis.steps import judge, write

WRITER, JUDGE = ModelRef(name="w", kind=FAKE), ModelRef(name="j", kind=FAKE)


def planned(step: Step, workspace: Workspace) -> PlannedStep:
    return plan(Recipe(name="toy", goals=(step,)), workspace)[-1]


def calls_of(step: Step, workspace: Workspace) -> list[Calls]:
    guess = planned(step, workspace).estimate
    assert guess is not None
    return list(guess.calls)


def made(step: Step, workspace: Workspace) -> dict:
    return dict(run(Recipe(name="toy", goals=(step,)), workspace)[step.address].metrics)


def test_calls_of_a_writer_are_planned_exactly_once_its_documents_are_made(tmp_path: Path) -> None:
    workspace, step = Workspace(tmp_path), write(shelf(), WRITER)
    made(shelf(), workspace)
    (guess,) = calls_of(step, workspace)
    spent = made(step, workspace)
    assert guess.calls.least == guess.calls.most == spent["calls"] > 3
    assert guess.tokens_in.least < guess.tokens_in.most
    assert guess.tokens_out.most == spent["calls"] * 1_500
    assert planned(step, workspace).estimate is None


def test_before_the_documents_are_made_their_number_is_unknown_and_so_is_the_money(tmp_path: Path) -> None:
    place = ModelPlace(url="http://127.0.0.1:9/v1", usd_per_million_tokens=1.0, usd_per_million_output_tokens=2.0)
    workspace = Workspace(tmp_path, Settings(models={"w": place}))
    (guess,) = calls_of(write(shelf(), WRITER), workspace)
    assert (guess.calls.least, guess.calls.most) == (0, None)
    assert guess.usd is not None
    assert guess.usd.most is None
    assert "after toy/shelf: at most 12 calls a document" in guess.why
    assert planned(write(shelf(), WRITER), workspace).estimate.usd is None


def test_a_sample_is_carried_over_with_its_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "SAMPLE", 2)
    workspace, step = Workspace(tmp_path), write(shelf(), WRITER)
    made(shelf(per_file=3), workspace)
    made(shelf(), workspace)
    monkeypatch.setattr(estimates, "FILES", 1)
    (guess,) = calls_of(step, workspace)
    assert guess.calls.least < made(step, workspace)["calls"] < guess.calls.most
    assert "carried over from 2 documents" in guess.why


def test_documents_still_to_be_sifted_bound_the_calls_from_above(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    made(shelf(), workspace)
    (whole,) = calls_of(write(shelf(), WRITER), workspace)
    sifted = Step(name="corpus/sift", entry="x:y", version=1, config=shelf().config, inputs={"documents": shelf()})
    (guess,) = calls_of(write(sifted, WRITER), workspace)
    assert guess.calls.least == 0
    assert guess.calls.most >= whole.calls.most
    assert "of the 3 documents of toy/shelf, what corpus/sift will leave is not known" in guess.why


def test_a_judge_is_asked_once_a_pair_and_at_most_once_a_pair_wanted_before_there_are_any(tmp_path: Path) -> None:
    workspace, pairs = Workspace(tmp_path), write(shelf())
    step = judge(pairs, shelf(), [JUDGE])
    made(shelf(), workspace)
    (before,) = calls_of(step, workspace)
    assert (before.calls.least, before.calls.most) == (0, len(DOCUMENTS) * 13)
    amount = run(Recipe(name="toy", goals=(pairs,)), workspace)[pairs.address].counts.kept
    (guess,) = calls_of(step, workspace)
    assert guess.calls.least == guess.calls.most == amount == made(step, workspace)["calls"]
    assert 800 * amount < guess.tokens_in.least < guess.tokens_in.most
    assert guess.tokens_in.most <= before.tokens_in.most


def test_two_judges_are_two_entries(tmp_path: Path) -> None:
    workspace, pairs = Workspace(tmp_path), write(shelf())
    made(pairs, workspace)
    both = calls_of(judge(pairs, shelf(), [JUDGE, ModelRef(name="k", kind=FAKE)]), workspace)
    assert [one.model for one in both] == ["j", "k"]


def test_the_writer_and_the_judge_without_a_model_ask_nothing(tmp_path: Path) -> None:
    workspace, pairs = Workspace(tmp_path), write(shelf())
    assert planned(pairs, workspace).estimate is None
    assert planned(judge(pairs, shelf()), workspace).estimate is None
