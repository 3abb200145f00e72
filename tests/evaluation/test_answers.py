"""Answers of held-out conversations: what is scored, what is not, and that the figures are those of perplexity."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation_kit import output

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import read_json
from gnomon.core.messages import Message
from gnomon.core.records import Drop, ModelRef
from gnomon.core.settings import Settings
from gnomon.core.synthetic import Example
from gnomon.core.tables import read_table, write_table
from gnomon.evaluation.answers import AnswersConfig, run
from gnomon.evaluation.perplexity_facts import DocumentPerplexity
from gnomon.evaluation.roles import Role
from gnomon.llm.local import load_local
from gnomon.llm.weights import write_ref
from gnomon_recipes.bases import NANO_FOLDER

ROLES = (Role(name="base", kind="base"), Role(name="worse", kind="specialised"))
HALF = math.log(0.5)


def example(number: int, answer: str = "Dust.", turns: int = 1) -> Example:
    said = [Message(role="user", text=f"What dims star {number}?"), Message(role="assistant", text=answer)] * turns
    return Example(id=f"e{number}", messages=tuple(said), lang="en", kind="open", source="own", licence="CC0-1.0")


def leave(folder: Path, examples: Sequence[Example]) -> Path:
    write_table(folder / "examples" / "00000.parquet", Example, examples)
    return folder


class Coin:
    """A speaker whose tokens are characters, each as probable as the name of its model says."""

    context = 60

    def __init__(self, source: Path, settings: Settings, dtype: str = "float32") -> None:
        self.ref = ModelRef(name=source.name, revision="1", kind="base")

    def learnt(self, messages: Sequence[Message]) -> tuple[list[int], list[bool]]:
        marked = [(c, turn.role == "assistant") for turn in messages for c in turn.text + "|"]
        return [ord(c) for c, _ in marked], [learn for _, learn in marked]

    def token_log_probs(self, ids: Sequence[Sequence[int]]) -> list[Any]:
        factor = 1 if self.ref.name == "base" else 2
        return [np.full(len(row) - 1, factor * HALF, np.float32) for row in ids]


def asked(tmp_path: Path, examples: Sequence[Example], **more: Any) -> Any:
    inputs = {f"model:{role.name}": tmp_path / role.name for role in ROLES}
    inputs["examples:chat"] = leave(tmp_path / "chat", examples)
    out = output(tmp_path / "out")
    config = AnswersConfig(models=ROLES, sets=("chat",), loader=f"{__name__}:Coin", **more)
    return out, run(config, inputs, out)


def test_answers_are_scored_and_nothing_else(tmp_path: Path) -> None:
    out, counts = asked(tmp_path, [example(1), example(2, "Sodium.")])
    assert (counts.taken, counts.kept, counts.made) == (2, 2, {"scores": 4})
    rows = {(r.model, r.doc_id): r for r in read_table(out.path / "documents_perplexity.parquet", DocumentPerplexity)}
    first = rows["base", "e1"]
    assert (first.tokens, first.bytes) == (len("Dust.|"), len("Dust."))
    assert first.log_likelihood == pytest.approx(6 * HALF)
    facts = read_json(out.path / "perplexity.json")
    test = facts["tests"]["chat"]
    assert test["kind"] == "general"
    assert test["documents"] == 2
    assert [test["models"][m]["perplexity"]["value"] for m in ("base", "worse")] == pytest.approx([2, 4])
    assert test["comparisons"][0]["perplexity_change_percent"]["value"] == pytest.approx(100)


def test_a_conversation_longer_than_the_context_is_not_scored_and_said_so(tmp_path: Path) -> None:
    out, _ = asked(tmp_path, [example(1), example(2, turns=9)])
    rows = [r for r in read_table(out.path / "documents_perplexity.parquet", DocumentPerplexity) if r.doc_id == "e2"]
    assert [(r.log_likelihood, r.reason) for r in rows] == [(None, "too_long")] * 2
    test = read_json(out.path / "perplexity.json")["tests"]["chat"]
    assert test["documents"] == 1
    assert test["models"]["base"]["unscored"] == 1


def test_what_is_not_chosen_is_counted(tmp_path: Path) -> None:
    out, counts = asked(tmp_path, [example(n) for n in range(5)], most=2)
    assert (counts.taken, counts.kept, counts.dropped) == (5, 2, {"not_chosen": 3})
    assert {d.reason for d in read_table(out.path / "drops.parquet", Drop)} == {"not_chosen"}


def test_an_empty_set_and_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="chat"):
        asked(tmp_path, [])
    with pytest.raises(ConfigError, match="domain"):
        AnswersConfig(models=ROLES, sets=("chat",), domain=("other",))


def test_the_nano_base_is_scored_on_the_marks_it_knows(tmp_path: Path) -> None:
    write_ref(tmp_path, ModelRef(name="nano", revision="1", kind="base"))
    (tmp_path / "model").symlink_to(NANO_FOLDER)
    speaker = load_local(tmp_path, Settings())
    ids, learnt = speaker.learnt(example(1).messages)
    said = speaker._tokens.tokenizer.decode([i for i, learn in zip(ids, learnt, strict=True) if learn])
    assert said == "Dust.<|im_end|>"
    (values,) = speaker.token_log_probs([ids])
    assert len(values) == len(ids) - 1
    assert np.isfinite(values).all()
