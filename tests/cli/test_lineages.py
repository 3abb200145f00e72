"""How pairs, examples, exams and merges look to a person, and what ``show`` says of one model under two names."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))

import taught_kit as kit


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    return kit.workspace(tmp_path_factory.mktemp("lineages")).url


@pytest.fixture
def told(gnomon, place: str):
    def run(*words: str) -> str:
        done = gnomon(*words, "--workspace", place)
        assert done.code == 0, done.err
        return " ".join(done.out.split())

    return run


def test_a_pair_is_told_with_its_verdicts_its_quote_and_who_learnt_it(told) -> None:
    out = told("lineage", kit.TAUGHT.id)
    assert "open · en · by toy-writer · taught" in out
    assert "judge toy-judge: correctness 5 — The passage says so. (call:8)" in out
    assert "judge rule: names 0.5 — That" in out
    assert "judge rule: 1 check passed" in out
    assert f"verbatim, 15–44: “{kit.QUOTE}”" in out
    assert "learnt in training/sft" in out
    assert "toy/tuned: 2 passes, in optimizer steps 1, 3" in out


def test_a_long_way_of_a_document_below_a_quote_is_counted_not_listed(told) -> None:
    out = told("lineage", kit.TAUGHT.id)
    assert "more steps: gnomon lineage local:nova" in out
    assert "step corpus/ingest" in out
    assert "2 pairs of it; left out: low_correctness 1" in told("lineage", "local:nova")


def test_an_exam_question_is_told_with_each_arm_and_what_it_kept_out(told) -> None:
    out = told("lineage", "q-1")
    assert "exam: 0 of 2 arms right" in out
    assert "arm mute not scored: truncated" in out
    assert "arm tuned B ✓ ×1, A ✗ ×1 · log-probability of the right option −0.313" in out
    assert "kept from models by corpus/decontaminate/" in out


def test_an_example_and_a_preference_are_told_turn_by_turn(told) -> None:
    out = told("lineage", kit.LESSON.id)
    assert f"user: {kit.TAUGHT.question}" in out
    assert f"assistant: {kit.TAUGHT.answer}" in out
    assert "not wanted: A century" in told("lineage", kit.BETTER.id)


def test_a_chosen_merge_is_told_down_to_its_base(told) -> None:
    out = told("lineage", "final")
    assert "much of 2 candidates, by accuracy in development" in out
    assert "candidate much 1 ✓" in out
    assert "linear: tuned 0.75, base 0.25" in out
    assert "weight 0.25" in out
    assert "3 of 4 kept; left out: not_self_contained 1" in out


def test_japanese_readers_are_told_the_same(told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOMON_LANG", "ja")
    out = told("lineage", kit.TAUGHT.id)
    assert "判定者 toy-judge: 正しさ 5" in out
    assert "学習した段階" in out


def test_one_model_under_two_names_is_told_once(gnomon, told, place: str) -> None:
    assert "models made: base · tuned · preferring · half · final = much" in told("show")
    (expert,) = gnomon("show", "--json", "--workspace", place).row["experts"]
    assert expert["models"][-1] == {"role": "final", "same": ["much"]}
