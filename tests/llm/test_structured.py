"""What a model that cannot be held to a schema is told, and that a copy of what it is told is no answer."""

import json
from typing import Any

import pytest

from gnomon.evaluation.exam.generate import schema as exam
from gnomon.llm.chat import Reply
from gnomon.llm.structured import in_words, read_structured
from gnomon.synthesis.forms import SCHEMAS
from gnomon.synthesis.judging.models import SCHEMA as MARKS

ALL: dict[str, Any] = {
    **SCHEMAS, "marks": MARKS, "letter": exam(4, several=False), "letters": exam(5, several=True),
}  # fmt: skip
RATED = {"type": "object", "properties": {"good": {"type": "boolean"}, "score": {"type": "integer"}},
         "required": ["good", "score"]}  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        (ALL["open"], '{"question": "…", "answer": "…", "quote": "…"}'),
        (ALL["letter"], '{"ANSWER": "A or B or C or D", "EXPLANATION": "…"}'),
        (ALL["summary"], '{"summary": "…", "quotes": ["…", …]}'),
        (RATED, '{"good": true or false, "score": a number}'),
    ],
)
def test_the_form_of_an_answer_is_shown_and_not_the_schema(schema: dict[str, Any], form: str) -> None:
    assert in_words(schema).splitlines()[1:] == [form]


def test_a_form_shows_as_many_items_as_there_have_to_be_and_the_range_of_a_mark() -> None:
    assert '"options": ["…", "…", "…", "…"], "answer"' in in_words(ALL["choice"])
    assert in_words(ALL["dialogue"]).count('"question"') == 2
    assert '"score": 1 to 5' in in_words(MARKS)


@pytest.mark.parametrize("schema", ALL.values(), ids=ALL)
def test_a_copy_of_the_form_is_no_answer(schema: dict[str, Any]) -> None:
    form = in_words(schema).partition("\n")[2]
    for copied in (form, f"Certainly:\n```json\n{form}\n```", form.replace("…", "...")):
        reply = read_structured(Reply(text=copied), schema)
        assert reply.value is None
        assert reply.fault


def test_an_answer_that_is_whole_counts_although_it_is_said_again_until_the_limit() -> None:
    one = '{"question": "What is dust?", "answer": "Grains {tiny}.", "quote": "Dust."}'
    for text in (f"{one}\n{one}\n{one[:30]}", f"Here it is:\n{one} And so on and"):
        reply = read_structured(Reply(text=text, finish="length"), ALL["open"])
        assert reply.value == json.loads(one)
        assert reply.fault == ""
    assert "cut" in read_structured(Reply(text=one[:-9], finish="length"), ALL["open"]).fault


def test_a_value_that_was_left_open_is_named() -> None:
    text = json.dumps({"question": "What is dust?", "answer": "…", "quote": "Dust is small."}, ensure_ascii=False)
    assert "answer is left open" in read_structured(Reply(text=text), ALL["open"]).fault
    whole = text.replace('"…"', '"Small grains…"')
    assert read_structured(Reply(text=whole), ALL["open"]).value["answer"] == "Small grains…"


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/a"},
        {"anyOf": [{"type": "string"}]},
        {"type": ["string", "null"]},
        {"type": "string", "pattern": "a"},
    ],
    ids=["ref", "any-of", "types", "pattern"],
)
def test_what_a_form_cannot_say_is_said_by_the_schema(schema: dict[str, Any]) -> None:
    asked = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    assert json.loads(in_words(asked).partition("\n")[2]) == asked
