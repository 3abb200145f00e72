import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evaluation_kit import output

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import content_digest, write_json
from gnomon.core.records import Drop, ModelRef
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table
from gnomon.evaluation.conversation import step as stepping
from gnomon.evaluation.conversation.config import MT_BENCH, ChatConfig
from gnomon.evaluation.conversation.facts import JudgedTurn
from gnomon.evaluation.conversation.questions import Question
from gnomon.evaluation.conversation.step import run
from gnomon.evaluation.conversation.talking import case
from gnomon.evaluation.roles import Role
from gnomon.evaluation.steps import chat_exam
from gnomon.llm.fakes import Scripted
from gnomon.runs.sources import FileSet

JUDGE = ModelRef(name="judge", kind="instruct")
QUESTIONS = [
    {"question_id": 1, "category": "stem", "turns": ["Why is the sky dark at night?", "Say it in five words."]},
    {"question_id": 2, "category": "math", "turns": ["What is 3 parsec in light years?", "And 6?"],
     "reference": ["9.8", "19.6"]},
    {"question_id": 3, "category": "stem", "turns": ["星はなぜ光るのか。", "一文で言い換えて。"]},
]  # fmt: skip
CALLS: list[tuple[str, float, list[str]]] = []
"""(model, temperature, texts of the turns) of every conversation asked for."""


class Talker:
    """Says how many turns it has seen; ``silent`` names the question to which it says nothing."""

    def __init__(self, name: str, silent: str = "") -> None:
        self.ref = ModelRef(name=name, revision="1", kind="instruct")
        self.silent = silent

    def chat(self, conversations: Sequence[Any], options: Any) -> list[Any]:
        CALLS.extend((self.ref.name, options.temperature, [t.text for t in turns]) for turns in conversations)
        says = self._says if self.ref.name != "judge" else self._marks
        made = [Scripted(lambda _, t=turns: says(t)).chat([turns], options)[0] for turns in conversations]
        return [replace(one, cost_usd=0.01) for one in made]

    def _says(self, turns: Sequence[Any]) -> str:
        return (
            "" if self.silent and self.silent in turns[-1].text else f"{self.ref.name} answer {(len(turns) + 1) // 2}"
        )

    def _marks(self, turns: Sequence[Any]) -> str:
        text = turns[-1].text
        answer = re.findall(r"<answer>\n(.*)\n", text)[0]
        if self.silent and self.silent in text:
            return "no marks today"
        points = (8 if answer.startswith("good") else 4) - (2 if "answer 2" in answer else 0)
        return json.dumps({"reason": "heard", "score": points})


def load(source: Path | ModelRef, settings: Settings, **how: Any) -> Talker:
    if isinstance(source, ModelRef):
        return Talker(source.name, silent=source.revision)
    return Talker(**json.loads((source / "talker.json").read_text()))


def held(folder: Path, talkers: dict[str, dict[str, Any]], rows: Sequence[Any] = QUESTIONS, **how: Any) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "question.jsonl").write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    write_json(folder / "files.json", FileSet.scan([folder / "question.jsonl"]).to_row())
    inputs = {"files": folder / "files.json"}
    for name, about in talkers.items():
        write_json(folder / "models" / name / "talker.json", {"name": name, **about})
        inputs[f"model:{name}"] = folder / "models" / name
    roles = tuple(Role(name=name, kind="specialised") for name in talkers)
    out = output(folder)
    kit = {"models": roles, "judge": JUDGE, "loader": "test_open_chat:load", "draws": 200}
    counts = run(ChatConfig(**{**kit, **how}), inputs, out)
    assert counts.add_up
    turns = list(read_table(out.path / "turns.parquet", JudgedTurn))
    return counts, json.loads((out.path / "chat.json").read_text()), turns, out


BOTH: dict[str, dict[str, Any]] = {"good": {}, "poor": {}}


def test_turns_are_answered_in_context_and_judged_one_by_one(tmp_path: Path) -> None:
    CALLS.clear()
    counts, facts, turns, out = held(tmp_path, BOTH)
    assert (counts.kept, counts.made["answers"]) == (3, 12)
    good = facts["chat"]["arms"]["good"]
    assert good["points"]["value"] == 7
    assert [good["by_turn"][turn]["value"] for turn in ("1", "2")] == [8, 6]
    assert good["second_minus_first"]["value"] == -2
    assert good["points"]["n"] == 3  # questions, not turns
    assert good["n"] == 6
    assert set(good["by_category"]) == {"math", "stem"}
    assert good["by_lang"]["ja"]["n"] == 1
    (change,) = facts["chat"]["comparisons"]
    assert (change["arm"], change["against"], change["points"]["value"]) == ("poor", "good", -4)
    second = [texts for name, _, texts in CALLS if name == "good" and len(texts) == 3]
    assert ["Why is the sky dark at night?", "good answer 1", "Say it in five words."] in second
    assert facts["judge"]["cost_usd"] == pytest.approx(0.12)
    assert out.cost_usd == pytest.approx(0.24)
    assert {row.reference for row in turns if row.category == "math"} == {True}


def test_the_judge_sees_the_conversation_the_answer_and_the_reference_in_the_users_language(tmp_path: Path) -> None:
    CALLS.clear()
    held(tmp_path, {"good": {}})
    judged = {texts[-1]: texts[0] for name, _, texts in CALLS if name == "judge"}
    (second,) = [text for text in judged if "And 6?" in text]
    assert "[user]\nWhat is 3 parsec" in second
    assert "[assistant]\ngood answer 1" in second
    assert "<reference>\n19.6\n</reference>" in second
    assert second.endswith("<answer>\ngood answer 2\n</answer>")
    assert all(("会話" in head) == ("星は" in text) for text, head in judged.items())


def test_a_turn_without_an_answer_ends_its_conversation_and_is_no_bad_mark(tmp_path: Path) -> None:
    _, facts, turns, _ = held(tmp_path, {"good": {"silent": "dark at night"}, "poor": {"silent": "And 6?"}})
    good, poor = facts["chat"]["arms"]["good"], facts["chat"]["arms"]["poor"]
    assert good["unscored"] == {"no_answer": 1, "not_reached": 1}
    assert poor["unscored"] == {"no_answer": 1}
    assert good["points"]["value"] == 7
    assert sum(row.points is None for row in turns) == 3
    (change,) = facts["chat"]["comparisons"]
    assert change["points"]["n"] == 2  # questions of which both have a judged turn
    assert change["points"]["value"] == -4


def test_a_judgement_that_cannot_be_read_is_counted_as_such(tmp_path: Path) -> None:
    judge = ModelRef(name="judge", revision="parsec", kind="instruct")
    _, facts, _, _ = held(tmp_path, {"good": {}}, judge=judge)
    found = facts["chat"]["arms"]["good"]
    assert found["unjudged"] == {"unreadable": 2}
    assert (found["n"], found["questions"]) == (4, 3)


def test_temperatures_go_by_category_as_in_mt_bench(tmp_path: Path) -> None:
    CALLS.clear()
    held(tmp_path, {"good": {}}, temperatures=MT_BENCH)
    asked = {(texts[0], temperature) for name, temperature, texts in CALLS if name == "good"}
    assert ("What is 3 parsec in light years?", 0.0) in asked
    assert ("Why is the sky dark at night?", 0.1) in asked
    assert {temperature for name, temperature, _ in CALLS if name == "judge"} == {0.0}


def test_what_is_no_question_is_dropped_and_reference_files_complete_questions(tmp_path: Path) -> None:
    rows = [
        *QUESTIONS, QUESTIONS[0], "{broken", "[1]", {"question_id": 9, "category": "x"},
        {"question_id": 1, "choices": [{"turns": ["Olbers", "Too few stars, too young"]}]},
        {"question_id": 8, "turns": ["one turn only"]}, {"question_id": 7, "turns": []},
    ]  # fmt: skip
    counts, facts, turns, out = held(tmp_path, {"good": {}}, rows)
    assert dict(counts.dropped) == {"broken_line": 2, "no_turns": 2, "repeated": 1}
    assert (counts.kept, counts.made["references"]) == (4, 1)
    assert sum(row.reference for row in turns) == 4
    assert len(list(read_table(out.path / "drops.parquet", Drop))) == 5
    assert facts["chat"]["arms"]["good"]["by_turn"]["2"]["n"] == 3
    few, _, _, _ = held(tmp_path / "few", {"good": {}}, max_items=2)
    assert (few.kept, dict(few.dropped)) == (2, {"not_chosen": 1})
    with pytest.raises(DataError, match="No question"):
        held(tmp_path / "none", {"good": {}}, ["{}"])


def test_a_killed_run_goes_on_and_ends_with_the_same_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held(tmp_path / "whole", BOTH, block=1)
    judged, calls = stepping.judged, itertools.count()

    def dying(*task: Any) -> Any:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return judged(*task)

    monkeypatch.setattr(stepping, "judged", dying)
    with pytest.raises(KeyboardInterrupt):
        held(tmp_path / "killed", BOTH, block=1)
    CALLS.clear()
    held(tmp_path / "killed", BOTH, block=1)
    assert [name for name, _, _ in CALLS] == ["judge"] * 6  # nothing said twice, three of six blocks left
    for name in ("turns.parquet", "chat.json", "drops.parquet"):
        assert content_digest(tmp_path / "whole/data" / name) == content_digest(tmp_path / "killed/data" / name)


def test_a_model_does_not_judge_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is the model under test"):
        ChatConfig(models=(Role(name="good", kind="general", ref=JUDGE),), judge=JUDGE)
    with pytest.raises(ConfigError, match="every name once"):
        ChatConfig(models=(), judge=JUDGE)
    (tmp_path / "q.jsonl").write_text("{}")
    step = chat_exam({"final": ModelRef(name="sage")}, FileSet.scan([tmp_path / "q.jsonl"]), JUDGE)
    assert step.config.models[0].name == "final"
    assert step.identity


def test_the_judge_is_shown_a_reference_only_where_the_turn_has_one() -> None:
    question = Question(id="1", category="", turns=("a", "b"), references=("", "r"))
    assert [tag for tag, _ in case(question, 0, ["x"]).parts] == ["conversation", "answer"]
    assert [tag for tag, _ in case(question, 1, ["x", "y"]).parts] == ["conversation", "reference", "answer"]
