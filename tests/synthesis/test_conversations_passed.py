"""Conversations go through the steps that compare and divide, as pairs do."""

from pathlib import Path

import pytest
from choosing import output, rows

from gnomon.core.messages import Message
from gnomon.core.records import Document, Drop
from gnomon.core.synthetic import Example
from gnomon.core.tables import write_table
from gnomon.synthesis.as_documents import AsDocumentsConfig, document_of
from gnomon.synthesis.as_documents import run as to_documents
from gnomon.synthesis.part import PairsPartConfig, part_of
from gnomon.synthesis.part import run as divide
from gnomon.synthesis.surviving import SurvivingConfig
from gnomon.synthesis.surviving import run as survive


def example(number: int, doc_ids: tuple[str, ...] = ()) -> Example:
    turns = (
        Message(role="user", text=f"What dims star {number}?"),
        Message(role="assistant", text=f"Dust of kind {number}."),
    )
    return Example(id=f"chat:{number}", messages=turns, lang="en", kind="open", source="own", doc_ids=doc_ids)


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    write_table(tmp_path / "chat" / "examples" / "00000.parquet", Example, [example(n) for n in range(40)])
    return tmp_path / "chat"


def test_a_conversation_is_a_document_of_its_turns() -> None:
    assert document_of(example(3)).text == "What dims star 3?\nDust of kind 3."
    assert document_of(example(3), answer=False).text == "What dims star 3?"
    assert document_of(example(3)).id == "chat:3"


def test_a_conversation_whose_document_is_gone_is_left_out_with_its_reason(chat: Path, tmp_path: Path) -> None:
    whole = output(tmp_path / "documents")
    assert to_documents(AsDocumentsConfig(), {"pairs": chat}, whole).kept == 40
    left = [d for d in rows(whole.path / "documents" / "00000.parquet", Document) if d.id != "chat:7"]
    write_table(tmp_path / "clean" / "documents" / "00000.parquet", Document, left)
    write_table(tmp_path / "clean" / "drops.parquet", Drop, [Drop(doc_id="chat:7", reason="exam_question")])
    out = output(tmp_path / "out")
    counts = survive(SurvivingConfig(), {"pairs": chat, "documents": tmp_path / "clean"}, out)
    assert (counts.kept, counts.dropped, counts.made) == (39, {"exam_question": 1}, {"examples": 39})
    (drop,) = rows(out.path / "drops.parquet", Drop)
    assert (drop.doc_id, drop.excerpt) == ("chat:7", "What dims star 7?")


def test_parts_of_conversations_make_up_the_whole(chat: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    for name in ("train", "development", "test"):
        out = output(tmp_path / name)
        counts = divide(PairsPartConfig(part=name, development=0.2, test=0.2), {"pairs": chat}, out)
        kept = [one.id for one in rows(out.path / "examples" / "00000.parquet", Example)]
        assert counts.kept == len(kept) > 0
        seen += kept
    assert sorted(seen) == sorted(f"chat:{n}" for n in range(40))


def test_a_conversation_about_a_document_goes_where_its_pairs_go(tmp_path: Path) -> None:
    config = PairsPartConfig(part="train", development=0.5, test=0.0)
    own = [example(n, (f"local:{n}",)) for n in range(20)]
    write_table(tmp_path / "in" / "examples" / "00000.parquet", Example, own)
    out = output(tmp_path / "out")
    divide(config, {"pairs": tmp_path / "in"}, out)
    kept = {one.id for one in rows(out.path / "examples" / "00000.parquet", Example)}
    assert kept == {f"chat:{n}" for n in range(20) if part_of(f"local:{n}", config) == "train"}
