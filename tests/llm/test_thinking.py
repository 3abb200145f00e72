"""Thinking is parted from answers in every form in which models write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.llm.thinking import split_thinking

FINAL = "<|start|>assistant<|channel|>final<|message|>"


@pytest.mark.parametrize(
    ("raw", "thinking", "answer"),
    [
        ("Forty-two.", "", "Forty-two."),
        ("<think>\nSix by seven.\n</think>\n\nForty-two.", "Six by seven.", "Forty-two."),
        ("<think></think>Forty-two.", "", "Forty-two."),
        ("<think>Six by", "Six by", ""),
        ("Six by seven.</think>Forty-two.", "Six by seven.", "Forty-two."),
        ("</think>Forty-two.</think>", "", "Forty-two."),
        ("<think>a</think>x<think>b</think>y", "a\nb", "xy"),
        (f"<|channel|>analysis<|message|>Six.<|end|>{FINAL}Forty-two.<|return|>", "Six.", "Forty-two."),
        (f"<|channel|>analysis<|message|>Six.<|end|>{FINAL}Forty", "Six.", "Forty"),
        ("<|channel|>analysis<|message|>Six by", "Six by", ""),
        ("<|channel|>final<|message|>Forty-two.", "", "Forty-two."),
        (f"<|channel|>commentary to=tool <|message|>{{}}<|call|>{FINAL}Done.", "", "Done."),
        (
            f"<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>b<|end|>{FINAL}c",
            "a\nb",
            "c",
        ),
    ],
)
def test_thinking_and_answer_are_parted(raw: str, thinking: str, answer: str) -> None:
    assert split_thinking(raw) == (thinking, answer)


words = st.text(st.characters(blacklist_characters="<|>", blacklist_categories=("Cs", "Cc")), min_size=1).map(str.strip)


@given(words, words)
def test_what_was_thought_never_stands_in_the_answer(thought: str, answer: str) -> None:
    for raw in (
        f"<think>{thought}</think>{answer}",
        f"<|channel|>analysis<|message|>{thought}<|end|>{FINAL}{answer}<|return|>",
    ):
        assert split_thinking(raw) == (thought, answer)
