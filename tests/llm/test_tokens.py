"""Where a document begins: BOS in front of it, unless the model's BOS is the mark that opens a turn."""

from typing import Any

import language_models
import pytest

from gnomon.llm.templated import own_template
from gnomon.llm.tokens import Tokens

SMOLLM2 = (
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Turns as SmolLM2 writes them; its tokenizer calls ``<|im_start|>`` BOS and ``<|im_end|>`` EOS."""
LLAMA2 = "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token }}[INST] {{ m.content }} [/INST]{% endif %}{% endfor %}"


def tokenizer(template: str | None, bos: str, eos: str = "</s>") -> Any:
    made = language_models.tokenizer(bos=True)
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    made.add_special_tokens({"bos_token": bos, "eos_token": eos})
    made.chat_template = template
    return made


def test_a_mark_that_opens_turns_is_put_before_no_document() -> None:
    made = tokenizer(SMOLLM2, "<|im_start|>", "<|im_end|>")
    tokens = Tokens(made)
    assert tokens.bos is None
    assert tokens.decode(tokens.encode("The gas cools.")) == "The gas cools."
    assert made.bos_token_id not in tokens.encode("The gas cools.")
    assert tokens.prompt([""]) == [[made.eos_token_id]]
    (context, after), *_ = tokens.pairs([("The gas", " cools.")])
    assert made.bos_token_id not in (*context, *after)


@pytest.mark.parametrize(
    ("template", "bos"),
    [(own_template("chatml"), "<s>"), (LLAMA2, "<s>"), (None, "<|im_start|>"), ("{{ 1 / 0 }}", "<s>")],
    ids=["once-before-all-turns", "before-each-question", "no-template", "a-template-that-fails"],
)
def test_any_other_bos_stands_before_a_document(template: str | None, bos: str) -> None:
    made = tokenizer(template, bos)
    assert Tokens(made).encode("gas")[0] == made.bos_token_id
