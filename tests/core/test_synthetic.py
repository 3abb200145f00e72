"""Pairs and examples refuse to be what could not be traced or learnt."""

from pathlib import Path

import pytest

from gnomon.core.errors import DataError
from gnomon.core.messages import Message
from gnomon.core.records import Span
from gnomon.core.synthetic import QA, Evidence, Example, Preference, Verdict
from gnomon.core.tables import read_table, write_table

SPAN = Span(doc_id="local:a", text_hash="b2:0", start=0, end=9)
PAIR = {
    "kind": "open", "lang": "en", "question": "How far is M31?", "answer": "780 kpc", "writer": "w",
    "evidence": (Evidence(span=SPAN, quote="It is 780 kpc away."),),
}  # fmt: skip


def test_a_pair_without_evidence_cannot_be_constructed() -> None:
    for wrong in ({"evidence": ()}, {"evidence": (Evidence(span=SPAN, quote=" "),)}):
        with pytest.raises(DataError, match="no evidence"):
            QA(**{**PAIR, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong", [{"question": " "}, {"answer": ""}, {"kind": "riddle"}, {"choices": ("1 kpc", "2 kpc")}], ids=str
)
def test_a_pair_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DataError):
        QA(**{**PAIR, **wrong})  # type: ignore[arg-type]


def test_an_id_is_what_was_asked_and_answered_and_stays_when_judged() -> None:
    pair = QA(**PAIR)  # type: ignore[arg-type]
    assert pair.id == QA(**{**PAIR, "writer": "another"}).id  # type: ignore[arg-type]
    assert pair.id != QA(**{**PAIR, "answer": "78 kpc"}).id  # type: ignore[arg-type]
    assert pair.judged(Verdict(judge="j", criterion="correctness", score=5)).id == pair.id
    assert pair.doc_id == "local:a"


def test_pairs_and_examples_survive_a_table(tmp_path: Path) -> None:
    turns = (Message(role="user", text="why?"), Message(role="assistant", text="so", thinking="hm"))
    pair = QA(**{**PAIR, "kind": "dialogue", "turns": turns}).judged(  # type: ignore[arg-type]
        Verdict(judge="j", criterion="pertinence", score=4, reason="fine")
    )
    example = Example(id="e", messages=turns, lang="en", kind="open", source="synthetic", qa_ids=(pair.id,))
    for number, record in enumerate((pair, example)):
        write_table(tmp_path / f"{number}.parquet", type(record), [record])
        assert list(read_table(tmp_path / f"{number}.parquet", type(record))) == [record]


@pytest.mark.parametrize("roles", [("user",), (), ("user", "judge", "assistant")])
def test_an_example_has_something_to_learn(roles: tuple[str, ...]) -> None:
    messages = tuple(Message(role=role, text="x") for role in roles)
    with pytest.raises(DataError, match="cannot be learnt"):
        Example(id="e", messages=messages, lang="en", kind="open", source="s")


def test_a_preference_is_asked_for_and_prefers_one_answer_to_another(tmp_path: Path) -> None:
    asked = (Message(role="user", text="How far is M31?"),)
    preference = Preference(
        id="p", messages=asked, chosen="780 kpc", rejected="78 kpc", lang="en", kind="numeric", qa_ids=("qa:1",)
    )
    write_table(tmp_path / "preferences.parquet", Preference, [preference])
    assert list(read_table(tmp_path / "preferences.parquet", Preference)) == [preference]
    for wrong in ({"messages": ()}, {"chosen": " "}, {"rejected": "780 kpc "}):
        with pytest.raises(DataError, match="preference"):
            Preference(**{"id": "p", "messages": asked, "chosen": "780 kpc", "rejected": "78 kpc", "lang": "en",
                          "kind": "numeric", **wrong})  # type: ignore[arg-type]  # fmt: skip
