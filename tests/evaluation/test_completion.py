import json
from pathlib import Path
from typing import Any

import pytest
from evaluation_kit import document, documents, output
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import write_json
from gnomon.core.records import Document, ModelRef
from gnomon.core.tables import read_table
from gnomon.evaluation import completion
from gnomon.evaluation.completion import ANOTHER, CompletionConfig, begin, run
from gnomon.evaluation.completion_facts import CompletionScore
from gnomon.evaluation.heldout import TestSet
from gnomon.evaluation.overlap import common_length, overlap, repetition
from gnomon.evaluation.roles import Role, role_of

ENDING = (
    "Its disc turns at 220 km/s and holds 12 young clusters near the Orion arm, which were counted on plates taken"
    " with the Schmidt camera of Hamburg."
)
TRUE_ISH = "The disc turns at 220 km/s near the Orion arm and holds 12 young clusters."
FALSE_ISH = "The disc turns at 310 km/s near the Perseus arm and and and and holds 45 old clusters, clusters, clusters, clusters, clusters."


def papers(n: int = 12) -> list[Document]:
    return [
        document(f"local:{i}", f"We observed the field K{i} for 30 nights. {ENDING}", title=f"A survey of field K{i}")
        for i in range(n)
    ]


def measured(
    folder: Path, made: dict[str, Any], items: list[Document] | None = None, **settings: Any
) -> dict[str, Any]:
    inputs = {"documents:held": documents(folder / "held", papers() if items is None else items)}
    for name, says in made.items():
        write_json(folder / name / "parrot.json", says if isinstance(says, dict) else {"says": says})
        inputs[f"model:{name}"] = folder / name
    roles = tuple(map(role_of, made))
    config = CompletionConfig(
        **{"models": roles, "documents": TestSet(name="held"), "loader": "evaluation_kit:load_parrot", "draws": 50,
           "shard": 5, "least_ending": 5, **settings}
    )  # fmt: skip
    out = output(folder)
    counts = run(config, inputs, out)
    assert counts.add_up
    facts: dict[str, Any] = json.loads((out.path / "completion.json").read_text())
    return facts


def rows(folder: Path) -> list[CompletionScore]:
    return list(read_table(folder / "data" / "completions.parquet", CompletionScore))


def test_a_model_that_writes_what_is_true_beats_one_that_invents(tmp_path: Path) -> None:
    facts = measured(tmp_path, {"base": FALSE_ISH, "specialised": TRUE_ISH})
    base, good = facts["systems"]["base"], facts["systems"]["specialised"]
    assert good["overlap"]["value"] > base["overlap"]["value"]
    assert facts["differences"]["specialised"]["overlap"]["low"] > 0
    assert good["number_precision"]["value"] == good["name_precision"]["value"] == 1.0
    assert base["number_precision"]["value"] == 0.0
    assert good["number_precision"]["written"] == 2 * 12
    assert base["repetition"]["value"] > good["repetition"]["value"] == 0.0
    assert good["ended"]["value"] == 1.0


def test_what_the_prompt_gave_away_is_not_counted_as_new(tmp_path: Path) -> None:
    facts = measured(tmp_path, {"base": "These 30 nights were long and 220 km/s is fast."})
    (first, *_) = [row for row in rows(tmp_path) if row.model == "base"]
    assert (first.numbers, first.numbers_true, first.new_numbers, first.new_numbers_true) == (2, 2, 1, 1)
    assert facts["systems"]["base"]["new_number_precision"]["written"] == 12


def test_a_completion_without_numbers_is_unscored_and_not_wrong(tmp_path: Path) -> None:
    facts = measured(tmp_path, {"base": "and the rest is silence in the dark sky"})
    found = facts["systems"]["base"]["number_precision"]
    assert (found["value"], found["n"], found["unscored"]) == (None, 0, 12)


def test_another_ending_stands_beside_the_models_as_the_measure_of_chance(tmp_path: Path) -> None:
    items = [document(f"local:{i}", f"We looked at star S{i}. It is {word} " * 1 + f"{word} " * 9, title="On a star")
             for i, word in enumerate("red blue cold hot dim".split())]  # fmt: skip
    facts = measured(tmp_path, {"base": "It is red red red red"}, items)
    chance = facts["systems"][ANOTHER]["overlap"]
    assert chance["n"] == 5
    assert 0 < chance["value"] < 0.5
    assert [row.model for row in rows(tmp_path)].count(ANOTHER) == 5
    assert facts["models"][ANOTHER]["kind"] == "chance"


def test_examples_stand_side_by_side(tmp_path: Path) -> None:
    facts = measured(tmp_path, {"base": FALSE_ISH, "specialised": TRUE_ISH}, shown=2)
    assert len(facts["examples"]) == 2
    example = facts["examples"][0]
    assert set(example["completions"]) == {"base", "specialised"}
    assert example["prompt"].startswith("A survey of field")
    assert example["truth"].startswith("Its disc")


def test_a_prompt_without_room_is_unscored_for_that_model_only(tmp_path: Path) -> None:
    items = papers(6)
    items[2] = document("local:long", "We observed " + "and observed " * 30 + f"it. {ENDING}", title="Long")
    facts = measured(tmp_path, {"base": {"says": TRUE_ISH, "room": 200}, "specialised": TRUE_ISH}, items)
    assert facts["systems"]["base"]["unscored"] == 1
    assert facts["systems"]["specialised"]["unscored"] == 0
    assert facts["differences"]["specialised"]["overlap"]["unscored"] == 1
    assert [row.reason for row in rows(tmp_path) if row.reason] == ["no_room"]


def test_documents_too_short_to_be_continued_are_dropped_with_a_reason(tmp_path: Path) -> None:
    facts = measured(tmp_path, {"base": TRUE_ISH}, [*papers(3), document("local:s", "One sentence only.")])
    assert facts["documents"]["dropped"] == {"too_short": 1}
    with pytest.raises(DataError, match="no document that can be used"):
        measured(tmp_path / "none", {"base": TRUE_ISH}, [document("local:s", "One sentence only.")])


@pytest.mark.parametrize(("wanted", "ends"), [(1, "nights."), (2, "Hamburg.")])
def test_a_beginning_ends_with_the_last_sign_of_its_sentence(wanted: int, ends: str) -> None:
    config = CompletionConfig(models=(role_of("base"),), documents=TestSet(name="d"), sentences=wanted, title=False)
    text = f"  We observed the field K1 for 30 nights. {ENDING} More will follow.\n"
    cut = begin(document("local:1", text), config)
    assert cut.prompt.endswith(ends)
    assert f"{cut.prompt} {cut.truth}" == text.strip()


def test_a_killed_run_continues_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"base": FALSE_ISH, "specialised": TRUE_ISH}
    whole = measured(tmp_path / "whole", models)
    continued, seen = completion.continued, []

    def dying(*given: Any) -> Any:
        if len(seen) == 4:
            raise KeyboardInterrupt
        seen.append(given[3])
        return continued(*given)

    monkeypatch.setattr(completion, "continued", dying)
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path / "killed", models)
    seen.clear()
    assert measured(tmp_path / "killed", models) == whole
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")
    assert seen == ["specialised"] * 2


def test_a_model_that_no_step_made_is_opened_by_its_reference(tmp_path: Path) -> None:
    from gnomon.evaluation.steps import completion as completion_step
    from gnomon.evaluation.steps import items
    from gnomon.runs.sources import FileSet

    source = items(FileSet(files=()))
    ref = ModelRef(name="elsewhere", revision=TRUE_ISH, kind="instruct")
    made = completion_step({"base": source, Role(name="other", kind="general"): ref}, source)
    assert set(made.inputs) == {"model:base", "documents:held_out"}
    assert [role.ref for role in made.config.models] == [None, ref]
    roles = (role_of("base"), Role(name="other", kind="general", ref=ref))
    facts = measured(tmp_path, {"base": FALSE_ISH}, models=roles)
    assert facts["models"]["other"]["ref"]["name"] == "parrot"
    assert facts["systems"]["other"]["number_precision"]["value"] == 1.0


@pytest.mark.parametrize(
    "settings",
    [
        {"sentences": 0},
        {"temperature": -1.0},
        {"max_tokens": 0},
        {"models": (role_of("base"), Role(name=ANOTHER, kind="general"))},
    ],
)
def test_a_comparison_that_cannot_be_made_is_refused_when_it_is_described(settings: dict[str, Any]) -> None:
    sound = {"models": (role_of("base"),), "documents": TestSet(name="d")}
    with pytest.raises(ConfigError):
        CompletionConfig(**{**sound, **settings})


words = st.lists(st.sampled_from("abcde"), max_size=90)


@given(words, words)
def test_the_common_subsequence_is_as_long_as_the_plain_table_says(a: list[str], b: list[str]) -> None:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    assert common_length(a, b) == common_length(b, a) == table[-1][-1]


def test_overlap_is_one_for_the_same_words_and_none_without_a_truth() -> None:
    assert overlap("The Star, is red!", "the star is red") == 1.0
    assert overlap("", "the star") == 0.0
    assert overlap("a star", "") is None
    assert overlap("銀河は回る", "銀河が回る") == pytest.approx(0.8)


def test_repetition_counts_four_grams_seen_before() -> None:
    assert repetition("a b c") is None
    assert repetition("a b c d e") == 0.0
    assert repetition("no no no no no no") == pytest.approx(2 / 3)
