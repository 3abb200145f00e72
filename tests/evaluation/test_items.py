import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gnomon.core.files import write_json
from gnomon.core.records import Drop, Item
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table
from gnomon.evaluation.item_files import told_by_name
from gnomon.evaluation.items import ItemsConfig, NotAnItem, run, to_item
from gnomon.evaluation.steps import items
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output, StorePlace
from gnomon.runs.sources import FileSet


def read(folder: Path, files: FileSet, **settings: object) -> tuple[Counts, list[Item], list[Drop]]:
    out = Output(
        path=folder / "data", shards=folder / "shards", identity="test", settings=Settings(),
        place=lambda key: StorePlace(key=key, url=key), cache_path=folder / "cache", locks=folder / "locks",
    )  # fmt: skip
    write_json(folder / "files.json", files.to_row())
    counts = run(ItemsConfig(**settings), {"files": folder / "files.json"}, out)  # type: ignore[arg-type]
    assert counts.add_up
    found = list(read_table(out.path / "items.parquet", Item))
    return counts, found, list(read_table(out.path / "drops.parquet", Drop))


QUESTION = {"question": "Which planet is nearest to the Sun?", "choices": ["Venus", "Mercury", "Mars"]}


@pytest.mark.parametrize(
    ("answer", "targets"),
    [
        (1, (1,)),
        ("B", (1,)),
        ("b", (1,)),
        ("Ｂ", (1,)),
        ("AC", (0, 2)),
        ("A, C", (0, 2)),
        (["C", 0], (0, 2)),
        ("Mercury", (1,)),
    ],
)
def test_an_answer_is_an_index_a_letter_letters_the_option_or_a_list(answer: object, targets: tuple[int, ...]) -> None:
    assert to_item({**QUESTION, "answer": answer}, "f#1").targets == targets


@pytest.mark.parametrize("answer", [3, -1, "D", "Pluto", "1", True, [], {"x": 1}, None, ""])
def test_an_answer_that_fits_no_option_makes_no_item(answer: object) -> None:
    with pytest.raises(NotAnItem) as caught:
        to_item({**QUESTION, "answer": answer}, "f#1")
    assert caught.value.reason == ("bad_answer" if answer not in (None, "") else "no_answer_key")


def test_the_shapes_of_known_exams_become_items() -> None:
    letters = to_item({"id": "x/1", "subject": "astronomy", "language": "en", **QUESTION, "answer": "B"}, "f#1")
    assert (letters.id, letters.subject, letters.lang, letters.origin) == ("x/1", "astronomy", "en", "f")
    opened = to_item(
        {"id": "o", "question": "Ecliptic", "subfield": None, "answer": "The plane of the Earth's orbit."}, "f#1"
    )
    assert (opened.choices, opened.targets, opened.reference) == ((), (), "The plane of the Earth's orbit.")
    starter = to_item(
        {
            "id": "q",
            "lang": "en",
            "note": "n-1905",
            "category": "astro-ph.SR",
            **QUESTION,
            "answer": 1,
            "evidence": "It is.",
        },
        "f#1",
    )
    assert (starter.origin, starter.subject, starter.evidence) == ("n-1905", "astro-ph.SR", "It is.")
    assert to_item({"question": "太陽に最も近いのは？"}, "f#7") == Item(
        id="f#7", prompt="太陽に最も近いのは？", lang="ja", origin="f"
    )


def test_what_is_no_item_is_counted_and_named(tmp_path: Path) -> None:
    source = tmp_path / "exam"
    source.mkdir()
    good = json.dumps({"id": "1", **QUESTION, "answer": 1})
    lines = [
        good,
        "{broken",
        "[1]",
        json.dumps({"id": "2"}),
        json.dumps({**QUESTION, "answer": "Z"}),
        good,
        "",
        '{"id": "1", "question": "Other?"}',
    ]
    (source / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (source / "b.jsonl.gz").write_bytes(gzip.compress(json.dumps({"id": "9", **QUESTION, "answer": 0}).encode()))
    (source / "c.jsonl.gz").write_bytes(b"\x1f\x8b broken")
    (source / "readme.txt").write_text("no exam", encoding="utf-8")
    counts, found, drops = read(tmp_path, FileSet.scan([source]))
    assert [item.id for item in found] == ["1", "1#2", "9"]
    assert dict(counts.dropped) == {
        "bad_answer": 1,
        "broken_line": 2,
        "no_question": 1,
        "repeated": 1,
        "unknown_format": 1,
        "unreadable": 1,
    }
    assert {drop.doc_id for drop in drops if drop.reason == "broken_line"} == {"a.jsonl#2", "a.jsonl#3"}
    assert {drop.doc_id for drop in drops if drop.reason in {"unknown_format", "unreadable"}} == {
        "file:readme.txt",
        "file:c.jsonl.gz",
    }


@pytest.mark.parametrize(
    ("row", "choices", "targets"),
    [
        ({"A": "red", "B": "blue", "C": "green", "answer": "C"}, ("red", "blue", "green"), (2,)),
        ({"Question": "?", "A": "red", "B": "blue", "C": "", "D": "", "Answer": "A、B"}, ("red", "blue"), (0, 1)),
        ({"choices": {"A": "red", "B": "blue"}, "correct_option": "B"}, ("red", "blue"), (1,)),
        ({"a": 1.5, "b": 2, "answer_key": "b"}, ("1.5", "2"), (1,)),
        ({"options": ["red", "blue"], "correct_answer": "blue"}, ("red", "blue"), (1,)),
    ],
)
def test_options_stand_in_a_list_an_object_or_columns(
    row: dict[str, object], choices: tuple[str, ...], targets: tuple[int, ...]
) -> None:
    found = to_item({"question": "Which?", **row} if "Question" not in row else row, "f#1")
    assert (found.choices, found.targets) == (choices, targets)


def test_a_gap_between_letters_is_never_closed_by_guessing() -> None:
    with pytest.raises(NotAnItem, match="without a gap") as caught:
        to_item({"question": "?", "A": "red", "B": "blue", "D": "green", "answer": "D"}, "f#1")
    assert caught.value.reason == "bad_choices"


def test_mmlu_and_jmmlu_files_without_a_head_are_read_with_subject_and_split(tmp_path: Path) -> None:
    for name, text in {
        "dev/astronomy_dev.csv": '"Which is a star, of these?",Sun,Moon,Mars,Earth,A\n',
        "test/astronomy_test.csv": "Which is a moon?,Sun,Europa,Mars,Earth,B\nToo short,B\n",
        "JMMLU/astronomy.csv": "\ufeff恒星はどれか？,月, 太陽 ,火星,地球,B\n",
    }.items():
        (tmp_path / "exam" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "exam" / name).write_text(text, encoding="utf-8")
    counts, found, _ = read(tmp_path, FileSet.scan([tmp_path / "exam"]))
    assert {(i.id, i.subject, i.split, i.lang, i.choices[i.targets[0]]) for i in found} == {
        ("dev/astronomy_dev.csv#1", "astronomy", "dev", "en", "Sun"),
        ("test/astronomy_test.csv#1", "astronomy", "test", "en", "Europa"),
        ("JMMLU/astronomy.csv#1", "astronomy", "", "ja", "太陽"),
    }
    assert dict(counts.dropped) == {"broken_line": 1}


def test_parquet_and_sheets_with_lettered_columns_are_read_as_astromlab_and_astro_qa_have_them(tmp_path: Path) -> None:
    exam = tmp_path / "exam"
    exam.mkdir()
    asked = {"question": ["Which is hot?"], "A": ["ice"], "B": ["lava"], "C": ["snow"], "D": ["frost"]}
    pq.write_table(pa.table({**asked, "correct_option": ["B"]}), exam / "own-00000-of-00001.parquet")
    pq.write_table(pa.table(asked), exam / "without_key.parquet")
    mmlu = {"question": ["Cold?"], "subject": ["x"], "choices": [["lava", "ice"]], "answer": [1]}
    pq.write_table(pa.table(mmlu), exam / "dev-00000-of-00001.parquet")
    (exam / "broken.parquet").write_bytes(b"PAR1 no")
    (exam / "multi_EN.csv").write_text("ID,Question,A,B,C,D,Answer\n7,Which burn?,wood,stone,paper,sand,AC\n")
    (exam / "list.json").write_text(json.dumps({"questions": [{**QUESTION, "answer": 1}, 3]}))
    (exam / "other.json").write_text('{"a": 1}')
    (exam / "latin.csv").write_bytes("question,A,B,answer\ncaf\xe9?,a,b,A\n".encode("latin-1"))
    counts, found, drops = read(tmp_path, FileSet.scan([exam]))
    assert {(i.id, i.targets, i.split) for i in found} == {
        ("own-00000-of-00001.parquet#1", (1,), ""),
        ("dev-00000-of-00001.parquet#1", (1,), "dev"),
        ("7", (0, 2), ""),
        ("list.json#1", (1,), ""),
    }
    assert {(d.doc_id, d.reason) for d in drops} == {
        ("without_key.parquet#1", "no_answer_key"),
        ("file:broken.parquet", "broken_parquet"),
        ("list.json#2", "broken_line"),
        ("file:other.json", "broken_json"),
        ("file:latin.csv", "encoding"),
    }
    assert counts.taken == 9


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("test/astronomy_test.csv", ("test", "astronomy")),
        ("astronomy_val.csv", ("val", "astronomy")),
        ("astronomy/dev-00000-of-00001.parquet", ("dev", "astronomy")),
        ("data/train-00000-of-00001.parquet", ("", "train")),
        ("latest_developments.csv", ("", "latest_developments")),
    ],
)
def test_a_name_tells_split_and_subject(name: str, told: tuple[str, str]) -> None:
    assert told_by_name(name) == told


def test_languages_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "exam.jsonl").write_text(
        '{"question": "太陽は何からできているか？"}\n{"question": "What is it?"}\n', encoding="utf-8"
    )
    counts, found, _ = read(tmp_path, FileSet.scan([tmp_path / "exam.jsonl"]), langs=("ja",))
    assert [item.lang for item in found] == ["ja"]
    assert dict(counts.dropped) == {"other_language": 1}


def test_the_step_is_addressed_by_what_the_files_hold(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "exam.jsonl").write_text('{"question": "What is it?"}\n', encoding="utf-8")
    first, second = (items(FileSet.scan([tmp_path / name])) for name in ("one", "two"))
    assert first.identity == second.identity
    assert first.name == "evaluation/items"


def test_every_line_of_the_shared_exams_is_an_item(shared: Path, tmp_path: Path) -> None:
    counts, found, _ = read(tmp_path, FileSet.scan([shared / "data" / "mcq"]))
    assert counts.taken == counts.kept > 3_900
    assert {item.lang for item in found} == {"en", "ja"}
    assert all(item.targets or item.reference for item in found)
    assert {item.split for item in found} == {"dev", "test", ""}
