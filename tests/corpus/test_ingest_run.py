"""Ingest as a step: identity of works, resuming, equal results, speed."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_kit import files, ingested, pdf

from gnomon.core.errors import DataError
from gnomon.core.hashing import text_hash
from gnomon.core.settings import Settings
from gnomon.corpus import crew, ingest, steps
from gnomon.corpus.ids import arxiv_date, arxiv_id, arxiv_id_of_file, document_id
from gnomon.corpus.readers.people import authors_of, split_names, surname_first
from gnomon.runs import FileSet, Recipe, Workspace, run


def rows(*pairs: tuple[str, str]) -> str:
    return "".join(json.dumps({"id": name, "title": "T", "text": text}) + "\n" for name, text in pairs)


@pytest.mark.parametrize(
    ("printed", "bare"),
    [
        ("2401.01234", "2401.01234"), ("arXiv:2401.01234v3", "2401.01234"), ("hep-th/9301042v1", "hep-th/9301042"),
        ("https://arxiv.org/abs/astro-ph/9805201", "astro-ph/9805201"), ("http://arxiv.org/pdf/2401.01234v2.pdf", "2401.01234"),
        ("oai:arXiv.org:0704.0001", "0704.0001"), ("math.GT/0309136", "math/0309136"), ("10.48550/arXiv.1803.08708", "1803.08708"),
        ("arXiv:2401.01234 [astro-ph.CO]", "2401.01234"), ("2413.01234", ""), ("smith2401.01234", ""), ("hubble-1929", ""), ("", ""),
    ],
)  # fmt: skip
def test_arxiv_ids_are_known_in_every_usual_writing(printed: str, bare: str) -> None:
    assert arxiv_id(printed) == bare


def test_a_file_named_after_an_arxiv_id_is_that_paper() -> None:
    assert arxiv_id_of_file("2401.01234v2") == "2401.01234"
    assert arxiv_id_of_file("hep-th9301042") == arxiv_id_of_file("hep-th_9301042v2") == "hep-th/9301042"
    assert arxiv_id_of_file("survey2019") == ""
    assert (arxiv_date("hep-th/9301042"), arxiv_date("0704.0001")) == ("1993-01", "2007-04")


@given(st.integers(0, 99), st.integers(1, 12), st.integers(0, 99999), st.integers(1, 30))
def test_any_version_of_a_paper_has_one_id(year: int, month: int, number: int, version: int) -> None:
    bare = f"{year:02}{month:02}.{number:05}"
    assert document_id(f"arXiv:{bare}v{version}") == document_id(f"https://arxiv.org/abs/{bare}") == f"arxiv:{bare}"


@given(st.text(min_size=1))
def test_every_id_has_one_of_two_forms_and_stays_when_asked_again(own: str) -> None:
    found = document_id(own)
    assert found.startswith(("local:", "arxiv:"))
    assert document_id(found) == found


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("Lee Samuel Finn", "Finn, Lee Samuel"), ("Payne, C. H.", "Payne, C. H."), ("E. M. de la Cruz", "de la Cruz, E. M."),
        ("Martin Luther King Jr.", "King, Martin Luther, Jr."), ("LIGO Scientific Collaboration", "LIGO Scientific Collaboration"),
        ("山田 太郎", "山田 太郎"), ("Madonna", "Madonna"),
    ],
)  # fmt: skip
def test_names_are_printed_surname_first(printed: str, expected: str) -> None:
    assert surname_first(printed) == expected


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("A. Foo, B. Bar and C. Baz", ["A. Foo", "B. Bar", "C. Baz"]), ("Foo, A. and Bar, B.", ["Foo, A.", "Bar, B."]),
        ("Foo, A.; Bar, B.", ["Foo, A.", "Bar, B."]), ("Foo, A., Bar, B. C.", ["Foo, A.", "Bar, B. C."]), ("Foo, Anna", ["Foo, Anna"]),
        ("山田太郎、鈴木花子", ["山田太郎", "鈴木花子"]),
    ],
)  # fmt: skip
def test_one_string_of_names_is_split_where_names_end(printed: str, expected: list[str]) -> None:
    assert split_names(printed) == expected


def test_authors_come_in_many_shapes() -> None:
    people = authors_of(
        [
            {"name": "Ann Lee", "orcid": "https://orcid.org/0000-0001-2345-6789", "affiliation": "X"},
            "Bo Li",
            ["Ng", "C", ""],
        ]
    )
    assert [(a.name, a.orcid, a.affiliations) for a in people] == [
        ("Lee, Ann", "0000-0001-2345-6789", ("X",)), ("Li, Bo", "", ()), ("Ng, C", "", ()),
    ]  # fmt: skip


def test_the_same_record_twice_is_dropped_and_another_text_under_its_name_is_kept(tmp_path: Path) -> None:
    source = files(tmp_path / "in", {"a.jsonl": rows(("k", "one"), ("k", "two"), ("k", "one"), ("k", "two"))})
    result = ingested(tmp_path / "ws", source)
    renamed = f"local:k~{text_hash('two').removeprefix('b2:')[:8]}"
    assert {name: d.text for name, d in result.documents.items()} == {"local:k": "one", renamed: "two"}
    assert result.marks[renamed, "read/id"] == '"local:k"'
    assert result.reasons == {"file:a.jsonl#2": "same_record", "file:a.jsonl#3": "same_record"}


def test_two_versions_of_one_arxiv_paper_are_one_work(tmp_path: Path) -> None:
    source = files(tmp_path / "in", {"a.jsonl": rows(("2401.00001v1", "early"), ("2401.00001v2", "late"))})
    result = ingested(tmp_path / "ws", source)
    assert result.only.text == "early"
    assert result.reasons == {"file:a.jsonl#1": "same_work"}


def test_records_without_an_id_are_called_by_file_and_place(tmp_path: Path) -> None:
    source = files(tmp_path / "in", {"sub/a.jsonl": '{"text": "one"}\n\n{"text": "two"}\n'})
    assert set(ingested(tmp_path / "ws", source).documents) == {"local:sub/a.jsonl#0", "local:sub/a.jsonl#1"}


def many(folder: Path) -> Path:
    page = [(72, 700, 11, "A page of words that is long enough to count as a text layer.")]
    content = {f"r{n}.jsonl": rows(*((f"{n}-{k}", f"Text {n} {k}.") for k in range(7))) + "broken\n" for n in range(4)}
    return files(folder, {**content, "p.pdf": pdf([page]), "lib.bib": "@misc{x, title={T}, abstract={A.}}"})


def test_the_same_files_give_the_same_records_wherever_they_lie(tmp_path: Path) -> None:
    one = ingested(tmp_path / "w1", many(tmp_path / "here"))
    two = ingested(tmp_path / "elsewhere" / "w2", many(tmp_path / "some" / "where" / "else"))
    assert one.record.digest == two.record.digest
    assert one.record.address == two.record.address
    assert str(tmp_path) not in repr(one.documents) + repr(one.marks) + repr(one.drops)


@pytest.mark.parametrize("stop", [0, 1, 3])
def test_a_run_that_was_stopped_goes_on_where_it_was_and_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    source = many(tmp_path / "in")
    whole = ingested(tmp_path / "w1", source, shard_documents=4)
    written: list[str] = []
    original = ingest._write

    def write(shard: ingest.Shard, after: object, key: str, out: object) -> None:
        if len(written) == stop:
            raise KeyboardInterrupt
        written.append(key)
        original(shard, after, key, out)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest, "_write", write)
    with pytest.raises(KeyboardInterrupt):
        ingested(tmp_path / "w2", source, shard_documents=4)
    stop = -1
    resumed = ingested(tmp_path / "w2", source, shard_documents=4)
    assert resumed.record.digest == whole.record.digest
    assert resumed.record.counts == whole.record.counts
    assert resumed.record.metrics == whole.record.metrics
    assert len(written) == len(set(written)) == len([f for f in whole.record.files if f.name.startswith("documents/")])


def test_a_changed_folder_reads_only_its_new_papers_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = many(tmp_path / "in")
    ingested(tmp_path / "ws", source)
    page = [(72, 700, 11, "Another page of words, which came to the folder on a later day.")]
    files(source, {"q.pdf": pdf([page])})
    read: list[str] = []
    original = crew.Worker.read

    def reading(self: crew.Worker, form: str, job: crew.Job, limits: crew.Limits) -> bytes:
        read.append(job.entry.name)
        return original(self, form, job, limits)

    monkeypatch.setattr(crew.Worker, "read", reading)
    result = ingested(tmp_path / "ws", source)
    assert read == ["q.pdf"]
    assert {"local:p.pdf", "local:q.pdf"} <= set(result.documents)


def test_a_file_that_changes_after_it_was_listed_stops_the_run(tmp_path: Path) -> None:
    source = files(tmp_path / "in", {"a.txt": "one"})
    listed = FileSet.scan([source])
    (source / "a.txt").write_text("two", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.txt changed"):
        run(Recipe(name="t", goals=(steps.ingest(listed),)), Workspace(tmp_path / "ws", Settings(threads=1)))


def test_shards_are_cut_by_number_and_by_size(tmp_path: Path) -> None:
    source = files(tmp_path / "in", {"a.jsonl": rows(*((str(n), "x" * 100 + str(n)) for n in range(10)))})
    by_number = ingested(tmp_path / "w1", source, shard_documents=4)
    by_size = ingested(tmp_path / "w2", source, shard_characters=300)
    assert len([f for f in by_number.record.files if f.name.startswith("documents/")]) == 3
    assert len([f for f in by_size.record.files if f.name.startswith("documents/")]) == 4
    assert list(by_number.documents) == list(by_size.documents) == [f"local:{n}" for n in range(10)]


def test_progress_adds_up_to_the_bytes_of_the_files(tmp_path: Path) -> None:
    source = many(tmp_path / "in")
    shutil.copy(source / "r0.jsonl", source / "r9.jsonl")
    listed = FileSet.scan([source])

    class Meter:
        amount = done = 0

        def total(self, amount: int, unit: str) -> None:
            assert unit == "bytes"
            self.amount = amount

        def advance(self, amount: int) -> None:
            assert amount >= 0
            self.done += amount

        def note(self, text: str) -> None:
            raise AssertionError(text)

    meter = Meter()
    from gnomon.runs.runner import SilentProgress

    class Progress(SilentProgress):
        def start(self, step: object, number: int, of: int) -> Meter:  # type: ignore[override]
            return meter

    run(Recipe(name="t", goals=(steps.ingest(listed),)), Workspace(tmp_path / "ws", Settings(threads=1)), Progress())
    assert meter.done == meter.amount == sum(f.bytes for f in listed.files)


def test_real_arxiv_records_keep_their_ids(tmp_path: Path, shared: Path) -> None:
    with pq.ParquetFile(shared / "data/arxiv/astro_ph.parquet") as file:
        batch = next(file.iter_batches(batch_size=2_000))
    (tmp_path / "in").mkdir()
    pq.write_table(pa.Table.from_batches([batch]), tmp_path / "in" / "some.parquet")
    result = ingested(tmp_path / "ws", tmp_path / "in")
    assert result.record.counts.kept == 2_000
    assert set(result.documents) == {f"arxiv:{name}" for name in batch["id"].to_pylist()}
    assert all(d.biblio.authors and d.biblio.date and d.biblio.categories for d in result.documents.values())
