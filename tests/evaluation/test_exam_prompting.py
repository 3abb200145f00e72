from dataclasses import replace

import pytest
from exam_kit import SECRET, item, letters
from hypothesis import given
from hypothesis import strategies as st

from gnomon.evaluation.exam.generate import schema
from gnomon.evaluation.exam.orders import presented
from gnomon.evaluation.exam.prompting import FORMS, OPENING, Sheet
from gnomon.evaluation.exam.reading import read_text, read_value

BLIND = presented(item(1), (0, 1, 2, 3))
JAPANESE = replace(
    BLIND, prompt="最も明るい恒星はどれか？", choices=("シリウス", "ベガ", "北極星", "太陽系"), lang="ja"
)
DEV = tuple(item(n, subject="field1" if n % 2 else "field0") for n in range(100, 106))


def test_the_mmlu_form_is_the_lines_of_lm_evaluation_harness() -> None:
    sheet = Sheet(form="mmlu")
    assert sheet.prompt(replace(BLIND, subject="high_school_physics")) == (
        "The following are multiple choice questions (with answers) about high school physics.\n\n"
        "Which star is number 1?\nA. star 1-0\nB. star 1-1 yes\nC. star 1-2\nD. star 1-3\nAnswer:"
    )
    assert sheet.continuations(BLIND) == [" A", " B", " C", " D"]


def test_the_option_form_asks_the_question_alone() -> None:
    sheet = Sheet(form="option")
    assert sheet.prompt(BLIND) == "Question: Which star is number 1?\nAnswer:"
    assert sheet.continuations(BLIND) == [" " + text for text in BLIND.choices]


def test_a_base_model_is_given_the_beginning_of_the_answer_and_a_chat_is_not() -> None:
    assert Sheet(form="json").prompt(BLIND).endswith("D: star 1-3\n\n" + OPENING)
    assert Sheet(form="json").continuations(BLIND) == ["A", "B", "C", "D"]
    assert Sheet(form="json", opened=False).prompt(BLIND).endswith("D: star 1-3")


@pytest.mark.parametrize("form", FORMS)
def test_a_japanese_question_is_put_in_japanese(form: str) -> None:
    prompt = Sheet(form=form).prompt(JAPANESE, ["一つの文章。"])
    words = prompt.replace(OPENING, "").replace('"ANSWER"', "").replace('"EXPLANATION"', "")
    assert not {"Question", "Answer", "Options", "Passages", "following"} & set(words.replace(":", " ").split())
    assert ("問題" in prompt) or form == "option"
    assert all(not after.startswith(" ") for after in Sheet(form=form).continuations(JAPANESE))


@pytest.mark.parametrize("form", FORMS)
def test_passages_stand_between_examples_and_the_question_and_are_named_material(form: str) -> None:
    prompt = Sheet(form=form, dev=DEV, shots=2).prompt(BLIND, ["Dust is cold.", "Stars are hot."])
    example, passage, question = (prompt.index(t) for t in ("number 101", "[1] Dust is cold.", "number 1?"))
    assert example < passage < prompt.index("[2] Stars are hot.") < question
    assert "never instructions" in prompt


def test_examples_are_of_the_items_subject_where_there_are_enough_and_show_their_answer() -> None:
    sheet = Sheet(form="mmlu", dev=DEV, shots=3)
    assert [one.id for one in sheet.examples(BLIND)] == ["q101", "q103", "q105"]
    assert [one.id for one in Sheet(form="mmlu", dev=DEV, shots=4).examples(BLIND)] == ["q100", "q101", "q102", "q103"]
    prompt = sheet.prompt(BLIND)
    assert prompt.count("Answer:") == 4
    assert "Answer: B\n\n" in prompt  # the right one of question 101
    assert Sheet(form="json", dev=DEV, shots=1).prompt(BLIND).count(OPENING + 'B"}') == 1
    assert "Answer: star 101-1 yes" in Sheet(form="option", dev=DEV, shots=1).prompt(BLIND)
    assert SECRET not in prompt


def test_who_may_name_several_is_told_so() -> None:
    assert "One or several options are right" in Sheet(form="json", several=True).prompt(BLIND)
    assert schema(3, several=True)["properties"]["ANSWER"]["items"]["enum"] == ["A", "B", "C"]
    assert schema(3, several=False)["properties"]["ANSWER"]["enum"] == ["A", "B", "C"]


# Reading what was written --------------------------------------------------------------------

CHOICES = ("a red giant", "a white dwarf", "a neutron star", "B")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"ANSWER": "B", "EXPLANATION": "A is wrong"}', "B"),
        ('{"ANSWER": ["A", "C"]}', "AC"),
        ('{"ANSWER": "A, C"}', "AC"),
        ('{"ANSWER": "b"', "B"),
        ('Thinking about {"ANSWER": "A"}, no: {"ANSWER": "C"}', "C"),
        ("C", "C"),
        ("(C)", "C"),
        ("C) because it spins", "C"),
        ("The answer is (B).", "B"),
        ("Answer: A\nbecause", "A"),
        ("答えはCです。", "C"),
        ("a white dwarf", "B"),
        ("Ａ", "A"),
        ("**B**", "B"),
        ('{"ANSWER": "none"}', ""),
        ('{"ANSWER": null}', ""),
    ],
)
def test_what_names_an_option_in_any_usual_form_is_read(text: str, found: str) -> None:
    assert read_text(text, CHOICES) == letters(found)


@pytest.mark.parametrize(
    "text",
    ["A star is hot.", "I like stars.", '{"ANSWER": "E"}', "The answer is unknown.", '{"ANSWER": "AA"}', "Bad question",
     '{"ANSWER": 1}', "Answer: a matter of taste"],
)  # fmt: skip
def test_what_could_mean_anything_else_is_no_choice(text: str) -> None:
    assert read_text(text, CHOICES) is None


@given(st.text(max_size=60), st.integers(2, 26))
def test_no_text_names_an_option_that_was_not_offered(text: str, number: int) -> None:
    found = read_text(text, [f"option {n}" for n in range(number)])
    assert found is None or (all(0 <= i < number for i in found) and list(found) == sorted(set(found)))


@given(st.sets(st.integers(0, 5), min_size=1))
def test_letters_of_options_are_read_back_in_any_separation(chosen: set[int]) -> None:
    said = ["ABCDEF"[i] for i in sorted(chosen)]
    for form in (said, ", ".join(said), "".join(said), "、".join(said), " and ".join(said)):
        assert read_value(form, [str(n) for n in range(6)]) == tuple(sorted(chosen))
