from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core import answers, calls, records
from gnomon.core.errors import DataError
from gnomon.core.files import content_digest
from gnomon.core.tables import (
    TableWriter,
    arrow_schema,
    count_rows,
    from_row,
    read_table,
    to_row,
    write_table,
)

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
SOURCES = st.builds(records.Source, kind=TEXT, key=TEXT, sha256=TEXT)
AUTHORS = st.builds(records.Author, name=TEXT, affiliations=st.lists(TEXT, max_size=2).map(tuple))
BIBLIOS = st.builds(
    records.Biblio, authors=st.lists(AUTHORS, max_size=3).map(tuple), year=st.none() | st.integers(1600, 2100)
)
SECTIONS = st.builds(
    records.Section, title=TEXT, level=st.integers(0, 5), start=st.integers(0, 9), end=st.integers(0, 9)
)
DOCUMENTS = st.builds(
    records.Document, id=TEXT, title=TEXT, text=TEXT, lang=TEXT, source=SOURCES, biblio=BIBLIOS,
    sections=st.lists(SECTIONS, max_size=2).map(tuple), text_hash=st.just(""),
)  # fmt: skip
RECORDS = [records.Document, records.Mark, records.Drop, records.Chunk, records.Item, calls.Call, answers.Answer]


@given(DOCUMENTS)
def test_a_document_read_back_equals_the_one_written(document: records.Document) -> None:
    assert from_row(records.Document, to_row(document)) == document


@given(st.lists(DOCUMENTS, max_size=5))
def test_a_table_read_back_equals_the_one_written(tmp_path_factory: Any, documents: list[records.Document]) -> None:
    path = tmp_path_factory.mktemp("t") / "documents.parquet"
    assert write_table(path, records.Document, documents) == len(documents) == count_rows(path)
    assert list(read_table(path, records.Document)) == documents


@given(st.lists(DOCUMENTS, max_size=5), st.randoms(use_true_random=False))
def test_the_content_digest_does_not_depend_on_the_order_of_rows(tmp_path_factory, documents, chance) -> None:
    folder = tmp_path_factory.mktemp("t")
    write_table(folder / "a.parquet", records.Document, documents)
    chance.shuffle(documents)
    write_table(folder / "b.parquet", records.Document, documents)
    assert content_digest(folder / "a.parquet") == content_digest(folder / "b.parquet")
    write_table(folder / "c.parquet", records.Document, [*documents, *documents[:1]])
    assert (content_digest(folder / "c.parquet") == content_digest(folder / "a.parquet")) == (not documents)


@pytest.mark.parametrize("record", RECORDS)
def test_every_record_has_an_arrow_schema(record: type) -> None:
    assert arrow_schema(record).names


def test_a_table_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken():
        yield records.Drop(doc_id="a", reason="b")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_table(tmp_path / "t.parquet", records.Drop, broken())
    assert list(tmp_path.iterdir()) == []


def test_row_groups_are_bounded_so_that_reading_streams(tmp_path: Path) -> None:
    with TableWriter(tmp_path / "t.parquet", records.Drop, rows_per_group=10) as writer:
        for i in range(25):
            writer.write(records.Drop(doc_id=str(i), reason="r"))
    assert pq.read_metadata(tmp_path / "t.parquet").num_row_groups == 3


def test_a_truncated_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, records.Drop, [records.Drop(doc_id="a", reason="b")])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"t\.parquet is not readable Parquet"):
        list(read_table(path, records.Drop))


def test_a_new_text_makes_a_new_hash_under_the_same_id() -> None:
    source = records.Source(kind="toy", key="k", sha256="0")
    old = records.Document(id="local:1", title="", text="a", lang="en", source=source)
    new = old.with_text("b")
    assert new.id == old.id
    assert new.text_hash != old.text_hash
    assert new.with_text("a").text_hash == old.text_hash
    assert old.span(0, 1).text_hash == old.text_hash
