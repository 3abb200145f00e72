"""Unwanted answers: refused ones first, then wrong options, then those of other questions; never a right one."""

from pathlib import Path

import pytest
from choosing import accepted, leave, marked, output, pair, reasons, rows
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError
from gnomon.core.files import content_digest
from gnomon.core.records import Document, Source
from gnomon.core.synthetic import QA, Preference
from gnomon.core.tables import write_table
from gnomon.synthesis import preferences
from gnomon.synthesis.conversing import conversation
from gnomon.synthesis.preferences import PreferencesConfig, alike
from gnomon.training.preference.pairs import PREFERENCES


def made(folder: Path, kept: list[QA], judged: list[QA] | None = None, **settings: object) -> list[Preference]:
    inputs = {"pairs": leave(folder / "kept", kept)}
    if judged is not None:
        inputs["judged"] = leave(folder / "judged", judged)
    out = output(folder / "out")
    counts = preferences.run(PreferencesConfig(**settings), inputs, out)  # type: ignore[arg-type]
    assert counts.add_up
    assert sum(out.metrics["ways"].values()) == counts.kept
    return rows(out.path / PREFERENCES, Preference)


def test_what_judges_refused_as_an_answer_to_the_same_question_is_not_wanted(tmp_path: Path) -> None:
    good = accepted(pair(1), 0.9)
    bad = [accepted(pair(1, answer=answer), score) for answer, score in (("3 pc", 0.4), ("5 kpc", 0.1))]
    elsewhere = [accepted(pair(1, answer="7 pc", lang="ja"), 0.0), pair(1, answer="nobody judged this")]
    (found,) = made(tmp_path, [good], [good, *bad, *elsewhere])
    assert (found.chosen, found.rejected) == ("1 pc", "5 kpc")
    assert found.qa_ids == (good.id, bad[1].id)
    assert found.doc_ids == ("local:d1",)
    assert [(m.role, m.text) for m in found.messages] == [("user", good.question)]


def test_only_what_was_thought_wrong_is_not_wanted(tmp_path: Path) -> None:
    good = marked(pair(1), correctness=5)
    wrong = [
        marked(pair(1, answer="3 pc"), correctness=2),
        accepted(marked(pair(1, answer="4 pc"), correctness=5), 0.1),
    ]
    right = [marked(pair(1, answer="9 pc"), correctness=5, pertinence=1), accepted(pair(1, answer="8 pc"), 0.9)]
    (found,) = made(tmp_path, [good], [*right, *wrong])
    assert found.rejected == "4 pc"
    assert made(tmp_path / "none", [good], right) == []


def test_a_wrong_option_has_its_letter_in_the_order_that_is_taught(tmp_path: Path) -> None:
    one = pair(4, "choice")
    (found,) = made(tmp_path, [one], seed=3)
    asked, answered = (message.text for message in conversation(one, seed=3))
    assert (found.messages[0].text, found.chosen) == (asked, answered)
    assert found.rejected != answered
    assert f"\n{found.rejected}" in asked
    assert found.qa_ids == (one.id,)


def test_an_answer_of_another_question_about_the_document_is_of_the_same_type(tmp_path: Path) -> None:
    here = {"doc": "local:a", "kind": "numeric"}
    kept = [pair(1, **here), pair(2, **here), pair(3, answer="25 km/s", **here), pair(4, kind="numeric")]
    found = {one.qa_ids[0]: one for one in made(tmp_path, kept)}
    assert found[kept[0].id].rejected == "2 pc"
    assert found[kept[0].id].qa_ids == (kept[0].id, kept[1].id)
    assert found[kept[1].id].rejected == "1 pc"
    assert set(found) == {kept[0].id, kept[1].id}  # no other speed here, and nothing else about the fourth's document
    assert set(reasons(tmp_path / "out").values()) == {"no_alternative"}


@given(st.sampled_from(["Walter Baade", "walter baade.", "Baade", "Edwin Hubble", "1944", "in 1944", "1944年", "5 pc"]),
       st.sampled_from(["Walter Baade", "Baade", "Edwin Hubble", "1944", "1945", "5.0 pc", "5 kpc"]))  # fmt: skip
def test_another_answer_never_is_the_right_one_or_a_part_of_it(other: str, answer: str) -> None:
    if alike(other, pair(1, answer=answer)):
        assert other.casefold() not in answer.casefold()
        assert answer.casefold() not in other.casefold()
        assert any(c.isdigit() for c in other) == any(c.isdigit() for c in answer)


def test_a_right_answer_in_other_words_is_not_called_unwanted(tmp_path: Path) -> None:
    good = accepted(pair(1, answer="1.0 kpc"), 0.9)
    assert made(tmp_path, [good], [good, accepted(pair(1, answer="1 kpc"), 0.1)]) == []


def test_the_ways_are_a_choice(tmp_path: Path) -> None:
    kept = [pair(1, "choice"), pair(2, doc="local:a"), pair(3, doc="local:a")]
    assert [one.kind for one in made(tmp_path / "a", kept, ways=("swapped",))] == ["open", "open"]
    assert [one.kind for one in made(tmp_path / "b", kept, ways=("option",))] == ["choice"]
    with pytest.raises(ConfigError, match="preferences"):
        made(tmp_path / "c", kept, ways=("invented",))


def test_it_is_the_same_twice_and_another_with_another_seed(tmp_path: Path) -> None:
    kept = [pair(i, "choice") for i in range(12)]
    outs = []
    for number, seed in enumerate((0, 0, 1)):
        made(tmp_path / str(number), kept, seed=seed)
        outs.append(content_digest(tmp_path / str(number) / "out" / PREFERENCES))
    assert outs[0] == outs[1] != outs[2]


def test_licences_are_told_where_documents_are_given(tmp_path: Path) -> None:
    source = Source(kind="markdown", key="k", sha256="0", licence="CC-BY-4.0")
    document = Document(id="local:d1", title="", text="x", lang="en", source=source)
    write_table(tmp_path / "docs" / "documents" / "0.parquet", Document, [document])
    folder, out = leave(tmp_path / "in", [pair(1, "choice"), pair(2, "choice")]), output(tmp_path / "out")
    preferences.run(PreferencesConfig(), {"pairs": folder, "documents": tmp_path / "docs"}, out)
    assert out.metrics["licences"] == {"": 1, "CC-BY-4.0": 1}
