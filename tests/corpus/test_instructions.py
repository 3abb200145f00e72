import gzip
import json
from pathlib import Path

import pytest
import shelves
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import DataError
from gnomon.corpus import steps
from gnomon.corpus.instructions import NoTurns, rendered, turns_of
from gnomon.runs import FileSet

ROWS = [
    {"id": "a", "question": "Which way?", "answer": "Up.", "licence": "CC0-1.0"},
    {"instruction": "Add them.", "input": "2 and 3", "output": "5"},
    {"messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "なぜか"},
                  {"role": "assistant", "content": "夜だから。"}]},
    {"conversations": [{"from": "human", "value": "Hello?"}, {"from": "gpt", "value": "Yes."}, {"from": "human", "value": "?"}]},
    {"question": "No answer?"},
    {"question": "Empty?", "answer": "  "},
    {"messages": [{"role": "narrator", "content": "Once."}]},
    {"id": "a", "question": "Which way again?", "answer": "Down."},
]  # fmt: skip


def made(tmp_path: Path, name: str = "qa.jsonl", extra: bytes = b""):
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode() + extra
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return shelves.make(steps.instructions(FileSet.scan([tmp_path / name]), licence="ODC-BY"), tmp_path / "ws")


@pytest.mark.parametrize("name", ["qa.jsonl", "qa.jsonl.gz"])
def test_questions_with_their_answers_become_documents_and_the_rest_is_counted(tmp_path: Path, name: str) -> None:
    record, path = made(tmp_path, name, b"not json\n[1]\n\n")
    assert record.counts.taken == 10
    assert record.counts.dropped == {
        "broken_line": 1, "no_answer": 2, "not_a_record": 1, "repeated_id": 1, "unknown_role": 1,
    }  # fmt: skip
    documents = list(shelves.documents_of(path))
    assert [d.id for d in documents] == ["local:a", f"local:{name}#2", f"local:{name}#3", f"local:{name}#4"]
    assert documents[0].text == "Question: Which way?\n\nAnswer: Up."
    assert documents[1].text == "Question: Add them.\n\n2 and 3\n\nAnswer: 5"
    assert documents[2].text == "設定: Be short.\n\n質問: なぜか\n\n回答: 夜だから。"
    assert [d.lang for d in documents] == ["en", "en", "ja", "en"]
    assert [d.source.licence for d in documents[:2]] == ["CC0-1.0", "ODC-BY"]


def test_files_without_a_single_answer_are_an_error_that_counts(tmp_path: Path) -> None:
    (tmp_path / "qa.jsonl").write_text('{"question": "Why?"}\n', encoding="utf-8")
    (tmp_path / "notes.txt").write_text("text", encoding="utf-8")
    step = steps.instructions(FileSet.scan([tmp_path / "qa.jsonl", tmp_path / "notes.txt"]))
    with pytest.raises(DataError, match="no_answer"):
        shelves.make(step, tmp_path / "ws")


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(min_size=1).filter(str.strip)), min_size=1))
def test_every_turn_is_in_the_text_in_order_or_the_record_is_refused(turns: list[tuple[str, str]]) -> None:
    row = {"messages": [{"role": person, "content": text} for person, text in turns]}
    try:
        found = turns_of(row)
    except NoTurns:
        assert len({person for person, _ in turns}) == 1 or any(not t.replace("\0", "").strip() for _, t in turns)
        return
    text, place = rendered(found, "en"), 0
    for _, said in found:
        place = text.index(said, place) + len(said)
